"""What every result can do: say itself as a document, and as tidy tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Cell = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Tidy:
    """A tidy table: one row an observation, columns by name; numbers in full precision."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


class Result(Protocol):
    """The result of an analysis."""

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON; what is not a number is null."""
        ...

    def tables(self) -> Mapping[str, Tidy]:
        """Return its tidy tables by part."""
        ...


@dataclass(frozen=True, slots=True)
class Failure:
    """An analysis that ended alone: why, in words."""

    because: str

    def document(self) -> dict[str, Any]:
        """Return the failure as JSON."""
        return {"failed": True, "because": self.because}

    def tables(self) -> Mapping[str, Tidy]:
        """Return no tables."""
        return {}


def number(value: float) -> float | None:
    """Return `value` as a plain float; None for NaN and infinities."""
    plain = float(value)
    return plain if math.isfinite(plain) else None


def finite_rows(rows: Sequence[tuple[str | float | None, ...]]) -> list[tuple[Cell, ...]]:
    """Return rows with None for every number that is not finite."""
    return [tuple(number(v) if isinstance(v, float) else v for v in row) for row in rows]


def numbers(values: Sequence[float] | Any) -> list[float | None]:
    """Return values as plain floats, None for what is not finite."""
    return [number(value) for value in values]
