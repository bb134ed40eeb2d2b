"""The tables of tests and models: log-rank, Cox, and one Cox model for each covariate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from coordinator.report import numbers
from coordinator.report.small_counts import HIDDEN
from coordinator.report.views import Table, View

Row = tuple[str, ...]
NO_ESTIMATE = "not estimable: constant, or a combination of the others"
OUT_OF_RANGE = "beyond the range of numbers"


def logrank_tables(view: View) -> list[Table]:
    """Return observed and expected of each group, and the test."""
    result = view.result
    counts = view.limit.groups(list(zip(result["rows"], result["observed"], strict=True)))
    groups = tuple(
        (view.group(group), shown.instead)
        if shown.instead
        else (view.group(group), *shown.cells, numbers.fixed(expected, 1))
        for group, shown, expected in zip(result["groups"], counts, result["expected"], strict=True)
    )
    return [
        Table("Events by group", ("Group", "Rows", "Observed", "Expected"), groups),
        Table("Test", TEST_COLUMNS, (_test("Log-rank", result),)),
    ]


TEST_COLUMNS = ("Test", "Chi-square", "df", "p")


def _test(name: str, row: Mapping[str, Any]) -> Row:
    statistic = numbers.significant(row["statistic"])
    return (name, statistic, str(row["df"]), numbers.p_value(row["p_value"]))


def cox_tables(view: View) -> list[Table]:
    """Return the terms, the three tests and the fit of a Cox model."""
    result = view.result
    ratio = f"Hazard ratio ({view.level})"
    terms = tuple(_term(view, term) for term in result["terms"])
    tests = tuple(_test(_capital(test["name"]), test) for test in result["tests"])
    columns = ("Term", ratio, "p", "Coefficient", "Standard error")
    return [
        Table("Hazard ratios", columns, terms),
        Table("Tests of all coefficients", TEST_COLUMNS, tests),
        Table("Fit", FIT_COLUMNS, (_fit(view, result),), headed=0),
    ]


FIT_COLUMNS = ("Rows", "Patients", "Events", "Log-likelihood, null", "Log-likelihood", "AIC")


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def _term(view: View, term: Mapping[str, Any]) -> Row:
    name = view.term(term["term"])
    if term["estimate"] is None:
        return (name, NO_ESTIMATE)
    coefficient = (numbers.significant(term["estimate"]), numbers.significant(term["std_error"]))
    return (name, hazard_ratio(term), numbers.p_value(term["p_value"]), *coefficient)


def hazard_ratio(term: Mapping[str, Any]) -> str:
    """Return the hazard ratio of a term with its limits."""
    if term["hazard_ratio"] is None:
        return OUT_OF_RANGE
    names = ("hazard_ratio", "hazard_ratio_low", "hazard_ratio_high")
    return numbers.with_interval(*(numbers.significant(term[name]) for name in names))


def _fit(view: View, result: Mapping[str, Any]) -> Row:
    likelihoods = (numbers.fixed(result[name], 2) for name in ("loglik_null", "loglik", "aic"))
    return (*_sizes(view, result), *likelihoods)


def _sizes(view: View, result: Mapping[str, Any]) -> Row:
    """Return rows, patients and events; few censored rows are not given back by subtraction."""
    rows, events = int(result["rows"]), int(result["events"])
    if view.limit.small(rows - events):
        return (HIDDEN, HIDDEN, view.count(events))
    return (view.count(rows), view.count(result["patients"]), view.count(events))


def screen_tables(view: View) -> list[Table]:
    """Return one table over all covariates; a model that failed has its sentence."""
    rows: list[Row] = []
    for covariate, model in view.result["models"].items():
        if model.get("failed"):
            rows.append((view.label(covariate), view.limit.sentence(model["because"])))
        else:
            rows += _screen_rows(view, covariate, model)
    columns = ("Covariate", "Rows", "Events", f"Hazard ratio ({_level(view)})", "p")
    return [Table("One model for each covariate", columns, tuple(rows))]


def _level(view: View) -> str:
    fits = [model for model in view.result["models"].values() if not model.get("failed")]
    return numbers.level(fits[0]["conf_level"]) if fits else view.level


def _screen_rows(view: View, covariate: str, model: Mapping[str, Any]) -> list[Row]:
    rows, _, events = _sizes(view, model)
    found: list[Row] = []
    for term in model["terms"]:
        known = (_term_of(view, covariate, term["term"], len(model["terms"])), rows, events)
        if term["estimate"] is None:
            found.append((*known, NO_ESTIMATE))
        else:
            found.append((*known, hazard_ratio(term), numbers.p_value(term["p_value"])))
    return found


def _term_of(view: View, covariate: str, term: str, terms: int) -> str:
    """Return the term's name; of several, a term with a label stands behind its covariate's."""
    name, own = view.label(covariate), view.term(term)
    return f"{name}: {own}" if terms > 1 and term in view.labels else own
