"""Shares pieces of work out: whichever worker is free takes the next one, and what a lost one had is done by others."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, field
from pathlib import Path
from socket import gethostname
from typing import Any, Protocol

from diffaug_pipeline.engines.engine import Engine, Team, Worker
from diffaug_pipeline.errors import WorkerError

logger = logging.getLogger(__name__)

AT_HAND = 2
"""Pieces that a worker is given at a time, so that it never waits for the next one."""
MOST_LOSSES = 3
"""Workers that may be lost over one piece, or per place before they have begun."""
SECONDS_BETWEEN_REMARKS = 60

Finished = dict[int, Any]
"""Results by the number of the piece."""


class Handler(Protocol):
    """Does the work inside a worker; may end a piece while it begins with the next one."""

    def __call__(self, number: int, *arguments: Any) -> Finished:
        """Begins with a piece; returns what has been finished."""

    def finish(self) -> Finished:
        """Returns what was begun and not returned yet."""


@dataclass(frozen=True)
class Work:
    """What is to be done; `begin` and the arguments have to be picklable."""

    description: str
    pieces: Sequence[int]
    """Their numbers."""
    begin: Callable[[Any], Handler]
    """Called once in each worker with its setup."""
    arguments: Callable[[int], tuple]
    """What the handler is given with the number of a piece."""
    take: Callable[[int, Any], None]
    """Called here with number and result, in the order in which pieces are finished."""


def share_out(work: Work, engine: Engine) -> None:
    """Has all pieces done.

    The first error that a handler raises is raised here once the pieces that others have at hand are finished. Raises
    `WorkerError` if workers are lost over the same piece again and again, or before they begin.
    """
    with engine.start(len(work.pieces)) as team:
        _Sharing(work, team).run()


def check_in_sight(path: Path) -> None:
    """Raises `WorkerError` where this machine does not see a path that another one named."""
    if not path.exists():
        raise WorkerError(
            f"{gethostname()} does not see {path}. All machines of a cluster need the data folder and the pictures in "
            "the same place: mount shared storage on each, or set engine: local."
        )


@dataclass(eq=False)
class _Hired:
    """A worker and what it is about."""

    setup: Any
    worker: Worker
    is_begun: bool = False
    calls: int = 0
    pieces: set[int] = field(default_factory=set)
    """Given, and not known to be finished."""


class _Sharing:
    def __init__(self, work: Work, team: Team):
        self._work, self._team = work, team
        self._waiting = deque(work.pieces)
        self._hired: list[_Hired] = []
        self._calls: dict[Future, tuple[_Hired, Callable[..., Finished], int | None]] = {}
        self._losses: Counter[int] = Counter()
        self._lost_unbegun = 0
        self._failures: list[BaseException] = []

    def run(self) -> None:
        for setup in self._team.setups:
            self._hire(setup)
        while self._waiting or any(hired.pieces for hired in self._hired):
            done = wait(self._calls, SECONDS_BETWEEN_REMARKS, FIRST_COMPLETED).done
            if not done and not any(hired.is_begun for hired in self._hired):
                logger.info("%s: no worker has started yet; waiting for one.", self._work.description)
            for call in done & self._calls.keys():
                if call in self._calls:  # the loss of a worker ends all its calls
                    self._receive(call)
        if self._failures:
            raise self._failures[0]

    def _hire(self, setup: Any) -> None:
        hired = _Hired(setup, self._team.hire())
        self._hired.append(hired)
        self._call(hired, _begin, None, self._work.begin, setup)

    def _call(self, hired: _Hired, function: Callable[..., Finished], number: int | None, *arguments: Any) -> None:
        hired.calls += 1
        self._calls[hired.worker.submit(function, *arguments)] = hired, function, number

    def _receive(self, call: Future) -> None:
        hired, function, number = self._calls.pop(call)
        hired.calls -= 1
        error = call.exception()
        if isinstance(error, BrokenExecutor):
            self._replace(hired, error)
            return
        if error is None:
            hired.is_begun, self._lost_unbegun = True, 0
            for finished, result in call.result().items():
                hired.pieces.remove(finished)
                self._work.take(finished, result)
        else:
            hired.pieces.discard(number)
            self._fail(error)
        if function is _finish:
            hired.pieces.clear()
        self._keep_busy(hired)

    def _keep_busy(self, hired: _Hired) -> None:
        if not hired.is_begun or hired not in self._hired:
            return
        try:
            while self._waiting and self._can_take_next(hired):
                number = self._waiting.popleft()
                hired.pieces.add(number)
                self._call(hired, _do, number, number, *self._work.arguments(number))
            if hired.pieces and not hired.calls:
                self._call(hired, _finish, None)
        except BrokenExecutor as error:
            self._replace(hired, error)

    def _can_take_next(self, hired: _Hired) -> bool:
        """Whether it is time for it; a piece that has cost a worker is done alone, lest others share the blame."""
        if any(self._losses[number] for number in (*hired.pieces, self._waiting[0])):
            return not hired.pieces
        return hired.calls < AT_HAND

    def _replace(self, hired: _Hired, error: BrokenExecutor) -> None:
        """Puts a fresh worker in the place of a lost one, whose pieces are done last: one of them may be to blame."""
        self._hired.remove(hired)
        self._calls = {call: told for call, told in self._calls.items() if told[0] is not hired}
        if self._failures:
            return
        self._losses.update(hired.pieces)
        self._lost_unbegun += not hired.is_begun
        if self._is_hopeless(hired):
            self._fail(_give_up(self._work.description, error))
            return
        self._waiting.extend(sorted(hired.pieces))
        logger.warning(
            "A worker process was killed; its images are made by another. %s: %d pieces of work to go.",
            self._work.description,
            len(self._waiting) + sum(len(other.pieces) for other in self._hired),
        )
        self._hire(hired.setup)
        for other in tuple(self._hired):  # one that is idle would not be asked again
            self._keep_busy(other)

    def _is_hopeless(self, lost: _Hired) -> bool:
        over_one_piece = max((self._losses[number] for number in lost.pieces), default=0)
        return over_one_piece >= MOST_LOSSES or self._lost_unbegun >= MOST_LOSSES * len(self._team.setups)

    def _fail(self, error: BaseException) -> None:
        self._failures.append(error)
        self._waiting.clear()


def _give_up(description: str, error: BrokenExecutor) -> WorkerError:
    hopeless = WorkerError(
        f"{description}: workers are killed before they finish anything; most likely memory runs out. Lower workers or "
        "batch_size and resume the run."
    )
    hopeless.__cause__ = error
    return hopeless


_held: dict[str, Handler] = {}
"""What a worker process was begun with; empty in others."""


def _begin(begin: Callable[[Any], Handler], setup: Any) -> Finished:
    _held["handler"] = begin(setup)
    return {}


def _do(number: int, *arguments: Any) -> Finished:
    return _held["handler"](number, *arguments)


def _finish() -> Finished:
    return _held["handler"].finish()
