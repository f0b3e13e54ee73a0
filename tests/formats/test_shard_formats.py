"""Parquet and WebDataset, opened by the libraries they are for."""

import io
import tarfile
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, load_dataset
from datasets import Image as ImageFeature
from export.export_cases import LARGEST_SEED, image_run, scene_run
from factories import noise_image, real_image_set, rehashed
from PIL import Image
from webdataset import WebDataset

from diffaug_pipeline.export.contents import gather_images
from diffaug_pipeline.export.run import RunArtifacts
from diffaug_pipeline.formats.parquet import list_parquet
from diffaug_pipeline.formats.parquet_writing import ROWS_PER_GROUP, write_parquet
from diffaug_pipeline.formats.webdataset import write_webdataset
from diffaug_pipeline.imaging.image_set import ImageSet

SMALL_SHARDS = 0.01
"""Megabytes; a picture of noise has 0.003."""


def contents(run: RunArtifacts) -> ImageSet:
    return gather_images(run.real_images, run.synthetic_images, run.training_set, "augmented")


def assert_same_pixels(picture: Image.Image, images: ImageSet, image_id: str) -> None:
    assert np.array_equal(np.asarray(picture.convert("RGB")), np.asarray(images.read(image_id)))


def test_datasets_reads_labels_and_provenance_from_parquet(tmp_path):
    images = contents(image_run(tmp_path / "run"))
    write_parquet(images, tmp_path / "out", SMALL_SHARDS)
    assert len(list((tmp_path / "out" / "data").glob("train-*-of-00003.parquet"))) == 3
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 9, "validation": 4, "test": 4}
    features = loaded["train"].features
    assert isinstance(features["image"], ImageFeature)
    assert features["label"] == ClassLabel(names=["cat", "dog"])
    labels = images.index.set_index("image_id")["label"]
    for rows in loaded.values():
        for row in rows:
            assert features["label"].int2str(row["label"]) == labels[row["image_id"]]
            assert_same_pixels(row["image"], images, row["image_id"])
    rows = loaded["train"].to_pandas().set_index("image_id")
    assert rows["origin"].value_counts().to_dict() == {"real": 6, "synthetic": 3}
    assert {row["seed"] for row in loaded["train"]} == {None, *(LARGEST_SEED - number for number in range(3))}
    assert rows.loc[rows["origin"] == "synthetic", "sampling_weight"].sum() == pytest.approx(0.4)


def test_datasets_reads_objects_from_parquet(tmp_path):
    images = contents(scene_run(tmp_path / "run"))
    write_parquet(images, tmp_path / "out", 1)
    train = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))["train"]
    names = train.features["objects"]["category"].feature.names
    assert names == ["bag", "coat"]
    for row in train:
        boxes, objects = images.boxes_of(row["image_id"]), row["objects"]
        corners = [[x, y, x + width, y + height] for x, y, width, height in objects["bbox"]]
        assert corners == boxes.xyxy.tolist()
        assert [names[number] for number in objects["category"]] == boxes.labels.tolist()
        assert objects["iscrowd"] == boxes.ignored.tolist()
        assert objects["area"] == [width * height for _, _, width, height in objects["bbox"]]


def test_exported_parquet_can_be_ingested_again(tmp_path):
    images = contents(image_run(tmp_path / "run"))
    write_parquet(images, tmp_path / "out", SMALL_SHARDS)
    listing = list_parquet(tmp_path / "out", 100)
    found = pd.Series([(candidate.split, candidate.label) for candidate in listing.candidates]).value_counts()
    assert found.to_dict() == images.index[["split", "label"]].value_counts().to_dict()


def test_a_reader_of_parquet_holds_few_rows_at_a_time(tmp_path):
    images = real_image_set(tmp_path / "files", {"train": 130}, ("cat",))
    write_parquet(images, tmp_path / "out", 100)
    table = pq.ParquetFile(tmp_path / "out" / "data" / "train-00000-of-00001.parquet").metadata
    assert [table.row_group(group).num_rows for group in range(table.num_row_groups)] == [ROWS_PER_GROUP, 30]


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # WebDataset leaves closing to the collector
@pytest.mark.parametrize("make_run", [image_run, scene_run])
def test_webdataset_reads_every_image_once(tmp_path, make_run):
    images = contents(make_run(tmp_path / "run"))
    write_webdataset(images, tmp_path / "out", SMALL_SHARDS)
    shards = sorted(str(path) for path in (tmp_path / "out").glob("train-*.tar"))
    assert len(shards) > 1
    rows = images.where(split="train").index.set_index("image_id")
    seen = []
    for sample in WebDataset(shards, shardshuffle=False).decode("pil"):
        document = sample["json"]
        assert "." not in sample["__key__"]
        assert_same_pixels(sample["png"], images, document["image_id"])
        seen.append(document["image_id"])
        assert document["origin"] == rows.at[seen[-1], "origin"]
        if images.target == "label":
            assert (tmp_path / "out" / "classes.txt").read_text().split()[sample["cls"]] == rows.at[seen[-1], "label"]
        else:
            assert document["boxes"] == images.boxes_of(seen[-1]).records()
    assert sorted(seen) == sorted(rows.index)
    assert seen != sorted(seen)


def test_webdataset_holds_only_what_the_library_decodes(tmp_path):
    images = real_image_set(tmp_path / "files", {"train": 2}, ("cat",))
    for path, file_format in zip(images.index["path"], ("WEBP", "JPEG"), strict=True):
        noise_image(3, (32, 32)).save(path, format=file_format, lossless=True)
    write_webdataset(rehashed(images), tmp_path / "out", 1)
    with tarfile.open(tmp_path / "out" / "train-000000.tar") as tar:
        assert {name.rpartition(".")[2] for name in tar.getnames()} == {"png", "jpg", "cls", "json"}
        assert {(entry.mtime, entry.uid, entry.uname) for entry in tar} == {(0, 0, "")}
        jpeg = tar.extractfile(next(name for name in tar.getnames() if name.endswith(".jpg"))).read()
    assert jpeg == Path(images.index["path"][1]).read_bytes()
    assert Image.open(io.BytesIO(jpeg)).format == "JPEG"


def test_memory_holds_one_picture_at_a_time(tmp_path):
    path = tmp_path / "large.bmp"
    noise_image(0, (1_000, 1_000)).save(path)
    images = rehashed(ImageSet(real_image_set(tmp_path, {"train": 12}, ("cat",)).index.assign(path=str(path))))
    tracemalloc.start()
    write_webdataset(images, tmp_path / "out", 1_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    written = (tmp_path / "out" / "train-000000.tar").stat().st_size
    assert written > 12 * 2.9e6
    assert peak < written / 3
