"""One column of a Parquet file against the data dictionary.

Findings name table, column and rule, and count rows; they never hold a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from site_agent.contract.errors import Finding
from site_agent.contract.expressions import Value
from site_agent.contract.rows import SNAP
from site_agent.contract.study.model import Column
from site_agent.contract.study.tables import column_type
from site_agent.data.arrays import missing_in, values_of

LARGEST_WHOLE: Final = 2.0**53
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class ColumnCheck:
    """Collects the findings about one column."""

    place: str
    findings: list[Finding]

    def note(self, bad: Mask | int, rule: str, message: str) -> None:
        """Note a rule that some rows break."""
        count = int(np.sum(bad))
        if count:
            told = f"{'1 row' if count == 1 else f'{count} rows'}: {message}"
            rows = np.flatnonzero(bad) if isinstance(bad, np.ndarray) else None
            self.findings.append(Finding(self.place, rule, count, told, rows))


def read_column(array: pa.ChunkedArray, column: Column, check: ColumnCheck) -> Value:
    """Return a column as a typed value, with what is wrong noted in `check`."""
    missing = missing_in(array)
    if not column.missing:
        check.note(
            missing, "missing", "a missing value where the study allows none (missing: allowed)"
        )
    if column.type == "category":
        return _category(array, column, missing, check)
    if column.type == "boolean":
        return _boolean(array, column, missing, check)
    return _number(array, column, missing, check)


def _category(array: pa.ChunkedArray, column: Column, missing: Mask, check: ColumnCheck) -> Value:
    known = dict(column.codes) if column.codes else {level: level for level in column.levels}
    data = _coded(array, {word: column.levels.index(level) for word, level in known.items()})
    data[missing] = -1
    expected = ", ".join(column.codes or column.levels)
    check.note(
        (data < 0) & ~missing,
        "unknown level",
        f"a value that is none of the study's levels; expected one of: {expected}",
    )
    return Value(column_type(column), data, missing | (data < 0))


def _coded(array: pa.ChunkedArray, codes: Mapping[str, int]) -> NDArray[np.int64]:
    """Return the code of each value, -1 for one that has none; (n,)."""
    distinct, index = distinct_words(array)
    by_word = np.array([codes.get(word, -1) for word in distinct] or [-1], dtype=np.int64)
    return by_word[index]


def distinct_words(array: pa.ChunkedArray) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct values as the words of a study file, and the number of each row's.

    1 and 1.0 are the word "1", true is "true", text is as it stands; a missing value is 0.
    """
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    encoded = array.combine_chunks().dictionary_encode()
    index = np.where(missing_in(array), 0, values_of(encoded.indices, np.int32)).astype(np.int64)
    return [_word(value) for value in encoded.dictionary.to_pylist()], index


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST_WHOLE:
        return str(int(value))
    return str(value)


def _boolean(array: pa.ChunkedArray, column: Column, missing: Mask, check: ColumnCheck) -> Value:
    data = _coded(array, {"true": 1, "false": 0, "1": 1, "0": 0})
    bad = (data < 0) & ~missing
    check.note(bad, "not a boolean", "a value that is neither true, false, 1 nor 0")
    return Value(column_type(column), data == 1, missing | bad)


def _number(array: pa.ChunkedArray, column: Column, missing: Mask, check: ColumnCheck) -> Value:
    count = len(array)
    blank = Value(column_type(column), np.zeros(count), np.ones(count, dtype=bool))
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    numeric = pa.types.is_integer(array.type) or pa.types.is_floating(array.type)
    if not (numeric or pa.types.is_decimal(array.type) or pa.types.is_null(array.type)):
        check.note(count, "type", f"found {array.type}, expected numbers")
        return blank
    if pa.types.is_null(array.type):
        return blank
    data = np.where(missing, 0.0, values_of(array.cast(pa.float64(), safe=False), np.float64))
    infinite = ~np.isfinite(data)
    check.note(infinite, "infinite", "an infinite value")
    data = np.where(infinite, 0.0, data)
    outside = np.zeros(count, dtype=bool)
    if column.low is not None:
        outside |= data < column.low
    if column.high is not None:
        outside |= data > column.high
    outside &= ~missing & ~infinite
    bounds = f"{_bound(column.low)} to {_bound(column.high)}"
    unit = f" {column.unit}{'s' * (column.type == 'time')}" if column.unit else ""
    check.note(outside, "out of range", f"a value outside of {bounds}{unit}; check value and unit")
    data = _snapped(data, column, missing, check)
    return Value(column_type(column), data, missing | infinite)


def _bound(value: float | None) -> str:
    return "any" if value is None else f"{value:g}"


def _snapped(
    data: NDArray[np.float64], column: Column, missing: Mask, check: ColumnCheck
) -> NDArray[np.float64]:
    """Return times and whole numbers snapped to their grid; what is off it is noted.

    The resolution of a number (type: number) is what a histogram of it will use; it does not
    bind the data.
    """
    if column.type == "number" or column.resolution is None:
        return data
    step = float(column.resolution)
    ticks = np.rint(data / step)
    snapped = np.asarray((ticks * column.resolution.numerator) / column.resolution.denominator)
    off = ~missing & (np.abs(snapped - data) > SNAP)
    what = "whole number" if column.resolution == 1 else f"multiple of {column.resolution}"
    unit = f" of {column.unit}s" if column.type == "time" else ""
    check.note(
        off, "fraction", f"a value that is no {what}{unit}; correct or round it at the source"
    )
    return snapped
