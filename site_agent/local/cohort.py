"""A hospital's own patients as its figures need them: courses by day, changes, descriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from site_agent.contract import expressions
from site_agent.contract.expressions import Category, Value
from site_agent.contract.expressions.types import Boolean
from site_agent.contract.frames import Booleans, Floats, Integers, Rows
from site_agent.contract.rows import FrameBuilder, Tables
from site_agent.contract.study.model import Analysis, Column, Study
from site_agent.contract.study.tables import parent_of
from site_agent.data.tables import Snapshot, read_snapshot

HIGHEST_GRADE: Final = 5


@dataclass(frozen=True, slots=True)
class Grades:
    """A graded column of a table by day: whose day each row is, the day, and its grade.

    patient (n,) counts into the identifiers of the hospital.
    """

    column: str
    patient: Integers
    day: Floats
    grade: Integers


@dataclass(frozen=True, slots=True)
class Courses:
    """The days of m patients: marks by column, NaN where there is none, and the last day seen.

    patient (m,) counts into the identifiers; marks: (m,) each; last (m,); grades by column.
    """

    patient: Integers
    marks: Mapping[str, Floats]
    last: Floats
    grades: tuple[Grades, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of each row with both numbers, in percent of the first, largest first; (n,)."""

    analysis: str
    percent: Floats
    patient: Integers


@dataclass(frozen=True, slots=True)
class Described:
    """One variable in words, by group: lines of label and a text for each group."""

    variable: str
    lines: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Description:
    """A descriptive table: groups with how many rows each has, and variables."""

    analysis: str
    groups: tuple[tuple[str, int], ...]
    variables: tuple[Described, ...]


class Cohort:
    """One hospital's checked data of a study."""

    def __init__(self, study: Study, snapshot: Snapshot) -> None:
        self.study = study
        self.identifiers = snapshot.identifiers
        self._tables: Tables = snapshot.tables
        self._builder = FrameBuilder(study, snapshot.tables)

    def courses(self) -> Courses:
        """Return the days of all patients of the first table, by its columns of days."""
        name = next(iter(self.study.tables))
        rows, whose = self._tables.rows[name], self._tables.patient[name]
        ends = self._ends()
        days = {
            column.name: _known(rows.columns[column.name])
            for column in self.study.tables[name].columns.values()
            if column.type == "time"
        }
        grades = tuple(self._grades(name))
        last = np.full(len(self.identifiers), -np.inf)
        for found in days.values():
            np.maximum.at(last, whose, np.nan_to_num(found, nan=-np.inf))
        for grade in grades:
            np.maximum.at(last, grade.patient, grade.day)
        marks = {column: found for column, found in days.items() if column not in ends}
        seen = last[whose]
        return Courses(whose, marks, np.where(np.isfinite(seen), seen, 0.0), grades)

    def _ends(self) -> set[str]:
        """Return the columns that say when a patient was last seen."""
        nodes = [endpoint.censored for endpoint in self.study.endpoints.values()]
        return {expressions.canonical(node) for node in nodes if node is not None}

    def _grades(self, parent: str) -> Iterator[Grades]:
        """Yield the graded columns of the tables that have a row for each day of a patient."""
        for name, table in self.study.tables.items():
            if parent_of(table, self.study.tables) != parent or len(table.key) < 2:
                continue
            rows, day = (
                self._tables.rows[name],
                _known(self._tables.rows[name].columns[table.key[1]]),
            )
            for column in table.columns.values():
                if _is_grade(column) and column.name != table.key[1]:
                    value = rows.columns[column.name]
                    known = ~value.missing & np.isfinite(day)
                    yield Grades(
                        column.name,
                        self._tables.patient[name][known],
                        day[known],
                        value.data[known].astype(np.int64),
                    )

    def changes(self) -> Iterator[Changes]:
        """Yield the changes of each analysis before and after (kind `paired`)."""
        for name, analysis in self._of_kind("paired"):
            options = analysis.options
            table, chosen = options["table"], self._chosen(analysis)
            before, after = (
                _known(self._evaluate(table, options[side])) for side in ("before", "after")
            )
            usable = chosen & np.isfinite(before) & np.isfinite(after) & (before != 0)
            percent = 100 * (after[usable] - before[usable]) / before[usable]
            order = np.argsort(-percent, kind="stable")
            yield Changes(name, percent[order], self._tables.patient[table][usable][order])

    def curves(self) -> Iterator[tuple[str, Rows, tuple[str, ...]]]:
        """Yield rows and names of the groups of each analysis of survival."""
        from site_agent.contract.catalogue import KINDS
        from site_agent.contract.rows import levels_of

        for name, analysis in self._of_kind("survival"):
            frame = KINDS[analysis.kind].frames(self.study, analysis)[0]
            yield name, self._builder.rows(frame), levels_of(self.study, frame.table, frame.by)

    def descriptions(self) -> Iterator[Description]:
        """Yield the descriptive tables of the study (kind `table_one`) over these patients."""
        for name, analysis in self._of_kind("table_one"):
            options, chosen = analysis.options, self._chosen(analysis)
            table = options["table"]
            groups = _groups(
                chosen, self._evaluate(table, options["by"]) if options["by"] else None
            )
            variables = [
                Described(variable, tuple(_lines(self._evaluate(table, variable), groups)))
                for variable in options["variables"]
            ]
            sizes = tuple((label, int(member.sum())) for label, member in groups.items())
            yield Description(name, sizes, tuple(variables))

    def _of_kind(self, kind: str) -> list[tuple[str, Analysis]]:
        return [(name, one) for name, one in self.study.analyses.items() if one.kind == kind]

    def _evaluate(self, table: str, expression: str) -> Value:
        return expressions.evaluate(expressions.parse(expression), self._tables.rows[table])

    def _chosen(self, analysis: Analysis) -> Booleans:
        """Return which rows of its table an analysis is over."""
        table, cohort = analysis.options["table"], analysis.options["cohort"]
        if cohort is None:
            return np.ones(self._tables.rows[table].count, dtype=bool)
        where = expressions.canonical(self.study.cohorts[cohort].where)
        value = self._evaluate(table, where)
        return np.asarray(value.data.astype(bool) & ~value.missing)


