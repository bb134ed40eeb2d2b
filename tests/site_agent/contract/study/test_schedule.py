"""Schedules of studies: what is one, and what is wrong with one that is none."""

from __future__ import annotations

import pytest

from site_agent.contract.study.schedule import Schedule, read_schedule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 6 * * 1", Schedule("0 6 * * 1", "UTC")),
        (" 0  6 * * MON Europe/Paris ", Schedule("0 6 * * mon", "Europe/Paris")),
        ("*/15 8-18/2 1,15 jan-mar *", Schedule("*/15 8-18/2 1,15 jan-mar *", "UTC")),
        ("0 0 29 2 *", Schedule("0 0 29 2 *", "UTC")),
        ("0 0 31 2 5", Schedule("0 0 31 2 5", "UTC")),  # Fridays of February
        ("30 4 * * 0,7 America/Argentina/Ushuaia", None),
    ],
)
def test_a_schedule(text: str, expected: Schedule | None) -> None:
    """Words in lower case, the time zone as it is written, UTC without one."""
    found = read_schedule(text)
    assert found == (expected or Schedule("30 4 * * 0,7", "America/Argentina/Ushuaia"))


@pytest.mark.parametrize("text", ["", "  "])
def test_no_schedule(text: str) -> None:
    """A study without one is refreshed by people alone."""
    assert read_schedule(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 6 * *", "expected five fields"),
        ("@weekly", "expected five fields"),
        ("0 6 * * 1 Europe/Paris now", "expected five fields"),
        ("60 6 * * 1", "the minute '60' of the schedule is none: expected 0 to 59"),
        ("0 24 * * 1", "the hour '24' of the schedule is none: expected 0 to 23"),
        ("0 6 0 * *", "the day of the month '0' of the schedule is none: expected 1 to 31"),
        ("0 6 * 13 *", "the month '13' of the schedule is none: expected 1 to 12 or jan to dec"),
        ("0 6 * * monday", "the day of the week 'monday' of the schedule is none: expected 0 to 7"),
        ("0 6 * * 5-1", "the day of the week '5-1' of the schedule is none"),
        ("*/0 6 * * 1", "the minute '*/0' of the schedule is none"),
        ("*-5 6 * * 1", "the minute '*-5' of the schedule is none"),
        ("0 6, * * 1", "the hour '' of the schedule is none"),
        ("0 6 * * 1 ../etc", "'../etc' is not the name of a time zone"),
        ("0 6 30 2 *", "names a day that no month of it has"),
        ("0 6 31 4,6,9,11 *", "names a day that no month of it has"),
    ],
)
def test_what_is_no_schedule(text: str, words: str) -> None:
    """The field is named, with what was found and what is expected."""
    with pytest.raises(ValueError) as caught:
        read_schedule(text)
    assert words in str(caught.value)
