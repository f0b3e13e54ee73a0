import shutil
import subprocess
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from diffaug_pipeline.errors import ParameterError
from diffaug_pipeline.scheduling.cron import FIELDS, Cron

NOW = datetime(2026, 11, 25, 14, 0, 30, tzinfo=UTC)
EXPRESSIONS = (
    "* * * * *",
    "30 2 * * *",
    "*/20 8-17/3 * * mon-fri",
    "0 0 29 feb *",
    "5,35 4 1,15 * sun",
    "0 12 * jan-mar/2 7",
    "59 23 31 * *",
)


def next_times(expression: str, zone: str, count: int = 6) -> list[datetime]:
    return list(islice(Cron.read(expression).times(NOW, ZoneInfo(zone)), count))


def dagsters_times(expression: str, zone: str, count: int = 6) -> list[datetime]:
    times = schedule_execution_time_iterator(NOW.timestamp(), expression, zone, ascending=True)
    return [moment for moment in islice(times, count + 1) if moment > NOW][:count]


def random_field(field, rng: np.random.Generator) -> str:
    highest = min(field.highest, 28)
    low, high = sorted(rng.choice(np.arange(field.lowest, highest), 2, replace=False).tolist())
    return str(rng.choice(["*", f"*/{rng.integers(2, 9)}", f"{low}", f"{low}-{high}", f"{low}-{high}/2,{highest}"]))


@pytest.mark.parametrize("expression", EXPRESSIONS)
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
def test_times_are_those_of_dagster(expression, zone):
    assert next_times(expression, zone) == dagsters_times(expression, zone)


def test_times_of_random_expressions_are_those_of_dagster():
    rng, read = np.random.default_rng(0), 0
    for _ in range(300):
        expression = " ".join(random_field(field, rng) for field in FIELDS)
        try:
            Cron.read(expression)
        except ParameterError:
            continue
        read += 1
        assert next_times(expression, "UTC") == dagsters_times(expression, "UTC"), expression
    assert read > 200


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_systemd_takes_calendar_events_for_the_same_times(expression):
    count = 4
    events = Cron.read(expression).calendar_events("Europe/Berlin")
    words = ["--base-time=2026-11-25 14:00:30 UTC", f"--iterations={count}"]
    done = subprocess.run(
        ["systemd-analyze", "calendar", *words, *events], capture_output=True, text=True, check=True, env={"TZ": "UTC"}
    )
    lines = [line.rpartition(": ")[2] for line in done.stdout.splitlines() if "elapse:" in line or "Iter." in line]
    times = sorted({datetime.strptime(line, "%a %Y-%m-%d %H:%M:%S UTC").replace(tzinfo=UTC) for line in lines})
    assert times[:count] == next_times(expression, "Europe/Berlin", count)


def test_an_hour_that_the_clock_skips_is_left_out():
    before = datetime(2027, 3, 27, 12, tzinfo=UTC)
    times = Cron.read("30 2 * * *").times(before, ZoneInfo("Europe/Berlin"))
    assert [moment.isoformat() for moment in islice(times, 2)] == [
        "2027-03-29T02:30:00+02:00",
        "2027-03-30T02:30:00+02:00",
    ]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("hourly", "has five fields: minute, hour, day of the month, month, day of the week"),
        ("0 0 * * * *", "has five fields"),
        ("60 * * * *", "'60' is no minute; it is a number from 0 to 59"),
        ("* 2-1 * * *", "'2-1' is no hour"),
        ("* 5-5 * * *", "'5-5' is no hour"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * janeiro *", "'janeiro' is no month; it is a number from 1 to 12 or jan to dec"),
        ("* * * * fri-mon", "'fri-mon' is no day of the week"),
        ("*/0 * * * *", r"'\*/0' is no minute"),
        ("5/10 * * * *", "'5/10' is no minute"),
        (", * * * *", "'' is no minute"),
        ("٣ * * * *", "'٣' is no minute"),
        ("0 0 */2 * fri", "depends on the program; write the days out"),
        ("0 0 30 feb *", "names a day that no year has"),
    ],
)
def test_what_is_no_expression_or_has_two_meanings_is_refused(expression, message):
    with pytest.raises(ParameterError, match=message):
        Cron.read(expression)
