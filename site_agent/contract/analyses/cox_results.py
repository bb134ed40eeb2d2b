"""What a Cox fit reports: coefficients, intervals, the three tests, likelihoods.

Tests of all coefficients: likelihood ratio 2 (l - l0), score U0' I0^- U0, Wald b' I b, each
chi-square with as many degrees of freedom as there are estimable coefficients (`summary.coxph`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from site_agent.contract.analyses.baseline import COLUMNS as BASELINE_COLUMNS
from site_agent.contract.analyses.baseline import Baseline
from site_agent.contract.analyses.coefficients import (
    TERM_COLUMNS,
    Term,
    Test,
    term_of,
    terms_table,
    tests_table,
)
from site_agent.contract.analyses.cox_further import Further
from site_agent.contract.analyses.cox_profile import COLUMNS as PROFILE_COLUMNS
from site_agent.contract.analyses.cox_profile import Profile
from site_agent.contract.analyses.functional_form import Form
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.newton import Maximum
from site_agent.contract.analyses.proportionality import COLUMNS as PROPORTIONALITY_COLUMNS
from site_agent.contract.analyses.proportionality import Proportionality
from site_agent.contract.analyses.results import Failure, Tidy, finite_rows, numbers
from site_agent.contract.frames import Floats


@dataclass(frozen=True, slots=True)
class Wanted:
    """How the model was to be fitted."""

    ties: str
    baseline: str
    strata: tuple[str, ...]
    conf_level: float


@dataclass(frozen=True, slots=True)
class CoxFit:
    """A fitted model; variance (p, p) with zeros for aliased coefficients."""

    wanted: Wanted
    rows: int
    patients: int
    events: int
    left_out: Mapping[str, int]
    terms: tuple[Term, ...]
    variance: Floats
    loglik_null: float
    loglik: float
    tests: tuple[Test, ...]
    evaluations: int
    proportionality: tuple[Proportionality, ...] = ()
    proportionality_withheld: str = ""
    baseline: Baseline | None = None
    further: Further = field(default_factory=Further)
    firth: bool = False
    firth_because: str = ""
    profile: tuple[Profile, ...] = ()
    functional_form: Form | None = None

    @property
    def df(self) -> int:
        """Return the number of estimable coefficients."""
        return sum(1 for term in self.terms if not math.isnan(term.estimate))

    @property
    def aic(self) -> float:
        """Return Akaike's criterion, -2 l + 2 df."""
        return -2 * self.loglik + 2 * self.df

    @property
    def bic(self) -> float:
        """Return the Bayesian criterion over events, -2 l + df log(events)."""
        return -2 * self.loglik + self.df * math.log(self.events)

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "ties": self.wanted.ties,
            "baseline": self.wanted.baseline,
            "strata": list(self.wanted.strata),
            "conf_level": self.wanted.conf_level,
            "rows": self.rows,
            "patients": self.patients,
            "events": self.events,
            "left_out": dict(self.left_out),
            "terms": [term.document("hazard_ratio") for term in self.terms],
            "variance": [numbers(row) for row in self.variance],
            "loglik_null": self.loglik_null,
            "loglik": self.loglik,
            "aic": self.aic,
            "bic": self.bic,
            "tests": [test.document() for test in self.tests],
            "evaluations": self.evaluations,
            **self._followed(),
        }

    def _followed(self) -> dict[str, Any]:
        """Return what was asked for behind the fit; nothing if nothing was."""
        found: dict[str, Any] = {"firth": True} if self.firth else {}
        if self.firth_because:
            found["firth_because"] = self.firth_because
        if self.profile:
            found["profile"] = [own.document() for own in self.profile]
        if self.functional_form is not None:
            found["functional_form"] = self.functional_form.document()
        if self.proportionality:
            found["proportionality"] = [asdict(test) for test in self.proportionality]
        if self.proportionality_withheld:
            found["proportionality_withheld"] = self.proportionality_withheld
        if self.baseline is not None and self.baseline.rows + self.baseline.left_out:
            found["baseline_hazard"] = [
                dict(zip(BASELINE_COLUMNS, row, strict=True))
                for row in finite_rows(self.baseline.rows)
            ]
            found["baseline_hazard_left_out"] = list(self.baseline.left_out)
        return {**found, **self.further.document()}

    def tables(self) -> Mapping[str, Tidy]:
        """Return `terms`, `tests`, `summary`, and what was asked for behind the fit."""
        return {
            "terms": terms_table(self.terms),
            "tests": tests_table(self.tests),
            "summary": Tidy(SUMMARY_COLUMNS, (self.summary(),)),
            **self._followed_tables(),
        }

    def _followed_tables(self) -> dict[str, Tidy]:
        """Return `proportionality` and `baseline_hazard` if they were asked for."""
        found = {} if self.functional_form is None else dict(self.functional_form.tables())
        if self.profile:
            rows = tuple(own.cells() for own in self.profile)
            found["profile"] = Tidy(PROFILE_COLUMNS, rows)
        if self.proportionality:
            tests = (tuple(asdict(test).values()) for test in self.proportionality)
            found["proportionality"] = Tidy(PROPORTIONALITY_COLUMNS, tuple(tests))
        if self.baseline is not None and self.baseline.rows:
            found["baseline_hazard"] = Tidy(
                BASELINE_COLUMNS, tuple(finite_rows(self.baseline.rows))
            )
        return {**found, **self.further.tables()}

    def summary(self) -> tuple[int | float, ...]:
        """Return the fit as a row of SUMMARY_COLUMNS."""
        return (
            *(self.rows, self.patients, self.events),
            *(self.loglik_null, self.loglik, self.aic, self.bic),
        )


