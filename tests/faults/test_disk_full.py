"""A disk that is full, or may not be written to: small file systems in memory, which only root can mount."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from factories import plan, tree_bytes
from faults.kills import RUN, Undisturbed, assert_same_artifacts, assert_valid_artifacts
from faults.scale import FULL
from kedro.io import DatasetError, Version
from makers import NoiseMaker
from safetensors.numpy import save_file

from diffaug_pipeline.datasets import (
    CheckpointDataset,
    HTMLDataset,
    ImageSetDataset,
    JSONDataset,
    ParquetDataset,
    RunRecordDataset,
)
from diffaug_pipeline.datasets.artifact import VersionedArtifact
from diffaug_pipeline.engines.local import LocalProcesses
from diffaug_pipeline.errors import DiskSpaceError, NotWritableError, explanation_of
from diffaug_pipeline.imaging.image_set import PlannedImageSet
from diffaug_pipeline.mapped_array import create_mapped_array

pytestmark = pytest.mark.long

ROOM_FOR_ALL_KB = 512 * 1024
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of what a run writes, for which there is room."""


class SmallDisk:
    """A file system whose size can be changed."""

    def __init__(self, folder: Path):
        self.folder = folder

    def set_room(self, kilobytes: int) -> None:
        _mount("-o", f"remount,rw,size={kilobytes}k", self.folder)

    def forbid_writing(self) -> None:
        _mount("-o", "remount,ro", self.folder)


