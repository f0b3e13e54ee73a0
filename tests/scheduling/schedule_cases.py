"""Projects with schedules of their own."""

import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from diffaug_pipeline.scheduling.location import define_location

PROJECT = Path(__file__).parents[2]


def block(**changes: Any) -> dict[str, Any]:
    """A schedule as YAML says it."""
    return {
        "cron": "* * * * *",
        "timezone": "UTC",
        "pipelines": ["strength_study"],
        "parameters": {},
        "retries": 0,
        "retry_after_minutes": 0,
    } | changes


def write_conf(folder: Path, **schedules: dict[str, Any]) -> Path:
    """The project's configuration, with `schedules` for those of the smoke environment."""
    shutil.copytree(PROJECT / "conf", folder, ignore=shutil.ignore_patterns("local"))
    (folder / "smoke" / "schedules.yml").write_text(yaml.safe_dump({"schedules": schedules}, sort_keys=False))
    return folder


def define(conf_source: str, data_root: str) -> dg.Definitions:
    """The smoke environment as Dagster sees it, all in one process."""
    return define_location(
        str(PROJECT), "smoke", conf_source, {"data_root": data_root}, executor=dg.in_process_executor
    )


def define_job(conf_source: str, data_root: str, name: str) -> dg.JobDefinition:
    """One of its jobs."""
    return define(conf_source, data_root).resolve_job_def(name)
