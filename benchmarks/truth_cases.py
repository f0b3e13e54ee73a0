"""The cases of `known_truth`: what is planted, what has to come out, and what came out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import simulate_intervals
from chain import Chain, Classifiers
from planted import WAYS, Planted, altered, as_synthetic, copies_of_training_images, with_wrong_labels

from diffaug_pipeline.errors import LeakageError
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.merging.training_sets import real_only
from diffaug_pipeline.seeding import derive_seed

SEEDS = 5
WRONG_LABELS = 0.6
FILTER_OFF, FILTER_ON = ("leakage",), ("leakage", "clip_score", "zero_shot")
"""Without the first rule a picture that is too much like a test image ends the run, as it should."""
MOST_FALSE_ALARMS = 0.01
Record = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """What all repetitions share."""

    few_shot: ImageSet
    """The real images of a task so small that more images matter."""
    whole_task: ImageSet
    """The real images that audits are about."""
    extra: Mapping[str, Planted]
    """Real pictures that neither task has, as independent ones."""
    helpful: Mapping[str, Planted]
    """Other such pictures, to learn from."""
    classifiers: Classifiers
    known_features: Path
    """Features of the real images."""
    planted_per_class: int
    """Copies to train on."""
    helping_per_class: int
    """Further real pictures to train on, drawn from `helpful`."""
    leaked_per_class: int
    """Test images to be found again, in each repetition."""


@dataclass(frozen=True)
class Case:
    """One known truth."""

    planted: str
    required: str
    repetitions: int
    run: Callable[[Setting, int], Record]
    """One repetition, by its number."""
    assess: Callable[[Sequence[Record]], tuple[str, bool]]
    """What the repetitions reached, in words, and whether that is what is required."""


def null(setting: Setting, repetition: int) -> Record:
    """Copies of training images teach nothing."""
    rng = np.random.default_rng(derive_seed(repetition, "null"))
    planted = copies_of_training_images(setting.few_shot, setting.planted_per_class, rng)
    return compare(setting, repetition, planted, {"": FILTER_OFF})


def harm(setting: Setting, repetition: int) -> Record:
    """Copies of training images, most of them labelled wrongly, teach what is wrong; without those, nothing."""
    rng = np.random.default_rng(derive_seed(repetition, "harm"))
    planted = copies_of_training_images(setting.few_shot, setting.planted_per_class, rng)
    planted = with_wrong_labels(planted, WRONG_LABELS, rng)
    return compare(setting, repetition, planted, {"": FILTER_OFF, "filtered_": FILTER_ON})


def help_(setting: Setting, repetition: int) -> Record:
    """More real images help."""
    rng = np.random.default_rng(derive_seed(repetition, "help"))
    by_class: dict[str, list[str]] = {}
    for image_id, picture in setting.helpful.items():
        by_class.setdefault(picture.label, []).append(image_id)
    drawn = [rng.choice(ids, setting.helping_per_class, replace=False).tolist() for ids in by_class.values()]
    planted = {image_id: setting.helpful[image_id] for ids in drawn for image_id in ids}
    return compare(setting, repetition, planted, {"": FILTER_OFF})


def compare(
    setting: Setting, repetition: int, planted: Mapping[str, Planted], filters: Mapping[str, Sequence[str]]
) -> Record:
    """Verdict, difference and interval by prefix, each with another filter, and seconds per training."""
    seeds = range(SEEDS * repetition, SEEDS * (repetition + 1))
    started = time.perf_counter()
    baseline = setting.classifiers(real_only(setting.few_shot), setting.few_shot, seeds)
    record: Record = {"seconds_per_training": (time.perf_counter() - started) / SEEDS}
    with TemporaryDirectory() as scratch:
        chain = _chain(setting.few_shot, planted, setting, Path(scratch))
        for prefix, rules in filters.items():
            comparison = chain.compare(rules, baseline, setting.classifiers, seeds)
            record |= {f"{prefix}{name}": comparison[name] for name in ("verdict", "delta", "interval")}
    return record


def leak(setting: Setting, repetition: int) -> Record:
    """Test images in every way of copying among independent pictures; each repetition plants others."""
    test = setting.whole_task.where(split="test").index
    number = test.groupby("label").cumcount()
    chosen = ImageSet(test[number // setting.leaked_per_class == repetition].reset_index(drop=True))
    planted = {image_id: picture for way in WAYS for image_id, picture in altered(chosen, way).items()}
    with TemporaryDirectory() as scratch:
        chain = _chain(setting.whole_task, {**planted, **setting.extra}, setting, Path(scratch))
        decisions = chain.decide(FILTER_OFF)
        try:
            chain.augmented(chain.decide(()))
            run_fails = False
        except LeakageError:
            run_fails = True
    rejected = decisions.loc[decisions["reason"] == "leakage", "image_id"]
    return {"planted": len(planted), "run_fails": run_fails, **_count_flagged(set(rejected), planted, setting)}


def memoriser(setting: Setting, _repetition: int) -> Record:
    """Re-encoded training images among independent pictures."""
    planted = altered(setting.whole_task.where(split="train"), "re-encoded")
    with TemporaryDirectory() as scratch:
        chain = _chain(setting.whole_task, {**planted, **setting.extra}, setting, Path(scratch))
        decisions = chain.decide(("memorisation",))
    rejected = decisions.loc[~decisions["accepted"], "image_id"]
    return {"planted": len(planted), **_count_flagged(set(rejected), planted, setting)}


def coverage(_setting: Setting, _repetition: int) -> Record:
    """The share of intervals that contain the truth, by number of seeds and their SD in points."""
    shares = {
        f"{seeds} seeds, SD {100 * sd:g}": simulate_intervals.coverage(
            simulate_intervals.STANDARD, seeds, sd, simulate_intervals.SIMULATIONS
        )["ours"]
        for seeds in simulate_intervals.SEED_COUNTS
        for sd in simulate_intervals.SEED_SDS
    }
    return {"shares": shares}


def _chain(real_images: ImageSet, planted: Mapping[str, Planted], setting: Setting, scratch: Path) -> Chain:
    synthetic_images = as_synthetic(planted, scratch / "synthetic")
    return Chain(real_images, synthetic_images, scratch, [setting.known_features])


def _count_flagged(rejected: set[str], planted: Mapping[str, Planted], setting: Setting) -> Record:
    return {
        "missed": sorted(set(planted) - rejected),
        "independent": len(setting.extra),
        "false_alarms": sorted(set(setting.extra) & rejected),
    }


def _all_but_a_tenth(verdict: str) -> Callable[[Sequence[Record]], tuple[str, bool]]:
    def assess(records: Sequence[Record]) -> tuple[str, bool]:
        right = sum(record["verdict"] == verdict for record in records)
        reached = f"{verdict} in {right} of {len(records)}; {_points(record['delta'] for record in records)}"
        if "filtered_delta" in records[0]:
            harmed, left = (sum(record[name] for record in records) for name in ("delta", "filtered_delta"))
            filtered = _points(record["filtered_delta"] for record in records)
            reached += f"; with the filter {filtered}: {1 - left / harmed:.0%} undone"
        return reached, 10 * right >= 9 * len(records)

    return assess


def _points(deltas: Any) -> str:
    values = 100 * np.array(list(deltas))
    return f"{values.mean():+.1f} points on average ({values.min():+.1f} to {values.max():+.1f})"


def assess_leaks(records: Sequence[Record]) -> tuple[str, bool]:
    """All caught, few false alarms, and the run fails where leaks get through."""
    reached, met = assess_flags(records)
    fails = all(record["run_fails"] for record in records)
    return f"{reached}; without the rule the run {'fails' if fails else 'GOES ON'}", met and fails


def assess_flags(records: Sequence[Record]) -> tuple[str, bool]:
    """All caught, few false alarms."""
    planted, missed = sum(record["planted"] for record in records), sum(len(record["missed"]) for record in records)
    alarms, independent = len(records[0]["false_alarms"]), records[0]["independent"]
    reached = f"{planted - missed} of {planted} caught; {alarms} of {independent} independent pictures taken for copies"
    return reached, missed == 0 and alarms <= MOST_FALSE_ALARMS * independent


def assess_coverage(records: Sequence[Record]) -> tuple[str, bool]:
    """Within the bounds everywhere."""
    shares = records[0]["shares"].values()
    reached = f"{min(shares):.1%} to {max(shares):.1%} in {len(shares)} cells"
    return reached, all(simulate_intervals.LOWEST <= share <= simulate_intervals.HIGHEST for share in shares)


CASES = {
    "null": Case(
        "random same-class copies of training images, filter off",
        "inconclusive in 9 of 10",
        40,
        null,
        _all_but_a_tenth("inconclusive"),
    ),
    "harm": Case(
        f"the same with {WRONG_LABELS:.0%} of the labels wrong, filter off",
        "hurt in 9 of 10",
        10,
        harm,
        _all_but_a_tenth("hurt"),
    ),
    "help": Case(
        "more real pictures pass as synthetic, filter off", "helped in 9 of 10", 10, help_, _all_but_a_tenth("helped")
    ),
    "leak": Case(f"every test image {', '.join(WAYS)}", "all caught, at most 1 % false alarms", 4, leak, assess_leaks),
    "memoriser": Case(
        "every training image re-encoded", "all caught, at most 1 % false alarms", 1, memoriser, assess_flags
    ),
    "coverage": Case(
        "a known difference in simulated answers, 5 and 10 seeds, SD 0 to 4 points",
        "95 % intervals contain it in 92 to 98 %",
        1,
        coverage,
        assess_coverage,
    ),
}
