"""How much a picture changes with its batch, with precision and with the engine; same prompts and seeds."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from embedded_task import EmbeddedTask, load_task
from kedro.io import Version
from table import print_table

from diffaug_pipeline.datasets import ImageSetDataset
from diffaug_pipeline.synthesis.synthesize import synthesize

IMAGES_PER_CLASS = 7
CASES = {
    "again": {},
    "two workers with one thread each": {"workers": 2},
    "batch 16": {"batch_size": 16},
    "batch 16, two workers": {"batch_size": 16, "workers": 2},
    "batch 1": {"batch_size": 1},
    "bfloat16": {"dtype": "bfloat16"},
}
AMONG_BFLOAT16 = {
    "bfloat16, again": {},
    "bfloat16, two workers with one thread each": {"workers": 2},
    "bfloat16, batch 16": {"batch_size": 16},
    "bfloat16, batch 1": {"batch_size": 1},
}


def main() -> None:
    scratch = Path(tempfile.mkdtemp(prefix="bench-exactness-"))
    task = load_task(scratch)
    rows = []
    for dtype, cases in (("float32", CASES), ("bfloat16", AMONG_BFLOAT16)):
        reference = {"batch_size": 64, "workers": 1, "dtype": dtype}
        wanted = draw(task, scratch, reference)
        for title, changes in cases.items():
            apart = np.abs(draw(task, scratch, reference | changes) - wanted)
            differing = apart.reshape(len(apart), -1).any(axis=1).mean()
            change = f"{apart.mean():.4f} of 255 on average, {apart.max():.0f} at most"
            rows.append((title, f"{100 * differing:.0f} % of pictures differ; {change}"))
    print_table(f"{10 * IMAGES_PER_CLASS} pictures against float32 (bfloat16), batch 64, one process", rows)
    shutil.rmtree(scratch)


def draw(task: EmbeddedTask, scratch: Path, changes: dict) -> np.ndarray:
    """(N, H, W, 3), in the order of the plan."""
    plan, options = task.plan(images_per_class=IMAGES_PER_CLASS, **changes)
    shutil.rmtree(scratch / "made", ignore_errors=True)
    dataset = ImageSetDataset(filepath=str(scratch / "made"), version=Version("v", "v"))
    dataset.save(synthesize(plan, task.real_images, options, task.preset))
    return np.stack([np.asarray(image, dtype=float) for image in dataset.load()])


if __name__ == "__main__":
    main()
