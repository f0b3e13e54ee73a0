import numpy as np
import pytest
from auditing.audit_cases import COPIES
from factories import smooth_image

from diffaug_pipeline.auditing import neighbours
from diffaug_pipeline.auditing.neighbours import NOBODY, distance_between, nearest
from diffaug_pipeline.imaging.thumbnails import thumbnail, thumbnails

PICTURES = [smooth_image(f"picture {number}", (80, 64)) for number in range(12)]
REFERENCES = thumbnails(PICTURES)
QUERIES = thumbnails([smooth_image(f"query {number}", (64, 64)) for number in range(7)])


def free(queries: np.ndarray) -> np.ndarray:
    return np.full(len(queries), NOBODY)


def test_with_all_as_candidates_the_nearest_of_all_is_found(monkeypatch):
    monkeypatch.setattr(neighbours, "SIMILARITY_GAP", 2.0)
    found = nearest(QUERIES, REFERENCES, free(QUERIES), candidates=4 * len(REFERENCES), description="")
    distances = np.array([[distance_between(query, reference) for reference in REFERENCES] for query in QUERIES])
    np.testing.assert_array_equal(found.numbers, distances.argmin(1))
    np.testing.assert_array_equal(found.distances, distances.min(1))
    np.testing.assert_array_equal(found.runner_up_distances, np.sort(distances, axis=1)[:, 1])


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_of_either_finds_the_other(kind):
    copies = thumbnails([COPIES[kind](picture) for picture in PICTURES])
    for queries, references in ((copies, REFERENCES), (REFERENCES, copies)):
        found = nearest(queries, references, free(queries), candidates=2, description="")
        assert found.numbers.tolist() == list(range(len(PICTURES)))
        assert found.distances.max() < 0.005


def test_blocks_change_nothing(monkeypatch):
    at_once = nearest(QUERIES, REFERENCES, free(QUERIES), candidates=5, description="")
    monkeypatch.setattr(neighbours, "QUERIES_PER_BLOCK", 3)
    monkeypatch.setattr(neighbours, "REFERENCES_PER_BLOCK", 5)
    excluded = free(QUERIES)
    in_blocks = nearest(QUERIES, REFERENCES, excluded, candidates=5, description="")
    np.testing.assert_array_equal(in_blocks.numbers, at_once.numbers)
    np.testing.assert_array_equal(in_blocks.distances, at_once.distances)
    excluded[:] = at_once.numbers
    others = nearest(QUERIES, REFERENCES, excluded, candidates=5, description="")
    assert (others.numbers != at_once.numbers).all()


def test_whatever_is_excluded_is_not_found():
    found = nearest(REFERENCES, REFERENCES, np.arange(len(REFERENCES)), candidates=3, description="")
    assert (found.numbers != np.arange(len(REFERENCES))).all()
    assert found.distances.min() > 0.05


def test_without_anything_to_compare_with_there_is_nobody():
    one = REFERENCES[:1]
    found = nearest(one, one, np.array([0]), candidates=3, description="")
    assert (found.numbers[0], found.distances[0]) == (NOBODY, 1.0)
    assert np.isnan(found.runner_up_distances[0])
    assert nearest(one, REFERENCES[:0], free(one), candidates=3, description="").numbers[0] == NOBODY


def test_blank_pictures_find_each_other():
    blank = np.zeros((1, 64, 64), np.uint8)
    found = nearest(blank, np.concatenate([REFERENCES, blank]), free(blank), candidates=1, description="")
    assert (found.numbers[0], found.distances[0]) == (len(REFERENCES), 0.0)


def test_distance_between_two_pictures_sees_through_a_mirror():
    mirrored = thumbnail(COPIES["mirrored"](PICTURES[0]))
    assert distance_between(mirrored, REFERENCES[0]) < 0.001
