"""What a table of the cohort holds: each variable in each group and in all, and its test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.group_results import Found
from site_agent.contract.analyses.quantiles import Summary
from site_agent.contract.analyses.results import Cell, Failure, Tidy, number
from site_agent.contract.analyses.standardized import of_levels, of_numbers

NUMBER_COLUMNS = (
    "mean",
    "std_dev",
    "median",
    "first_quartile",
    "third_quartile",
    "minimum",
    "maximum",
)


@dataclass(frozen=True, slots=True)
class InGroup:
    """A variable in one group, "" for all: rows that have it, and that lack it.

    missing: None where the guard withholds it. counts: of the levels of a category.
    """

    stratum: str
    rows: int
    missing: int | None
    summary: Summary | None = None
    levels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()

    def numbers(self, *, extremes: bool) -> dict[str, float | None]:
        """Return mean, deviation, median, quartiles, and the extremes if they may be told."""
        own = self.summary
        if own is None:
            return {}
        first, middle, third = own.quartiles
        ends = (own.minimum, own.maximum) if extremes else (None, None)
        found = (own.mean, own.std_dev, middle, first, third, *ends)
        values = [None if value is None else number(value) for value in found]
        return dict(zip(NUMBER_COLUMNS, values, strict=True))

    def shares(self) -> list[tuple[str, int, float | None]]:
        """Return each level with its count and its proportion of the rows that have any."""
        pairs = zip(self.levels, self.counts, strict=True)
        return [(level, n, n / self.rows if self.rows else None) for level, n in pairs]

    def document(self, *, extremes: bool) -> dict[str, Any]:
        """Return it as JSON."""
        of = None if self.missing is None else self.rows + self.missing
        return {
            "stratum": self.stratum,
            "rows": self.rows,
            "missing": self.missing,
            "missing_proportion": self.missing / of if self.missing is not None and of else None,
            **self.numbers(extremes=extremes),
            "levels": [
                {"name": level, "count": n, "proportion": share}
                for level, n, share in self.shares()
            ],
        }


@dataclass(frozen=True, slots=True)
class Described:
    """One variable: its groups, the last one all of them, and the test, or why there is none."""

    groups: tuple[InGroup, ...]
    patients: int
    left_out: Mapping[str, int]
    test: Found | Failure | None = None

    def difference(self) -> float:
        """Return the standardized mean difference of the groups; NaN where there is none."""
        groups = self.groups[:-1]
        if groups and groups[0].summary is not None:
            own = [group.summary for group in groups if group.summary is not None]
            return of_numbers([(summary.mean, summary.std_dev) for summary in own])
        return of_levels([np.array(group.counts, dtype=np.float64) for group in groups])

    def document(self, *, extremes: bool, smd: bool) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "rows": self.groups[-1].rows,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "groups": [group.document(extremes=extremes) for group in self.groups],
            "smd": number(self.difference()) if smd else None,
            "test": None if self.test is None else self.test.document(),
        }


ARD_COLUMNS: Final = (
    *("group1", "group1_level", "variable", "variable_level", "context"),
    *("stat_name", "stat_label", "stat"),
)
OF_NUMBERS: Final = {
    "mean": ("mean", "Mean"),
    "std_dev": ("sd", "SD"),
    "median": ("median", "Median"),
    "first_quartile": ("p25", "Q1"),
    "third_quartile": ("p75", "Q3"),
    "minimum": ("min", "Min"),
    "maximum": ("max", "Max"),
}
EXTREMES: Final = ("minimum", "maximum")


def ard_rows(
    by: str, models: Mapping[str, Described], *, extremes: bool
) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each statistic: the table of R's package cards, which gtsummary reads.

    In the rows of all, group1 and its level are empty. The groups themselves come first.
    """
    yield from _ard_groups(by, models)
    for name, model in models.items():
        for own in model.groups:
            group = (by, own.stratum) if own.stratum else (None, None)
            if own.summary is not None:
                yield (*group, name, None, "continuous", "N", "N", float(own.rows))
                for part, value in own.numbers(extremes=extremes).items():
                    if extremes or part not in EXTREMES:
                        yield (*group, name, None, "continuous", *OF_NUMBERS[part], value)
            for level, count, share in own.shares():
                yield from _ard_level((*group, name, level), count, own.rows, share)
            if own.missing is not None:
                yield from _ard_missing((*group, name, None), own.rows, own.missing)


def _ard_groups(by: str, models: Mapping[str, Described]) -> Iterator[tuple[Cell, ...]]:
    """Yield the sizes of the groups, from a variable whose missing rows are known."""
    for model in models.values():
        sizes = [own.rows + (own.missing or 0) for own in model.groups[:-1]]
        if sizes and all(own.missing is not None for own in model.groups):
            n = sum(sizes)
            for own, size in zip(model.groups, sizes, strict=False):
                share = size / n if n else None
                yield from _ard_level((None, None, by, own.stratum), size, n, share)
            return


def _ard_level(
    head: tuple[Cell, ...], count: int, rows: int, share: float | None
) -> Iterator[tuple[Cell, ...]]:
    found = (("n", "n", float(count)), ("N", "N", float(rows)), ("p", "%", share))
    yield from ((*head, "categorical", *stat) for stat in found)


def _ard_missing(head: tuple[Cell, ...], rows: int, missing: int) -> Iterator[tuple[Cell, ...]]:
    of = rows + missing
    found = (
        ("N_obs", "Vector Length", float(of)),
        ("N_miss", "N Missing", float(missing)),
        ("N_nonmiss", "N Non-missing", float(rows)),
        ("p_miss", "% Missing", missing / of if of else None),
        ("p_nonmiss", "% Non-missing", rows / of if of else None),
    )
    yield from ((*head, "missing", *stat) for stat in found)


@dataclass(frozen=True, slots=True)
class TableOne:
    """All variables of a table of the cohort, each described or with the reason why not."""

    by: str
    extremes: bool
    smd: bool
    models: Mapping[str, Described | Failure]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "by": self.by,
            "models": {
                name: model.document()
                if isinstance(model, Failure)
                else model.document(extremes=self.extremes, smd=self.smd)
                for name, model in self.models.items()
            },
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `numbers`, `levels`, `tests`, `differences`, `ard` and `failed`."""
        done = {name: m for name, m in self.models.items() if isinstance(m, Described)}
        failed = [(n, m.because) for n, m in self.models.items() if isinstance(m, Failure)]
        numbers: list[tuple[Cell, ...]] = []
        levels: list[tuple[Cell, ...]] = []
        for name, model in done.items():
            for own in model.groups:
                head = (name, own.stratum, own.rows, own.missing)
                found = own.numbers(extremes=self.extremes)
                numbers += [(*head, *found.values())] if found else []
                levels += [(*head, *share) for share in own.shares()]
        tests = [
            (name, model.test.test, model.test.statistic, model.test.p_value)
            for name, model in done.items()
            if isinstance(model.test, Found)
        ]
        apart = [(name, number(m.difference())) for name, m in done.items() if self.smd]
        head_columns = ("variable", "strata", "rows", "missing")
        return {
            "numbers": Tidy((*head_columns, *NUMBER_COLUMNS), tuple(numbers)),
            "levels": Tidy((*head_columns, "level", "count", "proportion"), tuple(levels)),
            "tests": Tidy(("variable", "test", "statistic", "p_value"), tuple(tests)),
            "differences": Tidy(("variable", "smd"), tuple(apart)),
            "ard": Tidy(ARD_COLUMNS, tuple(ard_rows(self.by, done, extremes=self.extremes))),
            "failed": Tidy(("variable", "because"), tuple(failed)),
        }
