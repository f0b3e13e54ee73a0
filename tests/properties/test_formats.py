"""What is written in a format is read back as it was, as far as the format can hold it."""

import csv
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import annotated_sets, labelled_sets

from diffaug_pipeline.formats.coco import list_coco, write_coco
from diffaug_pipeline.formats.csv_table import list_csv
from diffaug_pipeline.formats.image_files import export_images
from diffaug_pipeline.formats.image_folder import class_folders, list_image_folder, write_image_folder
from diffaug_pipeline.formats.parquet import list_parquet
from diffaug_pipeline.formats.parquet_writing import write_parquet
from diffaug_pipeline.formats.source import Candidate, Listing
from diffaug_pipeline.formats.voc import list_voc, write_voc
from diffaug_pipeline.formats.yolo import list_yolo, write_yolo
from diffaug_pipeline.imaging.boxes import Boxes
from diffaug_pipeline.imaging.image_set import ImageSet

ENOUGH_MEGABYTES = 10
BOX_FORMATS: dict[str, tuple[Callable, Callable]] = {
    "coco": (write_coco, list_coco),
    "voc": (write_voc, list_voc),
    "yolo": (write_yolo, list_yolo),
}


def write_csv(images: ImageSet, folder: Path) -> dict[str, Path]:
    """A table as others write it; we have no export of that kind."""
    written = export_images(images, folder)
    with (folder / "boxes.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["filename", "class", "xmin", "ymin", "xmax", "ymax", "split"])
        for image_id, split, boxes in zip(images.index["image_id"], images.index["split"], images.boxes, strict=True):
            for box in boxes.records() or [{"label": "", "xyxy": [""] * 4}]:
                table.writerow([written[image_id].name, box["label"], *box["xyxy"], split])
    return written


@contextmanager
def written_and_read(images: ImageSet, write: Callable, read: Callable) -> Iterator[tuple[Listing, dict]]:
    """What is read, and the candidate of each image_id."""
    with tempfile.TemporaryDirectory() as folder:
        written = write(images, Path(folder))
        listing = read(Path(folder), ENOUGH_MEGABYTES)
        by_path = {candidate.path: candidate for candidate in listing.candidates}
        yield listing, {image_id: by_path.pop(str(path.resolve())) for image_id, path in written.items()}
        assert by_path == {}


def boxes_of(candidate: Candidate, size_px: tuple[int, int]) -> Boxes:
    """As stated, in pixels."""
    scale = size_px if candidate.annotations.unit == "share" else (1, 1)
    stated = candidate.annotations.boxes
    return Boxes(
        labels=np.array([box.label for box in stated], dtype=object),
        xyxy=np.array([box.xyxy for box in stated], dtype=float).reshape(-1, 4) * np.tile(scale, 2),
        ignored=np.array([box.ignored for box in stated], dtype=bool),
    )


def assert_same_pictures(images: ImageSet, candidates: dict[str, Candidate]) -> None:
    for row in images.index.itertuples():
        assert candidates[row.image_id].split == row.split
        assert candidates[row.image_id].read() == Path(row.path).read_bytes()


@given(data=st.data())
@pytest.mark.parametrize(
    ("name", "write", "read"), [("csv", write_csv, list_csv)] + [(n, *f) for n, f in BOX_FORMATS.items()]
)
def test_boxes_are_read_back_as_they_were_written(pictures, name, write, read, data):
    images = data.draw(annotated_sets(pictures))
    with written_and_read(images, write, read) as (listing, candidates):
        assert listing.refused == {}
        assert_same_pictures(images, candidates)
        for row, boxes in zip(images.index.itertuples(), images.boxes, strict=True):
            found = boxes_of(candidates[row.image_id], (row.width_px, row.height_px))
            expected = boxes.counted() if name == "yolo" else boxes
            assert found.labels.tolist() == expected.labels.tolist()
            assert name == "csv" or found.ignored.tolist() == expected.ignored.tolist()
            assert_close(name, found.xyxy, expected.xyxy)


def assert_close(name: str, found: np.ndarray, written: np.ndarray) -> None:
    """VOC has whole pixels, and boxes at least one wide; YOLO has a fixed number of digits."""
    if name == "voc":
        thin = np.tile(np.rint(written[:, 2:]) <= np.rint(written[:, :2]), 2)
        np.testing.assert_array_less(np.abs(found - written), np.where(thin, 1.5, 0.5) + 1e-6)
    else:
        np.testing.assert_allclose(found, written, atol=1e-3 if name == "yolo" else 1e-9)


@given(data=st.data())
def test_classes_are_read_back_from_the_folders_that_stand_for_them(pictures, data):
    images = data.draw(labelled_sets(pictures))
    with written_and_read(images, write_image_folder, list_image_folder) as (listing, candidates):
        assert listing.refused == {}
        folder_of = class_folders(images.class_names)
        found = {image_id: candidate.label for image_id, candidate in candidates.items()}
        labels = zip(images.index["image_id"], images.index["label"], strict=True)
        assert found == {image_id: folder_of[label] for image_id, label in labels}
        assert_same_pictures(images, candidates)


@given(data=st.data(), shard_megabytes=st.sampled_from([0.001, 0.02, 10]))
def test_pictures_and_classes_are_read_back_from_parquet_however_it_is_cut(pictures, data, shard_megabytes):
    images = data.draw(labelled_sets(pictures))
    with tempfile.TemporaryDirectory() as folder:
        write_parquet(images, Path(folder), shard_megabytes)
        listing = list_parquet(Path(folder), ENOUGH_MEGABYTES)
        assert listing.refused == {}
        found = sorted((candidate.label, candidate.read()) for candidate in listing.candidates)
    read_bytes = (Path(path).read_bytes() for path in images.index["path"])
    assert found == sorted(zip(images.index["label"], read_bytes, strict=True))
