"""One training per seed: how they share the cores, what is kept, what becomes of failures."""

import time
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest
from safetensors.torch import load_file
from trainings import fail_once_the_other_works, fail_with_seed_1, note_threads

from diffaug_pipeline.checkpoint import Checkpoint
from diffaug_pipeline.training import seeds
from diffaug_pipeline.training.options import TrainingLoopOptions
from diffaug_pipeline.training.seeds import read_history, seed_folders, train_all_seeds


def options(**changes) -> TrainingLoopOptions:
    values = {
        "steps": 1,
        "batch_size": 2,
        "learning_rate": 0.001,
        "warmup_steps": 0,
        "weight_decay": 0.0,
        "evaluations": 1,
        "seeds": [0, 1, 2],
        "workers": 1,
        "device": "cpu",
    }
    return TrainingLoopOptions(**values | changes)


def train(folder: Path, training=note_threads, **changes) -> None:
    train_all_seeds({"data": "a"}, options(**changes), "cpu", folder, lambda _: training)


def threads_of(folder: Path) -> dict[int, int]:
    return {
        seed: load_file(folder / name / "model.safetensors")["threads"].item()
        for seed, name in seed_folders(Checkpoint(folder)).items()
    }


@pytest.mark.slow
def test_seeds_of_a_last_round_share_all_cores_also_when_resumed(tmp_path, monkeypatch):
    monkeypatch.setattr(seeds, "usable_cores", lambda: 4)
    train(tmp_path, workers=2)
    assert threads_of(tmp_path) == {0: 2, 1: 2, 2: 4}
    for file in (tmp_path / "seed_0").iterdir():
        file.unlink()
    (tmp_path / "seed_0").rmdir()
    train(tmp_path, workers=2)
    assert threads_of(tmp_path) == {0: 2, 1: 2, 2: 4}


@pytest.mark.slow
def test_a_failure_ends_the_seeds_beside_it(tmp_path):
    def prepare(scratch: Path) -> partial:
        return partial(fail_once_the_other_works, scratch)

    started = time.monotonic()
    with pytest.raises(RuntimeError, match="out of memory"):
        train_all_seeds({}, options(seeds=[0, 1], workers=2), "cpu", tmp_path, prepare)
    assert time.monotonic() - started < 120
    for worker in active_children():
        worker.join(20)
    assert active_children() == []
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_seeds_finished_before_a_failure_are_kept(tmp_path):
    with pytest.raises(RuntimeError, match="out of memory"):
        train(tmp_path, fail_with_seed_1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "seed_0"]
    kept = (tmp_path / "seed_0" / "training.json").stat().st_mtime_ns
    train(tmp_path)
    assert (tmp_path / "seed_0" / "training.json").stat().st_mtime_ns == kept
    assert sorted(threads_of(tmp_path)) == [0, 1, 2]


def test_more_seeds_are_added_and_nothing_is_prepared_where_none_is_missing(tmp_path):
    train(tmp_path, seeds=[0])
    train(tmp_path, seeds=[0, 1])
    assert sorted(threads_of(tmp_path)) == [0, 1]

    def refuse(_) -> None:
        raise AssertionError("nothing is left to train")

    train_all_seeds({"data": "a"}, options(seeds=[0, 1]), "cpu", tmp_path, refuse)


def test_seeds_of_another_configuration_make_room(tmp_path, caplog):
    train(tmp_path, seeds=[0, 1])
    train_all_seeds({"data": "b"}, options(seeds=[1]), "cpu", tmp_path, lambda _: note_threads)
    assert sorted(threads_of(tmp_path)) == [1]
    assert "2 finished seeds were trained on other data or with other options" in caplog.text


def test_seeds_come_in_the_order_of_numbers(tmp_path):
    train(tmp_path, seeds=[10, 9, 0])
    assert list(seed_folders(Checkpoint(tmp_path))) == [0, 9, 10]
    history = read_history(Checkpoint(tmp_path))
    assert history["seed"].tolist() == history["loss"].tolist() == [0, 9, 10]
    assert history["is_best"].all()
