import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from factories import noise_image, smooth_image
from PIL import Image

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet
from diffaug_pipeline.ingestion.ingest import ingest
from diffaug_pipeline.ingestion.options import IngestionOptions


def options(dataset: Path | str, **changes) -> IngestionOptions:
    values = {
        "dataset": str(dataset),
        "format": "auto",
        "images_per_class": {"train": None, "val": None, "test": None},
        "split_shares": {"val": 0.2, "test": 0.2},
        "max_megapixels": 1,
        "max_file_megabytes": 10,
        "near_duplicate_distance": 0.02,
        "seed": 0,
    }
    return IngestionOptions(**values | changes)


def fill(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        path = folder / f"{number:03d}.jpg"
        smooth_image("/".join(path.parts[-3:]), (80 + number, 96)).save(path)


def dataset(root: Path) -> Path:
    fill(root / "big cat", 10)
    fill(root / "dog", 10)
    return root


def test_a_folder_per_class_is_used_in_place_and_split(tmp_path):
    images, report = ingest(options(dataset(tmp_path)))
    assert isinstance(images, ImageSet)
    assert images.class_names == ["big cat", "dog"]
    assert report["used"] == 20
    assert report["splits"] == "drawn"
    assert report["images"] == {split: {"big cat": n, "dog": n} for split, n in (("test", 2), ("train", 6), ("val", 2))}
    assert set(images.index["path"]) == {str(path) for path in tmp_path.rglob("*.jpg")}


def test_split_folders_are_kept(tmp_path):
    for split in ("train", "valid", "test"):
        fill(tmp_path / split / "cat", 2)
        fill(tmp_path / split / "dog", 3)
    images, report = ingest(options(tmp_path))
    assert report["splits"] == "as given"
    assert report["images"]["val"] == {"cat": 2, "dog": 3}
    assert all(Path(row.path).parts[-3].startswith(row.split) for row in images.index.itertuples())


def test_val_is_cut_from_train_where_only_test_is_given(tmp_path):
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            fill(tmp_path / split / label, 10)
    images, report = ingest(options(tmp_path))
    assert report["images"]["test"] == {"cat": 10, "dog": 10}
    assert report["images"]["val"] == {"cat": 2, "dog": 2}
    assert report["splits"] == "as given, val cut from train"
    assert len(images) == 40


def test_a_given_val_is_kept_and_test_cut_from_train(tmp_path):
    for split in ("train", "val"):
        for label in ("cat", "dog"):
            fill(tmp_path / split / label, 10)
    images, report = ingest(options(tmp_path))
    assert report["splits"] == "as given, test cut from train"
    assert report["images"] == {split: {"cat": n, "dog": n} for split, n in (("test", 2), ("train", 8), ("val", 10))}
    folders = {Path(row.path).parts[-3] for row in images.where(split="test").index.itertuples()}
    assert folders == {"train"}


def test_damaged_and_odd_files_are_refused_or_handled_by_name(tmp_path):
    root = dataset(tmp_path)
    good = (root / "dog" / "000.jpg").read_bytes()
    (root / "dog" / "empty.jpg").write_bytes(b"")
    (root / "dog" / "truncated.jpg").write_bytes(good[: len(good) // 2])
    (root / "dog" / "text.jpg").write_text("this is no picture")
    (root / "dog" / "garbled.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\xff" * 50)
    Image.new("RGB", (2000, 1000)).save(root / "dog" / "huge.png")
    (root / "stray.jpg").write_bytes(good)
    (root / "dog" / ".DS_Store").write_bytes(b"x")
    noise_image(1).convert("CMYK").save(root / "dog" / "cmyk.jpg")
    noise_image(2).quantize(16).save(root / "dog" / "palette.png")
    noise_image(3).save(root / "dog" / "really a png.jpg", format="PNG")
    Image.fromarray(np.arange(900, dtype=np.uint16).reshape(30, 30) * 70).save(root / "dog" / "sixteen.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    noise_image(4, (40, 20)).save(root / "dog" / "rotated.jpg", exif=exif)
    images, report = ingest(options(root))
    refused = report["refused"]
    assert refused["dog/empty.jpg"] == "the file is empty"
    assert refused["dog/truncated.jpg"].lower().startswith("damaged: ")
    assert "truncated" in refused["dog/truncated.jpg"].lower()
    assert refused["dog/text.jpg"] == "the content is not a picture in a known format"
    assert "dog/garbled.png" in refused
    assert refused["dog/huge.png"] == "2000x1000 px is more than 1 megapixels"
    assert refused["stray.jpg"] == "not inside a class folder"
    assert refused["dog/.DS_Store"] == "a hidden or system file"
    assert len(refused) == 7
    assert report["found"] == report["used"] + len(refused)
    assert report["handled"] == {
        "mode CMYK converted to RGB": 1,
        "mode P converted to RGB": 1,
        "PNG content in a file named .jpg": 1,
        "mode I;16 scaled to 8 bits": 1,
        "rotated as EXIF says": 1,
    }
    sizes = images.index.set_index("image_id")[["width_px", "height_px"]]
    assert sizes.loc["dog/rotated.jpg"].tolist() == [20, 40]


def test_links_out_of_the_folder_are_refused(tmp_path):
    root = dataset(tmp_path / "mine")
    (tmp_path / "secret").mkdir()
    noise_image(9).save(tmp_path / "secret" / "a.png")
    (root / "dog" / "link.png").symlink_to(tmp_path / "secret" / "a.png")
    (root / "secret").symlink_to(tmp_path / "secret")
    _, report = ingest(options(root))
    assert report["refused"] == {
        "dog/link.png": "a link that leaves the dataset folder",
        "secret": "a link to a folder; folders are not followed through links",
    }


def test_copies_are_left_out_and_a_test_image_keeps_precedence(tmp_path):
    for split in ("train", "val", "test"):
        for label in ("cat", "dog"):
            fill(tmp_path / split / label, 3)
    source = next((tmp_path / "test" / "cat").iterdir())
    (tmp_path / "train" / "cat" / "copy.jpg").write_bytes(source.read_bytes())
    mislabelled = next((tmp_path / "train" / "dog").iterdir())
    (tmp_path / "train" / "cat" / "dog.jpg").write_bytes(mislabelled.read_bytes())
    images, report = ingest(options(tmp_path))
    assert report["refused"]["train/cat/copy.jpg"] == f"the same file as test/cat/{source.name} (test)"
    assert report["refused"]["train/cat/dog.jpg"] == "the same file is labelled 'cat' and 'dog'"
    assert f"train/dog/{mislabelled.name}" in report["refused"]
    assert f"test/cat/{source.name}" in set(images.index["image_id"])


def test_near_duplicates_stay_in_one_split(tmp_path):
    root = dataset(tmp_path)
    for path in list((root / "dog").iterdir()):
        with Image.open(path) as image:
            image.resize((image.width * 2, image.height * 2)).save(path.with_name(f"{path.stem}-again.jpg"), quality=70)
    images, report = ingest(options(root))
    split = images.index.set_index("image_id")["split"]
    assert report["near_duplicates_across_splits"]["groups"] == 0
    for path in (root / "dog").glob("???.jpg"):
        assert split[f"dog/{path.name}"] == split[f"dog/{path.stem}-again.jpg"]
    assert split[[name for name in split.index if name.startswith("dog")]].value_counts().min() >= 2


def test_look_alikes_torn_apart_by_given_splits_are_reported(tmp_path):
    for split in ("train", "val", "test"):
        for label in ("cat", "dog"):
            fill(tmp_path / split / label, 3)
    source = next((tmp_path / "test" / "cat").iterdir())
    with Image.open(source) as image:
        image.save(tmp_path / "train" / "cat" / "again.jpg", quality=60)
    _, report = ingest(options(tmp_path))
    torn = report["near_duplicates_across_splits"]
    assert torn["groups"] == 1
    assert sorted(torn["examples"][0]) == [f"test/cat/{source.name}", "train/cat/again.jpg"]


def test_limits_are_nested(tmp_path):
    root = dataset(tmp_path)
    chosen = {}
    for limit in (2, 4):
        images, report = ingest(options(root, images_per_class={"train": limit, "val": None, "test": None}))
        chosen[limit] = set(images.where(split="train").index["image_id"])
        assert report["left_out_by_limit"] == 2 * (6 - limit)
    assert len(chosen[2]) == 4
    assert chosen[2] < chosen[4]


def write_parquet(file: Path, labels: list, names: list[str] | None, start: int = 0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    pictures = []
    for number in range(len(labels)):
        buffer = io.BytesIO()
        noise_image(start + number, (24, 24)).save(buffer, "PNG")
        pictures.append({"bytes": buffer.getvalue(), "path": None})
    table = pa.table({"image": pa.array(pictures), "label": pa.array(labels)})
    if names:
        import json

        features = {"image": {"_type": "Image"}, "label": {"names": names, "_type": "ClassLabel"}}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    pq.write_table(table, file, row_group_size=4)


def test_parquet_as_the_hub_stores_it(tmp_path):
    for number, split in enumerate(("train", "validation", "test")):
        write_parquet(tmp_path / "data" / f"{split}-00000-of-00001.parquet", [0, 1] * 5, ["cat", "dog"], number * 100)
    planned, report = ingest(options(tmp_path))
    assert isinstance(planned, PlannedImageSet)
    assert report["format"] == "parquet"
    assert report["images"] == {split: {"cat": 5, "dog": 5} for split in ("test", "train", "val")}
    rows = planned.plan.sample(6, random_state=0)
    for row, made in zip(rows.itertuples(), planned.make_images(rows), strict=True):
        picture = Image.open(io.BytesIO(made.content))
        expected = noise_image({"train": 0, "val": 100, "test": 200}[row.split] + row.source_row, (24, 24))
        assert np.array_equal(np.asarray(picture), np.asarray(expected))


def test_damage_in_one_row_group_costs_that_group_only(tmp_path):
    write_parquet(tmp_path / "all.parquet", ["cat", "dog"] * 10, None)
    groups = pq.ParquetFile(tmp_path / "all.parquet").metadata
    column = groups.row_group(2).column(0)
    content = bytearray((tmp_path / "all.parquet").read_bytes())
    begin = column.dictionary_page_offset or column.data_page_offset
    content[begin : begin + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    (tmp_path / "all.parquet").write_bytes(content)
    planned, report = ingest(options(tmp_path / "all.parquet"))
    assert sorted(report["refused"]) == [f"all/{row:06d}" for row in range(8, 12)]
    assert all(reason.startswith("damaged parquet data") for reason in report["refused"].values())
    assert len(planned.make_images(planned.plan.iloc[::-1])) == 16


def test_one_parquet_file_with_string_labels_is_split(tmp_path):
    write_parquet(tmp_path / "all.parquet", ["cat", "dog", None, "cat"] * 6, None)
    planned, report = ingest(options(tmp_path / "all.parquet"))
    assert set(planned.plan["label"]) == {"cat", "dog"}
    assert sum(reason == "no label" for reason in report["refused"].values()) == 6
    assert set(planned.plan["split"]) == {"train", "val", "test"}


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda root: None, "does not exist; set ingestion.dataset"),
        (lambda root: root.mkdir(), "holds no files inside class folders"),
        (lambda root: fill(root / "cat", 8), "usable pictures of 1 classes, at least 2 are needed"),
        (lambda root: (fill(root / "cat", 8), fill(root / "dog", 2)), "class 'dog' has 2 distinct pictures"),
        (lambda root: (root.mkdir(), (root / "a.parquet").write_bytes(b"no")), "no readable parquet file"),
    ],
)
def test_an_unusable_dataset_gets_one_clear_error(tmp_path, prepare, message):
    prepare(tmp_path / "mine")
    with pytest.raises(DatasetFormatError, match=message):
        ingest(options(tmp_path / "mine"))


def test_a_class_without_test_images_is_an_error(tmp_path):
    for split in ("train", "val", "test"):
        fill(tmp_path / split / "cat", 2)
    fill(tmp_path / "train" / "dog", 3)
    with pytest.raises(DatasetFormatError, match="'dog' has no val images; 'dog' has no test images"):
        ingest(options(tmp_path))


def test_the_embedded_task_reads_as_an_ordinary_dataset():
    planned, report = ingest(options("embedded:fashion_few_shot"))
    assert report["images"]["test"] == dict.fromkeys(report["images"]["test"], 200)
    assert set(report["images"]["train"].values()) == {20}
    assert "ankle boot" in report["images"]["val"]
    assert report["refused"] == {}
    assert report["near_duplicates_across_splits"]["groups"] == 0
    assert isinstance(planned.plan, pd.DataFrame)
