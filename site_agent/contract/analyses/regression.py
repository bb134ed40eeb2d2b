"""What `glm` and `gee` have in common: their rows, their columns, how their options are read."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.families import FAMILIES, Family
from site_agent.contract.analyses.kind import Context, Options
from site_agent.contract.analyses.profile_limit import PROFILE_POINTS
from site_agent.contract.analyses.risk_sets import triangle, unpack
from site_agent.contract.errors import AnalysisError
from site_agent.contract.expressions import Boolean, Number
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.rows import design_columns
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Arrays

INTERCEPT: Final = "(Intercept)"
ROUNDING: Final = 1e-10  # of squares about a mean that is off by rounding: less is no variance
LEAST_SPREAD: Final = 1e-8  # of the mean: a smaller standard deviation is not seen in squares
COUNTED_POINTS: Final = 6  # of Newton's method, or of an iteration


@dataclass(frozen=True, slots=True)
class Regression:
    """One regression: its rows, its design columns behind the intercept, its family."""

    frame: Frame
    terms: tuple[str, ...]
    family: Family

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all coefficients, the intercept first."""
        return (INTERCEPT, *self.terms)


def read_regression(fields: Fields, context: Context) -> dict[str, Any]:
    """Read what every regression has: rows, outcome, family, covariates, offset."""
    table = context.table(fields)
    outcome = read_number(fields, context, "outcome", table, required=True)
    return {
        "table": table,
        "cohort": context.cohort(fields, table),
        "outcome": outcome or "",
        "family": fields.choice("family", tuple(FAMILIES)),
        "covariates": _read_covariates(fields, context, table, outcome),
        "offset": read_number(fields, context, "offset", table),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _read_covariates(
    fields: Fields, context: Context, table: str, outcome: str | None
) -> list[str]:
    """Read the covariates, which may be none."""
    if "covariates" not in fields.named:
        return []
    explained = () if outcome is None else (outcome,)
    return context.covariates(fields, table, explained=explained, what="the outcome")


def read_number(
    fields: Fields, context: Context, name: str, table: str, *, required: bool = False
) -> str | None:
    """Read an expression that is a number; an outcome can be a condition too."""
    node = fields.node_of(name, required=required)
    if node is None:
        return None
    accept: tuple[type, ...] = (Number, Boolean) if name == "outcome" else (Number,)
    expected = "a number or a condition" if name == "outcome" else "a number"
    return context.expression(fields, node, table, accept=accept, expected=expected)


def frame_of_regression(options: Options, *more: str) -> Frame:
    """Return the rows of a regression; `more` are numbers behind the outcome."""
    return Frame(
        table=options["table"],
        cohort=options["cohort"],
        covariates=tuple(options["covariates"]),
        weights=options.get("weights"),
        offset=options["offset"],
        numbers=(options["outcome"], *more),
    )


def regression_of(study: Study, options: Options, frame: Frame) -> Regression:
    """Return the regression of a frame, with its columns by name."""
    terms = tuple(
        column for name in frame.covariates for column in design_columns(study, frame.table, name)
    )
    return Regression(frame, terms, FAMILIES[options["family"]])


def refuse_outcomes(model: Regression, known: Arrays) -> None:
    """AnalysisError if there are no rows, or outcomes that the family cannot have or explain."""
    rows, wrong = int(known["rows"][0]), int(known["not_allowed"][0])
    if not rows:
        raise AnalysisError("no row has the outcome and all covariates; nothing can be fitted")
    if wrong:
        raise AnalysisError(
            f"the outcome of {wrong} of {rows} rows is not {model.family.outcomes}, as family "
            f"{model.family.name} needs; correct the outcome or take another family"
        )
    if model.family.name == "gaussian":
        return  # whether it is constant is seen at the start of the fit: refuse_constant
    above = int(known["above_zero"][0])
    if not above:
        raise AnalysisError(f"the outcome of all {rows} rows is 0; no model has an estimate")
    if model.family.name == "binomial" and above == rows:
        raise AnalysisError(f"the outcome of all {rows} rows is 1; no model has an estimate")


def refuse_constant(model: Regression, known: Arrays, first: float, second: float) -> None:
    """AnalysisError if a gaussian outcome is the same in all rows.

    first, second: the sums of w d and w d^2, d what the outcome is above the start of the fit. The
    start is its mean but for rounding, so a constant outcome leaves d the same in all rows, digit
    by digit: w d^2 then adds up to the square of the sum of w d over the weight, whatever the mean.
    The squares of the outcome itself would not tell: a standard deviation of 10^-8 means is lost
    in their last digit.
    """
    if model.family.name != "gaussian" or model.frame.offset is not None:
        return
    if second - first**2 / known["weight"][0] <= ROUNDING * second:
        rows = int(known["rows"][0])
        raise AnalysisError(
            f"the outcome is the same in all {rows} rows; there is nothing to explain"
        )


def start_of(model: Regression, known: Arrays, scale: float) -> Floats:
    """Return where a fit begins, (1 + p,): the intercept of the mean outcome, and zeros."""
    weight = known["weight"][0]
    mean = known["outcome"][0] / weight / scale
    start = np.zeros(1 + len(model.terms))
    start[0] = model.family.link(float(mean)) - known["offset"][0] / weight
    return start


def scale_of(model: Regression, known: Arrays) -> float:
    """Return the unit in which the outcome is summed: about its standard deviation, or 1.

    It is a power of 2, so that nothing is rounded when the outcome is divided by it.
    """
    if model.family.name != "gaussian":
        return 1.0
    mean, square = _outcome(known)
    spread = math.sqrt(max(square - mean**2, (LEAST_SPREAD * mean) ** 2))
    return 2.0 ** round(math.log2(spread)) if spread > 0 else 1.0


def _outcome(known: Arrays) -> tuple[float, float]:
    """Return the mean of the outcome and of its square."""
    mean, square = (float(known[name][0] / known["weight"][0]) for name in ("outcome", "square"))
    return mean, square


def centre_and_covariance(known: Arrays, columns: int) -> tuple[Floats, Floats]:
    """Return means (p,) of the columns and covariance (1 + p, 1 + p), the intercept first."""
    weight = known["weight"][0]
    centre = known["sum"] / weight
    products = unpack(known["products"], columns) / weight
    covariance = products - np.outer(centre, centre)
    varies = np.diag(covariance) > 1e-12 * np.diag(products)
    full = np.zeros((1 + columns, 1 + columns))
    full[1:, 1:] = np.where(np.outer(varies, varies), covariance, 0.0)
    return centre, full


def uncentred(estimate: Floats, variance: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Return estimate and variance with the intercept at covariates 0, not at their means.

    Aliased coefficients are NaN and count as 0.
    """
    back = np.eye(len(estimate))
    back[0, 1:] = -centre
    moved = estimate.copy()
    moved[0] -= centre @ np.nan_to_num(estimate[1:])
    return moved, back @ variance @ back.T


def packed(matrix: Floats) -> Floats:
    """Return the upper triangle of a symmetric matrix, row by row."""
    return np.asarray(matrix[np.triu_indices(len(matrix))])


def limits_of_regression(options: Options, frame: Frame) -> Frame:
    """Return the rows whose groups have limits: of an outcome of two values, both are groups."""
    if options["family"] != "binomial":
        return frame
    return replace(frame, covariates=(*frame.covariates, options["outcome"]))


def scalars_of_regression(study: Study, analysis: Analysis, frame: Frame) -> int:
    """Return how many numbers about its columns a regression opens, as guard_limits.py counts."""
    columns = sum(len(design_columns(study, frame.table, name)) for name in frame.covariates)
    p = 1 + columns
    sandwich = triangle(p) if analysis.options.get("robust", "row") != "none" else 0
    ends = 2 * p if analysis.options.get("intervals") == "profile" else 0
    points = (COUNTED_POINTS + PROFILE_POINTS * ends) * (1 + p + triangle(p))
    return 2 * columns + triangle(columns) + points + sandwich
