"""Filter decisions: one row per synthetic image, scores and verdict per rule, `accepted`, `reason`.

Columns: `image_id`, `label` (scenes have none), the score columns that the modules of `rules` describe, `<rule>_passes`
for each rule of the list, `by_hand` (`keep`, `reject` or null: what a person decided), `accepted`, `reason` (`by_hand`,
or the first rule of the list that the image fails, or `selection` if it fails none and others are taken; null where
accepted). Images that one rule rejects have the scores of all others too.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.judging import SET_RULE, Judge, Thresholds, add_verdicts
from diffaug_pipeline.filtering.options import RankedSelection
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.filtering.selection import select

BY_HAND, KEEP, REJECT = "by_hand", "keep", "reject"
SELECTION = "selection"


def passing(judged: pd.DataFrame, rules: Sequence[str]) -> np.ndarray:
    """(N,) whether each row passes all of the rules."""
    return judged[[f"{rule}_passes" for rule in rules]].all(axis=1).to_numpy(dtype=bool)


def may_be_taken(judged: pd.DataFrame, rules: Sequence[str]) -> np.ndarray:
    """(N,) whether each row passes all of the rules and nobody rejected it by hand."""
    return passing(judged, rules) & judged[BY_HAND].ne(REJECT).to_numpy(dtype=bool)


def judge_in_blocks(judge: Judge, blocks: Iterable[Evidence]) -> tuple[pd.DataFrame, np.ndarray]:
    """The verdicts on all rows, and the (N, 16, 16) descriptors by which near duplicates are told."""
    tables, descriptors = [], []
    for evidence in blocks:
        tables.append(judge.judge(evidence))
        descriptors.append(near_duplicates.describe(evidence.thumbnails))
    return pd.concat(tables, ignore_index=True), np.concatenate(descriptors)


def judge_as_a_set(
    judged: pd.DataFrame, rules: Sequence[str], descriptors: np.ndarray, thresholds: Mapping[str, Thresholds]
) -> pd.DataFrame:
    """`judged`, so far by the other rules, with the columns of near duplicates if that is one of the `rules`.

    The column `clip_score` ranks.
    Scenes without a score show only what a person labelled, and count as the best. What was kept
    by hand counts as passing the other rules.
    """
    if SET_RULE not in rules:
        return judged
    others = [rule for rule in rules if rule != SET_RULE and f"{rule}_passes" in judged]
    standing = may_be_taken(judged, others)
    standing |= judged[BY_HAND].eq(KEEP).to_numpy(dtype=bool)
    scores = judged["clip_score"].fillna(np.inf).to_numpy()
    distances = near_duplicates.score_set(descriptors, scores, standing, thresholds[SET_RULE])
    return add_verdicts(judged.assign(near_duplicate_distance=distances), [SET_RULE], thresholds, silenced=())


def conclude(judged: pd.DataFrame, rules: Sequence[str], selection: RankedSelection) -> pd.DataFrame:
    """`judged` with `accepted` and `reason`; selection goes by `label` where there is one.

    What was kept by hand is accepted whatever rules and selection say, and takes nobody's place.
    """
    standing = may_be_taken(judged, rules)
    kept = judged[BY_HAND].eq(KEEP).to_numpy(dtype=bool)
    accepted = kept | select(judged, standing & ~kept, selection)
    reason = pd.Series(SELECTION, index=judged.index, dtype=object)
    for rule in reversed(rules):
        reason[~judged[f"{rule}_passes"]] = rule
    reason[judged[BY_HAND].eq(REJECT)] = BY_HAND
    reason[accepted] = None
    return judged.assign(accepted=accepted, reason=reason)
