"""The filter once more from stored tables, against the filter itself on evidence."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from filtering.filter_cases import evidence, filtering_options, overrides

from diffaug_pipeline.filtering.by_hand import match_by_hand
from diffaug_pipeline.filtering.decisions import conclude, judge_as_a_set
from diffaug_pipeline.filtering.desk import Desk, effective_classes
from diffaug_pipeline.filtering.judging import Judge
from diffaug_pipeline.filtering.options import FilteringOptions
from diffaug_pipeline.filtering.overrides import Overrides, override_thresholds
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.imaging.image_set import ImageSet

CLASSES = ("cat", "dog", "eel")
SINGLE = ["leakage", "blank", "clip_score", "zero_shot", "memorisation", "task_model"]
OPTIONS = filtering_options(
    rules=[*SINGLE, "near_duplicates"],
    task_model={"keep_confident": 0.8},
    selection={"policy": "top_share", "top_share": 0.8},
)
MANY = 10_000


def random_evidence(count: int, seed: int):
    """Of images and what models say of them."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(CLASSES, count).tolist()
    own = np.array(labels)[:, None] == CLASSES
    return evidence(
        labels,
        CLASSES,
        cosines=(0.3 * own + rng.normal(0.2, 0.05, (count, 3))).astype(np.float32),
        probabilities=_shares(2 * own + rng.normal(0, 1, (count, 3))),
        predictions=_shares(2 * own + rng.normal(0, 1, (count, 3))),
        thumbnails=(rng.integers(0, 256, (count, 1, 1)) * rng.random((count, 64, 64))).astype(np.uint8),
        copies=pd.DataFrame(
            {
                "held_out_distance": rng.random(count),
                "is_held_out_copy": rng.random(count) < 0.05,
                "train_distance": rng.random(count),
                "is_train_copy": rng.random(count) < 0.05,
                "source_distance": np.where(rng.random(count) < 0.5, rng.random(count), np.nan),
            }
        ),
    )


def _shares(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(1, keepdims=True)).astype(np.float32)


class Filtered:
    """What the filter makes of random evidence, and a desk on what it would store."""

    def __init__(self, count: int = 300, options: FilteringOptions = OPTIONS):
        self.made, self.options = random_evidence(count, seed=1), options
        self.made.table["image_id"] = [f"image {number}" for number in range(count)]
        train = random_evidence(60, seed=0)
        single = [rule for rule in options.rules if rule in SINGLE]
        self.judge = Judge.calibrated(single, train, options, silent=False)
        self.calibrated = self.judge.thresholds | {"near_duplicates": {"near_duplicate_distance": 0.02}}
        self.index = self.made.table.assign(recipe=self.made.table["image_id"] + " drawn once")
        self.copies = self.made.copies.assign(image_id=self.made.table["image_id"])
        self.descriptors = near_duplicates.describe(self.made.thumbnails)

    def decide(self, asked: Overrides) -> pd.DataFrame:
        """By the filter."""
        thresholds = override_thresholds(self.calibrated, asked)
        of_single = {rule: thresholds[rule] for rule in self.judge.thresholds}
        judge = Judge(self.judge.rules, of_single, self.options, silent=False)
        judged = match_by_hand(self.index, self.copies, asked).attach(judge.judge(self.made))
        judged = judge_as_a_set(judged, self.options.rules, self.descriptors, thresholds)
        return conclude(judged, self.options.rules, self.options.selection)

    def desk(self, asked: Overrides) -> Desk:
        """On the tables of a run that went by `asked`."""
        calibration = {
            "rules": {rule: {} for rule in self.options.rules},
            "rules_switched_off": [],
            "selection": self.options.selection.model_dump(),
            "calibrated_thresholds": self.calibrated,
        }
        stored = json.loads(json.dumps(calibration))
        return Desk(self.decide(asked), stored, _Images(self.index), self.copies, self.descriptors)


class _Images(ImageSet):
    """An index alone."""

    def __post_init__(self) -> None:
        pass


@pytest.fixture(scope="module")
def filtered() -> Filtered:
    return Filtered()


def strict(filtered: Filtered) -> Overrides:
    """With every kind of decision."""
    ids = [f"image {number}" for number in range(6)]
    recipes = {image_id: f"{image_id} drawn once" for image_id in ids}
    return overrides(
        thresholds={
            "blank": {"contrast": 0.12},
            "clip_score": {"clip_score": {"cat": 1.3, "eel": 1.1}},
            "zero_shot": {"zero_shot_margin": 0.4},
            "memorisation": {"source_distance": 0.3},
        },
        keep={image_id: recipes[image_id] for image_id in ids[:3]},
        reject={image_id: recipes[image_id] for image_id in ids[3:]} | {"image 9": "another picture"},
    )


def test_with_what_the_run_went_by_the_desk_decides_as_the_run(filtered):
    for asked in (overrides(), strict(filtered)):
        desk = filtered.desk(asked)
        pd.testing.assert_frame_equal(desk.decide(asked), desk.decisions)
    assert set(desk.decisions["reason"].dropna()) > {"blank", "clip_score", "zero_shot", "selection", "by_hand"}


