import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from factories import BAD_BOXES, SHAPES, noise_image, write_coco_folder, write_yolo_folder
from PIL import Image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.formats.voc import write_voc
from diffaug_pipeline.imaging.image_set import ImageSet, leading_columns
from diffaug_pipeline.ingestion.annotated import ingest_annotated
from diffaug_pipeline.ingestion.options import DetectionIngestionOptions

FOLDERS = {"coco": write_coco_folder, "yolo": write_yolo_folder}


def options(dataset: Path | str, **changes) -> DetectionIngestionOptions:
    values = {
        "dataset": str(dataset),
        "format": "auto",
        "images": {"train": None, "val": None, "test": None},
        "split_shares": {"val": 0.2, "test": 0.2},
        "max_megapixels": 1,
        "max_file_megabytes": 10,
        "near_duplicate_distance": 0.02,
        "min_box_px": 2,
        "duplicate_iou": 0.9,
        "seed": 0,
    }
    return DetectionIngestionOptions(**values | changes)


def change(file: Path, edit) -> None:
    document = json.loads(file.read_text())
    edit(document)
    file.write_text(json.dumps(document))


def table(root: Path, *rows: str, pictures: int = 8) -> Path:
    """A table of boxes with pictures 0.png, 1.png … of 40x30 px."""
    root.mkdir(parents=True, exist_ok=True)
    for number in range(pictures):
        noise_image(number, (40, 30)).save(root / f"{number}.png")
    (root / "a.csv").write_text("\n".join(["filename,split,class,xmin,ymin,xmax,ymax", *rows]))
    return root


ALL = ("0.png,train,cat,1,1,20,20", "1.png,val,cat,1,1,20,20", "2.png,test,cat,1,1,20,20")


@pytest.mark.parametrize("name", FOLDERS)
def test_a_dataset_with_five_kinds_of_bad_boxes(tmp_path, name):
    images, report = ingest_annotated(options(FOLDERS[name](tmp_path)))
    assert list(images.index.columns) == leading_columns("boxes")
    assert images.index["image_id"].is_monotonic_increasing
    assert images.class_names == sorted(SHAPES)
    assert {kind: found["count"] for kind, found in report["box_problems"].items()} == BAD_BOXES
    assert report["format"] == name
    assert report["splits"] == "as given"
    assert report["found"] == report["used"] == len(images) == 19
    assert report["images"] == {"test": 6, "train": 9, "val": 4}
    assert report["negatives"] == {"test": 0, "train": 1, "val": 0}
    assert report["boxes"]["test"] == {"circle": 4, "square": 4, "triangle": 4}
    assert json.loads(json.dumps(report)) == report
    json.dumps(images.index["boxes"].tolist())


def test_boxes_lie_where_the_shapes_are(tmp_path):
    images, _ = ingest_annotated(options(write_coco_folder(tmp_path)))
    for image, boxes in zip(images, images.boxes, strict=True):
        for label, xyxy in zip(boxes.labels, boxes.xyxy, strict=True):
            center = (xyxy[0] + xyxy[2]) // 2, (xyxy[1] + xyxy[3]) // 2
            color = Image.new("RGB", (1, 1), SHAPES[label]).getpixel((0, 0))
            assert max(abs(a - b) for a, b in zip(image.getpixel(center), color, strict=True)) < 60, label


def test_both_formats_tell_the_same(tmp_path):
    first, _ = ingest_annotated(options(write_coco_folder(tmp_path / "coco")))
    second, _ = ingest_annotated(options(write_yolo_folder(tmp_path / "yolo")))
    for one, other in zip(first.boxes, second.boxes, strict=True):
        ours = sorted(zip(one.labels, one.xyxy.round(3).tolist(), strict=True))
        theirs = sorted(zip(other.labels, other.xyxy.round(3).tolist(), strict=True))
        assert [label for label, _ in ours] == [label for label, _ in theirs]
        for (_, a), (_, b) in zip(ours, theirs, strict=True):
            assert a == pytest.approx(b, abs=0.01)


def test_what_was_ingested_reads_again_from_voc(tmp_path):
    images, first = ingest_annotated(options(write_coco_folder(tmp_path / "coco")))
    write_voc(images, tmp_path / "voc")
    _, again = ingest_annotated(options(tmp_path / "voc"))
    assert again["format"] == "voc"
    assert again["refused"] == again["box_problems"] == {}
    assert [again[key] for key in ("images", "boxes", "negatives")] == [
        first[key] for key in ("images", "boxes", "negatives")
    ]


