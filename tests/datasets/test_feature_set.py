"""Features as versions: published whole, reused across versions, gone on with after a crash."""

import json
from pathlib import Path

import numpy as np
import pytest
from factories import real_image_set
from kedro.io import DatasetError, Version

from diffaug_pipeline.datasets import FeatureSetDataset
from diffaug_pipeline.features.embedding import PlannedFeatures
from diffaug_pipeline.features.options import FeatureOptions
from diffaug_pipeline.imaging.image_set import ImageSet


def dataset(folder, version: str) -> FeatureSetDataset:
    return FeatureSetDataset(filepath=str(folder / "image_features"), version=Version(version, version))


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> ImageSet:
    return real_image_set(tmp_path_factory.mktemp("real"), {"train": 5, "test": 2})


@pytest.fixture
def planned(tiny_clip, images) -> PlannedFeatures:
    scorer = {"model": str(tiny_clip), "revision": None, "templates": ["a {class_name}"]}
    return PlannedFeatures(
        images,
        images,
        FeatureOptions(scorer=scorer, measure=None, batch_size=4, device="cpu", engine="local", workers=None),
    )


def test_a_later_version_makes_only_what_earlier_ones_lack(tmp_path, planned, images):
    few = ImageSet(images.index.iloc[:6].reset_index(drop=True))
    made = []
    for version, part in (("v1", PlannedFeatures(few, few, planned.options)), ("v2", planned), ("v3", planned)):
        stored = dataset(tmp_path, version)
        stored.save(part)
        made.append(stored.statistics["scorer_vectors_made"])
        assert stored.verify() == []
    assert made == [6, 8, 0]
    first, last = (dataset(tmp_path, version).load() for version in ("v1", "v3"))
    np.testing.assert_array_equal(first.scorer.vectors_of(few), last.scorer.vectors_of(few))


def test_it_exists_once_it_is_whole_and_a_crash_costs_what_was_not_written(tmp_path, planned, images):
    # The sixth picture is in the second block of four.
    path = tmp_path / "late.png"
    broken = images.index.copy()
    path.write_bytes(b"not yet")
    broken.loc[5, "path"] = str(path)
    late = PlannedFeatures(ImageSet(broken), ImageSet(broken), planned.options)
    with pytest.raises(DatasetError, match=r"late\.png has changed since it was indexed"):
        dataset(tmp_path, "v1").save(late)
    assert not dataset(tmp_path, "v1").exists()
    path.write_bytes(Path(images.index["path"][5]).read_bytes())
    stored = dataset(tmp_path, "v1")
    stored.save(late)
    assert stored.exists()
    assert stored.statistics == {"scorer_vectors_made": 10, "vectors": 14, "images_read": 10}
    assert stored.load().scorer.vectors_of(images).shape == (14, 8)


def test_the_manifest_names_every_file(tmp_path, planned):
    stored = dataset(tmp_path, "v1")
    stored.save(planned)
    files = json.loads((stored.load_path / "manifest.json").read_text())["files"]
    assert {"features.json", "thumbnails/values.npy", "scorer/values.npy", "scorer/class_vectors.npy"} < files.keys()
    (stored.load_path / "scorer" / "values.npy").write_bytes(b"")
    assert [problem.rpartition("/")[2] for problem in stored.verify()] == [
        "values.npy has changed since it was written"
    ]
