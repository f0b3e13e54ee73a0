"""What every rule about single images, scenes or boxes can do, and the judge that applies several of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import pandas as pd

from diffaug_pipeline.filtering.evidence import Evidence
from diffaug_pipeline.filtering.options import CommonFilteringOptions

SCORER_RULES = ("clip_score", "zero_shot")
"""Those that ask the scorer about classes, and score every image even where they decide nothing."""
COPY_RULES = ("leakage", "memorisation")
"""Those that go by the audit, which is about synthetic images only."""
SET_RULE = "near_duplicates"
"""The rule that judges images by each other."""

Thresholds = dict[str, Any]
"""What becomes JSON: by score column, a number or numbers by class."""


class Rule(Protocol):
    """A module of `rules`. What passes follows from stored scores, so that other thresholds need no evidence."""

    def calibrate(self, train: Evidence, options: CommonFilteringOptions) -> Thresholds:
        """What real training images ask of synthetic ones."""

    def score(self, evidence: Evidence, thresholds: Thresholds, options: CommonFilteringOptions) -> pd.DataFrame:
        """Score columns, one row per row of `evidence`."""

    def passes(self, scored: pd.DataFrame, thresholds: Thresholds) -> pd.Series:
        """(N,) bool by these columns and, of images and boxes, `label`."""


def choose_rule(name: str) -> Rule:
    """The module of that name."""
    return import_module(f"diffaug_pipeline.filtering.rules.{name}")


def add_verdicts(
    scored: pd.DataFrame, rules: Sequence[str], thresholds: Mapping[str, Thresholds], silenced: Collection[str]
) -> pd.DataFrame:
    """`scored` with `<rule>_passes` of each of the `rules`, by its columns alone; `silenced` ones pass everything."""
    everything = np.ones(len(scored), dtype=bool)
    return scored.assign(
        **{
            f"{rule}_passes": everything
            if rule in silenced
            else choose_rule(rule).passes(scored, thresholds[rule]).to_numpy(dtype=bool)
            for rule in rules
        }
    )


@dataclass(frozen=True)
class Judge:
    """Rules that apply image by image, with the thresholds that real training images or a person set."""

    rules: tuple[str, ...]
    """That decide."""
    thresholds: dict[str, Thresholds]
    """Of each rule that scores, whether it decides or not."""
    options: CommonFilteringOptions
    silent: bool
    """Whether the scorer was never taught the classes: its rules pass everything then."""

    @classmethod
    def calibrated(
        cls, rules: Sequence[str], train: Evidence, options: CommonFilteringOptions, *, silent: bool
    ) -> "Judge":
        """A judge of the `rules`, by real images; where there are classes the scorer's rules score as well."""
        scoring = dict.fromkeys((*rules, *(SCORER_RULES if train.cosines is not None else ())))
        thresholds = {rule: choose_rule(rule).calibrate(train, options) for rule in scoring}
        return cls(tuple(rules), thresholds, options, silent)

    def judge(self, evidence: Evidence) -> pd.DataFrame:
        """The table of `evidence` with all score columns, and `<rule>_passes` of the rules that decide.

        Rules about copies leave out images that no audit was about.
        """
        asked = [rule for rule in self.thresholds if rule not in COPY_RULES or evidence.copies is not None]
        scores = [choose_rule(rule).score(evidence, self.thresholds[rule], self.options) for rule in asked]
        scored = pd.concat([evidence.table.reset_index(drop=True), *scores], axis=1)
        deciding = [rule for rule in asked if rule in self.rules]
        return add_verdicts(scored, deciding, self.thresholds, SCORER_RULES if self.silent else ())
