"""Whatever a set holds, wherever its writing is interrupted, and whatever was made before: it is read back the same."""

import tempfile
from pathlib import Path

import pandas as pd
import pytest
from factories import Maker, tree_bytes
from hypothesis import assume, given
from hypothesis import strategies as st
from kedro.io import DatasetError, Version
from properties.strategies import annotated_sets, image_ids, labelled_sets, names

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.imaging.image_set import ImageSet, PlannedImageSet


def dataset(folder: str, version: str = "v1") -> ImageSetDataset:
    return ImageSetDataset(filepath=str(Path(folder) / "images"), version=Version(version, version))


@st.composite
def plans(draw: st.DrawFn, most: int = 14) -> pd.DataFrame:
    """Any names and classes; several rows may have one recipe."""
    seeds = draw(st.lists(st.integers(0, 20), min_size=1, max_size=most))
    ids = draw(st.lists(image_ids, min_size=len(seeds), max_size=len(seeds), unique=True))
    labels = draw(st.lists(names, min_size=1, max_size=3))
    return pd.DataFrame(
        {
            "image_id": ids,
            "width_px": 32,
            "height_px": 32,
            "split": "train",
            "origin": "synthetic",
            "label": [labels[seed % len(labels)] for seed in seeds],
            "seed": seeds,
            "source_image_id": None,
            "recipe": [f"recipe{seed:06d}" for seed in seeds],
        }
    )


def planned(rows: pd.DataFrame, maker: Maker, batch_size: int, batch_columns: tuple[str, ...] = ()) -> PlannedImageSet:
    return PlannedImageSet(rows, maker, batch_size=batch_size, batch_columns=batch_columns)


batch_sizes = st.integers(1, 6)
batchings = st.sampled_from([(), ("label",)])


@given(data=st.data())
def test_an_image_set_is_loaded_as_it_was_saved(pictures, data):
    images = data.draw(labelled_sets(pictures) | annotated_sets(pictures))
    with tempfile.TemporaryDirectory() as folder:
        dataset(folder).save(images)
        pd.testing.assert_frame_equal(dataset(folder).load().index, images.index, check_dtype=False)
        assert dataset(folder).verify() == []
        assert dataset(folder).changed_sources() == []


@given(rows=plans(), batch_size=batch_sizes, batch_columns=batchings)
def test_what_was_planned_is_loaded_each_recipe_made_once_in_batches_that_agree(rows, batch_size, batch_columns):
    maker = Maker()
    with tempfile.TemporaryDirectory() as folder:
        dataset(folder).save(planned(rows, maker, batch_size, batch_columns))
        loaded = dataset(folder).load()
        assert dataset(folder).verify() == []
        assert [image.size for image in loaded] == [(32, 32)] * len(rows)
        pd.testing.assert_frame_equal(loaded.index[rows.columns], rows, check_dtype=False)
    assert sorted(maker.made) == sorted(set(rows["recipe"]))
    label_of = dict(zip(rows["recipe"], rows["label"], strict=True))
    for batch in maker.batches:
        assert len(batch) <= batch_size
        assert not batch_columns or len({label_of[recipe] for recipe in batch}) == 1


@given(rows=plans(), batch_size=batch_sizes, batch_columns=batchings, failing=st.lists(st.integers(0, 8), max_size=3))
def test_a_set_that_was_interrupted_anywhere_and_gone_on_with_has_the_bytes_of_one_that_was_not(
    rows, batch_size, batch_columns, failing
):
    with tempfile.TemporaryDirectory() as interrupted, tempfile.TemporaryDirectory() as undisturbed:
        made = []
        for fail_at_batch in [*failing, None]:
            maker = Maker(fail_at_batch)
            try:
                dataset(interrupted).save(planned(rows, maker, batch_size, batch_columns))
            except DatasetError:
                assert not dataset(interrupted).exists()
            made += maker.made
            if dataset(interrupted).exists():
                break
        whole = Maker()
        dataset(undisturbed).save(planned(rows, whole, batch_size, batch_columns))
        assert tree_bytes(Path(interrupted)) == tree_bytes(Path(undisturbed))
    assert made == whole.made


@given(earlier=plans(), later=plans(), finished=st.booleans(), batch_size=batch_sizes)
def test_only_what_no_earlier_version_holds_is_made(earlier, later, finished, batch_size):
    first, second = Maker(None if finished else 1), Maker()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as alone:
        if finished:
            dataset(folder, "v1").save(planned(earlier, first, batch_size))
        else:
            assume(earlier["recipe"].nunique() > batch_size)
            with pytest.raises(DatasetError, match="out of memory"):
                dataset(folder, "v1").save(planned(earlier, first, batch_size))
        dataset(folder, "v2").save(planned(later, second, batch_size))
        dataset(alone, "v2").save(planned(later, Maker(), batch_size))
        assert set(second.made) == set(later["recipe"]) - set(first.made)
        assert len(second.made) == len(set(second.made))
        assert dataset(folder, "v2").verify() == []
        reused, fresh = (contents(dataset(root, "v2").load()) for root in (folder, alone))
        assert reused == fresh


def contents(images: ImageSet) -> dict[str, tuple[str, bytes]]:
    return {row.image_id: (row.sha256, Path(row.path).read_bytes()) for row in images.index.itertuples()}
