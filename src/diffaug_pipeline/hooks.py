"""What happens around every run: versions are settled, a record is kept, the outcome is printed."""

import json
import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.history.runs import STUDIES
from diffaug_pipeline.logs import unfold_logs
from diffaug_pipeline.resume import refuse_changes, resume_command
from diffaug_pipeline.run_environment import (
    code_digests,
    describe_changed_attempts,
    device_used,
    git_state,
    library_versions,
    machine,
)
from diffaug_pipeline.session import RUN_RECORD

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext

    from diffaug_pipeline.datasets.locking import Lock

logger = logging.getLogger(__name__)


class RunLedger:
    """Settles which versions a run reads and writes, lets one process at a time run an id, and keeps the run's record.

    The record says what ran, with which parameters, code and libraries, what it read and wrote, and for how long.
    """

    def __init__(self) -> None:
        self._catalog: DataCatalog | None = None
        self._lock: Lock | None = None
        self._conf_source = ""
        self._record: dict[str, Any] = {}
        self._places: dict[str, int] = {}
        self._node_started = 0.0
        self._save_started = 0.0

    @hook_impl
    def after_context_created(self, context: "KedroContext") -> None:
        """Notes where the configuration comes from."""
        unfold_logs()
        self._conf_source = str(context.config_loader.conf_source)

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Opens the record, or goes on with that of an interrupted run; nothing changes on disk before all checks."""
        from diffaug_pipeline.run_checks import check_choices, check_generators

        self._record = {}
        lock = catalog.get(RUN_RECORD).lock(run_params["run_id"])
        check_choices(pipeline, catalog)
        check_generators(pipeline, catalog, run_params["run_id"])
        lock.acquire(f"run {run_params['run_id']} is being run")
        try:
            with catalog.get(RUN_RECORD).settling():
                self._begin(run_params, pipeline, catalog)
        except BaseException:
            lock.release()
            raise
        self._lock = lock

    def _begin(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        from diffaug_pipeline.lineage import choose_versions, outdate_followers, refuse_changed_inputs

        run_id, records = run_params["run_id"], catalog.get(RUN_RECORD)
        parameters = _as_written(catalog.load("parameters"))
        code, libraries = code_digests(), library_versions()
        earlier = records.read(run_id) if records.has_version(run_id) else {}
        if "pruned" in earlier:
            raise VersionError(f"run {run_id} was pruned on {earlier['pruned']}; start a new one under another id.")
        goes_on = any(node["outputs"] for node in earlier.get("nodes", {}).values())
        if goes_on:
            refuse_changes(earlier, parameters, code, libraries)
        read_before = earlier.get("versions_read", {})
        versions = choose_versions(pipeline, catalog, run_id, run_params["load_versions"], read_before)
        for name, version in versions.items():
            catalog.get(name).pin(version)
        if goes_on:
            refuse_changed_inputs(pipeline, catalog)
        outdate_followers(pipeline, catalog, run_id)
        self._catalog = catalog
        self._places = {node.name: place for place, node in enumerate(pipeline.nodes, start=1)}
        attempt = {
            "started": _now(),
            "code": git_state(Path(run_params["project_path"])),
            "libraries": libraries,
            "machine": machine(),
        }
        self._record = {
            "run_id": run_id,
            "status": "running",
            "env": run_params["env"],
            "conf_source": self._conf_source,
            "pipelines": run_params["pipeline_names"],
            "selection": {
                key: list(run_params[key] or [])
                for key in ("tags", "node_names", "from_nodes", "to_nodes", "from_inputs", "to_outputs", "namespaces")
            },
            "runtime_params": run_params["runtime_params"],
            "parameters": parameters,
            "code_digests": code,
            "versions_read": read_before | _versions_read(pipeline, catalog, versions),
            "nodes": earlier.get("nodes", {}),
            "attempts": [*earlier.get("attempts", []), attempt],
        }
        for difference in describe_changed_attempts(self._record):
            logger.warning(difference)
        self._write()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Starts the clock of a node; loading its inputs is not counted."""
        logger.info("node %d of %d: %s", self._places[node.name], len(self._places), node.name)
        self._node_started = time.perf_counter()
        self._record["nodes"][node.name] = {"tags": sorted(node.tags), "seconds": 0.0, "outputs": {}}

    @hook_impl
    def before_dataset_saved(self) -> None:
        """Starts the clock of a save: lazy outputs do their work there."""
        self._save_started = time.perf_counter()

    @hook_impl
    def after_dataset_saved(self, dataset_name: str, node: Node) -> None:
        """Books the node's time so far and the size of what it wrote."""
        dataset = self._catalog.get(dataset_name)
        entry = self._record["nodes"][node.name]
        entry["seconds"] = round(time.perf_counter() - self._node_started, 3)
        entry["outputs"][dataset_name] = {
            "version": dataset.save_version,
            "seconds": round(time.perf_counter() - self._save_started, 3),
            "bytes": _size_bytes(dataset.load_path),
            "sha256": dataset.digest,
            **dataset.statistics,
        }
        self._write()

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Closes the record; where the runner was given a part of the pipeline, the rest is left to be gone on with."""
        self._close("finished" if all(catalog.get(name).exists() for name in pipeline.all_outputs()) else "interrupted")

    @hook_impl
    def on_pipeline_error(self, error: BaseException) -> None:
        """Closes the record of a run that failed or was stopped from the keyboard, and says how to go on."""
        if not self._record:
            return
        command = resume_command(Path.cwd(), self._record)
        status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
        click.echo(
            "\nThe run stopped; what is finished is kept, and a new run with other parameters reuses its images. "
            f"Go on with these: {command}\n",
            err=True,
        )
        self._close(status, error=str(error)[:2_000])

    def _close(self, status: str, **details: str) -> None:
        self._record["status"] = status
        attempt = self._record["attempts"][-1]
        attempt |= {"finished": _now(), "status": status, **details}
        attempt["machine"]["device"] = device_used()
        try:
            self._write()
        finally:  # a full disk may not hold it
            self._lock.release()
            self._record, self._lock, self._catalog = {}, None, None

    def _write(self) -> None:
        self._catalog.get(RUN_RECORD).save(self._record)


class RunSummary:
    """Ends a run by saying how it went, in words a person wants to read."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Prints verdicts, headline metrics, what studies found, where the reports are, and what took how long."""
        from diffaug_pipeline.history.tables import describe_time

        lines = [f"run {run_params['run_id']}"]
        made = [name for name in sorted(pipeline.all_outputs()) if catalog.get(name).exists()]
        for name in made:
            task, _, result = name.rpartition(".")
            if result == "comparison" or result in STUDIES:
                lines += _in_words(task, result, catalog.load(name))
        for name in made:
            for ending, what in ((".exported_dataset", "dataset"), (".report", "report")):
                if name.endswith(ending):
                    lines.append(f"{what}: {catalog.get(name).load_path}")
        lines.append(describe_time(catalog.get(RUN_RECORD).read(run_params["run_id"])))
        click.echo("\n" + "\n".join(lines))


def _in_words(task: str, result: str, document: dict[str, Any]) -> list[str]:
    if result == "comparison":
        from diffaug_pipeline.evaluation.comparison import describe_comparison

        return describe_comparison(task, document)
    from diffaug_pipeline.history.findings import describe_study

    return [f"{task}: {describe_study(result, document)}"]


def _versions_read(pipeline: Pipeline, catalog: DataCatalog, versions: dict[str, str]) -> dict[str, str]:
    read = ({name for node in pipeline.nodes for name in node.inputs} & versions.keys()) - {RUN_RECORD}
    optional = {name for name in read - pipeline.all_outputs() if catalog.get(name).is_optional}
    return {name: versions[name] for name in sorted(read) if name not in optional or catalog.get(name).exists()}


def _as_written(parameters: dict[str, Any]) -> dict[str, Any]:
    """Plain values again, where Kedro has put a validated block in the place of a dictionary."""
    return json.loads(json.dumps(parameters, default=lambda block: block.model_dump(mode="json")))


def _size_bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
