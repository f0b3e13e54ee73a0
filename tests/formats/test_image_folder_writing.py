import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from export.export_cases import image_run
from factories import real_image_set
from PIL import Image
from torchvision.datasets import ImageFolder

from diffaug_pipeline.export.contents import gather_images
from diffaug_pipeline.formats.image_folder import class_folders, list_image_folder, write_image_folder
from diffaug_pipeline.imaging.image_set import ImageSet


def contents(folder: Path) -> ImageSet:
    run = image_run(folder)
    return gather_images(run.real_images, run.synthetic_images, run.training_set, "augmented")


def test_torchvision_reads_every_image_with_its_class(tmp_path):
    images = contents(tmp_path / "run")
    written = write_image_folder(images, tmp_path / "out")
    image_ids = {str(path): image_id for image_id, path in written.items()}
    labels = images.index.set_index("image_id")["label"]
    for split, count in (("train", 9), ("val", 4), ("test", 4)):
        loaded = ImageFolder(tmp_path / "out" / split)
        assert len(loaded) == count
        for position, (path, number) in enumerate(loaded.samples):
            image_id = image_ids[path]
            assert loaded.classes[number] == labels[image_id]
            assert np.array_equal(np.asarray(loaded[position][0]), np.asarray(images.read(image_id)))


def test_ultralytics_takes_it_for_classification(tmp_path, monkeypatch):
    monkeypatch.setenv("YOLO_CONFIG_DIR", str(tmp_path / "settings"))
    from ultralytics.data.utils import check_cls_dataset

    write_image_folder(contents(tmp_path / "run"), tmp_path / "out")
    found = check_cls_dataset(tmp_path / "out")
    assert (found["nc"], found["names"]) == (2, {0: "cat", 1: "dog"})
    assert Path(found["val"]) == tmp_path / "out" / "val"


def test_datasets_reads_images_and_classes(tmp_path):
    from datasets import load_dataset

    write_image_folder(contents(tmp_path / "run"), tmp_path / "out")
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {"train": 9, "validation": 4, "test": 4}
    assert loaded["train"].features["label"].names == ["cat", "dog"]


def test_real_files_are_copied_byte_for_byte_and_synthetic_ones_marked(tmp_path):
    images = contents(tmp_path / "run")
    written = write_image_folder(images, tmp_path / "out")
    for row in images.index.itertuples():
        is_copy = hashlib.sha256(written[row.image_id].read_bytes()).hexdigest() == row.sha256
        assert is_copy == (row.origin == "real")
        with Image.open(written[row.image_id]) as image:
            assert ("diffaug_provenance" in image.info) == (row.origin == "synthetic")


def test_class_folders_are_safe_and_different():
    names = ["T-shirt/top", "t-shirt\\top", "Straße", "..", ".hidden", "a\nb", "NUL", "con.txt", "?", "猫" * 200, ""]
    folders = class_folders(names)
    assert len({folder.casefold() for folder in folders.values()}) == len(names)
    assert folders["T-shirt/top"] == "T-shirt_top"
    assert folders["Straße"] == "Straße"
    assert folders["NUL"] == "NUL_"
    for folder in folders.values():
        assert folder.isprintable()
        assert not set('/\\:*?"<>|') & set(folder)
        assert not folder.startswith(".")
        assert 0 < len(folder.encode()) <= 130


def test_names_of_any_kind_read_back_with_splits(tmp_path):
    names = ("a/b", "Größe", "x:y")
    images = real_image_set(tmp_path / "files", {"train": 2, "val": 1}, ("one", "two", "three"))
    renamed = dict(zip(("one", "two", "three"), names, strict=True))
    images = ImageSet(images.index.assign(label=images.index["label"].map(renamed)))
    write_image_folder(images, tmp_path / "out")
    listing = list_image_folder(tmp_path / "out", 100)
    found = pd.Series([(candidate.split, candidate.label) for candidate in listing.candidates]).value_counts()
    assert found.to_dict() == {
        (split, name): count for split, count in (("train", 2), ("val", 1)) for name in ("a_b", "Größe", "x_y")
    }
    assert listing.refused == {}


def test_a_class_without_images_in_a_split_keeps_its_number(tmp_path):
    images = real_image_set(tmp_path / "files", {"train": 1, "val": 1})
    images = ImageSet(images.index.query("not (split == 'val' and label == 'cat')").reset_index(drop=True))
    write_image_folder(images, tmp_path / "out")
    val = ImageFolder(tmp_path / "out" / "val", allow_empty=True)
    assert val.classes == ["cat", "dog"]
    assert [number for _, number in val.samples] == [1]
