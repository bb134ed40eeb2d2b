"""The words of a source as numbers: each distinct word is read once.

A category becomes the number of its level, a boolean 0 or 1, a date its day in the proleptic
calendar. A word that cannot be read is a rule that it breaks, in the place of a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from site_agent.contract.study.model import Column
from site_agent.importing.faults import Faults, Integers, Mask
from site_agent.importing.mapping import DateOrder, SourceFile, Target

NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z")
WHOLE: Final = re.compile(r"([-+]?[0-9]+)\.0+\Z")
DATE: Final = re.compile(r"([0-9]+)([-/.])([0-9]+)\2([0-9]+)(?:[ T][0-9:.]+Z?)?\Z")
YEARS: Final = (1900, 2100)
BLANK: Final = ""
BOOLEANS: Final = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0}
Floats = NDArray[np.float64]


class Unreadable(Exception):
    """A word that cannot be read; `rule` and `message` say why, without the word."""

    def __init__(self, rule: str, message: str) -> None:
        self.rule = rule
        self.message = message
        super().__init__(rule)


Read = Callable[[str], float]


@dataclass(frozen=True, slots=True)
class Words:
    """A column as its distinct words and the number of each row's, -1 where it is blank; (n,)."""

    distinct: list[str]
    index: Integers

    @classmethod
    def of(cls, array: pa.ChunkedArray) -> Words:
        """Return the words of a column of text."""
        encoded = array.combine_chunks().dictionary_encode()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = encoded.unify_dictionaries().combine_chunks()
        index = np.asarray(encoded.indices.fill_null(-1), dtype=np.int64)
        return cls(encoded.dictionary.to_pylist(), index)

    def without(self, missing: tuple[str, ...]) -> Words:
        """Return the column with words that stand for no value made blank."""
        known = np.array([-1 if w in missing else i for i, w in enumerate(self.distinct)] + [-1])
        return Words(self.distinct, known[self.index].astype(np.int64))

    def filled(self, word: str) -> Words:
        """Return the column with a word in the place of blanks."""
        index = np.where(self.index < 0, len(self.distinct), self.index)
        return Words([*self.distinct, word], index.astype(np.int64))

    def chosen(self, rows: Mask) -> Words:
        """Return some of the rows."""
        return Words(self.distinct, self.index[rows])


def numbers(words: Words, read: Read, *, rows: Integers, place: str, faults: Faults) -> Floats:
    """Return each row's number, NaN where it is blank or cannot be read, which is noted; (n,)."""
    found = np.full(len(words.distinct) + 1, np.nan)
    broken: dict[tuple[str, str], list[int]] = {}
    for number in np.unique(words.index[words.index >= 0]).tolist():
        try:
            found[number] = read(words.distinct[number])
        except Unreadable as error:
            broken.setdefault((error.rule, error.message), []).append(number)
    for (rule, message), bad in broken.items():
        faults.note(place, rule, rows[np.isin(words.index, bad)], message)
    return found[words.index]


def reader(target: Target, column: Column, spec: SourceFile) -> Read:
    """Return how the words of a column are read."""
    if target.kind != "value":
        return lambda word: read_date(word, spec.dates)
    if column.type == "category":
        return _of_levels(target.values, column)
    if column.type == "boolean":
        return _of_booleans(target.values)
    return _of_numbers(target, spec)


def read_date(word: str, order: DateOrder) -> float:
    """Return the day of a date; one that begins with four figures is year-month-day always."""
    found = DATE.match(word)
    if found is None:
        raise Unreadable("not a date", f"no date; expected {_order_in_words(order)}")
    parts = [found[1], found[3], found[4]]
    letters = "ymd" if len(found[1]) == 4 else order
    named = dict(zip(letters, parts, strict=True))
    if len(named["y"]) != 4:
        message = f"a year that has not four figures, or dates of another order than {order}"
        raise Unreadable("not a date", message)
    year, month, day = (int(named[letter]) for letter in "ymd")
    if not YEARS[0] <= year <= YEARS[1]:
        raise Unreadable("impossible date", f"a year before {YEARS[0]} or after {YEARS[1]}")
    try:
        return float(date(year, month, day).toordinal())
    except ValueError:
        message = "a month or day that no calendar has; check the order of day and month (dates:)"
        raise Unreadable("impossible date", message) from None


def _order_in_words(order: DateOrder) -> str:
    names = {"y": "year", "m": "month", "d": "day"}
    return "-".join(names[letter] for letter in order) + ", the year with four figures"


def _plain(word: str) -> str:
    """Return 1 for 1.0: some programs write whole numbers so."""
    found = WHOLE.match(word)
    return found[1] if found else word


def _meant(values: Mapping[str, str], word: str) -> str:
    """Return what the mapping says that a word means."""
    meant = values.get(word, values.get(_plain(word)))
    if meant is None:
        known = len([key for key in values if key != BLANK])
        raise Unreadable(
            "unknown word",
            f"a word that is none of the {known} in the mapping (values); add it there with what "
            f"it means, or to 'missing' of the source",
        )
    return meant


def _of_levels(values: Mapping[str, str], column: Column) -> Read:
    by_word = {level: float(number) for number, level in enumerate(column.levels)}
    for code, level in column.codes.items():
        by_word[code] = by_word[level]

    def read(word: str) -> float:
        if values:
            return by_word[_meant(values, word)]
        found = by_word.get(word, by_word.get(_plain(word)))
        if found is None:
            expected = ", ".join(column.levels)
            raise Unreadable(
                "unknown level",
                f"a word that is none of the study's levels ({expected}); say in the mapping what "
                f"each word means (values)",
            )
        return found

    return read


def _of_booleans(values: Mapping[str, str]) -> Read:
    def read(word: str) -> float:
        found = BOOLEANS.get(_meant(values, word) if values else _plain(word).lower())
        if found is None:
            message = "neither true, false, 1 nor 0; say in the mapping what it means (values)"
            raise Unreadable("not a boolean", message)
        return found

    return read


def _of_numbers(target: Target, spec: SourceFile) -> Read:
    def read(word: str) -> float:
        word = target.values.get(word, word)
        if spec.decimal == ",":
            word = word.replace(",", ".")
        value = float(word) if NUMBER.match(word) else math.nan
        if not math.isfinite(value):
            raise Unreadable(
                "not a number",
                f"no finite number with '{spec.decimal}' as decimal mark; say in the mapping what "
                f"it means (values), or name it under 'missing' of the source",
            )
        if target.factor == 1:
            return value
        # Twelve figures: 0.29 times 100 is 29, not the 28.999999999999996 of binary fractions.
        return float(f"{value * target.factor:.12g}")

    return read
