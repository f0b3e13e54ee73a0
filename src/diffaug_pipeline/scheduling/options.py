"""Schedules as `conf/<env>/schedules.yml` says them."""

import re
from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, ValidationInfo, field_validator

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.options import Options
from diffaug_pipeline.scheduling.cron import Cron

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
"""Names of runs, units and Dagster's jobs are made of it."""


class Schedule(Options):
    """What runs when."""

    cron: str
    """Minute, hour, day of the month, month, day of the week: `30 2 * * *` is half past two every night."""
    timezone: str
    """Whose clock it is, e.g. `Europe/Berlin`, or `UTC`."""
    pipelines: list[str] = Field(min_length=1)
    """As for `kedro run --pipelines`; `__default__` is the main job."""
    parameters: dict[str, Any]
    """Values that differ from those of the environment, nested as there."""
    retries: int = Field(ge=0, le=20)
    """How often a run that failed is gone on with."""
    retry_after_minutes: float = Field(ge=0)
    """Time before each."""

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, expression: str) -> str:
        Cron.read(expression)
        return expression

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, OSError, ValueError) as error:
            raise ValueError(f"there is no time zone {name!r}; it is a name such as Europe/Berlin, or UTC") from error
        return name

    @field_validator("pipelines")
    @classmethod
    def _exist(cls, names: list[str], info: ValidationInfo) -> list[str]:
        if unknown := sorted(set(names) - set(info.context)):
            raise ValueError(f"there is no pipeline {', '.join(unknown)}; there are {', '.join(sorted(info.context))}")
        return names

    @field_validator("parameters")
    @classmethod
    def _stay_in_the_data_folder(cls, parameters: dict[str, Any]) -> dict[str, Any]:
        if "data_root" in parameters:
            raise ValueError("data_root is that of the environment, where its history is; set it in globals.yml")
        return parameters

    @property
    def when(self) -> Cron:
        """The expression, read."""
        return Cron.read(self.cron)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone, loaded."""
        return ZoneInfo(self.timezone)


def read_schedules(document: Mapping[str, Any], pipelines: Collection[str]) -> dict[str, Schedule]:
    """Schedules by name; `pipelines` are the names of those there are.

    Raises `ParameterError` naming everything that is wrong.
    """
    schedules, problems = {}, [f"{key}: unknown; the only key is schedules" for key in document if key != "schedules"]
    for name, block in (document.get("schedules") or {}).items():
        if not NAME.fullmatch(str(name)):
            problems.append(f"{name}: a name is letters, digits and underscores, beginning with a letter")
        try:
            schedules[name] = Schedule.model_validate(block, context=pipelines)
        except ValidationError as error:
            problems += [_sentence(name, detail) for detail in error.errors()]
    if problems:
        raise ParameterError("schedules.yml cannot be used:\n  " + "\n  ".join(problems))
    return schedules


def _sentence(name: str, detail: Mapping[str, Any]) -> str:
    return f"{'.'.join(map(str, (name, *detail['loc'])))}: {detail['msg'].removeprefix('Value error, ')}"
