"""Progress of long work: a bar on a terminal, a line every half minute in a log."""

import io
import logging
import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

logger = logging.getLogger(__name__)
Item = TypeVar("Item")

SECONDS_BETWEEN_LOG_LINES = 30.0


class _LogStream(io.TextIOBase):
    """Receives what tqdm would draw and logs it as plain lines."""

    def write(self, text: str) -> int:
        line = text.strip("\r\n ")
        if line:
            logger.info(line)
        return len(text)


def progress_bar(total: int, description: str, unit: str, *, initial: int = 0) -> tqdm:
    """A tqdm bar counting `unit`s up to `total`, with rate and time left; use as a context manager."""
    on_terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        initial=initial,
        desc=description,
        unit=f" {unit}",
        file=None if on_terminal else _LogStream(),
        mininterval=0.1 if on_terminal else SECONDS_BETWEEN_LOG_LINES,
        delay=0 if on_terminal else SECONDS_BETWEEN_LOG_LINES,
        ncols=None if on_terminal else 100,
        leave=on_terminal,
    )


def track(items: Iterable[Item], total: int, description: str, unit: str) -> Iterator[Item]:
    """Yields `items`, showing how many are done."""
    with progress_bar(total, description, unit) as bar:
        for item in items:
            yield item
            bar.update()
