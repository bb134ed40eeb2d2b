"""The tables of tests and models: log-rank, Cox, and one Cox model for each covariate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from coordinator.report import numbers, words
from coordinator.report.families import EVENT
from coordinator.report.predictions import further_tables
from coordinator.report.suppression import END, Cell
from coordinator.report.views import Table, View
from coordinator.report.words import NO_RESULT, no_result

Row = tuple[Cell, ...]
NO_ESTIMATE = "not estimable: constant, or a combination of the others"
OUT_OF_RANGE = "beyond the range of numbers"


def logrank_tables(view: View) -> list[Table]:
    """Return observed and expected of each group, and the test."""
    result, rules, cell = view.result, view.rules, view.limit.cell
    observed, rho = rules.counts(EVENT, END), result.get("rho", 0)
    weighted = ("Observed, weighted", "Expected, weighted") if rho else ("Expected",)
    groups = tuple(
        (
            view.group(group),
            cell(rows, shown=rules.full),
            cell(events, shown=observed),
            *(numbers.fixed(v, 1) if observed else view.limit.hidden for v in sums),
        )
        for group, rows, events, *sums in zip(
            *(result[name] for name in ("groups", "rows", "observed")),
            *(result[name] for name in ("weighted", "expected")[not rho :]),
            strict=True,
        )
    )
    name = words.rank_test(rho)
    test = test_row(name, result) if rules.summary(EVENT) else _hidden_test(view, name, result)
    return [
        Table("Events by group", ("Group", "Rows", "Observed", *weighted), groups),
        Table("Test", TEST_COLUMNS, (test,)),
    ]


TEST_COLUMNS = ("Test", "Chi-square", "df", "p")


def test_row(name: str, row: Mapping[str, Any]) -> Row:
    """Return the cells of TEST_COLUMNS of a chi-square test."""
    statistic = numbers.significant(row["statistic"])
    return (name, statistic, str(row["df"]), numbers.p_value(row["p_value"]))


def _hidden_test(view: View, name: str, row: Mapping[str, Any]) -> Row:
    return (name, view.limit.hidden, str(row["df"]), view.limit.hidden)


def cox_tables(view: View) -> list[Table]:
    """Return the terms, the three tests and the fit of a Cox model."""
    result = view.result
    ratio = f"Hazard ratio ({view.level})"
    few = view.rules.total().few
    terms = tuple(
        _few_term(view, t) if few else (*_term(view, t), *_model_error(result, number))
        for number, t in enumerate(result["terms"])
    )
    tests = tuple(test_row(_capital(test["name"]), test) for test in result["tests"])
    robust = ("Robust standard error", "Standard error of the model")
    errors = robust if "robust" in result else ("Standard error",)
    columns = ("Term", ratio, "p", "Coefficient", *errors)
    tables = [
        Table("Hazard ratios", columns, terms),
        *([] if few else [profile_table(view, result), *form_tables(view, result)]),
        Table("Tests of all coefficients", TEST_COLUMNS, () if few else tests),
        Table("Fit", FIT_COLUMNS, (_fit(view, result),), headed=0),
        Table("Tests of proportional hazards", ZPH_COLUMNS, () if few else _zph(view, result), 2),
        Table(
            "Cumulative baseline hazard, all covariates 0",
            BASELINE_COLUMNS,
            () if few else _baseline(view, result),
            2,
        ),
        *([] if few else further_tables(view)),
    ]
    return [table for table in tables if table.rows]


def fine_gray_tables(view: View) -> list[Table]:
    """Return the terms, the tests and the fit of a subdistribution hazard."""
    result, shown = view.result, view.rules.total()
    ratio = f"Subdistribution hazard ratio ({view.level})"
    terms = tuple((_few_term if shown.few else _term)(view, term) for term in result["terms"])
    tests = tuple(test_row(_capital(test["name"]), test) for test in result["tests"])
    fit = (*_sizes(view, result), *_likelihoods(view, result, ("loglik_null", "loglik")))
    tables = [
        Table(
            "Subdistribution hazard ratios",
            ("Term", ratio, "p", "Coefficient", "Standard error"),
            terms,
        ),
        Table("Tests of all coefficients", TEST_COLUMNS, () if shown.few else tests),
        Table("Fit", FIT_COLUMNS[:5], (fit,), headed=0),
    ]
    return [table for table in tables if table.rows]


def _model_error(result: Mapping[str, Any], number: int) -> Row:
    """Return the standard error from the information, beside a robust one."""
    if "robust" not in result or result["terms"][number]["estimate"] is None:
        return ()
    return (numbers.significant(result["robust"]["std_error_model"][number], 2),)


ZPH_COLUMNS = ("Transform of time", "Term", "Chi-square", "df", "p")
BASELINE_COLUMNS = ("Stratum", "Time", "Cumulative hazard")
FEW_DEATHS = "not given: too few deaths since the time before"


def _zph(view: View, result: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return the tests of proportional hazards that were asked for, or why there are none."""
    if "proportionality_withheld" in result:
        return (("", result["proportionality_withheld"], "", "", ""),)
    return tuple(
        (test["transform"], *test_row(view.term(test["term"]), test))
        for test in result.get("proportionality", ())
    )


