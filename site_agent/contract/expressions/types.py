"""What an expression is over: types and scopes to check it, values and rows to evaluate it.

A table can have a parent (a patient of each day of grades) and children (the days of grades
of each patient). In both a scope and its rows, `parent` goes with the name by which the
parent is addressed, and `order` names the last key column of a child table, whole days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Booleans: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.int64]

MAX_COLUMNS: Final = 200


@dataclass(frozen=True, slots=True)
class Number:
    """Real numbers, held as float64."""


@dataclass(frozen=True, slots=True)
class Boolean:
    """True or false, held as bool."""


@dataclass(frozen=True, slots=True)
class Category:
    """One of the declared levels, held as int64 codes into `levels`, -1 where missing."""

    levels: tuple[str, ...]
    reference: str

    def __post_init__(self) -> None:
        if len(set(self.levels)) != len(self.levels) or self.reference not in self.levels:
            raise ValueError(
                f"Levels {self.levels} with reference '{self.reference}': expected different "
                "levels, the reference among them."
            )

    @property
    def contrasts(self) -> tuple[str, ...]:
        """Return the levels other than the reference, in order."""
        return tuple(level for level in self.levels if level != self.reference)


@dataclass(frozen=True, slots=True)
class Columns:
    """A block of design columns, held as float64 (n, k); a covariate as a whole."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text in quotes: a level to compare with, or a label."""


Type: TypeAlias = Number | Boolean | Category | Columns | Text

_DTYPES: Final[Mapping[type, type]] = {
    Number: np.float64,
    Boolean: np.bool_,
    Category: np.int64,
    Columns: np.float64,
    Text: np.str_,
}


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A column of `n` values: `data` of its kind's dtype, `missing` bool (n,)."""

    kind: Type
    data: NDArray[Any]
    missing: Booleans

    def __post_init__(self) -> None:
        n = self.missing.shape[0]
        shape = (n, len(self.kind.names)) if isinstance(self.kind, Columns) else (n,)
        dtype = _DTYPES[type(self.kind)]
        if self.data.shape != shape or not np.issubdtype(self.data.dtype, dtype):
            raise ValueError(
                f"{type(self.kind).__name__} data of shape {self.data.shape} and dtype "
                f"{self.data.dtype}: expected {shape} and {dtype.__name__}."
            )
        if self.missing.dtype != np.bool_:
            raise ValueError(f"'missing' of dtype {self.missing.dtype}: expected bool.")


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns that an expression over one table may name, with their types."""

    columns: Mapping[str, Type]
    parent: tuple[str, Scope] | None = None
    children: Mapping[str, Scope] = field(default_factory=dict)
    site: Mapping[str, Category] = field(default_factory=dict)
    order: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of one table at one site.

    `parent` is (its name, its rows, parent row of each row here); `children` maps a table to
    (its rows, row here of each row there). `site` holds the site's level of each attribute
    and `site_levels` the declared levels; without those an attribute can only be compared.
    """

    count: int
    columns: Mapping[str, Value]
    parent: tuple[str, Rows, Indices] | None = None
    children: Mapping[str, tuple[Rows, Indices]] = field(default_factory=dict)
    site: Mapping[str, str] = field(default_factory=dict)
    order: str | None = None
    site_levels: Mapping[str, Category] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.columns.items():
            if len(value.missing) != self.count:
                raise ValueError(
                    f"Column '{name}' has {len(value.missing)} rows: expected {self.count}."
                )
        if self.parent is not None:
            _check_index(self.parent[0], self.parent[2], self.count, self.parent[1].count)
        for name, (rows, index) in self.children.items():
            _check_index(name, index, rows.count, self.count)


def _check_index(name: str, index: Indices, rows: int, parents: int) -> None:
    if index.shape != (rows,) or not np.issubdtype(index.dtype, np.integer):
        raise ValueError(f"The index of '{name}' must hold one whole number for each row.")
    if rows and (index.min() < 0 or index.max() >= parents):
        raise ValueError(f"The index of '{name}' must hold numbers of rows of the parent.")


def numbers(data: Floats, missing: Booleans) -> Value:
    """Return a Number value, NaN where missing."""
    return Value(Number(), np.where(missing, np.nan, data), missing)


def booleans(data: Booleans, missing: Booleans) -> Value:
    """Return a Boolean value, False where missing."""
    return Value(Boolean(), data & ~missing, missing)


def codes(kind: Category, data: Indices, missing: Booleans) -> Value:
    """Return a Category value, -1 where missing."""
    return Value(kind, np.where(missing, np.int64(-1), data), missing)


def block(kind: Columns, data: Floats, missing: Booleans) -> Value:
    """Return a Columns value, rows of NaN where missing."""
    return Value(kind, np.where(missing[:, np.newaxis], np.nan, data), missing)
