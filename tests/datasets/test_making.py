"""Batches, worker processes that die, memory that runs short."""

import json
import logging
import shutil
import time
from collections import namedtuple
from itertools import chain
from pathlib import Path

import pytest
from factories import Maker, plan, tree_bytes
from kedro.io import DatasetError, Version
from makers import KilledMaker, NoiseMaker, SmallMemoryMaker

from diffaug_pipeline.datasets import ImageSetDataset, making
from diffaug_pipeline.engines.local import LocalProcesses
from diffaug_pipeline.errors import BatchTooLargeError, DiskSpaceError, WorkerError
from diffaug_pipeline.imaging.image_set import MakeImages, PlannedImageSet

IMAGES = 22


def save(folder: Path, maker: MakeImages, parallel: tuple[MakeImages, ...] = ()) -> ImageSetDataset:
    dataset = ImageSetDataset(filepath=str(folder / "images"), version=Version("v1", "v1"))
    dataset.save(
        PlannedImageSet(plan(IMAGES), maker, batch_size=4, engine=LocalProcesses(parallel) if parallel else None)
    )
    return dataset


def batches(dataset: ImageSetDataset) -> dict:
    return json.loads((dataset.load_path / "batches.json").read_text())


def test_several_processes_give_the_bytes_of_one(tmp_path):
    save(tmp_path / "one", NoiseMaker())
    save(tmp_path / "two", Maker(fail_at_batch=0), parallel=(NoiseMaker(), NoiseMaker()))
    assert tree_bytes(tmp_path / "one") == tree_bytes(tmp_path / "two")


def test_a_killed_worker_loses_nothing_and_changes_nothing(tmp_path, caplog):
    (tmp_path / "deaths").mkdir()
    mortal = KilledMaker("recipe000013", 1, tmp_path / "deaths")
    killed = save(tmp_path / "killed", NoiseMaker(), parallel=(mortal, mortal))
    assert len(list((tmp_path / "deaths").iterdir())) == 1
    assert "A worker process was killed; its images are made by another." in caplog.text
    assert killed.statistics["images_made"] == IMAGES
    save(tmp_path / "undisturbed", NoiseMaker())
    assert tree_bytes(tmp_path / "killed") == tree_bytes(tmp_path / "undisturbed")


def test_workers_that_always_die_end_the_run_and_what_is_made_stays(tmp_path):
    (tmp_path / "deaths").mkdir()
    doomed = KilledMaker("recipe000000", 100, tmp_path / "deaths")
    with pytest.raises(DatasetError, match="workers are killed before they finish anything") as raised:
        save(tmp_path, NoiseMaker(), parallel=(doomed, doomed))
    assert isinstance(raised.value.__cause__, WorkerError)
    staged = tmp_path / "images" / ".staging" / "v1" / "images"
    assert len(list(staged.glob("[!.]*/*"))) == IMAGES - 4  # all but one batch


def test_errors_of_workers_are_raised_here(tmp_path):
    with pytest.raises(DatasetError, match="out of memory"):
        save(tmp_path, NoiseMaker(), parallel=(Maker(fail_at_batch=1), Maker(fail_at_batch=1)))


def test_batches_too_large_for_memory_are_halved_and_that_is_recorded(tmp_path, caplog):
    dataset = save(tmp_path, SmallMemoryMaker(most=1))
    assert dataset.load().index["seed"].tolist() == list(range(IMAGES))
    assert batches(dataset)["cut_down_to"] == dataset.statistics["batches_cut_down_to"] == 1
    assert sorted(chain.from_iterable(batches(dataset)["batches"])) == plan(IMAGES)["recipe"].tolist()
    assert "4 pictures are too many. From now on batches have at most 2." in caplog.text
    assert "2 pictures are too many. From now on batches have at most 1." in caplog.text


def test_finished_batches_keep_their_size_when_later_ones_are_halved(tmp_path):
    class Shrinking(Maker):
        def __call__(self, rows):
            if len(rows) > 2 and len(self.batches) == 2:
                raise BatchTooLargeError("Too many.", len(rows))
            return super().__call__(rows)

    maker = Shrinking()
    dataset = save(tmp_path, maker)
    assert [len(batch) for batch in maker.batches] == [4, 4, 2, 2, 2, 2, 2, 2, 2]
    assert sorted(maker.batches) == sorted(batches(dataset)["batches"])


def test_workers_halve_their_batches(tmp_path):
    maker = SmallMemoryMaker(most=2)
    dataset = save(tmp_path, maker, parallel=(maker, maker))
    assert batches(dataset)["cut_down_to"] == 2
    assert len(dataset.load()) == IMAGES


def test_a_single_picture_too_large_for_memory_ends_the_run(tmp_path):
    with pytest.raises(DatasetError, match="1 pictures are too many"):
        save(tmp_path, SmallMemoryMaker(most=0))


def test_a_batch_is_written_while_the_next_one_is_made(tmp_path):
    class Watching(Maker):
        written: list[int] = []  # noqa: RUF012 (one instance)

        def __call__(self, rows):
            made = super().__call__(rows)
            if len(self.batches) > 1:
                before = tmp_path / "images" / ".staging" / "v1" / "images" / f"{len(self.batches) - 2:06d}"
                deadline = time.monotonic() + 10
                while not before.exists() and time.monotonic() < deadline:
                    time.sleep(0.01)
                self.written.append(before.exists())
            return made

    maker = Watching()
    save(tmp_path, maker)
    assert maker.written == [True] * (len(maker.batches) - 1)


def test_a_long_run_says_how_long_it_takes(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr(making, "MENTIONED_FROM_SECONDS", 0)
    with caplog.at_level(logging.INFO):
        save(tmp_path, Maker())
    told = [record.message for record in caplog.records if "to go, about" in record.message]
    assert told == ["images: 14 images to go, about 1 min and 0.0 MB"]


def test_a_disk_that_is_too_small_is_noticed_early(tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 1_000))
    with pytest.raises(DatasetError, match="the 14 images to go need about") as raised:
        save(tmp_path, Maker())
    assert isinstance(raised.value.__cause__, DiskSpaceError)
