"""Timing in turn and one table for all benchmarks."""

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Callable


def in_turn(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each way, A B A B …, after one uncounted round."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            if number:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def print_table(title: str, rows: list[tuple[str, str]]) -> None:
    """Case and figure, with what it was measured on."""
    libraries = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("torch", "diffusers", "kedro"))
    print(f"\n{title}\n{'-' * len(title)}")
    for case, figure in rows:
        print(f"{case:<64} {figure}")
    print(f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}, {libraries}")


def ratio(slow: list[float], fast: list[float]) -> str:
    """Median of the pairwise ratios, with their range."""
    pairs = [a / b for a, b in zip(slow, fast, strict=True)]
    return f"{statistics.median(pairs):.2f}  (from {min(pairs):.2f} to {max(pairs):.2f})"


def print_markdown(header: list[str], rows: list[list[str]]) -> None:
    """A table as EXPERIMENTS.md has them."""
    for row in (header, ["---"] * len(header), *rows):
        print(f"| {' | '.join(row)} |")
