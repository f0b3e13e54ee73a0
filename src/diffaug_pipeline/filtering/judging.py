"""What every rule about single images, scenes or boxes can do, and the judge that applies several of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

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
    """A module of `rules`."""

    def calibrate(self, train: Evidence, options: CommonFilteringOptions) -> Thresholds:
        """What real training images ask of synthetic ones."""

    def judge(self, evidence: Evidence, thresholds: Thresholds, options: CommonFilteringOptions) -> pd.DataFrame:
        """One row per row of `evidence`: score columns, and `passes`."""


def choose_rule(name: str) -> Rule:
    """The module of that name."""
    return import_module(f"diffaug_pipeline.filtering.rules.{name}")


@dataclass(frozen=True)
class Judge:
    """Rules that apply image by image, with the thresholds that real training images set."""

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
        judged = [evidence.table.reset_index(drop=True)]
        for rule, thresholds in self.thresholds.items():
            if rule in COPY_RULES and evidence.copies is None:
                continue
            verdict = choose_rule(rule).judge(evidence, thresholds, self.options)
            judged.append(verdict.drop(columns="passes"))
            if rule in self.rules:
                says_nothing = self.silent and rule in SCORER_RULES
                judged.append((verdict["passes"] | says_nothing).rename(f"{rule}_passes"))
        return pd.concat(judged, axis=1)
