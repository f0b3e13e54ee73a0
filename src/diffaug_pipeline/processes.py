"""Worker processes that leave interrupts to their parent and never outlive it."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from threading import Thread

SECONDS_BETWEEN_LOOKS = 0.5


def usable_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def worker_pools(count: int, workers: int) -> Iterator[list[ProcessPoolExecutor]]:
    """`count` pools of `workers` fresh processes each; none is left when the block ends, also by an exception."""
    spawn, others = get_context("spawn"), set(active_children())
    pools = [ProcessPoolExecutor(workers, spawn, initializer=_start, initargs=(os.getpid(),)) for _ in range(count)]
    try:
        yield pools
    except BaseException:
        for worker in set(active_children()) - others:
            worker.terminate()
        raise
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def _start(parent: int) -> None:
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(SECONDS_BETWEEN_LOOKS)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=watch, daemon=True).start()
