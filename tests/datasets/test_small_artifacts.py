import json
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest
from kedro.io import DatasetError, Version
from PIL import Image

from diffaug_pipeline.datasets import (
    CheckpointDataset,
    ExportedDataset,
    HTMLDataset,
    JSONDataset,
    ParquetDataset,
    PictureDataset,
    PlotlyDataset,
    RunRecordDataset,
)

FILES = [
    (ParquetDataset, "table.parquet", pd.DataFrame({"a": [1, 2], "b": ["x", None]})),
    (JSONDataset, "document.json", {"a": [1, 2.5, None]}),
    (PlotlyDataset, "figure.json", go.Figure(go.Bar(x=[1], y=[2]))),
    (HTMLDataset, "page.html", "<p>é</p>"),
    (PictureDataset, "picture.png", Image.new("RGB", (3, 2), "teal")),
]


@pytest.mark.parametrize(("kind", "name", "data"), FILES)
def test_round_trip_and_preview(tmp_path, kind, name, data):
    dataset = kind(filepath=str(tmp_path / name), version=Version("v1", "v1"))
    assert not dataset.exists()
    dataset.save(data)
    assert dataset.exists()
    assert (tmp_path / name / "v1" / name).is_file()
    loaded = dataset.load()
    assert loaded.equals(data) if isinstance(data, pd.DataFrame) else loaded == data
    assert dataset.preview()
    assert list((tmp_path / name / ".staging").iterdir()) == []


@pytest.mark.parametrize(("kind", "name", "data"), FILES)
def test_a_failed_write_leaves_the_earlier_version_latest(tmp_path, kind, name, data):
    kind(filepath=str(tmp_path / name), version=Version("v1", "v1")).save(data)
    with pytest.raises(DatasetError):
        kind(filepath=str(tmp_path / name), version=Version("v2", "v2")).save(object())
    latest = kind(filepath=str(tmp_path / name), version=Version(None, None))
    assert latest.resolve_load_version() == "v1"


def test_unversioned_entries_are_refused():
    with pytest.raises(DatasetError, match="add `versioned: true`"):
        JSONDataset(filepath="somewhere.json")


def test_a_checkpoint_goes_on_after_a_crash_in_the_folder_it_left(tmp_path):
    calls = []

    def fill(folder: Path) -> None:
        calls.append(sorted(path.name for path in folder.iterdir()))
        if not (folder / "first").exists():
            (folder / "first").write_text("done")
            raise RuntimeError("killed")
        (folder / "second").write_text("done")

    dataset = CheckpointDataset(filepath=str(tmp_path / "model"), version=Version("v1", "v1"))
    with pytest.raises(DatasetError, match="killed"):
        dataset.save(fill)
    assert not dataset.exists()
    dataset.save(fill)
    assert calls == [[], ["first"]]
    folder = dataset.load().folder
    assert json.loads((folder / "manifest.json").read_text())["files"].keys() == {"first", "second"}
    assert dataset.verify() == []
    (folder / "second").write_text("other")
    assert dataset.verify() == [f"{folder / 'second'} has changed since it was written"]


def test_what_is_exported_begins_anew_after_a_crash(tmp_path):
    attempts = []

    def fill(folder: Path) -> None:
        attempts.append([path.name for path in folder.iterdir()])
        (folder / f"of attempt {len(attempts)}").write_text("done")
        if len(attempts) == 1:
            raise RuntimeError("killed")

    dataset = ExportedDataset(filepath=str(tmp_path / "exported"), version=Version("v1", "v1"))
    with pytest.raises(DatasetError, match="killed"):
        dataset.save(fill)
    assert not dataset.exists()
    dataset.save(fill)
    assert attempts == [[], []]
    assert {path.name for path in dataset.load().iterdir()} == {"manifest.json", "of attempt 2"}


def test_a_run_record_may_be_rewritten(tmp_path):
    record = RunRecordDataset(filepath=str(tmp_path / "record.json"), version=Version(None, "r1"))
    record.save({"status": "running"})
    record.save({"status": "finished"})
    assert record.load() == {"status": "finished"}


def test_previews_of_tables_with_lists_can_be_sent_and_stay_short(tmp_path):
    """As detections have them, and distances over random halves."""
    boxes = [{"label": "bag", "xyxy": [1.0, 2.0, 3.0, 4.0], "confidence": 0.5}]
    table = pd.DataFrame({"image_id": ["a"] * 12, "boxes": [boxes * 9] * 12, "halves": [[0.25, 0.5]] * 12})
    dataset = ParquetDataset(filepath=str(tmp_path / "table.parquet"), version=Version("v1", "v1"))
    dataset.save(table)
    preview = json.loads(json.dumps(dataset.preview()))
    assert preview["columns"] == ["image_id", "boxes", "halves"]
    assert len(preview["data"]) == 10
    identifier, long, short = preview["data"][0]
    assert (identifier, short) == ("a", "[0.25, 0.5]")
    assert long.startswith('[{"label": "bag", "xyxy": [1.0, 2.0')
    assert len(long) == 60