def read_cohort(study: Study, folder: Path, site: str, attributes: Mapping[str, str]) -> Cohort:
    """Return a hospital's checked data; DataError with everything that does not fit the study."""
    return Cohort(study, read_snapshot(study, folder, site, attributes))


def _known(value: Value) -> Floats:
    """Return the numbers of a column, NaN where they are missing."""
    return np.where(value.missing, np.nan, value.data.astype(np.float64))


def _is_grade(column: Column) -> bool:
    low, high = column.low, column.high
    whole = column.type == "integer" and low is not None and high is not None
    return bool(whole and low == 0 and 1 < (high or 0) <= HIGHEST_GRADE)


def _groups(chosen: Booleans, by: Value | None) -> dict[str, Booleans]:
    """Return which rows are in each group, and at the end in all."""
    found: dict[str, Booleans] = {}
    if by is not None:
        for code, level in enumerate(_levels(by)):
            found[level] = chosen & ~by.missing & (by.data.astype(np.int64) == code)
    return {**found, "all": chosen}


def _levels(value: Value) -> tuple[str, ...]:
    return value.kind.levels if isinstance(value.kind, Category) else ("no", "yes")


def _lines(value: Value, groups: Mapping[str, Booleans]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the lines of one variable."""
    known = {name: member & ~value.missing for name, member in groups.items()}
    if isinstance(value.kind, Category | Boolean):
        for code, level in enumerate(_levels(value)):
            here = value.data.astype(np.int64) == code
            yield level, tuple(_share(int((here & k).sum()), int(k.sum())) for k in known.values())
    else:
        numbers = [value.data[k].astype(np.float64) for k in known.values()]
        yield "median [Q1, Q3]", tuple(_quartiles(own) for own in numbers)
        yield "mean (SD)", tuple(_moments(own) for own in numbers)
        yield "minimum, maximum", tuple(_ends_of(own) for own in numbers)
    missing = [int((member & value.missing).sum()) for member in groups.values()]
    if any(missing):
        yield "missing", tuple(map(str, missing))


def _share(count: int, of: int) -> str:
    return f"{count} ({100 * count / of:.0f} %)" if of else "0"


def _quartiles(numbers: Floats) -> str:
    if not len(numbers):
        return ""
    low, middle, high = np.quantile(numbers, [0.25, 0.5, 0.75])
    return f"{middle:.4g} [{low:.4g}, {high:.4g}]"


def _moments(numbers: Floats) -> str:
    if len(numbers) < 2:
        return ""
    return f"{numbers.mean():.4g} ({numbers.std(ddof=1):.4g})"


def _ends_of(numbers: Floats) -> str:
    return f"{numbers.min():.4g}, {numbers.max():.4g}" if len(numbers) else ""
