"""The filter once more, by what a run has stored: which images other thresholds and decisions by hand would keep.

No model, picture or feature is read. The rules are those of the run, with one reservation: near duplicates go by the
stored distance to the nearest better image that stayed in the run, which is exact as long as the same images stay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.by_hand import DecidedByHand, match_by_hand
from diffaug_pipeline.filtering.decisions import conclude
from diffaug_pipeline.filtering.judging import Thresholds, add_verdicts
from diffaug_pipeline.filtering.options import RankedSelection, SceneSelectionOptions, SelectionOptions
from diffaug_pipeline.filtering.overrides import Overrides, overridable_columns, override_thresholds
from diffaug_pipeline.filtering.scenes import add_verdicts_of_boxes, rules_about_boxes
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

    `decisions`, `calibration` and, of scenes, `box_scores` are what the filter has stored, `copies` the audit.
    """

    def __init__(
        self,
        decisions: pd.DataFrame,
        calibration: dict[str, Any],
        synthetic_images: ImageSet,
        copies: pd.DataFrame,
        box_scores: pd.DataFrame | None = None,
    ):
        self.decisions = decisions
        self._calibrated: dict[str, Thresholds] = calibration["calibrated_thresholds"]
        self.rules, self._silenced = list(calibration["rules"]), calibration["rules_switched_off"]
        self._selection = _selection_options(calibration["selection"], of_scenes=box_scores is not None)
        self._recipes, self._copies = synthetic_images.index[["image_id", "recipe"]], copies
        self._boxes = None if box_scores is None else box_scores[box_scores["judged"]].reset_index(drop=True)
        self._about_boxes = [] if box_scores is None else rules_about_boxes(self.rules)
        self._objects = (decisions if box_scores is None else box_scores)[["image_id", "label"]]
        self.class_names: list[str] = sorted(self._objects["label"].unique())

    @property
    def score_columns(self) -> list[str]:
        """By which images can be sorted."""
        numbers = self.decisions.select_dtypes("number")
        return list(numbers.columns[numbers.notna().any()])

    def decide(self, overrides: Overrides) -> pd.DataFrame:
        """The decisions that the filter would make with them, row by row those of the run."""
        thresholds = self.thresholds(overrides)
        about_images = [rule for rule in self.rules if rule not in self._about_boxes]
        judged = self.match(overrides).attach(self.decisions)
        judged = add_verdicts(judged, about_images, thresholds, self._silenced)
        if self._about_boxes:
            scores = add_verdicts(self._boxes, self._about_boxes, thresholds, self._silenced)
            judged = add_verdicts_of_boxes(judged, scores, self._about_boxes)
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
