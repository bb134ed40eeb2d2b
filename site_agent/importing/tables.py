"""From loaded sources to the tables of a study, each value with the row it is from."""

from __future__ import annotations

from collections.abc import Mapping as Named
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from site_agent.contract.rows import SNAP
from site_agent.contract.study.model import Column, Study, Table
from site_agent.contract.study.tables import parent_of
from site_agent.importing.before_day_0 import BEFORE, Early
from site_agent.importing.conversion import Floats
from site_agent.importing.faults import Faults, Integers, Mask
from site_agent.importing.left_out import left_out
from site_agent.importing.mapping import Mapping, Origin, TableMapping, Target
from site_agent.importing.reading import Loaded, Sources, gather
from site_agent.importing.sources import EVENT, INSTRUMENT


@dataclass(frozen=True, slots=True)
class Built:
    """A table as numbers. patient: whose each row is; rows: from which row of its file; (n,)."""

    patient: Integers
    rows: Integers
    columns: Named[str, Floats]


@dataclass(frozen=True, slots=True)
class Tables:
    """The study's tables as Arrow, and in words what was left out or may be wrong.

    early: what is to be said of negative times, by table and column, should they be wrong.
    """

    arrow: Named[str, pa.Table]
    warnings: list[str]
    early: Early


def build_tables(study: Study, mapping: Mapping, faults: Faults) -> Tables:
    """Return the study's tables; UnfitSource with everything found."""
    sources = Sources(mapping, faults)
    sources.load()
    day_0, wanted = sources.origins(), sources.wanted()
    faults.stop()
    early: dict[tuple[str, str], Faults] = {}
    built = {
        name: _Builder(study, table, mapping.tables[name], sources, early).build(day_0, wanted)
        for name, table in study.tables.items()
    }
    for name, table in study.tables.items():
        parent = parent_of(table, study.tables)
        if parent is not None:
            orphan = ~np.isin(built[name].patient, built[parent].patient)
            place = f"{sources.of(_place(mapping.tables[name])).source.file}, table {name}"
            message = f"a patient of whom table {parent} has no row"
            faults.note(place, "orphan", built[name].rows[orphan], message)
    faults.stop()
    arrow = {
        name: _as_arrow(study.tables[name], table, sources.names) for name, table in built.items()
    }
    empty = [
        f"table {name} has no row; is instrument or event right?"
        for name, table in arrow.items()
        if not table.num_rows
    ]
    return Tables(arrow, [*empty, *left_out(sources, wanted)], early)


def _place(table: TableMapping) -> Origin:
    return Origin(table.source, "", table.events, table.instrument)


