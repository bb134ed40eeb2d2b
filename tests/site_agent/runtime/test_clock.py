"""Instants: ISO 8601 in UTC with Z, and Unix seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from site_agent.runtime.clock import unix_now, unix_of, utc, utc_now, utc_of

INSTANT = "2026-11-21T04:16:07Z"
SECONDS = 1_795_234_567


def test_an_instant_in_words() -> None:
    """An instant is told to the second, in UTC."""
    given = datetime(2026, 11, 21, 6, 16, 7, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert utc(given) == INSTANT


def test_a_unix_time_in_words() -> None:
    """A Unix second is told as an instant."""
    assert utc_of(SECONDS) == INSTANT


def test_words_as_unix_time() -> None:
    """An instant that was told gives its second again."""
    assert unix_of(INSTANT) == SECONDS


def test_now_is_now() -> None:
    """Both clocks show the time of this machine."""
    found = [unix_now(), unix_of(utc_now())]
    assert all(abs(datetime.now(UTC).timestamp() - one) < 5 for one in found)
