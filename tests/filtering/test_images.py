"""The filter of labelled images with features of a real CLIP made tiny: who passes, and what is said about it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import noise_image, real_image_set, rehashed, smooth_image
from features.feature_cases import feature_options, make_features
from filtering.filter_cases import as_synthetic, audit, filtering_options, no_copies, overrides

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering import evidence
from diffaug_pipeline.filtering.desk import Desk, descriptors_of
from diffaug_pipeline.filtering.images import filter_images
from diffaug_pipeline.filtering.overrides import Overrides
from diffaug_pipeline.imaging.image_set import ImageSet

EVERY_RULE = ["leakage", "blank", "clip_score", "zero_shot", "memorisation", "task_model", "near_duplicates"]
NOTHING = overrides()
LOOSE = {"clip_score": {"quantile": 0.0}, "zero_shot": {"quantile": 0.0}}


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 12, "val": 8})


@pytest.fixture(scope="module")
def synthetic(tmp_path_factory, real) -> ImageSet:
    """New noise; the first a black picture, the second and third the same one, the fourth smooth."""
    folder, images = tmp_path_factory.mktemp("synthetic"), as_synthetic(real.where(split="train"))
    pictures = [noise_image(50_000 + number) for number in range(len(images))]
    pictures[0], pictures[2], pictures[3] = noise_image(0).point(lambda _: 0), pictures[1], smooth_image("s")
    paths = [str(folder / f"{number}.png") for number in range(len(images))]
    for picture, path in zip(pictures, paths, strict=True):
        picture.save(path)
    return rehashed(ImageSet(images.index.assign(path=paths)))


@pytest.fixture(scope="module")
def features(tmp_path_factory, tiny_clip, real, synthetic) -> Features:
    return make_features(tmp_path_factory.mktemp("features"), real, synthetic, feature_options(tiny_clip))


def predictions(real: ImageSet, synthetic: ImageSet, mistaken: tuple[int, ...] = ()) -> pd.DataFrame:
    """References that are fairly sure of every class, and quite sure that `mistaken` synthetic cats are dogs."""
    index = pd.concat([real.index, synthetic.index], ignore_index=True)
    own = np.array([[0.7, 0.3] if label == "cat" else [0.3, 0.7] for label in index["label"]])
    own[[len(real) + number for number in mistaken]] = [0.1, 0.9]
    return index[["image_id", "label"]].assign(probabilities=list(own))


@pytest.fixture
def judge(real, synthetic, features):
    def run(copies: pd.DataFrame | None = None, by_hand: Overrides = NOTHING, **options) -> tuple[pd.DataFrame, dict]:
        audited = audit(no_copies(synthetic) if copies is None else copies)
        seen = predictions(real, synthetic, mistaken=(4,))
        return filter_images(synthetic, real, features, audited, seen, by_hand, filtering_options(**options))

    return run


def test_every_image_has_a_score_and_a_verdict_of_every_rule(judge, synthetic):
    decisions, _ = judge(rules=EVERY_RULE)
    assert decisions["image_id"].tolist() == synthetic.index["image_id"].tolist()
    assert decisions["label"].tolist() == synthetic.index["label"].tolist()
    scores = ["held_out_distance", "contrast", "midtones", "clip_score", "zero_shot_class", "zero_shot_probability"]
    scores += ["zero_shot_margin", "train_distance", "task_model_class", "task_model_probability"]
    verdicts = [f"{rule}_passes" for rule in EVERY_RULE]
    assert decisions[scores + verdicts].notna().all(axis=None)
    assert decisions["near_duplicate_distance"].notna().sum() >= len(decisions) - 1
    assert set(decisions) == {
        *scores, *verdicts, "image_id", "label", "source_distance", "near_duplicate_distance", "is_held_out_copy",
        "is_train_copy", "task_model_counted_as", "task_model_draw", "by_hand", "accepted", "reason",
    }  # fmt: skip


def test_each_rule_rejects_what_it_is_there_for(judge, synthetic):
    ids = synthetic.index["image_id"]
    copies = no_copies(synthetic)
    copies.loc[5, "is_held_out_copy"] = copies.loc[6, "is_train_copy"] = True
    decisions, _ = judge(copies, rules=EVERY_RULE, **LOOSE)
    for rule, rejected in {"leakage": [5], "blank": [0], "memorisation": [6], "task_model": [4]}.items():
        assert decisions.loc[~decisions[f"{rule}_passes"], "image_id"].tolist() == ids[rejected].tolist(), rule
    assert not decisions.loc[[0, 4, 5, 6], "accepted"].any()


def test_where_every_image_is_bad_none_is_accepted(tmp_path, tiny_clip, real):
    """However many there are: nothing is made up for, nothing is let through for lack of better ones."""
    path = tmp_path / "black.png"
    noise_image(0).point(lambda _: 0).save(path)
    bad = as_synthetic(real.where(split="train"))
    bad = rehashed(ImageSet(bad.index.assign(path=str(path))))
    features = make_features(tmp_path / "features", real, bad, feature_options(tiny_clip))
    best = filtering_options(selection={"policy": "top_k", "top_k": 5})
    decisions, calibration = filter_images(bad, real, features, audit(no_copies(bad)), pd.DataFrame(), NOTHING, best)
    assert not decisions["accepted"].any()
    assert calibration["rejected_by"] == {"blank": len(bad)}


def test_the_better_of_two_equal_pictures_stays(judge):
    decisions, _ = judge(rules=["near_duplicates"])
    assert decisions.loc[~decisions["accepted"], "reason"].tolist() == ["near_duplicates"]
    twins = decisions.iloc[1:3]
    assert twins["accepted"].tolist() == [True, False]
    assert twins["near_duplicate_distance"].iloc[1] == 0.0


def test_the_reason_is_the_first_rule_that_fails_and_others_have_their_say(judge, synthetic):
    copies = no_copies(synthetic)
    copies.loc[0, "is_held_out_copy"] = True
    first, _ = judge(copies, rules=["leakage", "blank", "clip_score"])
    second, _ = judge(copies, rules=["clip_score", "blank", "leakage"])
    for decisions, rules in ((first, ["leakage", "blank", "clip_score"]), (second, ["clip_score", "blank", "leakage"])):
        for decision in decisions.to_dict("records"):
            failed = [rule for rule in rules if not decision[f"{rule}_passes"]]
            assert decision["reason"] == failed[0] if failed else pd.isna(decision["reason"])
            assert decision["accepted"] == (not failed)
    assert first.loc[0, "reason"] == "leakage"
    assert not first.loc[0, "blank_passes"]
    shared = [f"{rule}_passes" for rule in ("leakage", "blank", "clip_score")]
    pd.testing.assert_frame_equal(first[shared], second[shared])


def test_rules_that_are_not_listed_decide_nothing_and_the_scorer_scores_all_the_same(judge):
    decisions, calibration = judge(rules=[])
    assert decisions["accepted"].all()
    assert decisions[["clip_score", "zero_shot_margin"]].notna().all(axis=None)
    assert not [column for column in decisions if column.endswith("_passes")]
    assert calibration["rejected_by"] == {}
    assert calibration["false_reject_rate_on_real_val"] == {"any": 0.0}


def test_counts_add_up(judge, synthetic):
    decisions, calibration = judge(rules=EVERY_RULE, selection={"cap_per_class": 3})
    made, accepted = (
        sum(of_class[what] for of_class in calibration["accepted"].values()) for what in ("made", "accepted")
    )
    assert made == len(synthetic)
    assert accepted == decisions["accepted"].sum()
    assert accepted + sum(calibration["rejected_by"].values()) == made
    assert calibration["rejected_by"]["selection"] > 0
    for rule in EVERY_RULE:
        assert calibration["failed"][rule] == (~decisions[f"{rule}_passes"]).sum()
        assert calibration["failed"][rule] >= calibration["rejected_by"].get(rule, 0)
    for label, counted in calibration["per_class"].items():
        of_class = decisions[decisions["label"] == label]
        assert counted["rejected_by"] == of_class["reason"].value_counts().to_dict()
        assert counted["failed"] == {rule: (~of_class[f"{rule}_passes"]).sum() for rule in EVERY_RULE}
    assert calibration["per_class"].keys() == calibration["accepted"].keys() == {"cat", "dog"}
    assert list(calibration["rules"]) == EVERY_RULE
    assert calibration["rules"]["clip_score"] == {"quantile": 0.1}
    assert calibration["switched_off"] is None
    assert calibration["thresholds"]["clip_score"]["clip_score"].keys() == {"cat", "dog"}


def test_false_reject_rates_are_what_validation_images_would_suffer_as_synthetic_ones(real, features, judge):
    _, calibration = judge(rules=EVERY_RULE, clip_score={"quantile": 0.4})
    rates = calibration["false_reject_rate_on_real_val"]
    validation = as_synthetic(real.where(split="val"))
    seen = predictions(real, validation)
    options = filtering_options(rules=EVERY_RULE, clip_score={"quantile": 0.4})
    decisions, _ = filter_images(validation, real, features, audit(no_copies(validation)), seen, NOTHING, options)
    judged_by = ["blank", "clip_score", "zero_shot", "task_model", "near_duplicates"]
    for rule in judged_by:
        assert rates[rule] == pytest.approx((~decisions[f"{rule}_passes"]).mean())
    assert (rates["leakage"], rates["memorisation"]) == (0.002, 0.004)
    assert rates["any"] == pytest.approx(1 - decisions[[f"{rule}_passes" for rule in judged_by]].all(axis=1).mean())
    assert 0 < rates["clip_score"] <= rates["any"] < 1
    assert list(rates) == [*EVERY_RULE, "any"]


def test_a_scorer_never_taught_the_classes_keeps_quiet_and_that_is_said(tmp_path, real, synthetic):
    ignorant = make_features(tmp_path / "features", real, synthetic, feature_options("embedded:clip"))
    options = filtering_options(clip_score={"quantile": 0.99})
    decisions, calibration = filter_images(
        synthetic, real, ignorant, audit(no_copies(synthetic)), pd.DataFrame(), NOTHING, options
    )
    assert "it was never taught cat, dog" in calibration["switched_off"]
    assert calibration["rules_switched_off"] == ["clip_score", "zero_shot"]
    assert decisions[["clip_score_passes", "zero_shot_passes"]].all(axis=None)
    assert decisions["clip_score"].notna().all()
    assert decisions.loc[~decisions["accepted"], "reason"].tolist() == ["blank", "near_duplicates"]
    assert calibration["false_reject_rate_on_real_val"]["clip_score"] == 0.0
    ranking = filtering_options(selection={"policy": "top_k"})
    with pytest.raises(ParameterError, match=r"filtering.selection ranks by clip_score, but: .* never taught cat, dog"):
        filter_images(synthetic, real, ignorant, audit(no_copies(synthetic)), pd.DataFrame(), NOTHING, ranking)


def test_blocks_change_nothing(monkeypatch, judge):
    whole, about_whole = judge(rules=EVERY_RULE)
    monkeypatch.setattr(evidence, "BLOCK", 5)
    by_block, about_blocks = judge(rules=EVERY_RULE)
    pd.testing.assert_frame_equal(by_block, whole, rtol=1e-5)
    assert about_blocks["rejected_by"] == about_whole["rejected_by"]


def test_nothing_real_that_is_not_training_data_moves_a_threshold(real, synthetic, features, judge):
    decisions, _ = judge()
    few = ImageSet(real.index[(real.index["split"] == "train") | (real.index.index % 2 == 0)].reset_index(drop=True))
    with_fewer, _ = filter_images(
        synthetic, few, features, audit(no_copies(synthetic)), pd.DataFrame(), NOTHING, filtering_options()
    )
    pd.testing.assert_frame_equal(with_fewer, decisions)


RECOMPUTE = """
import sys
import pandas as pd
from pathlib import Path
from diffaug_pipeline.features.features import Features
from diffaug_pipeline.filtering.images import filter_images
from diffaug_pipeline.imaging.image_set import ImageSet
from filtering.filter_cases import audit, filtering_options, no_copies, overrides

