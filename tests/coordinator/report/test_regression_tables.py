"""Tables of regressions, smoothed curves and diagrams, and what they hide."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.report.regression_tables import (
    gee_tables,
    glm_tables,
)
from coordinator.report.words import sentence
from tests.coordinator.report.made import view

TERM = {
    "term": "age",
    "estimate": 0.5,
    "std_error": 0.25,
    "statistic": 2.0,
    "p_value": 0.0455,
    "conf_low": 0.01,
    "conf_high": 0.99,
    "odds_ratio": 1.6487,
    "odds_ratio_low": 1.01,
    "odds_ratio_high": 2.69,
}
COUNTED = {"rows": 30, "patients": 30, "left_out": {}, "conf_level": 0.95, "family": "binomial"}


def regression(**more: Any) -> dict[str, Any]:
    """Return a fit of 30 rows."""
    likelihood = {"loglik": -18.0, "aic": 40.0, "deviance": 36.0, "null_deviance": 41.0}
    test = {"name": "likelihood ratio", "statistic": 5.0, "df": 1, "p_value": 0.0253}
    return {
        **COUNTED,
        **likelihood,
        "terms": [TERM],
        "tests": [test],
        "dispersion": 1.0,
        **more,
    }


def equations() -> dict[str, Any]:
    correlation = [{"parameter": "alpha", "estimate": 0.4}]
    return {**COUNTED, "terms": [TERM], "scale": 0.98, "working_correlation": correlation}


def test_odds_ratios() -> None:
    """A logistic model has odds ratios with limits, p and the coefficient."""
    (row,) = glm_tables(view("glm", regression()))[0].rows
    assert row[:3] == ("age", "1.65 (1.01 to 2.69)", "0.045")


def linear_test(**more: Any) -> dict[str, Any]:
    """Return the table of the F test of a linear model, by its columns."""
    test = {"name": "F", "statistic": 4.2, "df": 1, "p_value": 0.0498}
    fit = regression(family="gaussian", tests=[test], residual_df=28)
    table = glm_tables(view("glm", fit, family="gaussian", **more))[1]
    return dict(zip(table.columns, map(str, table.rows[0]), strict=True))


def test_f_of_a_linear_model() -> None:
    """F stands under its own name, with both its degrees of freedom."""
    assert linear_test() == {"Test": "F", "F": "4.20", "df1": "1", "df2": "28", "p": "0.050"}


def test_the_second_df_of_f_is_hidden_where_the_rows_are() -> None:
    """Of a model of 30 rows whose limit is 31, df2 would give the rows back."""
    assert linear_test(least=31)["df2"] == "hidden"


def test_a_perfect_fit_is_remarked() -> None:
    """What a result remarks stands at the foot of its fit."""
    fit = regression(family="gaussian", remark="essentially perfect fit: so it is")
    notes = glm_tables(view("glm", fit, family="gaussian"))[-1].notes
    assert notes == ("Essentially perfect fit: so it is.",)


def test_chi_square_of_a_logistic_model() -> None:
    """A likelihood ratio test keeps the heading of a chi-square."""
    assert glm_tables(view("glm", regression()))[1].columns == ("Test", "Chi-square", "df", "p")


ENDS = {"conf_low": 0.0, "conf_high": None, "odds_ratio_low": 1.0, "odds_ratio_high": None}
LIMITS = {"term": "age", **ENDS}


def profiles() -> list[tuple[Any, ...]]:
    tables = glm_tables(view("glm", regression(profile=[LIMITS])))
    return [row for table in tables if table.caption == "Profile likelihood" for row in table.rows]


def test_profile_limits() -> None:
    """Limits as odds ratios; one that was not found says so."""
    assert profiles() == [("age", "1.00 to none within reach")]


def test_the_sentence_names_profile_limits() -> None:
    """Only where they were asked for."""
    told = [
        "by profile likelihood" in sentence(view("glm", regression(), intervals=name))
        for name in ("wald", "profile")
    ]
    assert told == [False, True]


def test_a_fit_of_few_rows_hides_what_gives_their_number() -> None:
    """Rows below the limit are hidden, and the likelihood that counts them with them."""
    few = glm_tables(view("glm", regression(rows=3, patients=3), least=5))
    assert "<5" in few[-1].rows[0] or "hidden" in map(str, few[-1].rows[0])


def test_the_working_correlation() -> None:
    """Its parameter stands in a table of its own."""
    tables = {table.caption: table.rows for table in gee_tables(view("gee", equations()))}
    assert tables["Working correlation"] == (("alpha", "0.400"),)


@pytest.mark.parametrize("kind", ["glm", "gee", "loess", "adjustment"])
def test_sentences(kind: str) -> None:
    """Each kind says what it is."""
    assert len(sentence(view(kind, {"conf_level": 0.95}))) > 40
