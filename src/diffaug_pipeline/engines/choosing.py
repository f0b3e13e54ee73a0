"""The engine that parameters ask for."""

from collections.abc import Callable
from typing import Any

import torch

from diffaug_pipeline.devices import choose_device
from diffaug_pipeline.engines.engine import Engine
from diffaug_pipeline.engines.local import LocalProcesses
from diffaug_pipeline.engines.options import EngineOptions
from diffaug_pipeline.engines.ray_cluster import RayWorkers
from diffaug_pipeline.processes import usable_cores


def choose_engine(options: EngineOptions, setup_on: Callable[[str, int | None], Any]) -> Engine | None:
    """What `options` ask for; None where this process does the work.

    `setup_on(device, threads)` is what a worker is to be begun with; None leaves it the threads it has.
    """
    if options.engine == "ray":
        return RayWorkers(setup_on(options.device, None), options.workers, on_gpus=options.device != "cpu")
    devices = worker_devices(options)
    if len(devices) == 1:
        return None
    return LocalProcesses([setup_on(device, threads_each(len(devices))) for device in devices])


def worker_devices(options: EngineOptions) -> list[str]:
    """The device of each worker on this machine: every accelerator there is, in turn; a CPU is shared.

    `workers: null` makes one per CUDA device, or a single one.
    """
    device = choose_device(options.device)
    devices = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if device == "cuda" else [device]
    return [devices[worker % len(devices)] for worker in range(options.workers or len(devices))]


def threads_each(workers: int) -> int:
    """What is left of this process's cores for each of `workers`."""
    return max(1, usable_cores() // workers)
