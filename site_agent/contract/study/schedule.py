"""When a study is refreshed: a cron expression of five fields, and perhaps a time zone behind it.

    minute  hour  day of the month  month  day of the week  [zone]

A field is a list of `*`, `7`, `1-5`, each perhaps with a step, as `*/15`. Months and days of the
week may have their English names of three letters; Sunday is 0 and 7. If both kinds of day are
given, a day of either kind counts, as in any cron. Without a zone times are UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}\Z")
ITEM: Final = re.compile(r"(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:/([0-9]+))?\Z")
UTC: Final = "UTC"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a cron expression: what it is called, its numbers, and their names."""

    name: str
    least: int
    largest: int
    names: tuple[str, ...] = ()


FIELDS: Final = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, DAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression, and the name of the time zone in which it is meant."""

    cron: str
    zone: str

    def __str__(self) -> str:
        return f"{self.cron} {self.zone}"


def read_schedule(text: str) -> Schedule | None:
    """Return the schedule of a study, None if it has none; ValueError says what is wrong."""
    words = text.split()
    if not words:
        return None
    if len(words) not in (len(FIELDS), len(FIELDS) + 1):
        names = ", ".join(field.name for field in FIELDS)
        raise ValueError(
            f"found the schedule '{text}', expected five fields ({names}) and perhaps a time zone, "
            f"as '0 6 * * 1 Europe/Paris'"
        )
    zone = words[len(FIELDS)] if len(words) > len(FIELDS) else UTC
    if not ZONE.match(zone):
        raise ValueError(f"'{zone}' is not the name of a time zone, as Europe/Paris or UTC")
    fields = [word.lower() for word in words[: len(FIELDS)]]
    _, _, days, months, _ = (
        _numbers(field, word) for field, word in zip(FIELDS, fields, strict=True)
    )
    if fields[4] == "*" and min(days) > max(LENGTHS[month - 1] for month in months):
        raise ValueError(f"the schedule '{text}' names a day that no month of it has")
    return Schedule(" ".join(fields), zone)


def _numbers(field: Field, text: str) -> set[int]:
    """Return the numbers that a field stands for; ValueError if it is none."""
    found: set[int] = set()
    for item in text.split(","):
        match = ITEM.match(item)
        if match is None or (match[1] == "*" and match[2]):
            raise _unread(field, item)
        first = field.least if match[1] == "*" else _number(field, match[1])
        last = _number(field, match[2]) if match[2] else first
        if match[1] == "*" or (match[3] and not match[2]):
            last = field.largest
        step = int(match[3] or 1)
        if last < first or not 1 <= step <= field.largest:
            raise _unread(field, item)
        found |= set(range(first, last + 1, step))
    return found


def _number(field: Field, word: str) -> int:
    if word in field.names:
        return field.names.index(word) + field.least
    if not word.isdigit() or not field.least <= int(word) <= field.largest:
        raise _unread(field, word)
    return int(word)


def _unread(field: Field, item: str) -> ValueError:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    return ValueError(
        f"the {field.name} '{item}' of the schedule is none: expected {field.least} to "
        f"{field.largest}{names}, *, a range as 1-5, or a step as */2"
    )
