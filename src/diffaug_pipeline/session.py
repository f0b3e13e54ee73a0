"""One version id for everything a run writes, across processes; the same id again goes on where it stopped."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from kedro.framework.session import KedroServiceSession
from kedro.io.core import generate_timestamp

from diffaug_pipeline.errors import VersionError


@dataclass(frozen=True)
class RunRequest:
    """What the command line says beyond Kedro's own options."""

    run_id: str | None = None
    resume: bool = False


requested_run: ContextVar[RunRequest] = ContextVar("requested_run", default=RunRequest())  # noqa: B039 (frozen)


class RunSession(KedroServiceSession):
    """Kedro's session, with the run id chosen by the caller; outputs that exist under it are not made again.

    `hooks.RunVersions` pins what a run writes to its id, so "exists" means "exists in this run".
    """

    def run(self, run_id: str | None = None, only_missing_outputs: bool = False, **options: Any) -> dict[str, Any]:
        if only_missing_outputs:
            raise VersionError(
                "--only-missing-outputs would mix versions of different runs; "
                "use --resume <run id> to finish an interrupted run."
            )
        chosen = run_id or requested_run.get().run_id or generate_timestamp()
        return super().run(run_id=chosen, only_missing_outputs=True, **options)
