"""Which workers parameters ask for, on devices that are not there: only what torch says of them is replaced."""

import pytest
import torch
from factories import synthesis_options
from pydantic import ValidationError

from diffaug_pipeline.engines import choosing
from diffaug_pipeline.engines.choosing import choose_engine, threads_each, worker_devices
from diffaug_pipeline.engines.local import LocalProcesses
from diffaug_pipeline.engines.ray_cluster import RayWorkers


@pytest.fixture(autouse=True)
def two_cuda_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)


@pytest.mark.parametrize(
    ("device", "workers", "devices"),
    [
        ("cpu", None, ["cpu"]),
        ("cpu", 3, ["cpu", "cpu", "cpu"]),
        ("cuda", None, ["cuda:0", "cuda:1"]),
        ("cuda", 3, ["cuda:0", "cuda:1", "cuda:0"]),
        ("cuda:1", None, ["cuda:1"]),
    ],
)
def test_every_worker_has_a_device(device, workers, devices):
    assert worker_devices(synthesis_options(device=device, workers=workers)) == devices


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.setattr(choosing, "usable_cores", lambda: 8)
    assert [threads_each(workers) for workers in (1, 3, 8, 20)] == [8, 2, 1, 1]
    engine = choose_engine(synthesis_options(device="cuda"), lambda *setup: setup)
    assert engine == LocalProcesses([("cuda:0", 4), ("cuda:1", 4)])


def test_a_single_worker_is_this_process():
    assert choose_engine(synthesis_options(device="cpu"), lambda *setup: setup) is None


def test_a_cluster_decides_about_devices_and_threads():
    def asked(**changes) -> RayWorkers:
        return choose_engine(synthesis_options(engine="ray", **changes), lambda *setup: setup)

    assert asked(device="auto") == RayWorkers(("auto", None), None, on_gpus=True)
    assert asked(device="cpu", workers=3) == RayWorkers(("cpu", None), 3, on_gpus=False)
    with pytest.raises(ValidationError, match="device is cuda:1, but with engine: ray every worker sees the one"):
        asked(device="cuda:1")
