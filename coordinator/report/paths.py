"""Short paths to a number in an analysis's result: `curves[female].median.estimate`.

A step is a field of an object, and in brackets which element of it: of a list of objects those
whose names or numbers are all of the keys (`curves[low, death]`, `at[365]`), of an object
the field (`models[age]`), of a plain list the place, from 0, or in a log-rank test the group
(`observed[female]`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

STEP: Final = re.compile(r"([A-Za-z_]+)(?:\[([^\[\]]*)\])?(?:\.|\Z)")
NAMES: Final = (
    *("stratum", "outcome", "term", "name"),
    *("time", "tau", "probability", "incidence"),
)


class NoSuchNumber(LookupError):
    """A path that leads to no number; its text says at which step."""


def steps(path: str) -> list[tuple[str, str | None]]:
    """Return (field, key) of each step; NoSuchNumber if the path is not written as one."""
    found: list[tuple[str, str | None]] = []
    place = 0
    while place < len(path):
        step = STEP.match(path, place)
        if step is None:
            raise NoSuchNumber(f"'{path}' is no path; expected such as curves[female].median")
        found.append((step[1], step[2]))
        place = step.end()
    return found


def number_at(result: Mapping[str, Any], path: str) -> float | None:
    """Return the number at `path`; None where the result has no value (not reached)."""
    here: Any = result
    for field, key in steps(path):
        owner = here
        here = _field(owner, field)
        if key is not None:
            here = _element(here, key.strip(), owner)
    if here is None:
        return None
    if isinstance(here, bool) or not isinstance(here, (int, float)):
        raise NoSuchNumber(f"'{path}' leads to {_kind(here)}, expected a number")
    return float(here)


def _field(owner: Any, field: str) -> Any:
    if isinstance(owner, Mapping) and field in owner:
        return owner[field]
    known = ", ".join(owner) if isinstance(owner, Mapping) else "nothing"
    raise NoSuchNumber(f"no '{field}' there; known: {known}")


def _element(here: Any, key: str, owner: Any) -> Any:
    if isinstance(here, Mapping):
        return _field(here, key)
    if not isinstance(here, list):
        raise NoSuchNumber(f"[{key}] stands behind {_kind(here)}, expected a list or an object")
    if here and isinstance(here[0], Mapping):
        wanted = [part.strip() for part in key.split(",")] if key else [""]
        found = [item for item in here if _is(item, wanted)]
        found = found or [item for item in here if _is(item, [key])]
    else:
        groups = owner.get("groups", []) if isinstance(owner, Mapping) else []
        place = groups.index(key) if key in groups else (int(key) if key.isdecimal() else -1)
        found = here[place : place + 1] if place >= 0 else []
    if len(found) != 1:
        raise NoSuchNumber(f"[{key}] fits {len(found)} elements, expected one")
    return found[0]


def _is(item: Mapping[str, Any], wanted: list[str]) -> bool:
    """Return whether each wanted key is one of the item's names or numbers."""
    own = [item[name] for name in NAMES if name in item]
    return all(any(_same(value, key) for value in own) for key in wanted)


def _same(value: Any, key: str) -> bool:
    if isinstance(value, str):
        return value == key
    try:
        return bool(float(key) == value)
    except ValueError:
        return False


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"an object ({', '.join(value)})"
    return "a list" if isinstance(value, list) else "a text"
