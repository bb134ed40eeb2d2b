"""What a Cox result has beyond the fit: robust errors, concordance, predicted curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.baseline import COLUMNS as BASELINE_COLUMNS
from site_agent.contract.analyses.concordance import COUNTS, Concordance
from site_agent.contract.analyses.cox_predict import COLUMNS as CURVE_COLUMNS
from site_agent.contract.analyses.cox_predict import Row
from site_agent.contract.analyses.cox_robust import Robust
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.newton import inverse
from site_agent.contract.analyses.results import Tidy, finite_rows, number, numbers
from site_agent.contract.frames import Floats

PIVOT: Final = 1e-9
CONCORDANCE_COLUMNS: Final = (*COUNTS, "concordance", "std_error")
ERROR_COLUMNS: Final = ("term", "std_error", "std_error_model")


@dataclass(frozen=True, slots=True)
class Further:
    """What was asked for behind a fit and is neither a test of proportionality nor a step.

    model_errors and model_variance are those from the information, where robust ones took their
    place. withheld: by part, why it could not be given.
    """

    robust: Robust | None = None
    terms: tuple[str, ...] = ()
    errors: Floats | None = None
    model_errors: Floats | None = None
    model_variance: Floats | None = None
    concordance: Concordance | None = None
    concordance_withheld: str = ""
    predicted: tuple[Row, ...] = ()
    predicted_at: tuple[Row, ...] = ()
    baseline_curve: tuple[tuple[str, float, float], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return what there is as JSON."""
        found: dict[str, Any] = {}
        if self.robust is not None:
            assert self.model_errors is not None and self.model_variance is not None
            found["robust"] = {
                "cluster": self.robust.cluster,
                "clusters": self.robust.clusters,
                "std_error_model": numbers(self.model_errors),
                "variance_model": [numbers(row) for row in self.model_variance],
            }
        if self.concordance is not None:
            found["concordance"] = dict(
                zip(CONCORDANCE_COLUMNS, _concordance(self.concordance), strict=True)
            )
        if self.concordance_withheld:
            found["concordance_withheld"] = self.concordance_withheld
        for name, rows in self._curves().items():
            columns = BASELINE_COLUMNS if name == "baseline_curve" else CURVE_COLUMNS
            found[name] = [dict(zip(columns, row, strict=True)) for row in rows]
        return found

    def _curves(self) -> dict[str, Sequence[tuple[str | float | None, ...]]]:
        named = ("predicted", "predicted_at", "baseline_curve")
        return {name: finite_rows(getattr(self, name)) for name in named if getattr(self, name)}

    def tables(self) -> dict[str, Tidy]:
        """Return what there is as tidy tables."""
        found = {}
        if self.robust is not None and self.errors is not None and self.model_errors is not None:
            rows = zip(self.terms, self.errors, self.model_errors, strict=True)
            found["standard_errors"] = Tidy(
                ERROR_COLUMNS, tuple((t, number(one), number(other)) for t, one, other in rows)
            )
        if self.concordance is not None:
            found["concordance"] = Tidy(CONCORDANCE_COLUMNS, (_concordance(self.concordance),))
        for name, curve in self._curves().items():
            columns = BASELINE_COLUMNS if name == "baseline_curve" else CURVE_COLUMNS
            found[name] = Tidy(columns, tuple(curve))
        return found


def _concordance(found: Concordance) -> tuple[float, ...]:
    return (*(getattr(found, name) for name in COUNTS), found.estimate, found.std_error)


def wald(estimate: Floats, variance: Floats) -> tuple[float, int, float]:
    """Return b' V^- b, its degrees of freedom and p; V by sweeping, aliased columns left out.

    With fewer clusters than coefficients V is singular: columns that add no rank count for
    nothing, as in R.
    """
    kept = ~np.isnan(estimate)
    b, block = estimate[kept], variance[np.ix_(kept, kept)]
    swept, _ = inverse(block, PIVOT * np.full(len(b), np.diag(block).max(initial=0.0)))
    statistic, df = float(b @ swept @ b), int(kept.sum())
    return statistic, df, chi_square_p(statistic, df) if df else 1.0


def errors_of(variance: Floats, aliased: np.ndarray) -> Floats:
    """Return standard errors (p,), NaN where aliased."""
    return np.asarray(np.where(aliased, math.nan, np.sqrt(np.diag(variance))))


def with_robust(further: Further, found: Robust, terms: tuple[str, ...], model: Floats,
                aliased: np.ndarray) -> Further:  # fmt: skip
    """Return `further` with a robust variance; model: the variance from the information."""
    return replace(
        further,
        robust=found,
        terms=terms,
        errors=errors_of(found.variance, aliased),
        model_errors=errors_of(model, aliased),
        model_variance=model,
    )
