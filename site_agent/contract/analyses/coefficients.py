"""Coefficients of a model and tests of all of them, as every regression reports them.

Wald: statistic = estimate / std_error, interval estimate -+ q std_error, with q of the normal
distribution, or of t where degrees of freedom are given (`summary.coxph`, `summary.lm`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from scipy.special import stdtr, stdtrit

from site_agent.contract.analyses.intervals import normal_quantile, two_sided_p
from site_agent.contract.analyses.results import Tidy, number, numbers

TERM_COLUMNS: Final = (
    *("term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"),
)


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient, on the scale of the linear predictor; NaN throughout if it is aliased."""

    term: str
    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float

    def cells(self) -> tuple[str | float | None, ...]:
        """Return the term as a row of TERM_COLUMNS."""
        values = (getattr(self, name) for name in TERM_COLUMNS[1:])
        return (self.term, *(number(value) for value in values))

    def document(self, ratio: str = "") -> dict[str, Any]:
        """Return the term as JSON; with the ratio that it is the logarithm of, if it is one."""
        row = dict(zip(TERM_COLUMNS, self.cells(), strict=True))
        if not ratio:
            return row
        names = (ratio, f"{ratio}_low", f"{ratio}_high")
        with np.errstate(over="ignore"):
            values = np.exp((self.estimate, self.conf_low, self.conf_high))
        return {**row, **dict(zip(names, numbers(values), strict=True))}


@dataclass(frozen=True, slots=True)
class Test:
    """A test of all coefficients."""

    name: str
    statistic: float
    df: int
    p_value: float

    def document(self) -> dict[str, Any]:
        """Return the test as JSON."""
        return asdict(self)


def term_of(
    name: str, estimate: float, std_error: float, level: float, df: int | None = None
) -> Term:
    """Return a coefficient with its Wald test and interval; df of t, None for the normal."""
    quantile = normal_quantile(level) if df is None else float(stdtrit(df, (1 + level) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):  # an error of 0: a perfect fit
        statistic = np.divide(estimate, std_error)
    width = quantile * std_error
    return Term(
        name,
        float(estimate),
        float(std_error),
        float(statistic),
        two_sided_p(statistic) if df is None else float(2 * stdtr(df, -abs(statistic))),
        float(estimate - width),
        float(estimate + width),
    )


def terms_table(terms: Sequence[Term]) -> Tidy:
    """Return the tidy table of coefficients, a row each."""
    return Tidy(TERM_COLUMNS, tuple(term.cells() for term in terms))


def tests_table(tests: Sequence[Test]) -> Tidy:
    """Return the tidy table of tests, a row each."""
    rows = tuple((test.name, test.statistic, test.df, test.p_value) for test in tests)
    return Tidy(("test", "statistic", "df", "p_value"), rows)