def test_an_embedded_dataset_reads_like_any_other(tmp_path, monkeypatch):
    from diffaug_pipeline import embedded

    monkeypatch.setattr(embedded, "__file__", str(tmp_path / "__init__.py"))
    write_coco_folder(tmp_path / "shapes")
    assert ingest_annotated(options("embedded:shapes"))[1]["used"] == 19


def test_images_whose_boxes_were_all_bad_and_pictures_nobody_mentions_are_refused(tmp_path):
    root = write_coco_folder(tmp_path)
    noise_image(7).save(root / "val2017" / "extra.png")

    def spoil(document: dict) -> None:
        target = next(image["id"] for image in document["images"] if image["file_name"] == "train_000.jpg")
        for annotation in document["annotations"]:
            if annotation["image_id"] == target:
                annotation["bbox"][2] = -4

    change(root / "annotations" / "instances_train2017.json", spoil)
    _, report = ingest_annotated(options(root))
    assert report["refused"] == {
        "train2017/train_000.jpg": "none of its 1 boxes is usable (negative_size); its objects would be unlabelled",
        "val2017/extra.png": "not in the annotations",
    }
    assert report["box_problems"]["negative_size"]["count"] == 1
    assert report["found"] == report["used"] + len(report["refused"])


def test_damaged_pictures_are_refused_and_odd_ones_handled(tmp_path):
    root = table(tmp_path, *ALL, "3.png,train,cat,1,1,9,9", "4.jpg,train,cat,1,1,9,9", pictures=4)
    (root / "3.png").write_bytes(b"")
    exif = Image.Exif()
    exif[0x0112] = 6
    noise_image(9, (40, 20)).save(root / "4.jpg", exif=exif)
    images, report = ingest_annotated(options(root))
    assert report["refused"] == {"3.png": "the file is empty"}
    assert report["handled"] == {"rotated as EXIF says": 1}
    assert images.index.set_index("image_id").loc["4.jpg", ["width_px", "height_px"]].tolist() == [20, 40]


def test_copies_stay_once_unless_their_boxes_differ(tmp_path):
    rows = [*ALL, "3.png,train,cat,1,1,9,9", "copy of 2.png,train,cat,1,1,20,20", "copy of 3.png,train,cat,2,1,9,9"]
    root = table(tmp_path, *rows, pictures=4)
    for number in (2, 3):
        shutil.copy(root / f"{number}.png", root / f"copy of {number}.png")
    _, report = ingest_annotated(options(root))
    assert report["refused"] == {
        "copy of 2.png": "the same file as 2.png (test)",
        "3.png": "the same file has different boxes as 3.png and copy of 3.png",
        "copy of 3.png": "the same file has different boxes as 3.png and copy of 3.png",
    }


def test_one_class_is_enough_and_a_class_without_val_is_no_error(tmp_path):
    images, _ = ingest_annotated(options(table(tmp_path / "a", *ALL, pictures=3)))
    assert images.class_names == ["cat"]
    more = "0.png,train,dog,5,5,30,30", "2.png,test,dog,5,5,30,30"
    _, report = ingest_annotated(options(table(tmp_path / "b", *ALL, *more, pictures=3)))
    assert report["boxes"]["val"] == {"cat": 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "0.png,train,dog,5,5,30,30",
            "'dog' has boxes in train and none in test; every class needs boxes in train and",
        ),
        ("2.png,test,dog,5,5,30,30", "'dog' has boxes in test and none in train"),
        ("1.png,val,dog,5,5,30,30", "'dog' has boxes in val and none in train"),
    ],
)
def test_a_class_that_is_only_in_one_split_is_an_error(tmp_path, row, message):
    with pytest.raises(DatasetFormatError, match=message):
        ingest_annotated(options(table(tmp_path, *ALL, row, pictures=3)))


def test_limits_keep_a_nested_choice_of_images(tmp_path):
    root = write_yolo_folder(tmp_path)
    chosen = {}
    for limit in (4, 7):
        images, report = ingest_annotated(options(root, images={"train": limit, "val": None, "test": None}))
        chosen[limit] = set(images.where(split="train").index["image_id"])
        assert len(chosen[limit]) == limit
        assert report["left_out_by_limit"] == 9 - limit
    assert chosen[4] < chosen[7]


