"""Workers on this machine."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from diffaug_pipeline.engines.engine import Team
from diffaug_pipeline.processes import worker_pools


@dataclass(frozen=True)
class LocalProcesses:
    """A process for each of the `setups`."""

    setups: Sequence[Any]

    @contextmanager
    def start(self, most: int) -> Iterator[Team]:
        """See `Engine`."""
        with ExitStack() as pools:
            yield Team(self.setups[:most], lambda: pools.enter_context(worker_pools(1, 1))[0])
