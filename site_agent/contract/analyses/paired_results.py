"""What a comparison before and after found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from site_agent.contract.analyses.group_results import TEST_COLUMNS, Found
from site_agent.contract.analyses.results import Failure, Tidy, number, numbers

OF = ("before", "after", "change")


@dataclass(frozen=True, slots=True)
class PairedResult:
    """Pairs before and after: how many fell, rose, stayed; mean and SD of both and their change.

    fold_change: mean of after over before, NaN if some before is not above 0.
    """

    before: str
    after: str
    conf_level: float
    rows: int
    patients: int
    left_out: Mapping[str, int]
    fell: int
    rose: int
    stayed: int
    mean: tuple[float, ...]
    std_dev: tuple[float, ...]
    fold_change: float
    tests: Mapping[str, Found | Failure]

    @property
    def percent_change(self) -> float:
        """Return the mean of 100 (after - before) / before."""
        return 100 * (self.fold_change - 1)

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "before": self.before,
            "after": self.after,
            "conf_level": self.conf_level,
            "rows": self.rows,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "fell": self.fell,
            "rose": self.rose,
            "stayed": self.stayed,
            "mean": dict(zip(OF, numbers(self.mean), strict=True)),
            "std_dev": dict(zip(OF, numbers(self.std_dev), strict=True)),
            "fold_change": number(self.fold_change),
            "percent_change": number(self.percent_change),
            "tests": {name: test.document() for name, test in self.tests.items()},
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `tests`, `change` and `failed`."""
        done = [test for test in self.tests.values() if isinstance(test, Found)]
        failed = {name: t for name, t in self.tests.items() if isinstance(t, Failure)}
        counts = (self.rows, self.fell, self.rose, self.stayed)
        moments = (*numbers(self.mean), *numbers(self.std_dev))
        folds = (number(self.fold_change), number(self.percent_change))
        spread = (f"{what}_{of}" for what in ("mean", "std_dev") for of in OF)
        columns = ("rows", "fell", "rose", "stayed", *spread, "fold_change", "percent_change")
        return {
            "tests": Tidy(TEST_COLUMNS, tuple(test.cells() for test in done)),
            "change": Tidy(columns, ((*counts, *moments, *folds),)),
            "failed": Tidy(
                ("test", "because"), tuple((name, t.because) for name, t in failed.items())
            ),
        }
