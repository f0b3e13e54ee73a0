"""Images per second of two Ray workers, each on a machine of its own, against two local processes on the same cores.

The machines are two raylets on this one with a core each; plan, batches and bytes are the same. What is compared is the
pace from the first batch to the last: starting workers and loading the model is paid once per run and grows with
neither plan nor cluster. It is shown beside it. Exits with 1 if Ray's pace is below `WANTED` of the local one.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from bench_synthesis import store
from embedded_task import EmbeddedTask, load_task
from ray.cluster_utils import Cluster
from table import in_turn, print_table, ratio

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.engines.ray_cluster import stay_on_loopback
from diffaug_pipeline.synthesis.synthesize import synthesize

IMAGES_PER_CLASS, BATCH_SIZE, WORKERS, ROUNDS, WANTED = 160, 16, 2, 5, 0.9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--images-per-class", type=int, default=IMAGES_PER_CLASS)
    asked = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="bench-ray-"))
    task = load_task(scratch)
    paces: dict[str, list[float]] = {"local": [], "ray": []}
    with machines(WORKERS):
        ways = {engine: synthesis(task, asked.images_per_class, engine, scratch, paces[engine]) for engine in paces}
        seconds = in_turn(ways, asked.rounds)
    local, on_ray = (values[1:] for values in paces.values())
    count = asked.images_per_class * len(task.real_images.class_names)
    print_table(
        f"synthesis of {count} images by {WORKERS} workers with a core each, batches of {BATCH_SIZE}",
        [
            ("local processes, from the first batch on", f"{statistics.median(local):.1f} images/s"),
            ("Ray workers, from the first batch on", f"{statistics.median(on_ray):.1f} images/s"),
            ("Ray / local", ratio(on_ray, local)),
            ("local processes, all of it", f"{statistics.median(seconds['local']):.1f} s"),
            ("Ray workers, all of it", f"{statistics.median(seconds['ray']):.1f} s"),
            ("load of this machine over the last minute", f"{os.getloadavg()[0]:.1f}"),
        ],
    )
    shutil.rmtree(scratch)
    sys.exit(statistics.median(a / b for a, b in zip(on_ray, local, strict=True)) < WANTED)


@contextmanager
def machines(count: int) -> Iterator[None]:
    """As many raylets with a core each, found by `engine: ray`."""
    stay_on_loopback(ray)
    machine = {"num_cpus": 1, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=machine)
    for _ in range(count - 1):
        cluster.add_node(**machine)
    os.environ["RAY_ADDRESS"] = cluster.address
    try:
        yield
    finally:
        cluster.shutdown()


def synthesis(
    task: EmbeddedTask, images_per_class: int, engine: str, scratch: Path, paces: list[float]
) -> Callable[[], None]:
    """Makes and stores the plan with new workers, and notes their pace."""
    options = {"engine": engine, "workers": WORKERS, "device": "cpu", "dtype": "float32", "batch_size": BATCH_SIZE}
    plan, asked = task.plan(images_per_class=images_per_class, **options)

    def make() -> None:
        stored = store(synthesize(plan, task.real_images, asked, task.preset), scratch / engine)
        paces.append(images_per_second(stored))

    return make


def images_per_second(stored: ImageSetDataset) -> float:
    """Between the ends of the first and the last batch, as the files tell."""
    batches = [sorted(folder.iterdir()) for folder in (stored.load_path / "images").iterdir()]
    written = sorted((max(path.stat().st_mtime for path in files), len(files)) for files in batches)
    return sum(count for _, count in written[1:]) / (written[-1][0] - written[0][0])


if __name__ == "__main__":
    main()
