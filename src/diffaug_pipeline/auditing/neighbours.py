"""The real picture that each of many pictures is nearest to: candidates by coarse pixels, then closely."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from diffaug_pipeline.auditing.alignment import aligned_distance
from diffaug_pipeline.auditing.coarse import coarse_vectors
from diffaug_pipeline.progress import progress_bar

QUERIES_PER_BLOCK = 1024
REFERENCES_PER_BLOCK = 4096
SIMILARITY_GAP = 0.005
"""A copy is the most similar reference, or less similar than that one by 0.003 at most (EXPERIMENTS.md)."""
NOBODY = -1
VIEWS = tuple(product((False, True), repeat=2))
"""Whether the query is mirrored, and whether it, not the reference, is the crop."""


@dataclass(frozen=True)
class Neighbours:
    """The nearest reference of each of N queries."""

    numbers: np.ndarray
    """(N,) its number; `NOBODY` where there is no reference."""
    distances: np.ndarray
    """(N,) in [0, 1] (`aligned_distance`); 1 where there is none."""
    runner_up_distances: np.ndarray
    """(N,) in [0, 1] to the second nearest; NaN where there is none."""


@dataclass(frozen=True)
class Candidate:
    """A reference, in the view of the pair in which it is similar to a query."""

    number: int
    view: tuple[bool, bool]
    similarity: float


def nearest(
    queries: np.ndarray, references: np.ndarray, excluded: np.ndarray, candidates: int, description: str
) -> Neighbours:
    """Of (N, 64, 64) thumbnails among (M, 64, 64) others, mirrored or not, either possibly a crop of the other.

    Query n is not compared with the reference `excluded[n]`, unless that is `NOBODY`. The nearest is sought among the
    references that are most similar in coarse pixels: it is found if it is a copy. Memory does not grow with N.
    """
    numbers = np.full(len(queries), NOBODY)
    distances, runner_ups = np.ones(len(queries)), np.full(len(queries), np.nan)
    with progress_bar(len(queries), description, "images") as bar:
        for start in range(0, len(queries), QUERIES_PER_BLOCK):
            block = slice(start, start + QUERIES_PER_BLOCK)
            found = _find_candidates(queries[block], references, excluded[block], candidates)
            for query, best in enumerate(found, start):
                ranked = _rank(queries[query], references, best)
                if ranked:
                    distances[query], numbers[query] = ranked[0]
                if len(ranked) > 1:
                    runner_ups[query] = ranked[1][0]
                bar.update()
    return Neighbours(numbers, distances, runner_ups)


def _rank(query: np.ndarray, references: np.ndarray, candidates: list[Candidate]) -> list[tuple[float, int]]:
    """Distance and number of each reference that may be the nearest, of at least two, the nearest first."""
    distances: dict[int, float] = {}
    for candidate in candidates:
        if len(distances) > 1 and candidate.similarity < candidates[0].similarity - SIMILARITY_GAP:
            break
        distance = _distance(query, references[candidate.number], *candidate.view)
        distances[candidate.number] = min(distance, distances.get(candidate.number, distance))
    return sorted((distance, number) for number, distance in distances.items())


def distance_between(first: np.ndarray, second: np.ndarray) -> float:
    """In [0, 1], of two thumbnails; the least over the ways in which `nearest` looks at a pair."""
    return min(_distance(first, second, *view) for view in VIEWS)


def _distance(query: np.ndarray, reference: np.ndarray, mirrored: bool, query_is_crop: bool) -> float:
    seen = np.ascontiguousarray(query[:, ::-1]) if mirrored else query
    return aligned_distance(seen, reference) if query_is_crop else aligned_distance(reference, seen)


def _find_candidates(
    queries: np.ndarray, references: np.ndarray, excluded: np.ndarray, count: int
) -> Iterator[list[Candidate]]:
    """For each query the `count` most similar, the most similar first."""
    best = np.full((len(queries), 0), -np.inf, np.float32), np.zeros((len(queries), 0), int)
    crops = {mirrored: coarse_vectors(queries[:, :, ::-1] if mirrored else queries) for mirrored in (False, True)}
    for start in range(0, len(references), REFERENCES_PER_BLOCK):
        block = references[start : start + REFERENCES_PER_BLOCK]
        block_crops = coarse_vectors(block)
        hidden = np.flatnonzero((excluded >= start) & (excluded < start + len(block)))
        for view, (mirrored, query_is_crop) in enumerate(VIEWS):
            if query_is_crop:
                similarity = _most_similar(crops[mirrored][:1], block_crops)
            else:
                similarity = _most_similar(crops[mirrored][1:], block_crops[:1])
            similarity[hidden, excluded[hidden] - start] = -np.inf
            codes = np.arange(start, start + len(block)) * len(VIEWS) + view
            best = _keep_best(best, (similarity, np.broadcast_to(codes, similarity.shape)), count)
    for similarities, codes in zip(*best, strict=True):
        known = similarities > -np.inf
        yield [
            Candidate(code // len(VIEWS), VIEWS[code % len(VIEWS)], similarity)
            for code, similarity in zip(codes[known].tolist(), similarities[known].tolist(), strict=True)
        ]


def _most_similar(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, M) the highest correlation of any of the crops of each of N pictures with any of those of M others."""
    highest = np.full((first.shape[1], second.shape[1]), -np.inf, np.float32)
    for mine, theirs in product(first, second):
        np.maximum(highest, mine @ theirs.T, out=highest)
    return highest


def _keep_best(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Similarities and codes, both (N, K), of the `count` most similar of both, the best first."""
    similarity, codes = (np.concatenate(parts, axis=1) for parts in zip(first, second, strict=True))
    if similarity.shape[1] > count:
        chosen = np.argpartition(-similarity, count - 1, axis=1)[:, :count]
        similarity, codes = (np.take_along_axis(part, chosen, axis=1) for part in (similarity, codes))
    order = np.argsort(-similarity, axis=1, kind="stable")
    return np.take_along_axis(similarity, order, axis=1), np.take_along_axis(codes, order, axis=1)
