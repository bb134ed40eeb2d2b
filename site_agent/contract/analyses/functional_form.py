"""The functional form of a covariate: its log hazard as a restricted cubic spline, with a band.

With basis B(x) of the spline (expressions/designs.py), coefficients b and their covariance V, at a
value x against a reference r:

    log HR(x) = d' b,  d = B(x) - B(r),  SE = sqrt(d' V d),  limits log HR -+ z SE  (pointwise)

as `predict(fit, type = "terms")` centred at r, or Predict() of rms. Wald tests b' V^- b: `overall`
of all columns of the spline, `nonlinear` of all but the first, the covariate itself (Harrell 2015,
Regression Modeling Strategies, 2.4.5 and 4.3). It follows from a fit and opens nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract import expressions
from site_agent.contract.analyses.intervals import chi_square_p, normal_quantile
from site_agent.contract.analyses.kind import Context, Options
from site_agent.contract.analyses.results import Tidy, number, numbers
from site_agent.contract.expressions import Columns
from site_agent.contract.frames import Floats
from site_agent.contract.study.document import Node
from site_agent.contract.study.fields import Fields

VALUES: Final = 101  # of a range
COLUMNS: Final = ("value", "estimate", "std_error", "conf_low", "conf_high")
TEST_COLUMNS: Final = ("test", "statistic", "df", "p_value")
RATIOS: Final = ("hazard_ratio", "hazard_ratio_low", "hazard_ratio_high")


@dataclass(frozen=True, slots=True)
class FunctionalForm:
    """Which spline is asked for: at which values, against which reference."""

    covariate: str
    values: tuple[float, ...]
    reference: float


@dataclass(frozen=True, slots=True)
class Form:
    """Log hazard ratios against the reference: rows of COLUMNS; tests of name, statistic, df, p."""

    covariate: str
    reference: float
    points: tuple[tuple[float, ...], ...]
    tests: tuple[tuple[str, float, int, float], ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON, hazard ratios with their limits included."""
        return {
            "covariate": self.covariate,
            "reference": self.reference,
            "points": [self._point(point) for point in self.points],
            "tests": [
                dict(zip(("name", *TEST_COLUMNS[1:]), test, strict=True)) for test in self.tests
            ],
        }

    def _point(self, point: tuple[float, ...]) -> dict[str, float | None]:
        with np.errstate(over="ignore"):
            ratios = np.exp([point[1], point[3], point[4]])
        known = dict(zip(COLUMNS, numbers(point), strict=True))
        return {**known, **dict(zip(RATIOS, numbers(ratios), strict=True))}

    def tables(self) -> Mapping[str, Tidy]:
        """Return `functional_form` and `functional_form_tests`."""
        points = tuple(tuple(number(value) for value in point) for point in self.points)
        return {
            "functional_form": Tidy(COLUMNS, points),
            "functional_form_tests": Tidy(TEST_COLUMNS, self.tests),
        }


def read_form(fields: Fields, context: Context, table: str) -> dict[str, Any] | None:
    """Read `functional_form`: a spline among the covariates, its values, and the reference."""
    inner = fields.inner("functional_form")
    if inner is None:
        return None
    node = inner.node_of("covariate", required=True)
    reference = inner.node_of("reference", required=True)
    values, ends = inner.numbers("values"), inner.numbers("range")
    inner.close()
    covariate = None if node is None else _spline(inner, context, node, table)
    covariates = fields.named.get("covariates")
    if covariate is not None and covariate not in _known(covariates):
        inner.issue(f"'{covariate}' is none of the covariates of this model", node)
    if bool(values) == bool(ends):
        inner.issue("expected either 'values', a list of numbers, or 'range', its two ends")
    elif ends and not (len(ends) == 2 and ends[0] < ends[1]):
        inner.issue("expected a range of two ascending numbers", inner.named["range"])
        ends = []
    if reference is not None and not _is_number(reference):
        inner.issue(f"found {reference.kind()}, expected a number", reference)
    return {
        "covariate": covariate or "",
        "values": sorted(set(values)),
        "range": ends,
        "reference": _number(reference),
    }


def _is_number(node: Node) -> bool:
    value = node.value
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(node: Node | None) -> float:
    return float(str(node.value)) if node is not None and _is_number(node) else 0.0


def _spline(fields: Fields, context: Context, node: Node, table: str) -> str | None:
    found = context.expression(fields, node, table, accept=(Columns,), expected="a spline")
    if found is None:
        return None
    if expressions.spline_basis(expressions.parse(found), np.zeros(1)) is None:
        fields.issue("expected a spline, as spline(age, knots = [40, 60, 75])", node)
        return None
    return found


def _known(covariates: Node | None) -> list[str]:
    """Return the covariates in their one spelling, as far as they can be read."""
    if covariates is None or not isinstance(covariates.value, list | tuple):
        return []
    texts = [item.value for item in covariates.value if isinstance(item.value, str)]
    found = []
    for text in texts:
        try:
            found.append(expressions.canonical(expressions.parse(text)))
        except expressions.ExpressionError:
            continue
    return found


def _between(low: float, high: float) -> list[float]:
    """Return evenly spaced values of a range."""
    return [low + (high - low) * step / (VALUES - 1) for step in range(VALUES)]


def form_of(options: Options) -> FunctionalForm | None:
    """Return what the options of a model ask for."""
    asked = options["functional_form"]
    if asked is None:
        return None
    values = asked["values"] or _between(*asked["range"])
    return FunctionalForm(asked["covariate"], tuple(values), asked["reference"])


def functional_form(
    asked: FunctionalForm | None,
    blocks: Mapping[str, range],
    coefficients: Floats,
    variance: Floats,
    *,
    level: float,
) -> Form | None:
    """Return a spline's log hazard ratios; None if the model has no such spline.

    coefficients (p,): NaN where aliased, variance (p, p); blocks: columns by covariate. An aliased
    column counts for nothing.
    """
    if asked is None or asked.covariate not in blocks:
        return None
    block = list(blocks[asked.covariate])
    b = np.nan_to_num(np.asarray(coefficients)[block])
    v = np.asarray(variance)[np.ix_(block, block)]
    basis = expressions.spline_basis(
        expressions.parse(asked.covariate), np.array([asked.reference, *asked.values])
    )
    assert basis is not None
    apart = basis[1:] - basis[0]
    estimate = apart @ b
    errors = np.sqrt(np.maximum(np.einsum("ni,ij,nj->n", apart, v, apart), 0.0))
    z = normal_quantile(level)
    columns = (asked.values, estimate, errors, estimate - z * errors, estimate + z * errors)
    points = tuple(tuple(float(v) for v in row) for row in zip(*columns, strict=True))
    tests = (_wald("overall", b, v), _wald("nonlinear", b[1:], v[1:, 1:]))
    return Form(asked.covariate, asked.reference, points, tests)


def _wald(name: str, b: Floats, v: Floats) -> tuple[str, float, int, float]:
    kept = np.diag(v) > 0
    df = int(kept.sum())
    if not df:
        return name, 0.0, 0, 1.0
    statistic = float(b[kept] @ np.linalg.solve(v[np.ix_(kept, kept)], b[kept]))
    return name, statistic, df, chi_square_p(statistic, df)
