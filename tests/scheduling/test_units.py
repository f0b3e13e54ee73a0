import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kedro.framework.startup import bootstrap_project
from scheduling.schedule_cases import block, write_conf

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.project import Project
from diffaug_pipeline.scheduling.options import Schedule
from diffaug_pipeline.scheduling.units import command_of, crontab, write_units

NOW = datetime(2026, 11, 25, tzinfo=UTC)
LIKE_BERLIN = "Europe/Paris"


def schedule(**changes) -> Schedule:
    return Schedule.model_validate(block(**changes), context=["strength_study"])


@pytest.fixture
def opened(project, tmp_path) -> Project:
    """Its configuration and data lie where every character that means something stands in the path."""
    bootstrap_project(project)
    folder = tmp_path / 'it\'s 100% $HOME; "odd"'
    return Project("smoke", str(write_conf(folder / "conf")), {"data_root": str(folder / "data")})


def test_the_shell_takes_a_line_of_a_crontab_as_it_is_meant(opened, tmp_path):
    (line,) = crontab(opened, {"nightly": schedule(cron="30 2 * * 1-5")}, NOW)
    assert line.startswith("30 2 * * 1-5 cd ")
    command = line.removeprefix("30 2 * * 1-5 ")
    assert "%" not in command.replace(r"\%", "")
    words, variable = tmp_path / "words", tmp_path / "variable"
    python = command_of(opened, "nightly")[0]
    stand_in = tmp_path / "python"
    stand_in.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{words}"; echo "$DO_NOT_TRACK" > "{variable}"\n')
    stand_in.chmod(0o700)
    # cron turns \% into % before the shell sees it.
    shell = ["sh", "-c", command.replace(r"\%", "%").replace(python, str(stand_in))]
    subprocess.run(shell, check=True, cwd="/", env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    assert words.read_text().splitlines() == command_of(opened, "nightly")[1:]
    assert command_of(opened, "nightly")[1:6] == ["-m", "kedro", "schedules", "run", "nightly"]
    assert variable.read_text() == "1\n"


def test_cron_is_refused_where_the_clock_is_another_one(opened, monkeypatch):
    import time

    schedules = {"here": schedule(timezone="Europe/Berlin"), "far": schedule(timezone="Asia/Tokyo")}
    monkeypatch.setenv("TZ", LIKE_BERLIN)
    time.tzset()
    try:
        assert len(crontab(opened, {"here": schedules["here"]}, NOW)) == 1
        with pytest.raises(ParameterError, match=r"is not that of far \(Asia/Tokyo\); set .* systemd"):
            crontab(opened, schedules, NOW)
        with pytest.raises(ParameterError, match=r"utc \(UTC\)"):
            crontab(opened, {"utc": schedule()}, NOW)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_units_say_when_and_what(opened, tmp_path):
    (timer,) = write_units(
        opened, {"nightly": schedule(cron="0 4 1 * fri", timezone="Europe/Berlin")}, tmp_path / "new"
    )
    assert timer.name == "diffaug_pipeline-smoke-nightly.timer"
    assert [line for line in timer.read_text().splitlines() if line.startswith("OnCalendar=")] == [
        "OnCalendar=*-*-01 04:00:00 Europe/Berlin",
        "OnCalendar=Fri *-*-* 04:00:00 Europe/Berlin",
    ]
    service = timer.with_suffix(".service").read_text()
    assert "Environment=DO_NOT_TRACK=1\n" in service
    assert '-m kedro schedules run nightly --env smoke --conf-source "' in service
    assert "100%% $$HOME" in service


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_units(opened, tmp_path):
    (timer,) = write_units(opened, {"nightly": schedule(cron="*/30 2 * * 1-5")}, tmp_path / "units")
    verify = ["systemd-analyze", "verify", "--man=no", str(timer), str(timer.with_suffix(".service"))]
    assert _complaints(verify) == ""
    timer.write_text(timer.read_text().replace("OnCalendar=", "OnCalendar=never "))
    assert "Failed to parse calendar specification" in _complaints(verify)


def _complaints(verify: list[str]) -> str:
    done = subprocess.run(verify, capture_output=True, text=True, check=False)
    return "".join(line for line in done.stderr.splitlines(True) if Path(verify[-1]).stem in line)
