"""The tables of regressions and of estimating equations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.model_tables import TEST_COLUMNS, profile_limits, test_row
from coordinator.report.suppression import Cell
from coordinator.report.views import Table, View

Row = tuple[Cell, ...]
RATIOS: Final = {"binomial": ("odds_ratio", "Odds ratio"), "poisson": ("rate_ratio", "Rate ratio")}
TESTED: Final = "Test of all coefficients but the intercept"
OF_VARIANCES: Final = "F"
F_COLUMNS: Final = ("Test", "F", "df1", "df2", "p")
NO_ESTIMATE: Final = "not estimable: constant, or a combination of the others"


def glm_tables(view: View) -> list[Table]:
    """Return the coefficients, the test of all of them, and the fit."""
    result, few = view.result, view.rules.total().few
    names = ("loglik", "aic", "deviance", "null_deviance", "dispersion")
    fit = (*_sizes(view), *(_number(view, result[name]) for name in names))
    columns = ("Rows", "Patients", "Log-likelihood", "AIC", "Deviance", "Null deviance")
    tables = [
        coefficients(view),
        *([] if few else [_test_table(view, test) for test in result["tests"]]),
        Table(
            "Fit", (*columns, "Dispersion"), (fit,), headed=0, notes=() if few else _remarks(view)
        ),
        Table("Profile likelihood", ("Term", _limits_title(view)), () if few else _profile(view)),
    ]
    return [table for table in tables if table.rows]


def _remarks(view: View) -> tuple[str, ...]:
    remark = str(view.result.get("remark", ""))
    return (f"{remark[:1].upper()}{remark[1:]}.",) if remark else ()


def _limits_title(view: View) -> str:
    _, title = RATIOS.get(view.result["family"], ("", "Coefficient"))
    return f"{title}, profile limits ({view.level})"


def _profile(view: View) -> tuple[Row, ...]:
    """Return the profile limits of each coefficient, as ratios."""
    ratio, _ = RATIOS.get(view.result["family"], ("", ""))
    return tuple(
        (view.term(own["term"]), profile_limits(own, ratio))
        for own in view.result.get("profile", ())
    )


def gee_tables(view: View) -> list[Table]:
    """Return the coefficients, the working correlation and the fit."""
    result = view.result
    correlation = tuple(
        (item["parameter"], _number(view, item["estimate"]))
        for item in result["working_correlation"]
    )
    criteria = tuple(
        (name.replace("_", " "), _number(view, value))
        for name, value in result.get("criteria", {}).items()
    )
    tables = [
        coefficients(view),
        Table("Working correlation", ("Parameter", "Estimate"), correlation),
        Table("Criteria", ("Criterion", "Value"), criteria),
        Table(
            "Fit",
            ("Rows", "Patients", "Scale"),
            ((*_sizes(view), _number(view, result["scale"])),),
            headed=0,
        ),
    ]
    return [table for table in tables if table.rows]


def coefficients(view: View) -> Table:
    """Return the coefficients; of a logit or log link also as ratios."""
    ratio, title = RATIOS.get(view.result["family"], ("", f"Coefficient ({view.level})"))
    heading = f"{title} ({view.level})" if ratio else title
    rows = tuple(_term(view, term, ratio) for term in view.result["terms"])
    return Table("Coefficients", ("Term", heading, "p", "Coefficient", "Standard error"), rows)


def _term(view: View, term: Mapping[str, Any], ratio: str) -> Row:
    name = view.term(term["term"])
    if view.rules.total().few:
        return (name, *(view.limit.hidden,) * 4)
    if term["estimate"] is None:
        return (name, NO_ESTIMATE)
    ends = ("estimate", "conf_low", "conf_high")
    shown = [numbers.significant(term[end]) for end in ends]
    if ratio:
        shown = [numbers.ratio(term[f"{ratio}{end}"]) for end in ("", "_low", "_high")]
    coefficient = numbers.with_error(term["estimate"], term["std_error"])
    return (name, numbers.with_interval(*shown), numbers.p_value(term["p_value"]), *coefficient)


def _test_table(view: View, test: Mapping[str, Any]) -> Table:
    """Return the test of a model: chi-square, or F, whose second df would give the rows back."""
    name = str(test["name"])[:1].upper() + str(test["name"])[1:]
    if name != OF_VARIANCES:
        return Table(TESTED, TEST_COLUMNS, (test_row(name, test),))
    first, statistic, df, p = test_row(name, test)
    shown = view.rules.rows("", grouped=False)
    second = view.limit.cell(view.result["residual_df"], shown=shown)
    return Table(TESTED, F_COLUMNS, ((first, statistic, df, second, p),))


def _sizes(view: View) -> Row:
    shown, cell = view.rules.total(), view.limit.cell
    return tuple(cell(view.result[name], shown=shown.rows) for name in ("rows", "patients"))


def _number(view: View, value: float | None) -> Cell:
    if not view.rules.total().rows:
        return view.limit.hidden
    return "" if value is None else numbers.significant(value)
