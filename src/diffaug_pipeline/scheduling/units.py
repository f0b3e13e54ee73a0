"""Schedules as lines of a crontab and as systemd units; each starts `kedro schedules run`."""

import shlex
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.project import Project
from diffaug_pipeline.resume import options_to_run_here
from diffaug_pipeline.scheduling.options import Schedule

UNTRACKED = "DO_NOT_TRACK=1"
"""Keeps kedro-telemetry silent; neither cron nor systemd has the shell's environment."""
PREFIX = "diffaug_pipeline"


def command_of(project: Project, name: str) -> list[str]:
    """The words that run schedule `name` now, wherever they are said."""
    here = " ".join(options_to_run_here(project.folder, project.env, project.conf_source, project.runtime_params))
    return [sys.executable, "-m", "kedro", "schedules", "run", name, *shlex.split(here)]


def crontab(project: Project, schedules: Mapping[str, Schedule], now: datetime) -> list[str]:
    """A line for each. Raises `ParameterError` naming those whose clock is not this machine's, which cron goes by."""
    if foreign := [
        f"{name} ({schedule.timezone})"
        for name, schedule in schedules.items()
        if not _is_clock_here(schedule.zone, now)
    ]:
        raise ParameterError(
            f"cron goes by the clock of this machine, which is not that of {', '.join(foreign)}; set the time zone of "
            "the machine there, or use systemd timers: kedro schedules systemd."
        )
    folder = shlex.quote(str(project.folder))
    return [
        f"{schedule.cron} {_whole_line(f'cd {folder} && {UNTRACKED} {shlex.join(command_of(project, name))}')}"
        for name, schedule in schedules.items()
    ]


def _whole_line(command: str) -> str:
    return command.replace("%", "\\%")  # a bare one would end it


def _is_clock_here(zone: ZoneInfo, now: datetime) -> bool:
    """Whether both show the same time all through the year that begins."""
    hours = (now + timedelta(hours=hour) for hour in range(0, 366 * 24, 6))
    return all(hour.astimezone().utcoffset() == hour.astimezone(zone).utcoffset() for hour in hours)


def write_units(project: Project, schedules: Mapping[str, Schedule], folder: Path) -> list[Path]:
    """Writes a service and a timer for each into `folder`; returns the timers."""
    folder.mkdir(parents=True, exist_ok=True)
    timers = []
    for name, schedule in schedules.items():
        unit = folder / "-".join(filter(None, (PREFIX, project.env, name)))
        unit.with_suffix(".service").write_text(_service(project, name))
        timers.append(unit.with_suffix(".timer"))
        timers[-1].write_text(_timer(name, schedule))
    return timers


def _service(project: Project, name: str) -> str:
    command = " ".join(map(_quoted, command_of(project, name)))
    return (
        f"[Unit]\nDescription=diffaug_pipeline: {name}\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={str(project.folder).replace('%', '%%')}\n"
        f"Environment={UNTRACKED}\nExecStart={command}\n"
    )


def _timer(name: str, schedule: Schedule) -> str:
    events = "".join(f"OnCalendar={event}\n" for event in schedule.when.calendar_events(schedule.timezone))
    return (
        f"[Unit]\nDescription=diffaug_pipeline: {name}, {schedule.cron}\n\n"
        f"[Timer]\n{events}AccuracySec=1s\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _quoted(word: str) -> str:
    """For `ExecStart=`, where `%` and `$` stand for something."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if word.isprintable() and not set(word) & set(" '\"\\;") else f'"{escaped}"'