def _mount(*words: str | Path) -> None:
    subprocess.run(["mount", *words], check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        _mount("-t", "tmpfs", "-o", f"size={ROOM_FOR_ALL_KB}k", "tmpfs", folder)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("file systems cannot be mounted here")
    yield SmallDisk(folder)
    subprocess.run(["umount", folder], check=True)


def noise(kilobytes: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, kilobytes * 1024, dtype=np.uint8)


def fill_with_weights(folder: Path) -> None:
    """Goes on after a crash, as trainings do: seeds that are there are not trained again."""
    for seed in range(3):
        if not (folder / f"seed_{seed}").exists():
            (folder / "unfinished").mkdir(exist_ok=True)
            save_file({"weights": noise(100) + np.uint8(seed)}, folder / "unfinished" / "model.safetensors")
            (folder / "unfinished").rename(folder / f"seed_{seed}")


def images(*, workers: int) -> Callable[[], PlannedImageSet]:
    engine = LocalProcesses((NoiseMaker(),) * workers) if workers else None
    return lambda: PlannedImageSet(plan(120), NoiseMaker(), batch_size=40, engine=engine)


KINDS = {
    "table": (ParquetDataset, "table.parquet", lambda: pd.DataFrame({"noise": noise(300)})),
    "document": (JSONDataset, "document.json", lambda: {"noise": noise(100).tolist()}),
    "page": (HTMLDataset, "page.html", lambda: "page " * 60_000),
    "checkpoint": (CheckpointDataset, "model", lambda: fill_with_weights),
    "images": (ImageSetDataset, "images", images(workers=0)),
    "images, by workers": (ImageSetDataset, "images", images(workers=2)),
    "record": (RunRecordDataset, "run_record.json", lambda: {"noise": noise(100).tolist()}),
}


def dataset(kind: str, folder: Path) -> VersionedArtifact:
    dataset_class, name, _ = KINDS[kind]
    return dataset_class(filepath=str(folder / name), version=Version(None, "r1"))


@pytest.mark.parametrize("kind", KINDS)
def test_what_does_not_fit_is_refused_in_a_sentence_and_written_once_it_fits(disk, tmp_path, kind):
    make = KINDS[kind][2]
    disk.set_room(200)
    with pytest.raises((DatasetError, DiskSpaceError)) as refused:
        dataset(kind, disk.folder).save(make())
    explained = explanation_of(refused.value)
    assert isinstance(explained, DiskSpaceError)
    assert str(disk.folder) in str(explained)
    assert "make room and resume the run" in str(explained)
    assert dataset(kind, disk.folder).list_versions() == []

    disk.set_room(ROOM_FOR_ALL_KB)
    dataset(kind, disk.folder).save(make())
    dataset(kind, tmp_path / "elsewhere").save(make())
    assert tree_bytes(disk.folder) == tree_bytes(tmp_path / "elsewhere")


def test_the_earlier_record_stays_whole_when_a_longer_one_does_not_fit(disk):
    record = dataset("record", disk.folder)
    record.save({"status": "running"})
    disk.set_room(200)
    with pytest.raises(DatasetError):
        record.save({"status": "finished", "noise": noise(100).tolist()})
    assert record.load() == {"status": "running"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_that_may_not_be_written_to_is_named(disk, kind):
    disk.forbid_writing()
    with pytest.raises(DatasetError) as refused:
        dataset(kind, disk.folder).save(KINDS[kind][2]())
    explained = explanation_of(refused.value)
    assert isinstance(explained, NotWritableError)
    assert f"{disk.folder}" in str(explained)
    assert "may not be written to (Read-only file system); make it writable" in str(explained)


def test_an_array_that_is_written_through_memory_takes_its_place_before(disk):
    """Else the process would be killed by the first write that finds no room."""
    disk.set_room(200)
    with pytest.raises(OSError, match="No space left on device"):
        create_mapped_array(disk.folder / "large.npy", np.float32, (1_000, 100))
    disk.set_room(ROOM_FOR_ALL_KB)
    array = create_mapped_array(disk.folder / "large.npy", np.float32, (1_000, 100))
    disk.set_room(500)
    array[:] = 1
    array.flush()
    assert (np.load(disk.folder / "large.npy") == 1).all()


def test_a_file_of_the_user_that_may_not_be_read_is_not_taken_for_a_folder_that_may_not_be_written_to(tmp_path):
    def read_what_is_denied(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "photos" / "mine.jpg"))

    with pytest.raises(DatasetError, match=r"Permission denied: .*mine\.jpg") as refused:
        dataset("checkpoint", tmp_path / "data").save(read_what_is_denied)
    assert explanation_of(refused.value) is None


@pytest.mark.skipif(not FULL, reason="runs on small disks take minutes; DIFFAUG_FAULTS=full")
@pytest.mark.parametrize("share", SHARES)
def test_a_run_that_fills_the_disk_says_so_and_resumes_to_the_same_bytes(
    disk, kedro_run, undisturbed: Undisturbed, share
):
    data_root = disk.folder / "data"
    disk.set_room(int(share * size_kb(undisturbed.data_root)))
    stopped = kedro_run(data_root, *undisturbed.words, check=False)
    assert stopped.returncode == 1
    assert f"free at {data_root}/" in stopped.stderr
    assert f"kedro run --resume {RUN} --env smoke --params data_root={data_root}" in stopped.stderr
    disk.set_room(ROOM_FOR_ALL_KB)
    kedro_run(data_root, "--resume", RUN)
    assert_same_artifacts(data_root, undisturbed.data_root)
    assert_valid_artifacts(data_root)


def test_a_run_whose_record_does_not_fit_ends_with_a_sentence(disk, kedro_run):
    disk.set_room(20)
    refused = kedro_run(disk.folder / "data", "--pipelines", "classification_data", check=False)
    assert refused.returncode == 1
    assert (
        f"Error: the disk is full: 0 kB are free at {disk.folder}/data/08_reporting/run_record.json" in refused.stderr
    )


def size_kb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*")) / 1024


def test_a_run_on_a_folder_that_may_not_be_written_to_ends_with_a_sentence(disk, kedro_run):
    disk.forbid_writing()
    refused = kedro_run(disk.folder / "data", "--pipelines", "classification_data", check=False)
    assert refused.returncode == 1
    assert "may not be written to (Read-only file system); make it writable" in refused.stderr