def test_splits_are_drawn_where_there_are_none(tmp_path):
    rows = [f"{number}.png,,{'cat' if number % 10 else 'lynx'},1,1,20,20" for number in range(40)]
    images, report = ingest_annotated(options(table(tmp_path, *rows, pictures=40)))
    assert report["splits"] == "drawn"
    assert report["images"] == {"test": 8, "train": 24, "val": 8}
    assert all(of_split["lynx"] >= 1 for of_split in report["boxes"].values())
    again, _ = ingest_annotated(options(tmp_path))
    assert again.index["split"].tolist() == images.index["split"].tolist()
    other, _ = ingest_annotated(options(tmp_path, seed=1))
    assert other.index["split"].tolist() != images.index["split"].tolist()


def test_a_missing_val_is_cut_from_train(tmp_path):
    rows = [f"{number}.png,{'test' if number < 5 else 'train'},cat,1,1,20,20" for number in range(20)]
    _, report = ingest_annotated(options(table(tmp_path, *rows, pictures=20)))
    assert report["splits"] == "as given, val cut from train"
    assert report["images"] == {"test": 5, "train": 12, "val": 3}


def test_boxes_of_differently_recorded_sizes_are_mended_or_refused(tmp_path):
    root = write_coco_folder(tmp_path)

    def resize(document: dict) -> None:
        by_name = {image["file_name"]: image for image in document["images"]}
        for image in document["annotations"]:
            if image["image_id"] == by_name["val_000.jpg"]["id"]:
                image["bbox"] = [3 * value for value in image["bbox"]]
        for side in ("width", "height"):
            by_name["val_000.jpg"][side] *= 3
        by_name["val_001.png"]["width"] += 400

    before, _ = ingest_annotated(options(root))
    change(root / "annotations" / "instances_val2017.json", resize)
    after, report = ingest_annotated(options(root))
    assert report["handled"] == {"boxes scaled from the recorded size": 1}
    assert report["refused"]["val2017/val_001.png"].endswith("another shape")
    name = "val2017/val_000.jpg"
    assert after.boxes_of(name).xyxy.tolist() == pytest.approx(before.boxes_of(name).xyxy)


def test_the_format_is_recognised_or_asked_for(tmp_path):
    root = write_yolo_folder(tmp_path / "mine")
    table(root, *ALL)
    with pytest.raises(DatasetFormatError, match=r"looks like yolo \(data.yaml\) and csv \(a.csv\); say which counts"):
        ingest_annotated(options(root))
    assert ingest_annotated(options(root, format="yolo"))[1]["format"] == "yolo"


@pytest.mark.parametrize("name", ["coco", "yolo", "csv"])
def test_each_format_is_recognised(tmp_path, name):
    root = table(tmp_path, *ALL, pictures=3) if name == "csv" else FOLDERS[name](tmp_path)
    assert ingest_annotated(options(root))[1]["format"] == name


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda root: None, "does not exist; set ingestion.dataset to a folder"),
        (lambda root: root.write_text("x"), "is a file; set ingestion.dataset to the folder that holds images"),
        (lambda root: root.mkdir(), r"looks like none of coco, yolo, voc, csv: there is no COCO \.json"),
        (lambda root: table(root, "0.png,,,,,,", "1.png,,,,,,"), "read as csv, has 2 usable images without any box"),
        (lambda root: table(root, "0.png,,cat,9,9,1,1"), "none of 8 files in .* is usable, e.g. 1.png: not in the"),
    ],
)
def test_an_unusable_dataset_gets_one_clear_error(tmp_path, prepare, message):
    prepare(tmp_path / "mine")
    with pytest.raises(DatasetFormatError, match=message):
        ingest_annotated(options(tmp_path / "mine"))


def test_the_pipeline_picks_the_node_of_its_task():
    from diffaug_pipeline.pipelines.ingestion.pipeline import create_pipeline

    for task, name in (("classification", "ingest_images"), ("detection", "ingest_annotated_images")):
        pipeline = create_pipeline(task)
        assert [node.name for node in pipeline.nodes] == [f"{task}.{name}"]
        assert pipeline.outputs() == {f"{task}.real_images", f"{task}.ingestion_report"}


def test_the_index_survives_the_catalog(tmp_path):
    images, _ = ingest_annotated(options(write_coco_folder(tmp_path / "coco")))
    file = tmp_path / "index.parquet"
    images.index.to_parquet(file)
    again = ImageSet(pd.read_parquet(file))
    assert again.boxes_of("train2017/train_000.jpg").records() == images.boxes_of("train2017/train_000.jpg").records()