@dataclass(frozen=True, slots=True)
class _Builder:
    study: Study
    table: Table
    mapping: TableMapping
    sources: Sources
    early: dict[tuple[str, str], Faults]

    @property
    def _faults(self) -> Faults:
        return self.sources.faults

    def build(self, day_0: Floats, wanted: Mask) -> Built:
        """Return the table; what is wrong with it is noted."""
        place = _place(self.mapping)
        loaded = self.sources.of(place)
        rows = self.sources.chosen(place)
        rows &= wanted[loaded.patient]
        if len(self.table.key) == 1:
            return self._by_patient(loaded, rows, day_0)
        return self._by_row(loaded, rows, day_0)

    def _by_patient(self, loaded: Loaded, rows: Mask, day_0: Floats) -> Built:
        """One row a patient: each column is picked from the rows of its own place."""
        patients, first = np.unique(loaded.patient[rows], return_index=True)
        self._check_alone(loaded, rows, first)
        home = loaded.source.rows[rows][first]
        columns = {}
        for name, target in self.mapping.columns.items():
            found, at = self._picked(name, target, day_0)
            columns[name] = found[patients]
            told = self._told(target.place, patients)
            column = self.table.columns[name]
            self._check(column, target.place, columns[name], at[patients], home, told)
        return Built(patients, home, columns)

    def _check_alone(self, loaded: Loaded, rows: Mask, first: Integers) -> None:
        """Note a patient's second row, where no event tells the rows apart and nothing is taken."""
        takes = {target.take for target in self.mapping.columns.values()}
        if {EVENT, INSTRUMENT} & set(loaded.source.columns) or takes != {"only"}:
            return
        again = np.ones(int(rows.sum()), dtype=bool)
        again[first] = False
        self._faults.note(
            f"{loaded.source.file}, column {loaded.spec.patient}",
            "duplicate key",
            loaded.source.rows[rows][again],
            "a patient who had a row before; keep one, or say which values count (take)",
        )

    def _picked(self, name: str, target: Target, day_0: Floats) -> tuple[Floats, Integers]:
        """Return a column's value for each patient of any source, and its row in the file."""
        count = len(self.sources.names)
        if target.place is None:
            return np.full(count, np.nan), np.full(count, -1, dtype=np.int64)
        loaded, rows = self.sources.of(target.place), self.sources.chosen(target.place)
        column = self.table.columns[name]
        values = self.sources.values(target.place, target, column, rows=rows, day_0=day_0)
        numbers = loaded.source.rows[rows]
        found = gather(values, loaded.patient[rows], count, take=target.take)
        self._faults.note(
            f"{loaded.source.file}, column {target.place.column}",
            "several values",
            numbers[found.conflicting],
            "another value of the same patient than before; say which counts (event, or take: "
            "first, last, smallest, largest)",
        )
        at = np.where(found.at < 0, -1, np.append(numbers, -1)[found.at])
        return found.values, at.astype(np.int64)

    def _by_row(self, loaded: Loaded, rows: Mask, day_0: Floats) -> Built:
        """One row for each row of the source that has any value."""
        if any(target.side_by_side for target in self.mapping.columns.values()):
            return self._by_column(loaded, rows, day_0)
        built = self._at(None, loaded, rows, day_0)
        self._check_key(loaded, built)
        return built

    def _by_column(self, loaded: Loaded, rows: Mask, day_0: Floats) -> Built:
        """One row for each row of the source and value of the second key with any value there."""
        targets = self.mapping.columns
        parts = [
            self._at(mark, loaded, rows, day_0)
            for mark in sorted(
                {mark for target in targets.values() for mark in target.side_by_side}
            )
        ]
        built = Built(
            np.concatenate([part.patient for part in parts]),
            np.concatenate([part.rows for part in parts]),
            {name: np.concatenate([part.columns[name] for part in parts]) for name in targets},
        )
        self._check_key(loaded, built)
        return built

    def _at(self, mark: float | None, loaded: Loaded, rows: Mask, day_0: Floats) -> Built:
        """Return the rows of one value of the second key; without `mark` it has its own column."""
        found, used, places = {}, np.zeros(int(rows.sum()), dtype=bool), {}
        for name, target in self.mapping.columns.items():
            place = target.place if mark is None else target.side_by_side.get(mark, target.place)
            places[name] = place
            if target.counted and mark is not None:
                found[name] = np.full(len(used), mark)
            elif place is None:
                found[name] = np.full(len(used), np.nan)
            else:
                column = self.table.columns[name]
                found[name] = self.sources.values(place, target, column, rows=rows, day_0=day_0)
                if mark is None or target.side_by_side:
                    used |= ~np.isnan(found[name])
        numbers = loaded.source.rows[rows][used]
        columns = {name: values[used] for name, values in found.items()}
        for name, place in places.items():
            told = self._told(place, numbers)
            self._check(self.table.columns[name], place, columns[name], numbers, numbers, told)
        return Built(loaded.patient[rows][used], numbers, columns)

    def _check_key(self, loaded: Loaded, built: Built) -> None:
        order = built.columns[self.table.key[1]]
        keys = np.stack([built.patient.astype(np.float64), order])
        _, number, counts = np.unique(keys, axis=1, return_inverse=True, return_counts=True)
        twice = (counts[number.ravel()] > 1) & ~np.isnan(order)
        self._faults.note(
            f"{loaded.source.file}, table {self.table.name}",
            "duplicate key",
            built.rows[twice],
            f"the key ({', '.join(self.table.key)}) stands more than once; keep one row of each",
        )

    def _told(self, place: Origin | None, home: Integers) -> Mask:
        """Return whose value was noted already as one that cannot be read; (n,).

        home: the patients of a table of one row a patient, else the rows of the source.
        """
        if place is None:
            return np.zeros(len(home), dtype=bool)
        loaded = self.sources.of(place)
        rows = self._faults.unfit_rows(f"{loaded.source.file}, column {place.column}")
        if len(self.table.key) == 1:
            rows = loaded.patient[np.isin(loaded.source.rows, rows)]
        return np.isin(home, rows)

    def _check(
        self,
        column: Column,
        origin: Origin | None,
        values: Floats,
        at: Integers,
        home: Integers,
        told: Mask,
    ) -> None:
        """Note values against the study's dictionary, with the rows that they are from."""
        if origin is None:
            return
        place = f"{self.sources.of(origin).source.file}, column {origin.column}"
        missing = np.isnan(values)
        if not column.missing:
            message = f"no value, where the study allows none missing ({column.name})"
            self._faults.note(place, "missing", home[missing & ~told], message)
        outside = np.zeros(len(values), dtype=bool)
        if column.low is not None:
            outside |= values < column.low
        if column.high is not None:
            outside |= values > column.high
        if column.type == "time":
            early, faults = values < 0, self._faults
            if column.low is None or column.low < 0:
                faults = self.early.setdefault((self.table.name, column.name), Faults())
            else:
                outside &= ~early
            faults.note(place, "before the origin", at[early], BEFORE)
        bounds = [("any" if bound is None else f"{bound:g}") for bound in (column.low, column.high)]
        unit = f" {column.unit}".rstrip()
        message = f"a value outside of {' to '.join(bounds)}{unit}; check value and unit"
        self._faults.note(place, "out of range", at[outside & ~missing], message)
        if column.type != "number" and column.resolution is not None:
            step = float(column.resolution)
            off = np.abs(np.rint(values / step) * step - values) > SNAP
            what = "whole number" if column.resolution == 1 else f"multiple of {column.resolution}"
            self._faults.note(place, "fraction", at[off & ~missing], f"no {what}")


