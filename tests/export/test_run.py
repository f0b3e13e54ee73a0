"""Whole exports: the same bytes twice, cards whose code runs, and nothing written where a licence forbids it."""

import contextlib
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from datasets import load_dataset
from evaluation.test_comparison import OPTIONS as COMPARISON
from evaluation.test_comparison import arm
from export.export_cases import (
    GENERATORS,
    LICENCES,
    PHOTOS,
    SCORER,
    calibration,
    image_options,
    image_run,
    scene_options,
    scene_run,
)
from factories import tree_bytes
from torchvision.datasets import ImageFolder

from diffaug_pipeline.errors import LicenceError
from diffaug_pipeline.evaluation.comparison import compare_arms
from diffaug_pipeline.export.card import describe_mixing
from diffaug_pipeline.export.options import Licences
from diffaug_pipeline.export.run import RunArtifacts, export_dataset
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet
from diffaug_pipeline.imaging.preparation import open_image

LABELS = {0: "cat", 1: "dog"}


def export_images(run: RunArtifacts, folder: Path, licences: Licences = LICENCES, **changes: Any) -> Path:
    fill = export_dataset("classification", run, image_options(**changes), GENERATORS, licences)
    folder.mkdir(exist_ok=True)
    fill(folder)
    return folder


def export_scenes(run: RunArtifacts, folder: Path, **changes: Any) -> Path:
    fill = export_dataset("detection", run, scene_options(**changes), GENERATORS, LICENCES)
    folder.mkdir(exist_ok=True)
    fill(folder)
    return folder


def run_code_of_card(folder: Path) -> dict[str, Any]:
    """The names that the code in a card leaves behind, run where the card says."""
    [code] = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        exec(code, names)
    return names


def header_of(card: Path) -> dict[str, Any]:
    return yaml.safe_load(card.read_text().split("---\n")[1])


@pytest.mark.parametrize(("make_run", "export"), [(image_run, export_images), (scene_run, export_scenes)])
def test_two_exports_are_the_same_bytes(tmp_path, make_run, export):
    run = make_run(tmp_path / "run")
    first, second = (tree_bytes(export(run, tmp_path / name)) for name in ("first", "second"))
    assert first == second
    assert len(first) > 10


def test_commercial_use_that_a_licence_forbids_is_refused_before_anything_is_written(tmp_path):
    forbidding = Licences({**LICENCES.root, SCORER: {"licence": "CC-BY-NC-4.0", "commercial_use": False}})
    with pytest.raises(LicenceError, match=f"{SCORER} .scorer of the filter., licence CC-BY-NC-4.0"):
        export_images(image_run(tmp_path / "run"), tmp_path / "out", forbidding, intended_use="commercial")
    assert not (tmp_path / "out").exists()
    card = export_images(image_run(tmp_path / "run"), tmp_path / "out", forbidding) / "parquet" / "README.md"
    assert f"| {SCORER} | def456 | CC-BY-NC-4.0 | **not allowed** |" in card.read_text()


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize("name", ["parquet", "webdataset"])
def test_two_datasets_in_folders_of_one_name_are_told_apart_by_the_cache(tmp_path, name):
    run = image_run(tmp_path / "run")
    relabelled = ImageSet(run.real_images.index.assign(label=run.real_images.index["label"].iloc[::-1].to_list()))
    for number, images in enumerate((run.real_images, relabelled)):
        folder = export_images(replace(run, real_images=images), tmp_path / str(number), formats=[name]) / name
        val = load_dataset(str(folder), split="validation", cache_dir=str(tmp_path / "cache"))
        described = [row.get("json", row) for row in val]
        found = {row["image_id"]: LABELS.get(row["label"], row["label"]) for row in described}
        assert found == images.where(split="val").index.set_index("image_id")["label"].to_dict()