folder = Path(sys.argv[1])
synthetic, real = (ImageSet(pd.read_parquet(folder / f"{name}.parquet")) for name in ("synthetic", "real"))
for quantile in (0.1, 0.9):
    options = filtering_options(clip_score={"quantile": quantile})
    decisions, _ = filter_images(
        synthetic, real, Features(Path(sys.argv[2])), audit(no_copies(synthetic)), pd.DataFrame(), overrides(), options
    )
    print("ACCEPTED", decisions["accepted"].sum())
print("MODULES", *sys.modules)
"""


def test_other_thresholds_need_no_model_and_no_picture(tmp_path, real, synthetic, features, judge):
    gone = {name: images.index.assign(path="gone") for name, images in (("real", real), ("synthetic", synthetic))}
    for name, index in gone.items():
        index.to_parquet(tmp_path / f"{name}.parquet")
    done = subprocess.run(
        [sys.executable, "-c", RECOMPUTE, str(tmp_path), str(features.folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    shown, _, modules = done.stdout.partition("MODULES")
    counts = [int(line.split()[1]) for line in shown.splitlines() if line.startswith("ACCEPTED")]
    expected = [int(judge(clip_score={"quantile": quantile})[0]["accepted"].sum()) for quantile in (0.1, 0.9)]
    assert counts == expected
    assert expected[1] < expected[0]
    assert {"torch", "transformers", "diffusers"}.isdisjoint(modules.split())


def test_what_a_person_decided_is_applied_and_recorded(judge, synthetic):
    recipes = synthetic.index.set_index("image_id")["recipe"]
    black, twin, other = (synthetic.index["image_id"].iloc[place] for place in (0, 1, 4))
    by_hand = overrides(
        thresholds={"clip_score": {"clip_score": {"cat": 0.0}}, "zero_shot": {"zero_shot_margin": -1.0}},
        keep={black: recipes[black], "unknown": "x"},
        reject={twin: recipes[twin], other: "drawn in another run"},
    )
    plain, calibrated = judge()
    decisions, calibration = judge(by_hand=by_hand)
    decided = decisions.set_index("image_id")
    assert decided.loc[black, ["accepted", "by_hand", "blank_passes"]].tolist() == [True, "keep", False]
    assert decided.loc[twin, ["accepted", "by_hand", "reason"]].tolist() == [False, "reject", "by_hand"]
    assert pd.isna(decided.at[other, "by_hand"])
    assert calibration["by_hand"] == {
        "thresholds": by_hand.as_document()["thresholds"],
        "kept": 1,
        "rejected": 1,
        "without_image": 2,
        "held_out_copies": 0,
    }
    assert calibration["calibrated_thresholds"] == calibrated["thresholds"] == calibrated["calibrated_thresholds"]
    needed = calibration["thresholds"]["clip_score"]["clip_score"]
    assert needed == calibrated["thresholds"]["clip_score"]["clip_score"] | {"cat": 0.0}
    cats = decisions["label"] == "cat"
    assert decisions.loc[cats, "clip_score_passes"].all()
    assert not plain.loc[cats, "clip_score_passes"].all()
    pd.testing.assert_series_equal(decisions.loc[~cats, "clip_score_passes"], plain.loc[~cats, "clip_score_passes"])
    assert calibration["rejected_by"]["by_hand"] == 1


def test_a_copy_of_a_held_out_image_is_not_kept_by_hand(judge, synthetic, caplog):
    copies = no_copies(synthetic)
    copies.loc[5, "is_held_out_copy"] = True
    image_id, recipe = synthetic.index.loc[5, ["image_id", "recipe"]]
    decisions, calibration = judge(copies, overrides(keep={image_id: recipe}), clip_score={"quantile": 0.99})
    assert decisions.loc[5, "reason"] == "leakage"
    assert pd.isna(decisions.loc[5, "by_hand"])
    assert f"never accepted, whatever the overrides say: {image_id}." in caplog.text
    assert calibration["by_hand"]["held_out_copies"] == 1


def test_the_desk_repeats_the_decisions_and_makes_others_from_what_is_stored(judge, synthetic, features):
    by_hand = overrides(thresholds={"clip_score": {"clip_score": 0.1}})
    decisions, calibration = judge(by_hand=by_hand, rules=EVERY_RULE)
    desk = Desk(decisions, calibration, synthetic, no_copies(synthetic), descriptors_of(synthetic, features))
    pd.testing.assert_frame_equal(desk.decide(by_hand), decisions)
    plain, _ = judge(rules=EVERY_RULE)
    pd.testing.assert_frame_equal(desk.decide(overrides()), plain)
    assert plain["accepted"].sum() != decisions["accepted"].sum()
