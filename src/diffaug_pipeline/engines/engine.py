"""What an engine is: it starts workers, processes that stay and keep what they were begun with."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol


class Worker(Protocol):
    """A process somewhere that does one thing after the other, like a `ProcessPoolExecutor` of one process."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future:
        """Calls `function` there, now or once what was submitted before is done.

        The future raises what that raises. Where the worker is lost, it or `submit` raises `BrokenExecutor`.
        """


@dataclass(frozen=True)
class Team:
    """The workers that an engine has room for."""

    setups: Sequence[Any]
    """What each of them is to be begun with."""
    hire: Callable[[], Worker]
    """Starts one of them, also in the place of one that is lost; it may be a while until that answers."""


class Engine(Protocol):
    """Gives room for workers; none of them is left when the block ends, also by an exception."""

    def start(self, most: int) -> AbstractContextManager[Team]:
        """Room for at most `most` workers."""
