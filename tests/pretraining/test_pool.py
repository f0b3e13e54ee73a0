import gzip

import numpy as np
import pytest
from factories import write_fashion_mnist

from diffaug_pipeline.errors import DatasetFormatError
from diffaug_pipeline.pretraining.captions import CLASS_NAMES, caption, describe
from diffaug_pipeline.pretraining.options import PoolOptions
from diffaug_pipeline.pretraining.pool import padded_images, read_pool


def options(folder, download_folder, **changes) -> PoolOptions:
    values = {
        "folder": str(folder),
        "download_folder": str(download_folder),
        "seed": 0,
        "train_images_per_class": 2,
        "extra_images_per_class": 1,
        "val_images_per_class": 2,
        "test_images_per_class": 4,
        "pool_val_images_per_class": 5,
        "min_distance": 0.003,
    }
    return PoolOptions(**values | changes)


@pytest.fixture
def source(tmp_path):
    return write_fashion_mnist(tmp_path / "idx", 20)


def test_every_picture_has_one_place(source, tmp_path):
    pool = read_pool(options(source, tmp_path / "raw"))
    counts = pool.groupby("split").size().to_dict()
    assert counts == {
        "train": 20,
        "extra": 10,
        "val": 20,
        "test": 40,
        "pool_val": 50,
        "pool_train": 150,
        "reserve": 110,
    }
    assert set(pool["class_name"]) == set(CLASS_NAMES)
    for split in ("train", "val", "test"):
        assert pool[pool["split"] == split]["label"].value_counts().nunique() == 1
    task = pool["split"].isin(["train", "val", "test", "extra"])
    assert (pool.loc[task, "source_index"] >= 200).all()
    assert padded_images(pool).shape == (400, 32, 32)


def test_near_copies_of_task_pictures_are_kept_out_of_the_pool(source, tmp_path):
    pool = read_pool(options(source, tmp_path / "raw"))
    victim = pool[pool["split"] == "test"].iloc[0]
    pixels = np.frombuffer(victim["pixels"], np.uint8).reshape(28, 28).copy()
    pixels[10, 10] ^= 1
    file = source / "train-images-idx3-ubyte"
    content = bytearray(file.read_bytes())
    content[16 : 16 + 784] = pixels.tobytes()
    file.write_bytes(content)
    again = read_pool(options(source, tmp_path / "raw2"))
    assert again.loc[0, "split"] == "reserve"
    assert again.loc[victim.name, "split"] == "test"


def test_packed_files_are_read_too(source, tmp_path):
    for file in list(source.iterdir()):
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    assert len(read_pool(options(source, tmp_path / "raw"))) == 400


def test_a_folder_without_the_files_is_one_clear_error(tmp_path):
    with pytest.raises(DatasetFormatError, match="neither train-images-idx3-ubyte nor"):
        read_pool(options(tmp_path, tmp_path / "raw"))


def test_too_few_pictures_are_one_clear_error(source, tmp_path):
    with pytest.raises(DatasetFormatError, match="lower the images per class"):
        read_pool(options(source, tmp_path / "raw", test_images_per_class=100))


def test_words_describe_the_pixels():
    rng = np.random.default_rng(0)
    flat = np.repeat(np.linspace(60, 250, 20).astype(np.uint8), 784).reshape(20, 28, 28)
    tone, _ = describe(flat, np.zeros(20, int))
    assert tone.tolist() == ["dark"] * 6 + [""] * 8 + ["light"] * 6
    rough = np.full((20, 28, 28), 128) + rng.normal(0, 1, (20, 28, 28)) * np.arange(20)[:, None, None] * 4
    _, pattern = describe(rough.clip(30, 255).astype(np.uint8), np.zeros(20, int))
    assert pattern[:4].tolist() == ["plain"] * 4
    assert pattern[-1] == "patterned"
    assert sorted(pattern) == [""] * 8 + ["patterned"] * 6 + ["plain"] * 6


def test_captions_read_like_sentences():
    assert caption("a photo of a {}", "ankle boot", "", "plain") == "a photo of a plain ankle boot"
    assert caption("{}", "coat", "light", "patterned") == "light patterned coat"
