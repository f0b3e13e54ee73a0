"""Handlers with the troubles that real ones have; in a module that worker processes can import."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Squares:
    """Squares numbers, and ends each piece only when the next one begins."""

    setup: str
    begun: dict[int, tuple[int, int]] | None = None

    def __call__(self, number: int, value: int) -> dict[int, tuple[int, int]]:
        before = self.finish()
        self.begun = {number: (value**2, os.getpid())}
        return before

    def finish(self) -> dict[int, tuple[int, int]]:
        begun, self.begun = self.begun or {}, None
        return begun


class Sociable(Squares):
    """Squares nothing before another worker has work, too, whose sign appears in the folder both are begun with."""

    def __call__(self, number: int, value: int) -> dict[int, tuple[int, int]]:
        (Path(self.setup) / str(os.getpid())).touch()
        deadline = time.monotonic() + 60
        while len(list(Path(self.setup).iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        return super().__call__(number, value)


class Mortal(Squares):
    """Its process is killed by 3, as often as the folder that it is begun with has files left."""

    def __call__(self, number: int, value: int) -> dict[int, tuple[int, int]]:
        left = sorted(Path(self.setup).iterdir())
        if value == 3 and left:
            left[0].unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(number, value)


class SlowlyMortal(Mortal):
    """Is busy with 3 for longer than others with the rest."""

    def __call__(self, number: int, value: int) -> dict[int, tuple[int, int]]:
        if value == 3:
            time.sleep(2)
        return super().__call__(number, value)


class Failing(Squares):
    """Cannot square 3."""

    def __call__(self, number: int, value: int) -> dict[int, tuple[int, int]]:
        if value == 3:
            raise ArithmeticError("too hard")
        return super().__call__(number, value)


class Stillborn(Squares):
    """Its process is killed before it begins."""

    def __init__(self, setup: str):
        super().__init__(setup)
        os.kill(os.getpid(), signal.SIGKILL)
