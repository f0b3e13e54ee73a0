"""A run that meets three new pictures works on those."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from factories import smooth_image, write_labelled_folder

pytestmark = pytest.mark.long

RUNS = FIRST, SECOND = "monday", "tuesday"
ADDED = {f"red panda/new {number}.jpg" for number in range(3)}


@pytest.fixture(scope="module")
def data_root(kedro_run, tmp_path_factory) -> Path:
    """Of a run on a folder of pictures, and of another once there are more."""
    folder = tmp_path_factory.mktemp("growing")
    photos = write_labelled_folder(folder / "photos")
    limits = [f"ingestion.images_per_class.{split}=null" for split in ("train", "val", "test")]
    choices = (f"ingestion.dataset={photos}", *limits, "synthesis.mode=image_to_image", "synthesis.strength=0.3")
    params = tuple(f"classification.{choice}" for choice in choices)
    for run in RUNS:
        kedro_run(folder / "data", "--pipelines", "classification_data", "--run-id", run, params=params)
        for image_id in ADDED:
            smooth_image(image_id, (120, 90)).save(photos / image_id)
    return folder / "data"


def indexes(data_root: Path, layer: str, name: str) -> list[pd.DataFrame]:
    folder = data_root / layer / "classification" / name
    return [pd.read_parquet(folder / run / name / "index.parquet") for run in RUNS]


def statistics(data_root: Path, name: str) -> dict[str, Any]:
    """What the record of the second run says of an output."""
    record = json.loads((data_root / "08_reporting" / "run_record.json" / SECOND / "run_record.json").read_text())
    return {name: output for node in record["nodes"].values() for name, output in node["outputs"].items()}[name]


def test_only_new_pictures_are_embedded_and_only_images_from_them_are_made(data_root):
    first, second = indexes(data_root, "02_intermediate", "real_images")
    assert set(second["image_id"]) - set(first["image_id"]) == ADDED
    made_first, made_second = indexes(data_root, "04_synthetic", "synthetic_images")
    made = made_second[~made_second["recipe"].isin(made_first["recipe"])]
    assert set(made["source_image_id"]).isdisjoint(first.query("split == 'train'")["image_id"])
    assert 0 < len(made) < len(made_second) / 3

    images = statistics(data_root, "classification.synthetic_images")
    assert (images["images_made"], images["images_reused"]) == (len(made), len(made_second) - len(made))
    features = statistics(data_root, "classification.image_features")
    for count in ("images_read", "scorer_vectors_made", "measure_vectors_made"):
        assert features[count] == len(ADDED) + len(made)


def test_the_others_stay_in_their_splits_and_none_leaves_test_for_train(data_root):
    first, second = (
        index.set_index("image_id")["split"] for index in indexes(data_root, "02_intermediate", "real_images")
    )
    moved = [(before, second[image_id]) for image_id, before in first.items() if second[image_id] != before]
    assert len(moved) <= 2 * len(ADDED)
    assert ("test", "train") not in moved
