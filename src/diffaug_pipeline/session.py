"""One version id for everything a run writes, across processes; the same id again goes on where it stopped."""

from contextlib import chdir
from contextvars import ContextVar
from typing import Any

from kedro.framework.session import KedroServiceSession
from kedro.io.core import generate_timestamp
from kedro.runner import SequentialRunner

from diffaug_pipeline.errors import ParameterError, VersionError

RUN_RECORD = "run_record"
"""The ledger's name in the catalog."""

requested_run_id: ContextVar[str | None] = ContextVar("requested_run_id", default=None)
"""Set by the command line, whose `run` cannot pass it through Kedro's own."""


class RunSession(KedroServiceSession):
    """Kedro's session, with the run id chosen by the caller; outputs that exist under it are not made again.

    `hooks.RunLedger` pins what a run writes to its id, so "exists" means "exists in this run". Relative paths are
    relative to the project folder, wherever the command was given.
    """

    def run(self, run_id: str | None = None, only_missing_outputs: bool = False, **options: Any) -> dict[str, Any]:
        """Kedro's `run`, under the id given here, on the command line, or else the time."""
        if only_missing_outputs:
            raise VersionError(
                "--only-missing-outputs would mix versions of different runs; "
                "use --resume <run id> to finish an interrupted run."
            )
        runner = options.get("runner")
        if runner is not None and (not isinstance(runner, SequentialRunner) or runner._is_async):
            raise ParameterError(
                f"{type(runner).__name__}{' with --async' if runner._is_async else ''} would work on several nodes at "
                "once, which the ledger cannot follow; leave it out: heavy nodes use all cores by themselves."
            )
        chosen = run_id or requested_run_id.get() or generate_timestamp()
        with chdir(self._project_path):
            try:
                return super().run(run_id=chosen, only_missing_outputs=True, **options)
            except KeyboardInterrupt as interruption:
                # Kedro tells its hooks of exceptions only, which an interruption from the keyboard is not.
                self._hook_manager.hook.on_pipeline_error(
                    error=interruption, run_params={"run_id": chosen}, pipeline=None, catalog=None
                )
                raise