def test_the_code_on_the_card_opens_images(tmp_path, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = export_images(image_run(tmp_path / "run"), tmp_path / "out")
    assert len(run_code_of_card(folder / "image_folder")["train"]) == 9
    opened = run_code_of_card(folder / "parquet")
    assert {split: len(rows) for split, rows in opened["dataset"].items()} == {"train": 9, "validation": 4, "test": 4}
    assert len(opened["synthetic"]) == 3


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # WebDataset leaves closing to the collector
def test_the_code_on_the_card_opens_shards(tmp_path):
    folder = export_images(image_run(tmp_path / "run"), tmp_path / "out") / "webdataset"
    opened = run_code_of_card(folder)
    with contextlib.chdir(folder):
        samples = list(opened["samples"])
    assert len(samples) == 9
    assert {document["origin"] for _, document in samples} == {"real", "synthetic"}


def test_the_code_on_the_card_opens_scenes(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "settings"))
    run = scene_run(tmp_path / "run")
    validated = run.real_images.index["split"].where(run.real_images.index["split"] != "test", "val")
    run.real_images.index["split"] = validated
    folder = export_scenes(run, tmp_path / "out")
    described = run_code_of_card(folder / "yolo")["described"]
    assert described["names"] == {0: "bag", 1: "coat"}
    assert Path(described["val"]).resolve() == (folder / "yolo" / "images" / "val").resolve()
    assert len(run_code_of_card(folder / "coco")["train"].getImgIds()) == 6


def test_pycocotools_finds_every_box_of_the_run(tmp_path):
    from pycocotools.coco import COCO

    run = scene_run(tmp_path / "run")
    folder = export_scenes(run, tmp_path / "out") / "coco"
    table = pd.read_csv(folder / "images.csv").set_index("file_name")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(folder / "annotations" / "instances_train.json"))
    assert len(coco.getAnnIds(iscrowd=True)) == 1
    for image in coco.loadImgs(coco.getImgIds()):
        row = table.loc[f"train/{image['file_name']}"]
        source = run.synthetic_images if row["origin"] == "synthetic" else run.real_images
        boxes: Boxes = source.boxes_of(row["image_id"])
        found = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        corners = [[x, y, x + width, y + height] for x, y, width, height in (box["bbox"] for box in found)]
        assert np.allclose(np.reshape(corners, (-1, 4)), boxes.xyxy)
        picture = open_image(folder / "train" / image["file_name"])
        assert np.array_equal(np.asarray(picture), np.asarray(source.read(row["image_id"])))


def test_ultralytics_trains_on_every_image_and_box(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "settings"))
    from ultralytics.data.dataset import YOLODataset

    folder = export_scenes(scene_run(tmp_path / "run"), tmp_path / "out") / "yolo"
    data = yaml.safe_load((folder / "data.yaml").read_text()) | {"channels": 3}
    dataset = YOLODataset(str(folder / "images" / "train"), data=data, augment=False, task="detect", imgsz=64)
    assert len(dataset) == 6
    assert sum(len(labels["cls"]) for labels in dataset.labels) == 5


def test_the_table_tells_synthetic_images_without_opening_them(tmp_path):
    folder = export_images(image_run(tmp_path / "run"), tmp_path / "out") / "image_folder"
    table = pd.read_csv(folder / "images.csv", dtype={"seed": "Int64"})
    for row in table.itertuples():
        content = (folder / row.file_name).read_bytes()
        assert (b"diffaug_provenance" in content) == (row.origin == "synthetic")
        assert row.file_name.split("/")[:2] == [row.split, row.label]
    assert table["seed"].max() == 2**63 - 1


def test_without_real_images_there_is_only_what_was_drawn(tmp_path):
    folder = export_scenes(scene_run(tmp_path / "run"), tmp_path / "out", include="synthetic")
    assert {path.name for path in (folder / "yolo" / "images").iterdir()} == {"train"}
    card = (folder / "yolo" / "README.md").read_text()
    assert "which are not among them" in card
    assert "name your own real images as `val`" in card
    assert "| images | 0 | 2 | 0 | 0 |" in card
    assert [one["split"] for one in header_of(folder / "parquet" / "README.md")["configs"][0]["data_files"]] == [
        "train"
    ]


