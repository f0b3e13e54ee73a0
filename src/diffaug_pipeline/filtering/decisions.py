"""Filter decisions: one row per synthetic image, scores and verdict per rule, `accepted`, `reason`.

Columns: `image_id`, `label` (scenes have none), the score columns that the modules of `rules` describe, `<rule>_passes`
for each rule of the list, `accepted`, `reason` (the first rule of the list that the image fails, or `selection` if it
fails none and others are taken; null where accepted). Images that one rule rejects have the scores of all others too.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.judging import Judge
from diffaug_pipeline.filtering.options import RankedSelection
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.filtering.selection import select

SELECTION = "selection"


def passing(judged: pd.DataFrame, rules: Sequence[str]) -> np.ndarray:
    """(N,) whether each row passes all of the rules."""
    return judged[[f"{rule}_passes" for rule in rules]].all(axis=1).to_numpy(dtype=bool)


def judge_in_blocks(judge: Judge, blocks: Iterable[Evidence]) -> tuple[pd.DataFrame, np.ndarray]:
    """The verdicts on all rows, and the (N, 16, 16) descriptors by which near duplicates are told."""
    tables, descriptors = [], []
    for evidence in blocks:
        tables.append(judge.judge(evidence))
        descriptors.append(near_duplicates.describe(evidence.thumbnails))
    return pd.concat(tables, ignore_index=True), np.concatenate(descriptors)


def judge_as_a_set(
    judged: pd.DataFrame, rules: Sequence[str], descriptors: np.ndarray, thresholds: dict[str, float]
) -> pd.DataFrame:
    """`judged`, so far by the other rules, with the columns of near duplicates; the column `clip_score` ranks.

    Scenes without a score show only what a person labelled, and count as the best.
    """
    standing = passing(judged, [rule for rule in rules if f"{rule}_passes" in judged])
    scores = judged["clip_score"].fillna(np.inf).to_numpy()
    distances, passes = near_duplicates.judge_set(descriptors, scores, standing, thresholds)
    return judged.assign(near_duplicate_distance=distances, near_duplicates_passes=passes)


def conclude(judged: pd.DataFrame, rules: Sequence[str], selection: RankedSelection) -> pd.DataFrame:
    """`judged` with `accepted` and `reason`; selection goes by `label` where there is one."""
    concluded = judged.assign(accepted=False, reason=None)
    standing = passing(judged, rules)
    concluded["accepted"] = select(judged, standing, selection)
    concluded.loc[standing & ~concluded["accepted"], "reason"] = SELECTION
    for rule in reversed(rules):
        concluded.loc[~judged[f"{rule}_passes"], "reason"] = rule
    return concluded
