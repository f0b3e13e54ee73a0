"""The filter once more, by what a run has stored: which images other thresholds and decisions by hand would keep.

No model is loaded and no picture opened: rules about single images go by stored scores, near duplicates by stored
thumbnails, as which of them stay depends on what else does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering.by_hand import DecidedByHand, match_by_hand
from diffaug_pipeline.filtering.decisions import conclude, judge_as_a_set
from diffaug_pipeline.filtering.evidence import in_blocks
from diffaug_pipeline.filtering.judging import SET_RULE, Thresholds, add_verdicts
from diffaug_pipeline.filtering.options import RankedSelection, SceneSelectionOptions, SelectionOptions
from diffaug_pipeline.filtering.overrides import Overrides, overridable_columns, override_thresholds
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.filtering.scenes import SCORE_OF, add_verdicts_of_boxes, rules_about_boxes
from diffaug_pipeline.imaging.image_set import ImageSet


@dataclass(frozen=True)
class Dial:
    """A threshold that a person may set."""

    rule: str
    column: str
    lowest: float
    highest: float
    """Of the scores and of the thresholds that apply: beyond these nothing changes."""
    by_class: bool
    of_boxes: bool
    """Whether every box of a scene needs it, and not the scene."""


class Desk:
    """The decisions of one run, made anew as often as asked.

    `decisions`, `calibration` and, of scenes, `box_scores` are what the filter has stored, `copies` the audit;
    `descriptors` are (N, 16, 16) what near duplicates are told by.
    """

    def __init__(
        self,
        decisions: pd.DataFrame,
        calibration: dict[str, Any],
        synthetic_images: ImageSet,
        copies: pd.DataFrame,
        descriptors: np.ndarray,
        box_scores: pd.DataFrame | None = None,
    ):
        self.decisions = decisions
        self._calibrated: dict[str, Thresholds] = calibration["calibrated_thresholds"]
        self.rules, self._silenced = list(calibration["rules"]), calibration["rules_switched_off"]
        self._selection = _selection_options(calibration["selection"], of_scenes=box_scores is not None)
        self._recipes, self._copies = synthetic_images.index[["image_id", "recipe"]], copies
        self._descriptors = descriptors
        self._boxes = None if box_scores is None else box_scores[box_scores["judged"]].reset_index(drop=True)
        self._about_boxes = [] if box_scores is None else rules_about_boxes(self.rules)
        self._objects = (decisions if box_scores is None else box_scores)[["image_id", "label"]]
        self.class_names: list[str] = sorted(self._objects["label"].unique())
        self._decided = lru_cache(1)(self._decide)  # what is decided is looked at from several sides

    @property
    def score_columns(self) -> list[str]:
        """By which images can be sorted."""
        numbers = self.decisions.select_dtypes("number")
        return list(numbers.columns[numbers.notna().any()])

    def name_of(self, column: str) -> str:
        """What a score column of the decisions is about; of scenes, some are about their boxes."""
        of_boxes = self._boxes is not None and column in SCORE_OF
        return (f"{SCORE_OF[column]} of the worst box" if of_boxes else column).replace("_", " ")

    def boxes_of(self, image_id: str) -> pd.DataFrame:
        """The judged boxes of a scene: `box`, `label` and the scores of the rules about boxes; none of other images."""
        if self._boxes is None:
            return pd.DataFrame(columns=["box", "label"])
        settable = overridable_columns()
        scores = [column for rule in self._about_boxes for column in settable[rule]]
        return self._boxes.loc[self._boxes["image_id"] == image_id, ["box", "label", *scores]]

    def decide(self, overrides: Overrides) -> pd.DataFrame:
        """The decisions that the filter would make with them, row by row those of the run."""
        return self._decided(overrides.model_dump_json())

    def _decide(self, overrides_json: str) -> pd.DataFrame:
        overrides = Overrides.model_validate_json(overrides_json)
        thresholds = self.thresholds(overrides)
        about_images = [rule for rule in self.rules if rule not in (*self._about_boxes, SET_RULE)]
        judged = self.match(overrides).attach(self.decisions)
        judged = add_verdicts(judged, about_images, thresholds, self._silenced)
        if self._about_boxes:
            scores = add_verdicts(self._boxes, self._about_boxes, thresholds, self._silenced)
            judged = add_verdicts_of_boxes(judged, scores, self._about_boxes)
        judged = judge_as_a_set(judged, self.rules, self._descriptors, thresholds)
        return conclude(judged, self.rules, self._selection)

    def match(self, overrides: Overrides) -> DecidedByHand:
        """Which of the decisions by hand hold of this run's images."""
        return match_by_hand(self._recipes, self._copies, overrides)

    def thresholds(self, overrides: Overrides) -> dict[str, Thresholds]:
        """Those that would apply, by rule and score column."""
        return override_thresholds(self._calibrated, overrides)

    def dials(self) -> list[Dial]:
        """Of the rules that the run applies and that have scored anything, in their order."""
        columns = overridable_columns()
        asked = [rule for rule in self.rules if rule in columns and rule not in self._silenced]
        return [dial for rule in asked for column in columns[rule] if (dial := self._dial(rule, column)) is not None]

    def _dial(self, rule: str, column: str) -> Dial | None:
        needed, of_boxes = self._calibrated[rule][column], rule in self._about_boxes
        scores = (self._boxes if of_boxes else self.decisions)[column].dropna()
        if scores.empty:
            return None
        by_class = isinstance(needed, dict)
        known = [scores.min(), scores.max(), *(needed.values() if by_class else [needed])]
        return Dial(rule, column, float(min(known)), float(max(known)), by_class, of_boxes)

    def of_class(self, class_name: str) -> np.ndarray:
        """(N,) bool, which images are of the class or show it."""
        ids = self._objects.loc[self._objects["label"] == class_name, "image_id"]
        return self.decisions["image_id"].isin(ids).to_numpy()

    def count_by_class(self, decided: pd.DataFrame) -> pd.DataFrame:
        """One row per class: `made`, `kept`, and how many fall to each reason; of scenes, boxes are counted."""
        told = self._objects.merge(decided[["image_id", "accepted", "reason"]], on="image_id", validate="many_to_one")
        by_class = told.groupby("label")["accepted"].agg(made="size", kept="sum")
        reasons = pd.crosstab(told["label"], told["reason"])
        return by_class.join(reasons).fillna(0).astype(int).rename_axis("class").reset_index()


def descriptors_of(images: ImageSet, features: Features) -> np.ndarray:
    """(N, 16, 16) what near duplicates are told by, from stored thumbnails, a few images at a time."""
    return np.concatenate([near_duplicates.describe(features.thumbnails(block)) for block in in_blocks(images)])


def effective_classes(kept: Sequence[int]) -> float:
    """How many equally frequent classes would be as balanced: the exponential of the entropy; 0 of nothing.

    >>> effective_classes([5, 5, 0])
    2.0
    """
    counts = np.array([count for count in kept if count], dtype=float)
    if not counts.size:
        return 0.0
    shares = counts / counts.sum()
    return round(float(np.exp(-(shares * np.log(shares)).sum())), 2)


def _selection_options(selection: dict[str, Any], *, of_scenes: bool) -> RankedSelection:
    return (SceneSelectionOptions if of_scenes else SelectionOptions).model_validate(selection)
