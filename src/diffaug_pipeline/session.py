"""One version id for everything a run writes, across processes; the same id again goes on where it stopped."""

from contextvars import ContextVar
from typing import Any

from kedro.framework.session import KedroServiceSession
from kedro.io.core import generate_timestamp

from diffaug_pipeline.errors import VersionError

requested_run_id: ContextVar[str | None] = ContextVar("requested_run_id", default=None)
"""Set by the command line, whose `run` cannot pass it through Kedro's own."""


class RunSession(KedroServiceSession):
    """Kedro's session, with the run id chosen by the caller; outputs that exist under it are not made again.

    `hooks.RunVersions` pins what a run writes to its id, so "exists" means "exists in this run".
    """

    def run(self, run_id: str | None = None, only_missing_outputs: bool = False, **options: Any) -> dict[str, Any]:
        """Kedro's `run`, under the id given here, on the command line, or else the time."""
        if only_missing_outputs:
            raise VersionError(
                "--only-missing-outputs would mix versions of different runs; "
                "use --resume <run id> to finish an interrupted run."
            )
        chosen = run_id or requested_run_id.get() or generate_timestamp()
        return super().run(run_id=chosen, only_missing_outputs=True, **options)
