"""Seconds and memory of planning 100,000 images, each with its seed and the hash of all that determines it."""

import resource
import tempfile
import time
from pathlib import Path

from embedded_task import load_task
from table import print_table

IMAGES_PER_CLASS = 10_000


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-plan-") as scratch:
        task = load_task(Path(scratch))
        before = peak_bytes()
        rows = []
        for mode in ("text_to_image", "image_to_image"):
            started = time.perf_counter()
            plan, _ = task.plan(images_per_class=IMAGES_PER_CLASS, mode=mode, strength=[0.3, 0.5, 0.7])
            seconds = time.perf_counter() - started
            assert plan["recipe"].nunique() == len(plan) == 100_000
            rows.append((f"{len(plan):,} rows, {mode}", f"{seconds:.1f} s"))
            del plan
        print_table(
            "planning",
            [
                *rows,
                ("peak memory of the process", f"{peak_bytes() / 2**30:.2f} GiB"),
                ("  before the first plan, libraries loaded", f"{before / 2**30:.2f} GiB"),
            ],
        )


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024


if __name__ == "__main__":
    main()
