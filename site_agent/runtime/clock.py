"""The one place where a process asks what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def utc(instant: datetime) -> str:
    """Return an instant as ISO 8601 with Z, to the second."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def utc_now() -> str:
    """Return the present instant, ISO 8601 with Z."""
    return utc(datetime.now(UTC))


def utc_of(seconds: float) -> str:
    """Return a Unix time as ISO 8601 with Z."""
    return utc(datetime.fromtimestamp(seconds, UTC))


def unix_now() -> int:
    """Return the present second of Unix time."""
    return int(time.time())


def unix_of(instant: str) -> int:
    """Return the Unix second of an instant in ISO 8601 with Z."""
    return int(datetime.fromisoformat(instant).timestamp())