SUMMARY_COLUMNS = ("rows", "patients", "events", "loglik_null", "loglik", "aic", "bic")


@dataclass(frozen=True, slots=True)
class CoxScreen:
    """One model for each covariate; one that has no estimate says why."""

    models: Mapping[str, CoxFit | Failure]

    def document(self) -> dict[str, Any]:
        """Return all models as JSON, by covariate."""
        return {"models": {name: model.document() for name, model in self.models.items()}}

    def tables(self) -> Mapping[str, Tidy]:
        """Return `terms` and `failed`."""
        fits = {name: m for name, m in self.models.items() if isinstance(m, CoxFit)}
        failed = {name: m for name, m in self.models.items() if isinstance(m, Failure)}
        rows = tuple(
            (name, *term.cells(), *fit.summary()[:3])
            for name, fit in fits.items()
            for term in fit.terms
        )
        columns = ("covariate", *TERM_COLUMNS, *SUMMARY_COLUMNS[:3])
        return {
            "terms": Tidy(columns, rows),
            "failed": Tidy(
                ("covariate", "because"), tuple((name, m.because) for name, m in failed.items())
            ),
        }


def fitted(
    maximum: Maximum,
    terms: tuple[str, ...],
    wanted: Wanted,
    *,
    counts: tuple[int, int, int],
    left_out: Mapping[str, int],
    firth: bool = False,
) -> CoxFit:
    """Return the fit at a maximum, of Firth's or not; counts are (rows, patients, events)."""
    std_error = np.where(maximum.aliased, np.nan, np.sqrt(np.diag(maximum.variance)))
    return CoxFit(
        wanted=wanted,
        rows=counts[0],
        patients=counts[1],
        events=counts[2],
        left_out=left_out,
        terms=tuple(
            term_of(name, float(estimate), float(error), wanted.conf_level)
            for name, estimate, error in zip(terms, maximum.estimate, std_error, strict=True)
        ),
        variance=maximum.variance,
        loglik_null=maximum.start.loglik,
        loglik=maximum.last.loglik,
        tests=tuple(t for t in _tests(maximum) if not (firth and t.name == "score")),
        firth=firth,
        evaluations=maximum.evaluations,
    )


def _tests(maximum: Maximum) -> tuple[Test, ...]:
    kept = ~maximum.aliased
    df = int(kept.sum())
    start, last = maximum.start, maximum.last
    block = np.ix_(kept, kept)
    score = start.score[kept]
    estimate = maximum.estimate[kept]
    statistics = {
        "likelihood ratio": 2 * (last.loglik - start.loglik),
        "score": float(score @ np.linalg.solve(start.information[block], score)) if df else 0.0,
        "Wald": float(estimate @ last.information[block] @ estimate),
    }
    return tuple(
        Test(name, statistic, df, chi_square_p(statistic, df) if df else 1.0)
        for name, statistic in statistics.items()
    )
