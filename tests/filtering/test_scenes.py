"""The filter of scenes with a real CLIP made tiny: which scenes pass, and what is said about it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from factories import cats_and_dogs, noise_image, rehashed
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

from diffaug_pipeline.filtering.options import DetectionFilteringOptions
from diffaug_pipeline.filtering.scenes import BOX_RULES, RULES, SCORE_OF, filter_scenes
from diffaug_pipeline.imaging.image_set import ImageSet

EVERYTHING = [0.0, 0.0, 1_000.0, 1_000.0]
TEMPLATE = "a photo of a {class_name}"


@pytest.fixture(scope="module")
def real(tmp_path_factory) -> ImageSet:
    return cats_and_dogs(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def options(tiny_clip):
    def build(**changes) -> DetectionFilteringOptions:
        values = {
            "clip_model": str(tiny_clip),
            "clip_revision": None,
            "templates": [TEMPLATE],
            "batch_size": 4,
            "device": "cpu",
            "min_images_per_class": 1,
            "crop_context": 0.0,
            "unchanged_share": 0.3,
            "clip_score": {"enabled": True, "quantile": 0.3},
            "zero_shot": {"enabled": True, "quantile": 0.1},
            "detector_agreement": {"enabled": False, "confidence": 0.1, "iou": 0.5, "same_class": True},
            "undeclared_objects": {"enabled": False, "confidence": 0.5, "covered": 0.5},
        }
        for rule, of_rule in changes.items():
            values[rule] = values[rule] | of_rule if isinstance(of_rule, dict) else of_rule
        return DetectionFilteringOptions(**values)

    return build


def as_scenes(images: ImageSet, sourced: bool = False) -> ImageSet:
    """The same pictures as synthetic ones, with themselves as their sources or without any."""
    ids = images.index["image_id"]
    return ImageSet(
        images.index.assign(
            image_id=[f"synthetic:{image_id}" for image_id in ids],
            source_image_id=ids if sourced else None,
            split="train",
            origin="synthetic",
        )
    )


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


def test_there_is_one_decision_per_scene_and_one_score_per_box(real, options):
    scenes = as_scenes(real.where(split="train"))
    decisions, scores, _ = filter_scenes(scenes, real, nothing_found(), options())
    assert decisions["image_id"].tolist() == scenes.index["image_id"].tolist()
    assert 0 < decisions["accepted"].sum() < len(decisions)
    expected = [
        (image_id, number, box["label"])
        for image_id, boxes in zip(scenes.index["image_id"], scenes.index["boxes"], strict=True)
        for number, box in enumerate(boxes)
    ]
    assert list(scores[["image_id", "box", "label"]].itertuples(index=False, name=None)) == expected
    assert scores["judged"].all()


def test_a_scene_is_as_good_as_its_worst_box(real, options):
    scenes = as_scenes(real.where(split="train"))
    all_rules = options(detector_agreement={"enabled": True})
    found = detections(scenes)
    found.at[0, "boxes"] = []
    decisions, scores, _ = filter_scenes(scenes, real, found, all_rules)
    by_scene = dict(list(scores.groupby("image_id")))
    assert max(map(len, by_scene.values())) == 2
    for decision in decisions.to_dict("records"):
        rows = by_scene[decision["image_id"]]
        for rule in BOX_RULES:
            assert decision[rule] == min(rows[SCORE_OF[rule]])
            assert decision[f"{rule}_passes"] == all(rows[f"{rule}_passes"])
        assert decision["accepted"] == all(decision[f"{rule}_passes"] for rule in RULES)
    mixed = scores.groupby("image_id")["zero_shot_passes"].nunique()
    assert (mixed == 2).any()


def test_the_reason_is_the_first_rule_that_fails(real, options):
    scenes = as_scenes(real.where(split="train"))
    every_rule = options(detector_agreement={"enabled": True}, undeclared_objects={"enabled": True})
    stranger = {"label": "cat", "xyxy": EVERYTHING, "confidence": 0.9}
    found = detections(scenes)
    found["boxes"] = [(boxes[:1], [*boxes, stranger], boxes)[number % 3] for number, boxes in enumerate(found["boxes"])]
    decisions, _, _ = filter_scenes(scenes, real, found, every_rule)
    for decision in decisions.to_dict("records"):
        failed = [rule for rule in RULES if not decision[f"{rule}_passes"]]
        assert decision["reason"] == (failed[0] if failed else None)
    assert decisions["reason"].nunique() >= 3
    assert decisions["reason"].isna().any()


def test_boxes_a_person_labelled_are_not_judged(real, options):
    scenes = as_scenes(real.where(split="train"), sourced=True)
    strict = options(clip_score={"quantile": 0.99}, zero_shot={"quantile": 0.99}, detector_agreement={"enabled": True})
    decisions, scores, calibration = filter_scenes(scenes, real, nothing_found(), strict)
    assert decisions["accepted"].all()
    assert not scores["judged"].any()
    assert (scores["unchanged"] == 1).all()
    assert scores[list(SCORE_OF.values())].isna().all(axis=None)
    assert calibration["boxes_not_judged"] == len(scores)
    assert calibration["per_class"] == {}


def test_a_new_object_is_judged_beside_a_real_one(real, options, tmp_path):
    train = real.where(split="train")
    pairs = ImageSet(train.index[train.index["boxes"].map(len) == 2].reset_index(drop=True))
    scenes = redrawn(as_scenes(pairs, sourced=True), tmp_path / "scenes", keep=0)
    unconfirmed = options(detector_agreement={"enabled": True})
    decisions, scores, calibration = filter_scenes(scenes, real, nothing_found(), unconfirmed)
    assert scores["judged"].tolist() == [False, True] * len(scenes)
    assert scores["detector_agreement_passes"].tolist() == [True, False] * len(scenes)
    assert not decisions["detector_agreement_passes"].any()
    judged = scores[scores["judged"]].set_index("image_id")
    for rule, score in SCORE_OF.items():
        assert decisions[rule].tolist() == judged.loc[decisions["image_id"], score].tolist()
    assert calibration["boxes_not_judged"] == len(scenes)


def test_rules_switched_off_pass_every_scene_and_still_score(real, options, tmp_path):
    scenes = redrawn(as_scenes(real.where(split="train")), tmp_path / "noise")
    off = {rule: {"enabled": False} for rule in RULES}
    stranger = {"label": "dog", "xyxy": EVERYTHING, "confidence": 0.9}
    found = detections(scenes, added=(stranger,))
    decisions, scores, calibration = filter_scenes(scenes, real, found, options(**off))
    assert decisions["accepted"].all()
    assert decisions["reason"].isna().all()
    assert scores[list(SCORE_OF.values())].notna().all(axis=None)
    assert (decisions["undeclared_objects"] == 1).all()
    assert calibration["rejected_by"] == {}
    assert set(calibration["false_reject_rate_on_real_val"].values()) == {0.0}


def test_a_clip_never_taught_the_classes_keeps_quiet_and_that_is_said(real, options):
    scenes = as_scenes(real.where(split="train"))
    ignorant = options(clip_model="embedded:clip", detector_agreement={"enabled": True})
    found = detections(scenes)
    found.at[3, "boxes"] = []
    decisions, _, calibration = filter_scenes(scenes, real, found, ignorant)
    assert "it was never taught cat, dog" in calibration["switched_off"]
    enabled = {rule: calibration["rules"][rule]["enabled"] for rule in RULES}
    assert enabled == {"clip_score": False, "zero_shot": False, "detector_agreement": True, "undeclared_objects": False}
    assert decisions["reason"].tolist() == [None] * 3 + ["detector_agreement"] + [None] * 8


def test_counts_add_up(real, options):
    scenes = as_scenes(real.where(split="train"))
    decisions, scores, calibration = filter_scenes(scenes, real, nothing_found(), options())
    assert calibration["made"] == 12
    assert calibration["accepted"] == decisions["accepted"].sum()
    assert calibration["accepted"] + sum(calibration["rejected_by"].values()) == 12
    passes = scores[[f"{rule}_passes" for rule in BOX_RULES]].all(axis=1)
    for label, counted in calibration["per_class"].items():
        of_class = scores["label"] == label
        assert counted == {"boxes": of_class.sum(), "accepted": passes[of_class].sum()}
    assert calibration["per_class"].keys() == {"cat", "dog"}
    assert calibration["switched_off"] is None


def test_false_reject_rates_are_what_validation_images_and_their_boxes_would_suffer_as_scenes(real, options):
    validation = real.where(split="val")
    scenes = as_scenes(validation)
    found = pd.concat([detections(images) for images in (validation, scenes)], ignore_index=True)
    stranger = {"label": "cat", "xyxy": EVERYTHING, "confidence": 0.9}
    found["boxes"] = [
        boxes[1:] if number % 6 == 0 else boxes + [stranger] * (number % 6 == 1)
        for number, boxes in enumerate(found["boxes"])
    ]
    every_rule = options(detector_agreement={"enabled": True}, undeclared_objects={"enabled": True})
    decisions, scores, calibration = filter_scenes(scenes, real, found, every_rule)
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


def test_the_percentile_is_the_share_of_real_training_crops_that_score_no_higher(real, options):
    _, of_train, _ = filter_scenes(as_scenes(real.where(split="train")), real, nothing_found(), options())
    _, of_val, _ = filter_scenes(as_scenes(real.where(split="val")), real, nothing_found(), options())
    for row in of_val.itertuples():
        of_class = of_train.loc[of_train["label"] == row.label, "clip_score"]
        expected = sum(score <= row.clip_score for score in of_class) / len(of_class)
        assert row.clip_percentile == pytest.approx(expected)
    assert of_val["clip_percentile"].nunique() > 3


def test_the_score_of_a_box_is_that_of_its_crop(real, options, tiny_clip):
    """Computed with Pillow and transformers alone."""
    model, processor = CLIPModel.from_pretrained(tiny_clip).eval(), CLIPProcessor.from_pretrained(tiny_clip)
    scenes = as_scenes(real.where(split="val"))
    _, scores, _ = filter_scenes(scenes, real, nothing_found(), options())
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


def test_a_detector_that_is_sure_of_something_undeclared_rejects_the_scene(real, options):
    scenes = as_scenes(real.where(split="train"), sourced=True)
    found = detections(scenes)
    found.at[2, "boxes"] = [*found.at[2, "boxes"], {"label": "dog", "xyxy": EVERYTHING, "confidence": 0.6}]
    found.at[4, "boxes"] = [*found.at[4, "boxes"], {"label": "dog", "xyxy": EVERYTHING, "confidence": 0.4}]
    decisions, _, calibration = filter_scenes(scenes, real, found, options(undeclared_objects={"enabled": True}))
    assert decisions["undeclared_objects"].tolist() == [0, 0, 1] + [0] * 9
    assert decisions.loc[~decisions["accepted"], ["image_id", "reason"]].to_numpy().tolist() == [
        [scenes.index["image_id"].iloc[2], "undeclared_objects"]
    ]
    assert calibration["rejected_by"] == {"undeclared_objects": 1}


@pytest.mark.parametrize("bare", [1, 12])
def test_a_scene_without_boxes_passes_the_rules_about_boxes(real, options, bare):
    scenes = as_scenes(real.where(split="train"))
    emptied = [[] if number < bare else boxes for number, boxes in enumerate(scenes.index["boxes"])]
    scenes = ImageSet(scenes.index.assign(boxes=emptied))
    strict = options(clip_score={"quantile": 0.99}, detector_agreement={"enabled": True})
    decisions, scores, _ = filter_scenes(scenes, real, nothing_found(), strict)
    assert decisions["accepted"].tolist() == [True] * bare + [False] * (12 - bare)
    assert len(scores) == sum(map(len, emptied))
    assert decisions[list(BOX_RULES)].iloc[:bare].isna().all(axis=None)


def test_ignored_boxes_are_not_judged_but_explain_what_is_found(real, options):
    scenes = as_scenes(real.where(split="train"))
    crowds = [[box | {"ignored": True} for box in boxes] for boxes in scenes.index["boxes"]]
    ignored = ImageSet(scenes.index.assign(boxes=crowds))
    decisions, scores, _ = filter_scenes(
        ignored, real, detections(scenes), options(undeclared_objects={"enabled": True})
    )
    assert scores.empty
    assert decisions["accepted"].all()


def test_a_small_class_takes_the_spread_of_all(real, options):
    scenes = as_scenes(real.where(split="train"))
    _, scores, own = filter_scenes(scenes, real, nothing_found(), options())
    _, _, pooled = filter_scenes(scenes, real, nothing_found(), options(min_images_per_class=100))
    medians = scores.groupby("label")["clip_score"].median()
    below = [medians[label] - pooled["clip_score_thresholds"][label] for label in ("cat", "dog")]
    assert below[0] == pytest.approx(below[1])
    below = [medians[label] - own["clip_score_thresholds"][label] for label in ("cat", "dog")]
    assert not np.isclose(*below)
