from pathlib import Path

import pytest
from factories import Maker, noise_image, plan, planned, real_image_set

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.imaging.image_set import ImageSet


def test_where_selects_and_class_names_are_sorted(tmp_path):
    images = real_image_set(tmp_path, {"train": 2, "val": 1, "test": 3})
    assert len(images.where(split="test")) == 6
    assert len(images.where(split="test", label="dog")) == 3
    assert images.class_names == ["cat", "dog"]


def test_a_broken_index_is_refused_with_every_reason(tmp_path):
    index = real_image_set(tmp_path, {"train": 2}).index
    index.loc[1, "image_id"] = index.loc[0, "image_id"]
    index.loc[2, "split"] = "dev"
    with pytest.raises(ValueError, match=r"image_id repeats: cat/train/0; split is 'dev'; allowed: train, val, test"):
        ImageSet(index.drop(columns="sha256").assign(sha256=""))


def test_batches_never_mix_what_must_agree():
    rows = plan(10).assign(steps=[5, 20] * 5)
    images = planned(rows, Maker(), batch_size=3)
    mixed = images.__class__(rows, Maker(), batch_size=3, batch_columns=("steps",))
    steps = rows.set_index("recipe")["steps"]
    assert [len(batch) for batch in images.batches(rows)] == [3, 3, 3, 1]
    assert [len(batch) for batch in mixed.batches(rows)] == [3, 2, 3, 2]
    assert all(steps[batch].nunique() == 1 for batch in mixed.batches(rows))


def test_a_file_that_was_changed_or_lost_is_noticed_when_it_is_read(tmp_path):
    images = real_image_set(tmp_path, {"train": 2})
    first, second = images.index["image_id"].iloc[:2]
    noise_image(99).save(images.index["path"].iloc[0])
    Path(images.index["path"].iloc[1]).unlink()
    with pytest.raises(VersionError, match="has changed since it was indexed"):
        images.read(first)
    with pytest.raises(VersionError, match="is gone"):
        images.read(second)
    with pytest.raises(VersionError):
        list(images)
