"""The sources of a mapping: loaded, and asked for the values of a column row by row."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from site_agent.contract.errors import Finding
from site_agent.contract.study.fields import near
from site_agent.contract.study.model import Column
from site_agent.importing.conversion import BLANK, Floats, Words, numbers, read_date, reader
from site_agent.importing.faults import Faults, Integers, Mask
from site_agent.importing.mapping import Mapping, Only, Origin, SourceFile, Target
from site_agent.importing.sources import EVENT, INSTRUMENT, Source, read_source

NOBODY = -1
# A month is a twelfth of 365.25 days, as survival times in months are usually worked out.
DAYS_OF: Final = {
    "day": Fraction(1),
    "week": Fraction(7),
    "month": Fraction(36525, 1200),
    "year": Fraction(36525, 100),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source with the patient of each row, a number that all sources share; (n,)."""

    spec: SourceFile
    source: Source
    patient: Integers


@dataclass(slots=True)
class Sources:
    """All sources of a mapping; `names` are the patients' identifiers by number."""

    mapping: Mapping
    faults: Faults
    names: list[str] = field(default_factory=list)
    _loaded: dict[str, Loaded] = field(default_factory=dict)
    _codes: dict[str, int] = field(default_factory=dict)

    def load(self) -> None:
        """Read every file and refuse identifiers; UnfitSource with everything found."""
        for name, spec in self.mapping.sources.items():
            source = read_source(spec)
            self._loaded[name] = Loaded(spec, source, self._patients(spec, source))
        self._refuse_identifiers()
        self.faults.stop()

    def of(self, place: Origin) -> Loaded:
        """Return the source in which a column stands."""
        return self._loaded[place.source]

    def _patients(self, spec: SourceFile, source: Source) -> Integers:
        words = Words.of(source.column(spec.patient))
        place = f"{source.file}, column {spec.patient}"
        self.faults.note(
            place, "missing", source.rows[words.index < 0], "no identifier of the patient"
        )
        damaged = [n for n, word in enumerate(words.distinct) if _damaged(word)]
        self.faults.note(
            place,
            "not text",
            source.rows[np.isin(words.index, damaged)],
            "an identifier with characters that cannot be printed",
        )
        for word in words.distinct:
            if word not in self._codes:
                self._codes[word] = len(self.names)
                self.names.append(word)
        codes = [self._codes[word] for word in words.distinct]
        return np.array([*codes, NOBODY], dtype=np.int64)[words.index]

    def _refuse_identifiers(self) -> None:
        """Note each column that is in use and marked as an identifier."""
        for place, dates in self._used():
            source = self.of(place).source
            if not self.identifies(source, place.column):
                continue
            marked = _is_marked(source, place.column)
            if dates and place.days_only:
                continue
            where = "Identifier? = y in the data dictionary" if marked else "under 'identifiers'"
            advice = "take another column"
            if dates:
                advice = "if only days or years are to be kept of it, say so (days_only: true)"
            finding = Finding(
                f"{source.file}, column {place.column}",
                "identifier",
                1,
                f"marked as an identifier ({where}), which is never imported; {advice}",
            )
            if finding not in self.faults.findings:
                self.faults.findings.append(finding)

    def identifies(self, source: Source, column: str) -> bool:
        """Return whether a column is marked as an identifier, by the dictionary or the mapping."""
        return column in self.mapping.identifiers or _is_marked(source, column)

    def _used(self) -> Sequence[tuple[Origin, bool]]:
        """Return each column that the mapping takes, and whether only days are kept of it."""
        mapping = self.mapping
        found = [(Origin(name, spec.patient), False) for name, spec in mapping.sources.items()]
        if mapping.origin is not None:
            found.append((mapping.origin, True))
        if mapping.only is not None:
            found.append((mapping.only.place, False))
        for table in mapping.tables.values():
            for target in table.columns.values():
                found += [(place, target.kind != "value") for place in target.places]
        return found

    def chosen(self, place: Origin) -> Mask:
        """Return the rows of a source that belong to a place's events and instrument; (n,)."""
        loaded = self.of(place)
        rows: Mask = loaded.patient != NOBODY
        columns = loaded.source.columns
        if place.events:
            rows &= self._standing(loaded.source, EVENT, place.events)
        if place.instrument:
            rows &= self._standing(loaded.source, INSTRUMENT, (place.instrument,))
        elif INSTRUMENT in columns:
            rows &= np.asarray(pc.is_null(columns[INSTRUMENT]), dtype=bool)
        return rows

    def _standing(self, source: Source, column: str, words: tuple[str, ...]) -> Mask:
        array = source.column(column)
        present = pc.unique(array).to_pylist()
        for word in words:
            if word not in present:
                hint = near(word, [name for name in present if name])
                self.faults.say(
                    f"{source.file}, column {column}", "no such rows", f"no row has '{word}'{hint}"
                )
        has = pc.is_in(array, value_set=pa.array(words, pa.string()))
        found: Mask = np.asarray(has, dtype=bool)
        return found

    def values(
        self, place: Origin, target: Target, column: Column, *, rows: Mask, day_0: Floats
    ) -> Floats:
        """Return the numbers of a study's column in the chosen rows; NaN where missing.

        day_0: of each patient the day of the origin, NaN if it has none.
        """
        loaded = self.of(place)
        where = f"{loaded.source.file}, column {place.column}"
        missing = (*loaded.spec.missing, *target.missing)
        words = Words.of(loaded.source.column(place.column)).without(missing)
        if BLANK in target.values:
            words = words.filled(BLANK)
        numbers_of = loaded.source.rows[rows]
        found = numbers(
            words.chosen(rows),
            reader(target, column, loaded.spec),
            rows=numbers_of,
            place=where,
            faults=self.faults,
        )
        if target.kind == "value":
            return found
        start = day_0[loaded.patient[rows]]
        self.faults.note(
            where,
            "no origin",
            numbers_of[~np.isnan(found) & np.isnan(start)],
            "a date of a patient who has no origin",
        )
        return _age(found, start) if target.kind == "age" else _time(found - start, column)

    def origins(self) -> Floats:
        """Return the day of each patient's origin, NaN for none; (patients,)."""
        place = self.mapping.origin
        if place is None:
            return np.full(len(self.names), np.nan)
        loaded, rows = self.of(place), self.chosen(place)
        where = f"{loaded.source.file}, column {place.column}"
        words = Words.of(loaded.source.column(place.column)).without(loaded.spec.missing)
        days = numbers(
            words.chosen(rows),
            lambda word: read_date(word, loaded.spec.dates),
            rows=loaded.source.rows[rows],
            place=where,
            faults=self.faults,
        )
        found = gather(days, loaded.patient[rows], len(self.names), take="only")
        self.faults.note(
            where,
            "several values",
            loaded.source.rows[rows][found.conflicting],
            "another origin of the same patient than before; say which event counts (event)",
        )
        return found.values

    def wanted(self) -> Mask:
        """Return which patients the mapping is about; (patients,)."""
        only: Only | None = self.mapping.only
        if only is None:
            return np.ones(len(self.names), dtype=bool)
        loaded, rows = self.of(only.place), self.chosen(only.place)
        array = loaded.source.column(only.place.column)
        has = np.asarray(pc.is_in(array, value_set=pa.array(only.words, pa.string())), dtype=bool)
        found = np.zeros(len(self.names), dtype=bool)
        found[loaded.patient[rows & has]] = True
        return found


