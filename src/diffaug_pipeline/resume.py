"""Finds the run to resume and repeats the choices it was begun with."""

import shlex
from pathlib import Path
from typing import Any

from kedro.framework.project import settings
from omegaconf import OmegaConf

from diffaug_pipeline.errors import VersionError
from diffaug_pipeline.session import RUN_RECORD

LAST = "last"


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


def options_to_run_here(project: Path, env: str | None, conf_source: Path, data_root: str | None) -> list[str]:
    """Words by which another `kedro` command in `project` takes the same configuration and data folder."""
    words = []
    if env not in (None, settings.CONFIG_LOADER_ARGS["default_run_env"]):
        words += ["--env", env]
    if conf_source != project / settings.CONF_SOURCE:
        words += ["--conf-source", shlex.quote(str(conf_source))]
    if data_root:
        words += ["--params", shlex.quote(f"data_root={data_root}")]
    return words


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
