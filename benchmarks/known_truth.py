"""Is the verdict right where the truth is known? Plants synthetic images of which it is, and reports what comes out.

Finished repetitions are appended to the results and not done again (start a new file when the code has changed); what
they share lies in a folder beside that file. Exits with 1 if a requirement is not met.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from concurrent.futures import as_completed
from functools import lru_cache
from pathlib import Path

import torch
from table import print_markdown
from truth_cases import CASES, Record, Setting
from truth_setting import load_setting, prepare_setting

from diffaug_pipeline.processes import usable_cores, worker_pools

OUT = Path(__file__).parents[1] / "data" / "08_reporting" / "known_truth.jsonl"
Repetition = tuple[str, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Does what is missing and prints the table."""
    asked = _parse(arguments)
    folder = asked.out.with_suffix(".shared")
    wanted = [
        (name, repetition)
        for name in asked.cases
        for repetition in range(min(asked.repetitions or CASES[name].repetitions, CASES[name].repetitions))
    ]
    missing = [repetition for repetition in wanted if repetition not in read_records(asked.out)]
    if missing:
        prepare_setting(folder, asked.fashion_mnist)
        _run_all(missing, folder, asked.out, asked.workers)
    finished = read_records(asked.out)
    return int(not print_results({repetition: finished[repetition] for repetition in wanted}))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", help=f"of {', '.join(CASES)}; all where none is named")
    parser.add_argument("--repetitions", type=int, help="at most, of each case")
    parser.add_argument("--workers", type=int, default=usable_cores(), help="repetitions side by side")
    parser.add_argument("--out", type=Path, default=OUT, help="results, a JSON document per line")
    parser.add_argument("--fashion-mnist", type=Path, help="folder with its idx files; downloaded if not given")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.cases) - set(CASES)):
        parser.error(f"unknown: {', '.join(unknown)}; cases are {', '.join(CASES)}")
    asked.cases = asked.cases or list(CASES)
    return asked


def read_records(file: Path) -> dict[Repetition, Record]:
    """What is finished; a line that was cut off is not, and is removed."""
    if not file.exists():
        return {}
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        file.write_bytes(whole)
    records = [json.loads(line) for line in whole.splitlines()]
    return {(record["case"], record["repetition"]): record for record in records}


def _run_all(missing: Sequence[Repetition], folder: Path, out: Path, workers: int) -> None:
    with worker_pools(1, min(workers, len(missing))) as [pool]:
        running = [pool.submit(run_repetition, folder, *repetition) for repetition in missing]
        for done, future in enumerate(as_completed(running), start=1):
            record = future.result()
            with out.open("a") as stream:
                stream.write(json.dumps(record) + "\n")
            print(f"{done} of {len(missing)}: {record['case']} {record['repetition']}", file=sys.stderr)


def run_repetition(folder: Path, name: str, repetition: int) -> Record:
    """One repetition on one thread."""
    torch.set_num_threads(1)
    return {"case": name, "repetition": repetition, **CASES[name].run(_setting(folder), repetition)}


@lru_cache(maxsize=1)
def _setting(folder: Path) -> Setting:
    return load_setting(folder)


def print_results(records: dict[Repetition, Record]) -> bool:
    """The table; returns whether all requirements are met."""
    rows, all_met = [], True
    for name in dict.fromkeys(case for case, _ in records):
        case = CASES[name]
        reached, met = case.assess([record for (of_case, _), record in records.items() if of_case == name])
        rows.append([name, case.planted, case.required, reached if met else f"**not met:** {reached}"])
        all_met &= met
    print_markdown(["case", "planted", "required", "reached"], rows)
    if seconds := [record["seconds_per_training"] for record in records.values() if "seconds_per_training" in record]:
        print(f"\n{statistics.median(seconds):.1f} s per training and prediction, on one thread")
    return all_met


if __name__ == "__main__":
    sys.exit(main())
