"""What a test between groups found: one variable, its groups, the test, the estimate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from site_agent.contract.analyses.results import Cell, Failure, Tidy, number, numbers

TEST_COLUMNS = (
    "test", "distribution", "statistic", "df", "denominator_df", "p_value", "estimate_of",
    "estimate", "conf_low", "conf_high",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A test: which, its statistic and p; an estimate of what, with limits, where it has one."""

    test: str
    p_value: float
    statistic: float | None = None
    df: float | None = None
    denominator_df: float | None = None
    distribution: str = ""
    estimate_of: str = ""
    estimate: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None

    def cells(self) -> tuple[Cell, ...]:
        """Return the row of a tidy table."""
        return tuple(self.document().values())

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON; what is infinite or absent is null."""

        def plain(value: float | None) -> float | None:
            return None if value is None else number(value)

        return {
            "test": self.test,
            "distribution": self.distribution,
            "statistic": plain(self.statistic),
            "df": plain(self.df),
            "denominator_df": plain(self.denominator_df),
            "p_value": plain(self.p_value),
            "estimate_of": self.estimate_of,
            "estimate": plain(self.estimate),
            "conf_low": plain(self.conf_low),
            "conf_high": plain(self.conf_high),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """One variable between groups.

    n: (G,) rows. mean, std_dev: (G,) of a number whose means are compared, else empty. levels,
    counts: of a category, counts (G, L), else empty.
    """

    groups: tuple[str, ...]
    n: tuple[float, ...]
    found: Found
    patients: int
    left_out: Mapping[str, int]
    mean: tuple[float, ...] = ()
    std_dev: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    counts: tuple[tuple[float, ...], ...] = ()

    @property
    def rows(self) -> int:
        """Return how many rows are compared."""
        return int(sum(self.n))

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "rows": self.rows,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "groups": list(self.groups),
            "n": [int(n) for n in self.n],
            "mean": numbers(self.mean),
            "std_dev": numbers(self.std_dev),
            "levels": list(self.levels),
            "counts": [[int(count) for count in row] for row in self.counts],
            **self.found.document(),
        }

    def group_rows(self) -> list[tuple[Cell, ...]]:
        """Return a row for each group, and of a category for each group and level."""
        if self.levels:
            return [
                (group, level, int(count), None, None)
                for group, row in zip(self.groups, self.counts, strict=True)
                for level, count in zip(self.levels, row, strict=True)
            ]
        nothing = (None,) * len(self.groups)
        means = numbers(self.mean) or nothing
        spreads = numbers(self.std_dev) or nothing
        return [
            (group, None, int(n), mean, spread)
            for group, n, mean, spread in zip(self.groups, self.n, means, spreads, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Comparisons:
    """All variables of an analysis, each compared or with the reason why not."""

    by: str
    conf_level: float
    models: Mapping[str, Comparison | Failure]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "by": self.by,
            "conf_level": self.conf_level,
            "models": {name: model.document() for name, model in self.models.items()},
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `tests`, `groups` and `failed`."""
        done = {name: m for name, m in self.models.items() if isinstance(m, Comparison)}
        failed = {name: m for name, m in self.models.items() if isinstance(m, Failure)}
        tests = tuple((name, m.rows, *m.found.cells()) for name, m in done.items())
        groups = tuple((name, *row) for name, m in done.items() for row in m.group_rows())
        return {
            "tests": Tidy(("variable", "rows", *TEST_COLUMNS), tests),
            "groups": Tidy(("variable", "group", "level", "n", "mean", "std_dev"), groups),
            "failed": Tidy(
                ("variable", "because"), tuple((name, m.because) for name, m in failed.items())
            ),
        }