def _as_arrow(table: Table, built: Built, names: list[str]) -> pa.Table:
    """Return a table in the order of its key, so that the order of an export does not matter."""
    identifiers = [names[number] for number in built.patient.tolist()]
    place = {word: number for number, word in enumerate(sorted(set(identifiers)))}
    ranks = np.array([place[word] for word in identifiers], dtype=np.int64)
    keys = [ranks] if len(table.key) == 1 else [built.columns[table.key[1]], ranks]
    order = np.lexsort(keys)
    arrays = {table.key[0]: pa.array([identifiers[row] for row in order], pa.string())}
    for name, column in table.columns.items():
        arrays[name] = _array(column, built.columns[name][order])
    return pa.table(arrays)


def _array(column: Column, values: Floats) -> pa.Array:
    """Return numbers in the type of a column: levels as the words or codes of the study."""
    missing = np.isnan(values)
    filled = np.where(missing, 0.0, values)
    if column.type == "category":
        code_of = {level: code for code, level in reversed(list(column.codes.items()))}
        words = [code_of.get(level, level) for level in column.levels]
        picked = pa.array(filled.astype(np.int64), pa.int64(), mask=missing)
        return pa.array(words, pa.string()).take(picked)
    if column.type == "boolean":
        return pa.array(filled == 1, pa.bool_(), mask=missing)
    if column.resolution == 1 and column.type != "number":
        return pa.array(np.rint(filled).astype(np.int64), pa.int64(), mask=missing)
    return pa.array(filled, pa.float64(), mask=missing)
