"""Workers of a Ray cluster; the one module that knows Ray.

The cluster is the one that RAY_ADDRESS names, as inside `ray job submit`. Where that is not set, a Ray of our own is
started on this machine, heard on its loopback interface alone, and stopped when the work is done.
"""

import logging
import math
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from diffaug_pipeline.engines.engine import Team
from diffaug_pipeline.errors import MissingPackageError, WorkerError
from diffaug_pipeline.processes import usable_cores

logger = logging.getLogger(__name__)

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": r"[\s\S]*",  # what its processes print stays in its own logs
}
SECONDS_TO_ANSWER = 10


@dataclass(frozen=True)
class RayWorkers:
    """Actors that are all begun with the same `setup`."""

    setup: Any
    workers: int | None
    """None: one per GPU of the cluster, else one per machine."""
    on_gpus: bool
    """Whether GPUs are used where there are some."""

    @contextmanager
    def start(self, most: int) -> Iterator[Team]:
        """See `Engine`."""
        with _connected() as ray:
            machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
            share = share_resources(machines, self.workers, on_gpus=self.on_gpus)
            count = min(most, share.workers)
            logger.info("Ray: workers: %d, each with %s; machines: %d", count, share, len(machines))
            actor = ray.remote(_Actor).options(
                num_cpus=share.cpus, num_gpus=share.gpus, scheduling_strategy="SPREAD", max_restarts=0
            )
            yield Team([self.setup] * count, lambda: _RayWorker(actor.remote(), ray.exceptions))


@dataclass(frozen=True)
class ResourceShare:
    """What each of some workers gets of a cluster; Ray gives a worker as many threads as CPUs."""

    workers: int
    cpus: float
    gpus: float

    def __str__(self) -> str:
        return f"{self.gpus:g} GPUs" if self.gpus else f"{self.cpus:g} CPUs"


def share_resources(machines: Sequence[Mapping[str, float]], workers: int | None, *, on_gpus: bool) -> ResourceShare:
    """The largest equal shares with which all workers find room; on GPUs if there are any.

    >>> share_resources([{"CPU": 4}, {"CPU": 4}], None, on_gpus=True)
    ResourceShare(workers=2, cpus=4, gpus=0)
    >>> share_resources([{"CPU": 8, "GPU": 2}, {"CPU": 8, "GPU": 1}], 4, on_gpus=True)
    ResourceShare(workers=4, cpus=1, gpus=0.5)
    """
    gpus = sum(int(machine.get("GPU", 0)) for machine in machines)
    if on_gpus and gpus:
        workers = workers or gpus
        return ResourceShare(workers, 1, 1 / math.ceil(workers / gpus))
    cores = [int(machine["CPU"]) for machine in machines if machine.get("CPU", 0) >= 1]
    if not cores:
        raise WorkerError("no machine of the Ray cluster offers a CPU or a GPU; start nodes that do, or engine: local.")
    workers = workers or len(cores)
    roomy = [threads for threads in range(1, max(cores) + 1) if sum(n // threads for n in cores) >= workers]
    return ResourceShare(workers, max(roomy, default=1 / math.ceil(workers / sum(cores))), 0)


class _Actor:
    """A process that does as it is told."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)


@dataclass(frozen=True)
class _RayWorker:
    actor: Any
    errors: ModuleType

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future:
        told: Future = Future()
        self.actor.call.remote(function, *arguments).future().add_done_callback(partial(self._tell, told))
        return told

    def _tell(self, told: Future, call: Future) -> None:
        """Passes on what came of a call, with Ray's errors as those of an executor."""
        error = call.exception()
        if error is None:
            told.set_result(call.result())
        elif not isinstance(error, self.errors.RayTaskError):
            told.set_exception(_because_of(error, BrokenExecutor("a worker on Ray is lost")))
        elif isinstance(error.cause, self.errors.RayError):
            reason = str(error.cause).partition("\n")[0]
            missing = f"a worker on Ray cannot begin: {reason}. All machines need the same packages, ours among them."
            told.set_exception(_because_of(error, WorkerError(missing)))
        else:
            told.set_exception(error.cause)


def _because_of(cause: BaseException, error: Exception) -> Exception:
    error.__cause__ = cause
    return error


@contextmanager
def _connected() -> Iterator[ModuleType]:
    os.environ.update(SETTINGS)
    ray, address = _import_ray(), os.environ.get("RAY_ADDRESS")
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address:
        _join(ray, address, quiet)
    else:
        logger.info("RAY_ADDRESS is not set: starting Ray on this machine alone")
        stay_on_loopback(ray)
        ray.init("local", num_cpus=usable_cores(), include_dashboard=False, **quiet)
    try:
        yield ray
    finally:
        ray.shutdown()


def _join(ray: ModuleType, address: str, quiet: dict[str, Any]) -> None:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        if port.isdigit():  # Ray itself goes on asking for minutes
            socket.create_connection((host, int(port)), SECONDS_TO_ANSWER).close()
        ray.init(**quiet)
    except OSError as error:
        raise WorkerError(
            f"no Ray cluster answers at RAY_ADDRESS {address}; start one (ray start --head), or unset RAY_ADDRESS to "
            "use this machine alone."
        ) from error


def stay_on_loopback(ray: ModuleType) -> None:
    """Makes a Ray that is started from this process unreachable for other machines.

    Ray does so on Windows and macOS; elsewhere it turns 127.0.0.1 into the address that the network knows.
    """
    ray._private.ray_constants.ENABLE_RAY_CLUSTER = False


def _import_ray() -> ModuleType:
    try:
        import ray  # noqa: PLC0415 (optional, and settled by the environment when it is loaded)
    except ImportError as error:
        raise MissingPackageError(
            "engine: ray needs Ray, which is not installed: pip install 'diffaug_pipeline[ray]', or set engine: local."
        ) from error
    return ray
