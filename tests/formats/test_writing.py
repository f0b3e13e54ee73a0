import contextlib
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from factories import noise_image, real_row
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.formats.coco import list_coco, write_coco
from diffaug_pipeline.formats.image_files import export_images
from diffaug_pipeline.formats.source import Listing
from diffaug_pipeline.formats.voc import list_voc, write_voc
from diffaug_pipeline.formats.yolo import list_yolo, write_yolo
from diffaug_pipeline.imaging.image_set import ImageSet

FORMATS: dict[str, tuple[Callable, Callable, float]] = {
    "coco": (write_coco, list_coco, 1e-6),
    "yolo": (write_yolo, list_yolo, 1e-3),
    "voc": (write_voc, list_voc, 0.5),
}


def record(label: str, xyxy: tuple, ignored: bool = False) -> dict:
    return {"label": label, "xyxy": list(xyxy), "ignored": ignored}


def image_set(folder: Path, pictures: list[tuple[tuple[int, int], str, list[dict]]]) -> ImageSet:
    """Noise pictures of (size, split, boxes)."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (size, split, boxes) in enumerate(pictures):
        noise_image(number, size).save(folder / f"{number}.png")
        rows.append(real_row(folder / f"{number}.png", f"{split}/{number:03d}.png", split, boxes=boxes))
    return ImageSet(pd.DataFrame(rows))


def small_set(folder: Path) -> ImageSet:
    return image_set(
        folder,
        [
            ((40, 31), "train", [record("dog", (1.25, 2.5, 20.125, 30)), record("cat", (0, 0, 40, 31))]),
            ((64, 20), "train", []),
            ((17, 90), "val", [record("cat", (3, 4, 10, 80)), record("dog", (1, 1, 9, 9), ignored=True)]),
            ((50, 50), "test", [record("dog", (10.5, 10.5, 49.5, 49.5))]),
        ],
    )


def read_back(listing: Listing, images: ImageSet, written: dict[str, Path]) -> ImageSet:
    """The set as the listing has it, with the boxes in pixels."""
    by_path = {str(written[image.image_id].resolve()): image for image in images.index.itertuples()}
    rows = []
    for candidate in listing.candidates:
        image = by_path[candidate.path]
        factor = (image.width_px, image.height_px) * 2 if candidate.annotations.unit == "share" else (1,) * 4
        boxes = [
            record(box.label, np.multiply(box.xyxy, factor).tolist(), box.ignored)
            for box in candidate.annotations.boxes
        ]
        rows.append(real_row(Path(candidate.path), image.image_id, candidate.split, boxes=boxes))
    return ImageSet(pd.DataFrame(rows).sort_values("image_id").reset_index(drop=True))


def through(name: str, images: ImageSet, folder: Path) -> ImageSet:
    write, list_format, _ = FORMATS[name]
    written = write(images, folder)
    listing = list_format(folder, 100)
    assert listing.refused == {}
    return read_back(listing, images, written)


def assert_same(first: ImageSet, second: ImageSet, tolerance_px: float) -> None:
    assert first.index["image_id"].tolist() == second.index["image_id"].tolist()
    assert first.index["split"].tolist() == second.index["split"].tolist()
    for one, other in zip(first.boxes, second.boxes, strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        assert one.ignored.tolist() == other.ignored.tolist()
        assert np.abs(one.xyxy - other.xyxy).max(initial=0) <= tolerance_px


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_written_reads_back(tmp_path, name):
    images = small_set(tmp_path / "files").index.sort_values("image_id").reset_index(drop=True)
    again = through(name, ImageSet(images), tmp_path / "out")
    if name == "yolo":
        images["boxes"] = [[box for box in boxes if not box["ignored"]] for boxes in images["boxes"]]
    assert_same(ImageSet(images), again, FORMATS[name][2])


@st.composite
def pictures(draw: st.DrawFn) -> list[tuple[tuple[int, int], str, list[dict]]]:
    sizes = draw(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), min_size=3, max_size=4))
    drawn = []
    for number, (width, height) in enumerate(sizes):
        boxes = []
        for _ in range(draw(st.integers(1 if number == 0 else 0, 3))):
            x, y = (sorted(draw(st.tuples(*[st.floats(0, side, width=32)] * 2))) for side in (width, height))
            boxes.append(record(draw(st.sampled_from(["cat", "big dog", "no", "ä&<>"])), (x[0], y[0], x[1], y[1])))
        drawn.append(((width, height), ("train", "val", "test")[number % 3], boxes))
    return drawn


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(pictures())
def test_the_way_from_coco_to_yolo_and_back_keeps_every_box(drawn):
    with tempfile.TemporaryDirectory() as folder:
        original = image_set(Path(folder, "files"), drawn)
        original = ImageSet(original.index.sort_values("image_id").reset_index(drop=True))
        images = original
        for step, name in enumerate(("coco", "yolo", "coco")):
            images = through(name, images, Path(folder, str(step)))
        assert_same(original, images, 1e-3)
        rounded = through("voc", images, Path(folder, "voc"))
        sizes = original.index[["width_px", "height_px"]].to_numpy()
        for size, before, after in zip(sizes, images.boxes, rounded.boxes, strict=True):
            sides = before.xyxy[:, 2:] - before.xyxy[:, :2]
            wide = np.tile(sides >= 1, 2)
            assert (np.abs(before.xyxy - after.xyxy)[wide] <= 0.501).all()
            assert (np.abs(before.xyxy - after.xyxy) <= 1.001).all()
            assert (after.xyxy[:, 2:] - after.xyxy[:, :2] >= 1).all()
            assert (after.xyxy[:, :2] >= 0).all()
            assert (after.xyxy[:, 2:] <= size).all()


def test_pycocotools_reads_what_we_write(tmp_path):
    from pycocotools.coco import COCO

    images = small_set(tmp_path / "files")
    written = write_coco(images, tmp_path / "out")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(tmp_path / "out" / "annotations" / "instances_train.json"))
        val = COCO(str(tmp_path / "out" / "annotations" / "instances_val.json"))
    assert {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())} == {1: "cat", 2: "dog"}
    first = next(entry for entry in coco.dataset["images"] if entry["file_name"] == written["train/000.png"].name)
    boxes = coco.loadAnns(coco.getAnnIds(imgIds=first["id"]))
    assert [box["bbox"] for box in boxes] == [[1.25, 2.5, 18.875, 27.5], [0, 0, 40, 31]]
    assert len(val.getAnnIds(iscrowd=True)) == 1
    assert not set(coco.getImgIds()) & set(val.getImgIds())
    assert not set(coco.getAnnIds()) & set(val.getAnnIds())
    assert (tmp_path / "out" / "train" / first["file_name"]).is_file()


def test_ultralytics_reads_what_we_write(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "settings"))
    from ultralytics.data.utils import check_det_dataset, img2label_paths, verify_image_label

    images = small_set(tmp_path / "files")
    written = write_yolo(images, tmp_path / "out")
    described = check_det_dataset(tmp_path / "out" / "data.yaml", autodownload=False)
    assert described["names"] == {0: "cat", 1: "dog"}
    assert "download" not in yaml.safe_load((tmp_path / "out" / "data.yaml").read_text())
    for image, boxes in zip(images.index.itertuples(), images.boxes, strict=True):
        path = str(written[image.image_id].resolve())
        assert path.startswith(str(described[image.split]))
        _, labels, shape, *_, missing, _, _, corrupt, message = verify_image_label(
            (path, img2label_paths([path])[0], "", False, 2, 0, 0, False)
        )
        assert (missing, corrupt, message) == (0, 0, "")
        assert shape == (image.height_px, image.width_px)
        counted = boxes.counted()
        assert [["cat", "dog"][int(index)] for index in labels[:, 0]] == counted.labels.tolist()
        center, size = labels[:, 1:3], labels[:, 3:]
        pixels = np.hstack([center - size / 2, center + size / 2]) * np.tile((image.width_px, image.height_px), 2)
        assert np.abs(pixels - counted.xyxy).max(initial=0) < 1e-3


def test_splits_lie_where_each_format_has_them(tmp_path):
    images = small_set(tmp_path / "files")
    for name, (write, *_) in FORMATS.items():
        write(images, tmp_path / name)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert {"coco/train/train_000.png", "coco/annotations/instances_test.json"} <= files
    assert {"yolo/images/val/val_002.png", "yolo/labels/val/val_002.txt", "yolo/data.yaml"} <= files
    assert {"voc/JPEGImages/test_003.png", "voc/Annotations/test_003.xml", "voc/ImageSets/Main/test.txt"} <= files
    assert (tmp_path / "yolo" / "labels" / "train" / "train_001.txt").read_text() == ""


def test_ignored_boxes_of_a_class_of_their_own_get_a_category_behind_the_others(tmp_path):
    boxes = [record("zebra", (0, 0, 9, 9)), record("ant", (0, 0, 9, 9), ignored=True)]
    write_coco(image_set(tmp_path / "files", [((10, 10), "train", boxes)]), tmp_path / "out")
    document = json.loads((tmp_path / "out" / "annotations" / "instances_train.json").read_text())
    assert [category["name"] for category in document["categories"]] == ["zebra", "ant"]


def test_file_names_are_safe_and_unique_whatever_the_image_ids(tmp_path):
    noise_image(0).save(tmp_path / "a.png")
    ids = ["a/b.png", "a_b.jpg", "A_B.png", "../../a b", "Straße 1/ü.png", "…", "synthetic:bag/000001"]
    images = ImageSet(pd.DataFrame([real_row(tmp_path / "a.png", image_id, "train", boxes=[]) for image_id in ids]))
    written = export_images(images, tmp_path / "out")
    assert [written[image_id].name for image_id in ids] == [
        "a_b.png",
        "a_b-2.png",
        "A_B-3.png",
        "a_b-4.png",
        "Stra_e_1.png",
        "image.png",
        "synthetic_bag_000001.png",
    ]


def test_plain_files_are_copied_and_others_written_as_ingested(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    noise_image(1, (40, 20)).save(tmp_path / "rotated.jpg", exif=exif)
    noise_image(2).save(tmp_path / "plain.jpg")
    noise_image(3).save(tmp_path / "really a png.jpg", format="PNG")
    noise_image(4).convert("RGBA").save(tmp_path / "alpha.png")
    noise_image(5).convert("CMYK").save(tmp_path / "cmyk.jpg")
    paths = sorted(path for path in tmp_path.iterdir() if path.is_file())
    rows = [real_row(path, path.name, "train", boxes=[]) for path in paths]
    images = ImageSet(pd.DataFrame(rows))
    written = export_images(images, tmp_path / "out")
    assert written["plain.jpg"].read_bytes() == (tmp_path / "plain.jpg").read_bytes()
    assert written["really a png.jpg"].suffix == ".png"
    for image_id, path in written.items():
        with Image.open(path) as image:
            assert image.mode == "RGB"
            assert np.array_equal(np.asarray(image), np.asarray(images.read(image_id)))


def test_a_file_that_changed_is_not_exported(tmp_path):
    images = small_set(tmp_path / "files")
    noise_image(99).save(images.index["path"].iloc[0])
    with pytest.raises(VersionError, match="has changed since it was indexed"):
        write_yolo(images, tmp_path / "out")
    Path(images.index["path"].iloc[0]).unlink()
    with pytest.raises(VersionError, match="is gone; put it back"):
        write_yolo(images, tmp_path / "out")
