"""Finds the run to resume, repeats the choices it was begun with, and refuses to mix it with anything else."""

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.framework.project import settings
from omegaconf import OmegaConf

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.session import RUN_RECORD

LAST = "last"
WITHOUT_EFFECT_ON_RESULTS = ("data_root", "download_folder", "engine", "gallery_images", "overrides", "workers")
"""Parameters that may differ when a run is resumed; what the file of overrides said is an artifact of the run."""
MOST_NAMED = 20


def options_of_run(wanted: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The run id and the options of `kedro run`, completed from the record of run `wanted`.

    Options given on the command line win; parameters that then differ from the record are refused when the run starts.
    """
    record = _read_record(wanted, options)
    completed = options | {key: options[key] or record[key] for key in ("env", "conf_source")}
    if not options["pipelines"] and not options["pipeline"]:
        completed["pipelines"] = record["pipelines"]
    for key, values in record["selection"].items():
        if not options[key]:
            completed[key] = values
    completed["params"] = OmegaConf.to_container(OmegaConf.merge(record["runtime_params"], options["params"] or {}))
    return record["run_id"], completed


def refuse_changes(
    record: dict[str, Any], parameters: dict[str, Any], code: dict[str, str], libraries: dict[str, str | None]
) -> None:
    """Raises `VersionError` naming what differs from what the run of `record` was begun with."""
    from diffaug_pipeline.history.differences import ABSENT, differing_parameters

    how = {(True, False): "is new", (False, True): "is gone", (False, False): "has changed"}
    begun = record["attempts"][0]
    differing = {
        "parameters": [
            f"{name}: {then!r} then, {now!r} now"
            for name, then, now in differing_parameters(record["parameters"], parameters)
            if name.split(".")[-1] not in WITHOUT_EFFECT_ON_RESULTS
        ],
        f"code (commit {begun['code']['commit'] or 'unknown'})": [
            f"{name} {how[then == ABSENT, now == ABSENT]}"
            for name, then, now in differing_parameters(record.get("code_digests", {}), code)
        ],
        "libraries": [
            f"{name}: {then} then, {now} now" for name, then, now in differing_parameters(begun["libraries"], libraries)
        ],
    }
    if any(differing.values()):
        raise VersionError(
            "\n".join(
                f"run {record['run_id']} was begun with other {what}:\n  " + "\n  ".join(shortened(sentences))
                for what, sentences in differing.items()
                if sentences
            )
            + "\nresume it with those, or start a new run, which reuses its images."
        )


def shortened(sentences: Sequence[str]) -> list[str]:
    """The first of them, and how many more there are."""
    further = len(sentences) - MOST_NAMED
    return [*sentences[:MOST_NAMED], *([f"and {further} more"] if further > 0 else [])]


def resume_command(project: Path, record: dict[str, Any]) -> str:
    """What finishes the run of `record`, typed in `project`."""
    found_by = data_root_of(record["runtime_params"])
    here = options_to_run_here(project, record["env"], Path(record["conf_source"]), found_by)
    return " ".join(["kedro run --resume", record["run_id"], *here])


def data_root_of(runtime_params: dict[str, Any]) -> dict[str, Any]:
    """Those parameters by which a run is found; its record knows the others."""
    return {name: value for name, value in runtime_params.items() if name == "data_root"}


def options_to_run_here(project: Path, env: str | None, conf_source: Path, runtime_params: dict[str, Any]) -> list[str]:
    """Words by which another `kedro` command in `project` takes the same configuration."""
    from diffaug_pipeline.history.differences import flatten

    words = []
    if env not in (None, settings.CONFIG_LOADER_ARGS["default_run_env"]):
        words += ["--env", env]
    if conf_source != project / settings.CONF_SOURCE:
        words += ["--conf-source", shlex.quote(str(conf_source))]
    if runtime_params:
        values = flatten(runtime_params).items()
        words += ["--params", shlex.quote(",".join(f"{name}={_as_typed(value)}" for name, value in values))]
    return words


def _as_typed(value: Any) -> str:
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _read_record(wanted: str, options: dict[str, Any]) -> dict[str, Any]:
    with settings.SESSION_CLASS.create(env=options["env"], conf_source=options["conf_source"]) as session:
        records = session.load_context(runtime_params=options["params"]).catalog.get(RUN_RECORD)
    known = records.list_versions(full_path=False)
    if not known:
        raise VersionError(
            "no run has been recorded yet, so none can be resumed; the data folder is chosen by --env and globals.yml."
        )
    run_id = known[0] if wanted == LAST else wanted
    if run_id not in known:
        raise VersionError(f"no run {run_id!r} is recorded; the latest are {', '.join(known[:5])}.")
    return records.read(run_id)
