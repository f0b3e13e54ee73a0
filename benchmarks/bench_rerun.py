"""A second run with the same parameters and 2,000 images: nothing is generated, and how long that takes.

Against a run of the same pipeline in which no node runs at all, because everything it makes is there.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from table import print_table

PROJECT = Path(__file__).parents[1]
WORDS = ("--pipelines", "classification_data", "--to-nodes", "classification.synthesize_images")
ROUNDS = 3


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-rerun-") as scratch:
        data = Path(scratch)
        first = seconds_of(data, "--run-id", "first", *WORDS)
        empty, again, stage = [], [], []
        for number in range(ROUNDS):
            empty.append(seconds_of(data, "--resume", "first", *WORDS))
            again.append(seconds_of(data, "--run-id", f"again{number}", *WORDS))
            assert images(data, f"again{number}") == {"images_made": 0, "images_reused": 2_000}
            stage.append(seconds_of(data, "--run-id", f"stage{number}", "--pipelines", "classification", *SYNTHESIS))
            assert images(data, f"stage{number}") == {"images_made": 0, "images_reused": 2_000}
        nothing = statistics.median(empty)
        print_table(
            "second run, 2,000 images",
            [
                ("first run: ingestion, plan, 2,000 images generated", f"{first:.1f} s"),
                ("a run in which no node runs", f"{nothing:.1f} s"),
                ("synthesis again, no image generated: above that", f"{statistics.median(stage) - nothing:+.1f} s"),
                ("ingestion, plan and synthesis again: above that", f"{statistics.median(again) - nothing:+.1f} s"),
            ],
        )


SYNTHESIS = ("--nodes", "classification.synthesize_images")


def seconds_of(data: Path, *words: str) -> float:
    params = f"classification.synthesis.images_per_class=200,data_root={data}"
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "kedro", "run", *words, "--params", params],
        cwd=PROJECT,
        env=os.environ | {"DO_NOT_TRACK": "1"},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started


def images(data: Path, run: str) -> dict[str, int]:
    record = json.loads((data / "08_reporting" / "run_record.json" / run / "run_record.json").read_text())
    made = record["nodes"]["classification.synthesize_images"]["outputs"]["classification.synthetic_images"]
    return {key: made[key] for key in ("images_made", "images_reused")}


if __name__ == "__main__":
    main()
