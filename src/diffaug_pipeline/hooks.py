"""What happens around every run: versions are pinned, a record is kept, the outcome is printed."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.run_environment import device_used, git_state, library_versions, machine

RUN_RECORD = "run_record"


class RunVersions:
    """Every dataset of a run reads and writes the run's own version; inputs made elsewhere keep one fixed version."""

    @hook_impl(tryfirst=True)
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Pins all versions before anything is loaded."""
        from diffaug_pipeline.datasets.artifact import VersionedArtifact

        run_id = run_params["run_id"]
        recorded = _load_record(catalog, run_id)
        made_here = pipeline.all_outputs()
        missing = []
        for name in sorted(pipeline.datasets()):
            dataset = catalog.get(name)
            if not isinstance(dataset, VersionedArtifact) or name in (run_params["load_versions"] or {}):
                continue
            if name in made_here or name == RUN_RECORD or dataset.has_version(run_id):
                dataset.pin(run_id)
            elif version := recorded.get("versions_read", {}).get(name):
                dataset.pin(version)
            elif versions := dataset.list_versions(full_path=False):
                dataset.pin(versions[0])
            else:
                missing.append(name)
        _withdraw_partial_outputs(pipeline, catalog, run_id)
        if missing:
            raise VersionError(
                f"no version exists of {', '.join(missing)}; run the pipeline that makes it first, "
                "e.g. `kedro run --pipelines classification`."
            )


class RunRecord:
    """Keeps the ledger: what ran, with which parameters, code and libraries, what it read and wrote, for how long."""

    def __init__(self) -> None:
        self._catalog: DataCatalog | None = None
        self._record: dict[str, Any] = {}
        self._node_started = 0.0
        self._save_started = 0.0

    @hook_impl
    def before_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Opens the record, or goes on with that of an interrupted run."""
        parameters = _as_written(catalog.load("parameters"))
        record = _load_record(catalog, run_params["run_id"])
        if record:
            _refuse_changes(record, parameters)
        self._catalog = catalog
        self._record = {
            "run_id": run_params["run_id"],
            "status": "running",
            "env": run_params["env"],
            "pipelines": run_params["pipeline_names"],
            "selection": {
                key: list(run_params[key] or [])
                for key in ("tags", "node_names", "from_nodes", "to_nodes", "from_inputs", "to_outputs", "namespaces")
            },
            "runtime_params": run_params["runtime_params"],
            "parameters": parameters,
            "code": git_state(Path(run_params["project_path"])),
            "libraries": library_versions(),
            "machine": machine(),
            "versions_read": record.get("versions_read", {}),
            "nodes": record.get("nodes", {}),
            "attempts": [*record.get("attempts", []), {"started": _now()}],
        }
        self._write()

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Starts the clock of a node; loading its inputs is not counted."""
        self._node_started = time.perf_counter()
        self._record["nodes"][node.name] = {"tags": sorted(node.tags), "seconds": 0.0, "outputs": {}}

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str) -> None:
        """Notes which version was read."""
        dataset = self._catalog.get(dataset_name) if self._catalog else None
        if hasattr(dataset, "resolve_load_version"):
            self._record["versions_read"][dataset_name] = dataset.resolve_load_version()

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
            **dataset.statistics,
        }
        self._write()

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Closes the record."""
        self._close("finished")

    @hook_impl
    def on_pipeline_error(self, error: Exception) -> None:
        """Closes the record of a run that failed."""
        self._close("failed", error=str(error)[:2_000])

    def _close(self, status: str, **details: str) -> None:
        if not self._record:
            return
        self._record["status"] = status
        self._record["attempts"][-1] |= {"finished": _now(), "status": status, **details}
        self._record["machine"]["device"] = device_used()
        self._write()

    def _write(self) -> None:
        self._catalog.get(RUN_RECORD).save(self._record)


class RunSummary:
    """Ends a run by saying how it went, in words a person wants to read."""

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog) -> None:
        """Prints verdicts, headline metrics and where the reports are."""
        lines = [f"run {run_params['run_id']}"]
        for name in sorted(pipeline.all_outputs()):
            if name.endswith(".comparison"):
                from diffaug_pipeline.evaluation.comparison import describe_comparison

                lines += describe_comparison(name.removesuffix(".comparison"), catalog.load(name))
        for name in sorted(pipeline.all_outputs()):
            if name.endswith(".report"):
                lines.append(f"report: {catalog.get(name).load_path}")
        click.echo("\n" + "\n".join(lines))

    @hook_impl(trylast=True)
    def on_pipeline_error(self, run_params: dict[str, Any]) -> None:
        """Says that nothing is lost."""
        click.echo(
            f"\nrun {run_params['run_id']} stopped; what is finished is kept. "
            f"Go on with: kedro run --resume {run_params['run_id']}\n",
            err=True,
        )


def _withdraw_partial_outputs(pipeline: Pipeline, catalog: DataCatalog, run_id: str) -> None:
    """A node that was cut off between two of its outputs runs again, so the finished one must make room."""
    for node in pipeline.nodes:
        outputs = [catalog.get(name) for name in node.outputs]
        finished = [dataset for dataset in outputs if dataset.has_version(run_id)]
        if len(finished) < len(outputs):
            for dataset in finished:
                dataset.withdraw()


def _load_record(catalog: DataCatalog, run_id: str) -> dict[str, Any]:
    dataset = catalog.get(RUN_RECORD)
    if not dataset.has_version(run_id):
        return {}
    dataset.pin(run_id)
    return dataset.load()


def _refuse_changes(record: dict[str, Any], parameters: dict[str, Any]) -> None:
    before, now = _flatten(record["parameters"]), _flatten(parameters)
    changed = [
        f"{key}: {before.get(key, 'absent')!r} then, {now.get(key, 'absent')!r} now"
        for key in sorted(before.keys() | now.keys())
        if before.get(key, "absent") != now.get(key, "absent")
    ]
    if changed:
        raise VersionError(
            f"run {record['run_id']} was begun with other parameters:\n  "
            + "\n  ".join(changed[:20])
            + "\nresume it with those, or start a new run."
        )


def _as_written(parameters: dict[str, Any]) -> dict[str, Any]:
    """Plain values again, where Kedro has put a validated block in the place of a dictionary."""
    return json.loads(json.dumps(parameters, default=lambda block: block.model_dump(mode="json")))


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {key: leaf for name in value for key, leaf in _flatten(value[name], f"{prefix}{name}.").items()}
    return {prefix.rstrip("."): value}


def _size_bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
