"""Cron expressions: read once, for the times they name and for systemd, which writes them otherwise."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Self
from zoneinfo import ZoneInfo

from diffaug_pipeline.errors import ParameterError

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
ITEM = re.compile(r"(?:\*|(?P<first>\w+)(?:-(?P<last>\w+))?)(?:/(?P<step>\d+))?")
DAYS_LOOKED_THROUGH = 8 * 366 + 1
"""The 29th of February comes at least once in so many."""


@dataclass(frozen=True)
class Field:
    """One of the five."""

    name: str
    lowest: int
    highest: int
    names: tuple[str, ...] = ()
    """Of the values, from the lowest on."""

    def read(self, text: str) -> frozenset[int]:
        """The values that `text` stands for. Raises `ParameterError`."""
        return frozenset(value for item in text.split(",") for value in self._read_item(item))

    def _read_item(self, item: str) -> range:
        match = ITEM.fullmatch(item)
        if match is None or (match["step"] and match["first"] and not match["last"]):
            raise self._error(item)
        first = self.lowest if match["first"] is None else self._value(match["first"], item)
        last = self.highest if match["first"] is None else self._value(match["last"] or match["first"], item)
        step = int(match["step"] or 1)
        if first > last or (first == last and match["last"]) or step == 0:  # some programs take 5-5 for all
            raise self._error(item)
        return range(first, last + 1, step)

    def _value(self, word: str, item: str) -> int:
        if word.lower() in self.names:
            return self.lowest + self.names.index(word.lower())
        if not (word.isascii() and word.isdecimal()) or not self.lowest <= int(word) <= self.highest:
            raise self._error(item)
        return int(word)

    def _error(self, item: str) -> ParameterError:
        named = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
        return ParameterError(
            f"{item!r} is no {self.name}; it is a number from {self.lowest} to {self.highest}{named}, a range as in "
            f"{self.lowest}-{self.highest}, all of them as *, either with a step as in */2, or several with commas"
        )


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, WEEKDAYS),
)


@dataclass(frozen=True)
class Cron:
    """Minutes, hours, days of the month, months and days of the week (0 is Sunday) at which something starts.

    Days that are restricted both ways are those that fit either, as in every cron.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    month_days: frozenset[int] | None
    """None: not restricted."""
    months: frozenset[int]
    weekdays: frozenset[int] | None
    """None: not restricted."""

    @classmethod
    def read(cls, expression: str) -> Self:
        """Raises `ParameterError` where it is none, never comes, or where programs disagree on what it means."""
        words = expression.split()
        if len(words) != len(FIELDS):
            raise ParameterError(
                f"{expression!r} is no cron expression, which has five fields: "
                f"{', '.join(field.name for field in FIELDS)}, e.g. 30 2 * * * for half past two every night"
            )
        minutes, hours, month_days, months, weekdays = (
            field.read(word) for field, word in zip(FIELDS, words, strict=True)
        )
        on_days, on_weekdays = (None if word == "*" else word for word in (words[2], words[4]))
        if on_days and on_weekdays and "*" in on_days + on_weekdays:
            raise ParameterError(
                f"{expression!r} restricts days of the month and of the week, one of them by *; whether either or both "
                "have to fit depends on the program; write the days out"
            )
        cron = cls(
            minutes,
            hours,
            on_days and month_days,
            months,
            on_weekdays and frozenset(weekday % 7 for weekday in weekdays),
        )
        if not any(cron.is_on(date(2000, 1, 1) + timedelta(number)) for number in range(DAYS_LOOKED_THROUGH)):
            raise ParameterError(f"{expression!r} names a day that no year has")
        return cron

    def times(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """The moments after `after`, in `zone`; hours that its clocks skip in spring are left out."""
        today = after.astimezone(zone).date()
        for day in filter(self.is_on, (today + timedelta(number) for number in count())):
            for hour in sorted(self.hours):
                for minute in sorted(self.minutes):
                    moment = datetime.combine(day, time(hour, minute), zone)
                    is_skipped = moment.astimezone(UTC).astimezone(zone) != moment
                    if moment.astimezone(UTC) > after and not is_skipped:
                        yield moment

    def is_on(self, day: date) -> bool:
        """Whether it comes on `day`."""
        kinds = ((self.month_days, day.day), (self.weekdays, day.isoweekday() % 7))
        fits = [value in allowed for allowed, value in kinds if allowed is not None]
        return day.month in self.months and (not fits or any(fits))

    def calendar_events(self, zone: str) -> list[str]:
        """The same for `OnCalendar=` of systemd timers; two where it takes either of two kinds of day.

        >>> Cron.read("*/30 2 * * mon,fri").calendar_events("Europe/Berlin")
        ['Mon,Fri *-*-* 02:00,30:00 Europe/Berlin']
        >>> Cron.read("0 4 1 jan fri").calendar_events("UTC")
        ['*-01-01 04:00:00 UTC', 'Fri *-01-* 04:00:00 UTC']
        """
        month, month_days = _listed(self.months, FIELDS[3]), _listed(self.month_days, FIELDS[2])
        clock = f"{_listed(self.hours, FIELDS[1])}:{_listed(self.minutes, FIELDS[0])}:00 {zone}"
        if self.weekdays is None:
            return [f"*-{month}-{month_days} {clock}"]
        names = ",".join(WEEKDAYS[weekday].capitalize() for weekday in sorted(self.weekdays))
        by_date = [] if self.month_days is None else [f"*-{month}-{month_days} {clock}"]
        return [*by_date, f"{names} *-{month}-* {clock}"]


def _listed(values: frozenset[int] | None, field: Field) -> str:
    if values is None or len(values) == field.highest - field.lowest + 1:
        return "*"
    return ",".join(f"{value:02d}" for value in sorted(values))