@dataclass(frozen=True, slots=True)
class Gathered:
    """One value a patient. at: the row it is from, -1 for none; conflicting: other rows; (n,)."""

    values: Floats
    at: Integers
    conflicting: Integers


def gather(values: Floats, patient: Integers, patients: int, *, take: str) -> Gathered:
    """Return one of the values of each patient; missing ones (NaN) do not count.

    take: only, first, last, smallest or largest. With only, rows with another value than the
    first of their patient are told as conflicting.
    """
    present = np.flatnonzero(~np.isnan(values))
    if take == "last":
        present = present[::-1]
    elif take in ("smallest", "largest"):
        sign = 1 if take == "smallest" else -1
        present = present[np.argsort(sign * values[present], kind="stable")]
    whose, first = np.unique(patient[present], return_index=True)
    at = np.full(patients, -1, dtype=np.int64)
    at[whose] = present[first]
    found = np.full(patients, np.nan)
    found[whose] = values[at[whose]]
    other = present[values[present] != found[patient[present]]]
    return Gathered(found, at, other if take == "only" else other[:0])


def _time(days: Floats, column: Column) -> Floats:
    """Return days in the unit of a study's time, at the nearest tick of its resolution."""
    times = days / float(DAYS_OF[column.unit])
    if column.unit == "day" or column.resolution is None:
        return times
    ticks = np.rint(times / float(column.resolution))
    return np.asarray(ticks * column.resolution.numerator / column.resolution.denominator)


def _age(born: Floats, at: Floats) -> Floats:
    """Return completed years between two days; born on 29 February is a year older on 1 March."""
    known = ~np.isnan(born) & ~np.isnan(at)
    years = np.full(len(born), np.nan)
    first, last = _calendar(born[known]), _calendar(at[known])
    before = (last[1] < first[1]) | ((last[1] == first[1]) & (last[2] < first[2]))
    years[known] = last[0] - first[0] - before
    return years


def _calendar(days: Floats) -> tuple[Integers, Integers, Integers]:
    """Return year, month and day of the month of days as `date.toordinal` counts them."""
    dates = (days.astype(np.int64) - 719_163).astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    years = dates.astype("datetime64[Y]")
    return (
        years.astype(np.int64) + 1970,
        (months - years).astype(np.int64),
        (dates - months).astype(np.int64),
    )


def _is_marked(source: Source, column: str) -> bool:
    known = source.dictionary.field_of(column) if source.dictionary else None
    return known is not None and known.identifier


def _damaged(word: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs", "Co", "Cn") for character in word)