def test_the_card_of_images_tells_what_there_is_and_how_it_came_about(tmp_path):
    run = image_run(tmp_path / "run")
    comparison = compare_arms({"real_only": arm(0.6), "augmented": arm(0.7, salt=1)}, COMPARISON)
    folder = export_images(replace(run, comparison=comparison), tmp_path / "out")
    card = (folder / "parquet" / "README.md").read_text()
    header = header_of(folder / "parquet" / "README.md")
    assert header["task_categories"] == ["image-classification"]
    assert "synthetic" in header["tags"]
    assert "someone/generator" in header["license_details"]
    for line in (
        "17 images for image classification:",
        "| images | 6 | 3 | 4 | 4 |",
        "| cat | 3 | 2 | 2 | 2 |",
        "| num_inference_steps | 12 |",
        '| prompts | 1, e.g. “a "fluffy" cat &amp; a &lt;dog> in Zürich” |',
        "`trainedAlgorithmicMedia` in 3.",
        "| clip_score | fits its class sentence worse than real training images do | 1 | 12.5 |",
        "| clip_score | clip_score | 0.5 to 1.25, by class |",
        "Audit: 4 synthetic images compared with 14 real ones",
        f"classification: {comparison['verdict'].upper()}: {comparison['reason']}.",
        "40 % of the images drawn were synthetic.",
        "in run `exporting`",
    ):
        assert line in card, line


def test_the_card_names_no_folders_of_the_machine(tmp_path):
    folder = export_images(image_run(tmp_path / "run"), tmp_path / "out")
    for card in folder.glob("*/README.md"):
        assert "| real images | my photos | – | CC-BY-4.0 | allowed |" in card.read_text()
        assert str(Path(PHOTOS).parent) not in card.read_text()


def test_the_card_says_where_folders_number_classes_in_another_way(tmp_path):
    run = image_run(tmp_path / "run")
    for names, differs in ((("a/b", "a0"), True), (("a b", "a0"), False)):
        renamed = {
            kind: ImageSet(
                images.index.assign(label=images.index["label"].map(dict(zip(("cat", "dog"), names, strict=True))))
            )
            for kind in ("real_images", "synthetic_images", "training_set")
            for images in [getattr(run, kind)]
        }
        folder = export_images(replace(run, **renamed), tmp_path / names[0].replace("/", ""), formats=["image_folder"])
        train = ImageFolder(folder / "image_folder" / "train")
        assert (train.classes != [name.replace("/", "_") for name in names]) == differs
        assert ("gives other numbers" in (folder / "image_folder" / "README.md").read_text()) == differs


def test_the_card_of_scenes_counts_boxes_and_composites(tmp_path):
    card = (export_scenes(scene_run(tmp_path / "run"), tmp_path / "out") / "coco" / "README.md").read_text()
    for line in (
        "7 images for object detection:",
        "| boxes: coat | 2 | 1 | 0 | 0 |",
        "| boxes: bag | 2 | 0 | 0 | 1 |",
        "`compositeWithTrainedAlgorithmicMedia` in 2, which show parts of real images.",
        "Not known: no networks were trained on it in this run.",
    ):
        assert line in card, line
    assert "The verdict is about" not in card


def test_the_card_says_what_a_person_decided_and_which_rules_were_off(tmp_path):
    changed = calibration(
        by_hand={"thresholds": {}, "kept": 2, "rejected": 1},
        rules_switched_off=["clip_score"],
        switched_off="The scorer was never taught these classes.",
    )
    run = replace(image_run(tmp_path / "run"), filter_calibration=changed)
    card = (export_images(run, tmp_path / "out", formats=["parquet"]) / "parquet" / "README.md").read_text()
    assert "2 images kept by hand; 1 image rejected by hand." in card
    assert "**clip_score switched off.** The scorer was never taught these classes." in card
    assert "No rule about classes was on, and no person has checked it but for those named above." in card


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (
            {"late_from": 0.5, "late_sampling_weight": 0.0},
            "40 % of the images drawn were synthetic in the first 50 % of the steps, 0 % afterwards",
        ),
        (
            {"loss_weight": 0.25},
            "40 % of the images drawn were synthetic; their loss counted 0.25 times that of real ones",
        ),
    ],
)
def test_the_mixing_is_told_as_it_was(tmp_path, columns, sentence):
    training_set = ImageSet(image_run(tmp_path).training_set.index.assign(**columns))
    assert describe_mixing(training_set) == sentence
