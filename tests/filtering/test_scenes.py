"""The filter of scenes with features of a real CLIP made tiny: which scenes pass, and what is said about it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from factories import cats_and_dogs, noise_image, rehashed
from features.feature_cases import feature_options, make_features
from filtering.filter_cases import as_synthetic, audit, no_copies, overrides, scene_options
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.filtering import evidence
from diffaug_pipeline.filtering.desk import Desk
from diffaug_pipeline.filtering.options import DetectionFilteringOptions
from diffaug_pipeline.filtering.rules import near_duplicates
from diffaug_pipeline.filtering.scenes import SCORE_OF, filter_scenes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.thumbnails import thumbnails

NOTHING = overrides()
EVERYTHING = [0.0, 0.0, 1_000.0, 1_000.0]
TEMPLATE = "a photo of a {class_name}"
BOX_RULES = ["clip_score", "zero_shot", "detector_agreement"]
FOUR_RULES = [*BOX_RULES, "undeclared_objects"]


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return cats_and_dogs(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def judge(real, tmp_path_factory, tiny_clip):
    """The filter with features made for the scenes it is given; thresholds are stricter than the usual ones."""

    def run(
        scenes, found, copies=None, scorer=tiny_clip, by_hand=NOTHING, **changes
    ) -> tuple[pd.DataFrame, pd.DataFrame, dict]:
        asked = feature_options(scorer, crop_context=0.0)
        asked = asked.model_copy(update={"scorer": asked.scorer.model_copy(update={"templates": [TEMPLATE]})})
        features = make_features(tmp_path_factory.mktemp("features"), real, scenes, asked)
        audited = audit(no_copies(scenes) if copies is None else copies)
        return filter_scenes(scenes, real, features, audited, found, by_hand, options(**changes))

    return run


def options(**changes) -> DetectionFilteringOptions:
    return scene_options(**{"clip_score": {"quantile": 0.3}} | changes)


def redrawn(scenes: ImageSet, folder: Path, keep: int | None = None) -> ImageSet:
    """Noise in the place of every picture, but for the pixels of its box number `keep`."""
    folder.mkdir()
    paths = []
    for number, row in enumerate(scenes.index.itertuples()):
        picture = noise_image(number, (row.width_px, row.height_px))
        if keep is not None:
            place = tuple(int(side) for side in row.boxes[keep]["xyxy"])
            picture.paste(scenes.read(row.image_id).crop(place), place)
        paths.append(str(folder / f"{number}.png"))
        picture.save(paths[-1])
    return rehashed(ImageSet(scenes.index.assign(path=paths)))


def detections(images: ImageSet, confidence: float = 0.9, added: tuple = ()) -> pd.DataFrame:
    """The true boxes of each image, found with `confidence`, and `added` ones."""
    boxes = [[*({**box, "confidence": confidence} for box in of_image), *added] for of_image in images.index["boxes"]]
    return pd.DataFrame({"image_id": images.index["image_id"], "boxes": boxes})


def nothing_found() -> pd.DataFrame:
    return pd.DataFrame({"image_id": pd.Series(dtype=str), "boxes": pd.Series(dtype=object)})


def test_there_is_one_decision_per_scene_and_one_score_per_box(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    decisions, scores, _ = judge(scenes, nothing_found())
    assert decisions["image_id"].tolist() == scenes.index["image_id"].tolist()
    assert 0 < decisions["accepted"].sum() < len(decisions)
    expected = [
        (image_id, number, box["label"])
        for image_id, boxes in zip(scenes.index["image_id"], scenes.index["boxes"], strict=True)
        for number, box in enumerate(boxes)
    ]
    assert list(scores[["image_id", "box", "label"]].itertuples(index=False, name=None)) == expected
    assert scores["judged"].all()


def test_a_scene_is_as_good_as_its_worst_box(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    found = detections(scenes)
    found.at[0, "boxes"] = []
    decisions, scores, _ = judge(scenes, found, rules=FOUR_RULES)
    by_scene = dict(list(scores.groupby("image_id")))
    assert max(map(len, by_scene.values())) == 2
    for decision in decisions.to_dict("records"):
        rows = by_scene[decision["image_id"]]
        for rule in BOX_RULES:
            assert decision[rule] == min(rows[SCORE_OF[rule]])
            assert decision[f"{rule}_passes"] == all(rows[f"{rule}_passes"])
        assert decision["accepted"] == all(decision[f"{rule}_passes"] for rule in FOUR_RULES)
    mixed = scores.groupby("image_id")["zero_shot_passes"].nunique()
    assert (mixed == 2).any()


def test_the_reason_is_the_first_rule_that_fails(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    stranger = {"label": "cat", "xyxy": EVERYTHING, "confidence": 0.9}
    found = detections(scenes)
    found["boxes"] = [(boxes[:1], [*boxes, stranger], boxes)[number % 3] for number, boxes in enumerate(found["boxes"])]
    decisions, _, _ = judge(scenes, found, rules=FOUR_RULES)
    for decision in decisions.to_dict("records"):
        failed = [rule for rule in FOUR_RULES if not decision[f"{rule}_passes"]]
        assert decision["reason"] == (failed[0] if failed else None)
    assert decisions["reason"].nunique() >= 3
    assert decisions["reason"].isna().any()


def test_boxes_a_person_labelled_are_not_judged(real, judge):
    scenes = as_synthetic(real.where(split="train"), sourced=True)
    strict = {"clip_score": {"quantile": 0.99}, "zero_shot": {"quantile": 0.99}}
    decisions, scores, calibration = judge(scenes, nothing_found(), rules=BOX_RULES, **strict)
    assert decisions["accepted"].all()
    assert not scores["judged"].any()
    assert (scores["unchanged"] == 1).all()
    assert scores[list(SCORE_OF.values())].isna().all(axis=None)
    assert calibration["boxes_not_judged"] == len(scores)
    assert calibration["per_class"] == {}


def test_a_new_object_is_judged_beside_a_real_one(real, judge, tmp_path):
    train = real.where(split="train")
    pairs = ImageSet(train.index[train.index["boxes"].map(len) == 2].reset_index(drop=True))
    scenes = redrawn(as_synthetic(pairs, sourced=True), tmp_path / "scenes", keep=0)
    decisions, scores, calibration = judge(scenes, nothing_found(), rules=BOX_RULES)
    assert scores["judged"].tolist() == [False, True] * len(scenes)
    assert scores["detector_agreement_passes"].tolist() == [True, False] * len(scenes)
    assert not decisions["detector_agreement_passes"].any()
    judged = scores[scores["judged"]].set_index("image_id")
    for rule, score in SCORE_OF.items():
        assert decisions[rule].tolist() == judged.loc[decisions["image_id"], score].tolist()
    assert calibration["boxes_not_judged"] == len(scenes)


def test_rules_that_are_not_listed_decide_nothing_and_the_scorer_scores_all_the_same(real, judge, tmp_path):
    scenes = redrawn(as_synthetic(real.where(split="train")), tmp_path / "noise")
    stranger = {"label": "dog", "xyxy": EVERYTHING, "confidence": 0.9}
    decisions, scores, calibration = judge(scenes, detections(scenes, added=(stranger,)), rules=[])
    assert decisions["accepted"].all()
    assert decisions["reason"].isna().all()
    assert scores[["clip_percentile", "zero_shot_margin"]].notna().all(axis=None)
    assert decisions[["clip_score", "zero_shot"]].notna().all(axis=None)
    assert not [column for column in (*decisions, *scores) if column.endswith("_passes")]
    assert calibration["rejected_by"] == {}
    assert set(calibration["false_reject_rate_on_real_val"].values()) == {0.0}


def test_a_clip_never_taught_the_classes_keeps_quiet_and_that_is_said(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    found = detections(scenes)
    found.at[3, "boxes"] = []
    decisions, _, calibration = judge(scenes, found, scorer="embedded:clip", rules=FOUR_RULES)
    assert "it was never taught cat, dog" in calibration["switched_off"]
    assert calibration["rules_switched_off"] == ["clip_score", "zero_shot"]
    assert decisions["reason"].dropna().to_dict() == {3: "detector_agreement"}
    with pytest.raises(ParameterError, match=r"filtering.selection ranks by clip_score, but: .* never taught"):
        judge(scenes, found, scorer="embedded:clip", selection={"cap": 3})


def test_counts_add_up(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    decisions, scores, calibration = judge(scenes, nothing_found())
    assert calibration["made"] == 12
    assert calibration["accepted"] == decisions["accepted"].sum()
    assert calibration["accepted"] + sum(calibration["rejected_by"].values()) == 12
    passes = scores[["clip_score_passes", "zero_shot_passes"]]
    for label, counted in calibration["per_class"].items():
        of_class = scores["label"] == label
        failed = {rule: (~passes.loc[of_class, f"{rule}_passes"]).sum() for rule in ("clip_score", "zero_shot")}
        accepted = passes[of_class].all(axis=1).sum()
        assert counted == {"boxes": of_class.sum(), "accepted": accepted, "failed": failed}
    for rule, failed in calibration["failed"].items():
        assert failed == (~decisions[f"{rule}_passes"]).sum() >= calibration["rejected_by"].get(rule, 0)
    assert calibration["per_class"].keys() == {"cat", "dog"}
    assert calibration["switched_off"] is None


def test_false_reject_rates_are_what_validation_images_and_their_boxes_would_suffer_as_synthetic(real, judge):
    validation = real.where(split="val")
    scenes = as_synthetic(validation)
    found = pd.concat([detections(images) for images in (validation, scenes)], ignore_index=True)
    stranger = {"label": "cat", "xyxy": EVERYTHING, "confidence": 0.9}
    found["boxes"] = [
        boxes[1:] if number % 6 == 0 else boxes + [stranger] * (number % 6 == 1)
        for number, boxes in enumerate(found["boxes"])
    ]
    decisions, scores, calibration = judge(scenes, found, rules=FOUR_RULES)
    rates = calibration["false_reject_rate_on_real_val"]
    passes = scores[[f"{rule}_passes" for rule in BOX_RULES]]
    expected = {rule: 1 - passes[f"{rule}_passes"].mean() for rule in BOX_RULES} | {
        "undeclared_objects": 1 - decisions["undeclared_objects_passes"].mean(),
        "any": 1 - passes.all(axis=1).mean(),
    }
    assert rates == pytest.approx(expected)
    assert rates["undeclared_objects"] == pytest.approx(1 / 6)
    assert rates["detector_agreement"] == pytest.approx(1 / 9)
    assert 0 < rates["zero_shot"] < rates["any"] < 1
    right = scores["zero_shot_class"] == scores["label"]
    assert calibration["zero_shot_accuracy_on_real_val_boxes"] == right.mean()


def test_the_percentile_is_the_share_of_real_training_crops_that_score_no_higher(real, judge):
    _, of_train, _ = judge(as_synthetic(real.where(split="train")), nothing_found())
    _, of_val, _ = judge(as_synthetic(real.where(split="val")), nothing_found())
    for row in of_val.itertuples():
        of_class = of_train.loc[of_train["label"] == row.label, "clip_score"]
        expected = sum(score <= row.clip_score for score in of_class) / len(of_class)
        assert row.clip_percentile == pytest.approx(expected)
    assert of_val["clip_percentile"].nunique() > 3


def test_the_score_of_a_box_is_that_of_its_crop(real, judge, tiny_clip):
    """Computed with Pillow and transformers alone."""
    model, processor = CLIPModel.from_pretrained(tiny_clip).eval(), CLIPProcessor.from_pretrained(tiny_clip)
    scenes = as_synthetic(real.where(split="val"))
    _, scores, _ = judge(scenes, nothing_found())
    for row in scores.itertuples():
        box = scenes.boxes_of(row.image_id).xyxy[row.box]
        crop = scenes.read(row.image_id).crop(tuple(box.astype(int))).resize((16, 16), Image.Resampling.LANCZOS)
        inputs = processor(
            text=[TEMPLATE.format(class_name=name) for name in ("cat", "dog")],
            images=crop,
            padding=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            outputs = model(**inputs)
        cosines = (outputs.image_embeds @ outputs.text_embeds.T)[0]
        own = ("cat", "dog").index(row.label)
        assert row.clip_score == pytest.approx(2.5 * cosines[own].item(), abs=1e-4)
        chances = outputs.logits_per_image.softmax(1)[0]
        assert row.zero_shot_margin == pytest.approx((chances[own] - chances[1 - own]).item(), abs=1e-4)


def test_a_detector_that_is_sure_of_something_undeclared_rejects_the_scene(real, judge):
    scenes = as_synthetic(real.where(split="train"), sourced=True)
    found = detections(scenes)
    found.at[2, "boxes"] = [*found.at[2, "boxes"], {"label": "dog", "xyxy": EVERYTHING, "confidence": 0.6}]
    found.at[4, "boxes"] = [*found.at[4, "boxes"], {"label": "dog", "xyxy": EVERYTHING, "confidence": 0.4}]
    decisions, _, calibration = judge(scenes, found, rules=FOUR_RULES)
    assert decisions["undeclared_objects"].tolist() == [0, 0, 1] + [0] * 9
    assert decisions.loc[~decisions["accepted"], ["image_id", "reason"]].to_numpy().tolist() == [
        [scenes.index["image_id"].iloc[2], "undeclared_objects"]
    ]
    assert calibration["rejected_by"] == {"undeclared_objects": 1}


@pytest.mark.parametrize("bare", [1, 12])
def test_a_scene_without_boxes_passes_the_rules_about_boxes(real, judge, bare):
    scenes = as_synthetic(real.where(split="train"))
    emptied = [[] if number < bare else boxes for number, boxes in enumerate(scenes.index["boxes"])]
    scenes = ImageSet(scenes.index.assign(boxes=emptied))
    decisions, scores, _ = judge(scenes, nothing_found(), rules=BOX_RULES, clip_score={"quantile": 0.99})
    assert decisions["accepted"].tolist() == [True] * bare + [False] * (12 - bare)
    assert len(scores) == sum(map(len, emptied))
    assert decisions[list(BOX_RULES)].iloc[:bare].isna().all(axis=None)


def test_ignored_boxes_are_not_judged_but_explain_what_is_found(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    crowds = [[box | {"ignored": True} for box in boxes] for boxes in scenes.index["boxes"]]
    ignored = ImageSet(scenes.index.assign(boxes=crowds))
    decisions, scores, _ = judge(ignored, detections(scenes), rules=FOUR_RULES)
    assert scores.empty
    assert decisions["accepted"].all()


def test_a_small_class_takes_the_spread_of_all(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    _, scores, own = judge(scenes, nothing_found())
    _, _, pooled = judge(scenes, nothing_found(), min_images_per_class=100)
    medians = scores.groupby("label")["clip_score"].median()
    below = [medians[label] - pooled["thresholds"]["clip_score"]["clip_score"][label] for label in ("cat", "dog")]
    assert below[0] == pytest.approx(below[1])
    below = [medians[label] - own["thresholds"]["clip_score"]["clip_score"][label] for label in ("cat", "dog")]
    assert not np.isclose(*below)


WHOLE_SCENES = ["leakage", "blank", "memorisation"]
DEFAULT = ["leakage", "blank", "clip_score", "zero_shot", "memorisation", "near_duplicates"]


def test_rules_about_whole_scenes_reject_what_they_are_there_for(real, judge, tmp_path):
    scenes = redrawn(as_synthetic(real.where(split="train"), sourced=True), tmp_path / "noise")
    first = scenes.index.iloc[0]
    Image.new("RGB", (first["width_px"], first["height_px"])).save(first["path"])
    copies = no_copies(scenes).assign(source_distance=0.2)
    copies.loc[1, "is_held_out_copy"] = copies.loc[2, "is_train_copy"] = True
    copies.loc[3, "source_distance"] = 0.001
    least = {"min_source_distance": 0.01}
    decisions, _, calibration = judge(rehashed(scenes), nothing_found(), copies, rules=WHOLE_SCENES, memorisation=least)
    assert decisions["reason"].dropna().to_dict() == {0: "blank", 1: "leakage", 2: "memorisation", 3: "memorisation"}
    rates = calibration["false_reject_rate_on_real_val"]
    assert (rates["leakage"], rates["memorisation"]) == (0.002, 0.004)
    assert calibration["failed"] == {"leakage": 1, "blank": 1, "memorisation": 2}


def test_of_two_equal_scenes_the_one_with_the_better_worst_box_stays(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    paths = scenes.index["path"].tolist()
    paths[4] = paths[10]  # same size, objects elsewhere
    twins = rehashed(ImageSet(scenes.index.assign(path=paths)))
    decisions, _, _ = judge(twins, nothing_found(), rules=["near_duplicates"])
    rejected = decisions.index[~decisions["accepted"]]
    assert decisions.loc[[4, 10], "clip_score"].nunique() == 2
    assert rejected.tolist() == [decisions.loc[[4, 10], "clip_score"].idxmin()]
    assert decisions.loc[rejected, "near_duplicate_distance"].tolist() == [0.0]


def test_selection_takes_the_best_of_all_scenes(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    best = {"policy": "top_k", "top_k": 2, "score": "zero_shot"}
    decisions, _, calibration = judge(scenes, nothing_found(), rules=DEFAULT, selection=best)
    standing = decisions[decisions[[f"{rule}_passes" for rule in DEFAULT]].all(axis=1)]
    assert len(standing) > 2
    assert decisions.index[decisions["accepted"]].tolist() == sorted(standing["zero_shot"].nlargest(2).index)
    assert calibration["rejected_by"]["selection"] == len(standing) - 2


def test_blocks_change_nothing(monkeypatch, real, judge):
    scenes = as_synthetic(real.where(split="train"))
    rules = [*FOUR_RULES, "blank", "near_duplicates"]
    whole = judge(scenes, detections(scenes), rules=rules)
    monkeypatch.setattr(evidence, "BLOCK", 5)
    by_block = judge(scenes, detections(scenes), rules=rules)
    for table, other in zip(whole[:2], by_block[:2], strict=True):
        pd.testing.assert_frame_equal(table, other, rtol=1e-5)
    assert whole[2]["rejected_by"] == by_block[2]["rejected_by"]


def test_what_a_person_decided_is_applied_and_the_desk_repeats_it(real, judge):
    scenes = as_synthetic(real.where(split="train"))
    plain, _, calibrated = judge(scenes, detections(scenes), rules=[*FOUR_RULES, "near_duplicates"])
    kept, rejected = plain.loc[~plain["accepted"], "image_id"].iloc[0], plain.loc[plain["accepted"], "image_id"].iloc[0]
    recipes = scenes.index.set_index("image_id")["recipe"]
    by_hand = overrides(
        thresholds={"zero_shot": {"zero_shot_margin": {"cat": -1.0}}, "detector_agreement": {"detector_iou": 0.9}},
        keep={kept: recipes[kept]},
        reject={rejected: recipes[rejected]},
    )
    decisions, scores, calibration = judge(
        scenes, detections(scenes), rules=[*FOUR_RULES, "near_duplicates"], by_hand=by_hand
    )
    decided = decisions.set_index("image_id")
    assert decided.loc[kept, ["accepted", "by_hand"]].tolist() == [True, "keep"]
    assert decided.loc[rejected, ["accepted", "reason"]].tolist() == [False, "by_hand"]
    assert calibration["thresholds"]["detector_agreement"] == {"detector_iou": 0.9}
    assert calibration["calibrated_thresholds"] == calibrated["thresholds"]
    assert (calibration["by_hand"]["kept"], calibration["by_hand"]["rejected"]) == (1, 1)
    desk = Desk(decisions, calibration, scenes, no_copies(scenes), near_duplicates.describe(thumbnails(scenes)), scores)
    pd.testing.assert_frame_equal(desk.decide(by_hand), decisions)
    pd.testing.assert_frame_equal(desk.decide(overrides()), plain)
    counts = desk.count_by_class(decisions).set_index("class")
    assert counts["made"].to_dict() == scores["label"].value_counts().to_dict()
    shown = [box["label"] for boxes in scenes.index["boxes"][decisions["accepted"]] for box in boxes]
    assert counts["kept"].to_dict() == {name: shown.count(name) for name in ("cat", "dog")}