@pytest.mark.parametrize("seed", range(20))
def test_with_whatever_else_is_asked_the_desk_decides_as_the_filter_would(filtered, seed):
    """Near duplicates among it: whom they are near to changes with what else stays."""
    desk, rng, asked = filtered.desk(strict(filtered)), np.random.default_rng(seed), overrides()
    for dial in rng.permutation(desk.dials())[: 1 + seed % 6]:
        class_name = rng.choice(CLASSES) if dial.by_class else None
        needed = rng.uniform(dial.lowest, dial.highest)
        asked = asked.with_threshold(dial.rule, dial.column, needed, class_name, CLASSES)
    for image_id in rng.choice(filtered.index["image_id"], 10, replace=False):
        asked = asked.with_verdict(image_id, f"{image_id} drawn once", rng.choice(["keep", "reject"]))
    pd.testing.assert_frame_equal(desk.decide(asked), filtered.decide(asked))


def test_a_copy_of_a_held_out_image_stays_rejected(filtered):
    desk = filtered.desk(overrides())
    leaked = desk.decisions.loc[desk.decisions["is_held_out_copy"], "image_id"].iloc[0]
    decided = desk.decide(overrides(keep={leaked: f"{leaked} drawn once"})).set_index("image_id")
    assert not decided.at[leaked, "accepted"]
    assert decided.at[leaked, "reason"] == "leakage"
    assert pd.isna(decided.at[leaked, "by_hand"])


def test_counts_by_class_add_up(filtered):
    desk = filtered.desk(overrides())
    counts = desk.count_by_class(desk.decisions)
    reasons = desk.decisions["reason"].dropna().unique()
    assert set(counts) == {"class", "made", "kept", *reasons}
    assert counts["class"].tolist() == list(CLASSES)
    assert (counts["made"] == counts["kept"] + counts[list(reasons)].sum(axis=1)).all()
    of_cat = desk.decisions[desk.of_class("cat")]
    assert counts.loc[0, ["made", "kept"]].tolist() == [len(of_cat), of_cat["accepted"].sum()]
    nothing_rejected = desk.decisions.assign(accepted=True, reason=None)
    assert desk.count_by_class(nothing_rejected)["kept"].tolist() == counts["made"].tolist()


def test_dials_span_scores_and_thresholds_of_the_rules_that_apply(filtered):
    desk = filtered.desk(overrides())
    dials = {(dial.rule, dial.column): dial for dial in desk.dials()}
    assert list(dials) == [
        ("blank", "contrast"),
        ("blank", "midtones"),
        ("clip_score", "clip_score"),
        ("zero_shot", "zero_shot_margin"),
        ("memorisation", "source_distance"),
        ("near_duplicates", "near_duplicate_distance"),
    ]
    assert [dial.by_class for dial in dials.values()] == [False, False, True, True, False, False]
    for (rule, column), dial in dials.items():
        scores, needed = desk.decisions[column], filtered.calibrated[rule][column]
        known = [*scores.dropna(), *(needed.values() if dial.by_class else [needed])]
        assert (dial.lowest, dial.highest) == (min(known), max(known))
        strictest = desk.decide(overrides().with_threshold(rule, column, dial.highest))
        assert strictest[f"{rule}_passes"].sum() <= 1 + scores.isna().sum()


def test_images_can_be_sorted_by_every_number(filtered):
    columns = filtered.desk(overrides()).score_columns
    assert {"clip_score", "zero_shot_margin", "held_out_distance", "near_duplicate_distance"} <= set(columns)
    assert {"zero_shot_class", "accepted", "blank_passes"}.isdisjoint(columns)


def test_ten_thousand_images_are_decided_within_seconds():
    """Without near duplicates at once; those take a comparison of each image with all that stay."""
    desk = Filtered(400).desk(overrides())
    many = pd.concat([desk.decisions] * (MANY // 400), ignore_index=True)
    many["image_id"] = [f"image {number}" for number in range(MANY)]
    copies = pd.DataFrame({"image_id": many["image_id"], "is_held_out_copy": many["is_held_out_copy"]})
    index = many[["image_id"]].assign(recipe="x")
    descriptors = np.random.default_rng(0).integers(0, 256, (MANY, 16, 16), np.uint8)
    for rules, most in ((SINGLE, 0.2), (OPTIONS.rules, 3)):
        calibration = {
            "rules": {rule: {} for rule in rules},
            "rules_switched_off": [],
            "selection": OPTIONS.selection.model_dump(),
            "calibrated_thresholds": desk.thresholds(overrides()),
        }
        large, seconds = Desk(many, calibration, _Images(index), copies, descriptors), []
        for number in range(3):
            started = time.process_time()
            large.count_by_class(large.decide(overrides(keep={f"image {number}": "x"})))
            seconds.append(time.process_time() - started)
        assert min(seconds) < most


@pytest.mark.parametrize(("kept", "effective"), [([3, 3, 3], 3.0), ([9, 0, 0], 1.0), ([0, 0], 0.0), ([], 0.0)])
def test_effective_classes(kept, effective):
    assert effective_classes(kept) == effective
    assert 1 < effective_classes([9, 1]) < 2
