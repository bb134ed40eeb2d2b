"""What a subdistribution hazard reports: coefficients, intervals, tests, where its errors are from.

The likelihood is weighted, so its ratio test is called pseudo, as in `summary.crr`, and there is
no AIC. Wald's tests have the variance that the result names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.coefficients import (
    Term,
    Test,
    term_of,
    terms_table,
    tests_table,
)
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.newton import Maximum
from site_agent.contract.analyses.results import Tidy, numbers
from site_agent.contract.frames import Floats

SUMMARY_COLUMNS: Final = ("rows", "patients", "events", "loglik_null", "loglik")
NOTES: Final = {
    "fine_gray": "",
    "robust": "standard errors take the curve of censoring as known, as coxph(cluster = id) on "
    "finegray's data; crr's account for its estimate",
    "model": "standard errors are from the information alone and take the weights as known: they "
    "are not crr's, and mostly too small. crr's need risk_sets: open (class C), or baseline: "
    "by_site",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """How many rows a model has, of how many patients, and how many events and left out rows."""

    rows: int
    patients: int
    events: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FineGrayFit:
    """A fitted model; variance (p, p) with zeros for aliased coefficients."""

    wanted: Mapping[str, Any]
    counted: Counted
    terms: tuple[Term, ...]
    variance: Floats
    model_variance: Floats
    loglik_null: float
    loglik: float
    tests: tuple[Test, ...]
    evaluations: int

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        names = ("convention", "ties", "baseline", "conf_level")
        return {
            **{name: self.wanted[name] for name in names},
            "variance_of": self.wanted["variance"],
            "note": NOTES[self.wanted["variance"]],
            "rows": self.counted.rows,
            "patients": self.counted.patients,
            "events": self.counted.events,
            "left_out": dict(self.counted.left_out),
            "terms": [term.document("hazard_ratio") for term in self.terms],
            "variance": [numbers(row) for row in self.variance],
            "model_variance": [numbers(row) for row in self.model_variance],
            "loglik_null": self.loglik_null,
            "loglik": self.loglik,
            "tests": [test.document() for test in self.tests],
            "evaluations": self.evaluations,
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `terms`, `tests` and `summary`."""
        counts = (self.counted.rows, self.counted.patients, self.counted.events)
        return {
            "terms": terms_table(self.terms),
            "tests": tests_table(self.tests),
            "summary": Tidy(SUMMARY_COLUMNS, ((*counts, self.loglik_null, self.loglik),)),
        }


def fitted(
    maximum: Maximum,
    terms: tuple[str, ...],
    wanted: Mapping[str, Any],
    *,
    counted: Counted,
    variance: Floats,
) -> FineGrayFit:
    """Return the fit at a maximum with a variance (p, p) of its estimate."""
    std_error = np.where(maximum.aliased, np.nan, np.sqrt(np.diag(variance)))
    pairs = zip(terms, maximum.estimate.tolist(), std_error.tolist(), strict=True)
    return FineGrayFit(
        wanted=wanted,
        counted=counted,
        terms=tuple(term_of(*pair, wanted["conf_level"]) for pair in pairs),
        variance=variance,
        model_variance=maximum.variance,
        loglik_null=maximum.start.loglik,
        loglik=maximum.last.loglik,
        tests=_tests(maximum, variance),
        evaluations=maximum.evaluations,
    )


def _tests(maximum: Maximum, variance: Floats) -> tuple[Test, ...]:
    kept = ~maximum.aliased
    df, estimate = int(kept.sum()), maximum.estimate[kept]
    wald = float(estimate @ np.linalg.solve(variance[np.ix_(kept, kept)], estimate)) if df else 0.0
    statistics = {
        "pseudo likelihood ratio": 2 * (maximum.last.loglik - maximum.start.loglik),
        "Wald": wald,
    }
    return tuple(
        Test(name, statistic, df, chi_square_p(statistic, df) if df else 1.0)
        for name, statistic in statistics.items()
    )