def _baseline(view: View, result: Mapping[str, Any]) -> tuple[Row, ...]:
    """Return the baseline hazard at the times that were asked for."""
    known = tuple(
        (
            view.label(row["strata"]),
            numbers.time(row["time"]),
            numbers.significant(row["cumulative_hazard"], 2),
        )
        for row in result.get("baseline_hazard", ())
    )
    left_out = result.get("baseline_hazard_left_out", ())
    return (*known, *(("", numbers.time(time), FEW_DEATHS) for time in left_out))


FIT_COLUMNS = ("Rows", "Patients", "Events", "Log-likelihood, null", "Log-likelihood", "AIC")


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _term(view: View, term: Mapping[str, Any]) -> Row:
    name = view.term(term["term"])
    if term["estimate"] is None:
        return (name, NO_ESTIMATE)
    coefficient = numbers.with_error(term["estimate"], term["std_error"])
    return (name, hazard_ratio(term), numbers.p_value(term["p_value"]), *coefficient)


def _few_term(view: View, term: Mapping[str, Any]) -> Row:
    """Return a term of a model of few events, whose estimates would give their number back."""
    return (view.term(term["term"]), *(view.limit.hidden,) * (4 + ("robust" in view.result)))


def hazard_ratio(term: Mapping[str, Any]) -> str:
    """Return the hazard ratio of a term with its limits."""
    if term["hazard_ratio"] is None:
        return OUT_OF_RANGE
    names = ("hazard_ratio", "hazard_ratio_low", "hazard_ratio_high")
    return numbers.with_interval(*(numbers.ratio(term[name]) for name in names))


def _fit(view: View, result: Mapping[str, Any]) -> Row:
    """Return counts and likelihoods."""
    likelihoods = _likelihoods(view, result, ("loglik_null", "loglik", "aic"))
    return (*_sizes(view, result), *likelihoods)


def _likelihoods(view: View, result: Mapping[str, Any], names: tuple[str, ...]) -> Row:
    """Return likelihoods; that at 0 counts the rows at risk."""
    shown = view.rules.total()
    known = shown.rows and shown.events
    return tuple(numbers.significant(result[n]) if known else view.limit.hidden for n in names)


def _sizes(view: View, result: Mapping[str, Any], model: str = "") -> Row:
    """Return rows, patients and events of a model."""
    shown = view.rules.total(model)
    cell = view.limit.cell
    events = view.limit.mark if shown.few else cell(result["events"], shown=shown.events)
    return (
        cell(result["rows"], shown=shown.rows),
        cell(result["patients"], shown=shown.rows),
        events,
    )


def screen_tables(view: View) -> list[Table]:
    """Return one table over all covariates; a model that failed has its sentence."""
    rows: list[Row] = []
    for covariate, model in view.result["models"].items():
        if model.get("failed"):
            verdict, because = no_result(view, str(model["because"]))
            told = because if verdict == NO_RESULT else f"{verdict}. {because}"
            rows.append((view.label(covariate), told))
        else:
            rows += _screen_rows(view, covariate, model)
    columns = ("Covariate", "Rows", "Events", f"Hazard ratio ({_level(view)})", "p")
    return [Table("One model for each covariate", columns, tuple(rows))]


def _level(view: View) -> str:
    fits = [model for model in view.result["models"].values() if not model.get("failed")]
    return numbers.level(fits[0]["conf_level"]) if fits else view.level


def _screen_rows(view: View, covariate: str, model: Mapping[str, Any]) -> list[Row]:
    rows, _, events = _sizes(view, model, covariate)
    found: list[Row] = []
    for term in model["terms"]:
        known = (_term_of(view, covariate, term["term"], len(model["terms"])), rows, events)
        if view.rules.total(covariate).few:
            found.append((*known, view.limit.hidden, view.limit.hidden))
        elif term["estimate"] is None:
            found.append((*known, NO_ESTIMATE))
        else:
            found.append((*known, hazard_ratio(term), numbers.p_value(term["p_value"])))
    return found


