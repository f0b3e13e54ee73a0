"""A log in a file has a line per message."""

import logging
import sys
from io import StringIO

import pytest
from kedro.logging import RichHandler

from diffaug_pipeline.logs import unfold_logs

LONG = "word " * 60


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def handlers(monkeypatch) -> list[logging.Handler]:
    kept = [RichHandler()]
    monkeypatch.setattr(logging.getLogger(), "handlers", kept)
    return kept


def test_a_file_gets_a_line_per_message(handlers, monkeypatch):
    written = StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    unfold_logs()
    unfold_logs()
    logging.getLogger("diffaug_pipeline").warning(LONG)
    [line] = written.getvalue().splitlines()
    assert line.endswith(f"WARNING {LONG}")


def test_a_terminal_keeps_its_colours(handlers, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    unfold_logs()
    assert isinstance(handlers[0], RichHandler)