def _term_of(view: View, covariate: str, term: str, terms: int) -> str:
    """Return the term's name; of several, a term with a label stands behind its covariate's."""
    name, own = view.label(covariate), view.term(term)
    return f"{name}: {own}" if terms > 1 and term in view.labels else own


def profile_table(view: View, result: Mapping[str, Any]) -> Table:
    """Return profile limits and likelihood-ratio tests of single coefficients."""
    rows = tuple(
        (
            view.term(own["term"]),
            profile_limits(own, "hazard_ratio"),
            numbers.significant(own["statistic"]) if own["statistic"] is not None else NO_LIMIT,
            numbers.p_value(own["p_value"]) if own["p_value"] is not None else NO_LIMIT,
        )
        for own in result.get("profile", ())
    )
    columns = ("Term", f"Hazard ratio, profile limits ({view.level})", "Chi-square", "p")
    return Table("Profile likelihood", columns, rows)


NO_LIMIT = "none within reach"


def profile_limits(own: Mapping[str, Any], ratio: str) -> str:
    """Return the profile limits of a coefficient as limits of its ratio of this name."""
    ends = (own[f"{ratio}_low"], own[f"{ratio}_high"])
    return " to ".join(NO_LIMIT if end is None else numbers.ratio(end) for end in ends)


def form_name(view: View, spline: str) -> str:
    """Return the label of a spline, or of what it is a spline of."""
    inside = spline.removeprefix("spline(").rpartition(", knots")[0]
    return view.labels.get(spline, view.label(inside))


def form_tables(view: View, result: Mapping[str, Any]) -> list[Table]:
    """Return a spline's hazard ratios at some of its values, and its tests."""
    form = result.get("functional_form")
    if form is None:
        return []
    name = form_name(view, form["covariate"])
    step = max(1, -(-len(form["points"]) // MOST_VALUES))
    points = tuple(
        (f"{point['value']:.6g}", hazard_ratio(point)) for point in form["points"][::step]
    )
    against = f"Hazard ratio against {form['reference']:g} ({view.level})"
    tests = tuple(
        test_row(FORM_TESTS.get(test["name"], test["name"]), test) for test in form["tests"]
    )
    return [
        Table(f"Functional form: {name}", ("Value", against), points),
        Table(f"Tests of the form: {name}", TEST_COLUMNS, tests),
    ]


MOST_VALUES = 11
FORM_TESTS = {"overall": "Any association", "nonlinear": "Non-linearity"}


def meta_tables(view: View) -> list[Table]:
    """Return pooled effects of each coefficient, and how much hospitals differ."""
    few = view.rules.total().few
    terms = view.result["terms"]
    effects = tuple(row for term in terms for row in _effects(view, term, few=few))
    spread = () if few else tuple(_spread(view, term) for term in terms if "fixed" in term)
    tables = [
        Table("Pooled hazard ratios", _effect_columns(view), effects, 2),
        Table("Between hospitals", SPREAD_COLUMNS, spread),
        Table("Rows", ("Rows", "Patients", "Events"), (_sizes(view, view.result),), headed=0),
    ]
    return [table for table in tables if table.rows]


SPREAD_COLUMNS = (
    *("Term", "Hospitals", "Q", "df", "p", "I²", "τ²"),
    "Hazard ratio of a further hospital",
)


def _effect_columns(view: View) -> tuple[str, ...]:
    return ("Term", "Effect", f"Hazard ratio ({view.level})", "p")


def _effects(view: View, term: Mapping[str, Any], *, few: bool) -> list[Row]:
    name = view.term(term["term"])
    if "fixed" not in term:
        return [(name, term["withheld"])]
    if few:
        return [(name, "fixed", view.limit.hidden, view.limit.hidden)]
    rows: list[Row] = [
        (name, model, hazard_ratio(term[model]), numbers.p_value(term[model]["p_value"]))
        for model in ("fixed", "random")
        if model in term
    ]
    if "random_withheld" in term:
        rows.append((name, "random", term["random_withheld"]))
    return rows


def _spread(view: View, term: Mapping[str, Any]) -> Row:
    own = term["heterogeneity"]
    predict = [end for end in term.get("predict", ()) if end is not None]
    with np.errstate(over="ignore"):
        ends = " to ".join(numbers.ratio(float(np.exp(end))) for end in predict)
    return (
        view.term(term["term"]),
        str(own["sites"]),
        numbers.significant(own["q"]),
        str(own["df"]),
        numbers.p_value(own["p_value"]),
        "" if own["i2"] is None else f"{100 * own['i2']:.0f} %",
        numbers.significant(own["tau2"], 2),
        ends,
    )
