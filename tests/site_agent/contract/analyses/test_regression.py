"""Regressions by hand, how they are read, and what they say of data that cannot be fitted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import StudyError
from tests.pooling import pool

STUDY = """
quorum: 1
study: made
title: Made-up rows
time: {{unit: day, resolution: 1, horizon: 100}}
tables:
  visits:
    key: [id, visit]
    columns:
      visit: {{type: integer, range: [0, 9]}}
      x:     {{type: number, range: [-100, 100], missing: allowed}}
      y:     {{type: number, range: [-1e12, 1e12], missing: allowed}}
disclosure: {{classes: [A, B], compute: {{sites: 3}}}}
analyses:
  a: {analysis}
"""
LINE = "{kind: glm, outcome: y, family: gaussian, covariates: [x]}"
LOGIT = "{kind: glm, outcome: y, family: binomial, covariates: [x]}"
WAVES = "wave: visit, waves: [0, 1]"
EQUATIONS = f"{{kind: gee, outcome: y, family: gaussian, covariates: [x], {WAVES}}}"
SMOOTH = "{kind: loess, outcome: y, day: visit, days: [0, 9], degree: 1, span: 1}"


def outcome(analysis: str, x: Sequence[Any], y: Sequence[Any], visit: Sequence[int] = ()) -> Any:
    """The result over three sites, one without rows; each row a patient of its own."""
    count = len(x)
    rows = pd.DataFrame({"x": x, "y": y}, dtype=float)
    rows.insert(0, "id", [f"p{n}" for n in range(count)])
    rows.insert(1, "visit", list(visit) or [0] * count)
    sites = {"one": rows[::2], "two": rows[1::2], "none": rows[:0]}
    tables = {name: {"visits": part} for name, part in sites.items()}
    return pool(STUDY.format(analysis=analysis), tables).results["a"]


def terms(found: Any, part: str = "estimate") -> list[float]:
    assert not isinstance(found, Failure), found.because
    return [term[part] for term in found.document()["terms"]]


def test_a_line_by_hand() -> None:
    """Through (0, 1), (1, 2), (2, 6): slope 5/2 and intercept 1/2."""
    assert terms(outcome(LINE, [0, 1, 2], [1, 2, 6])) == pytest.approx([0.5, 2.5], abs=1e-13)


def test_its_errors_by_hand() -> None:
    """Residuals 1/2, -1, 1/2 leave 3/2 for one degree of freedom; the slope's variance is 3/4."""
    errors = terms(outcome(LINE, [0, 1, 2], [1, 2, 6]), "std_error")
    assert errors == pytest.approx([(1.5 * 5 / 6) ** 0.5, 0.75**0.5], rel=1e-13)


@pytest.mark.parametrize("mean", [1e7, 1e9, -1e11])
def test_a_line_far_from_0(mean: float) -> None:
    """The line by hand, but higher by a mean of up to 10^11: slope 5/2, its variance 3/4."""
    found = outcome(LINE, [0, 1, 2], [mean + y for y in (1, 2, 6)])
    slope = [terms(found)[1], terms(found, "std_error")[1]]
    assert slope == pytest.approx([2.5, 0.75**0.5], rel=1e-9)


@pytest.mark.parametrize("mean", [0, 1e9])
def test_its_test_and_null_deviance(mean: float) -> None:
    """14 about the mean, 3/2 about the line: F is 25/3 on 1 and 1 degrees of freedom."""
    found = outcome(LINE, [0, 1, 2], [mean + y for y in (1, 2, 6)]).document()
    numbers = [found["null_deviance"], found["deviance"], found["tests"][0]["statistic"]]
    assert numbers == pytest.approx([14, 1.5, 25 / 3], rel=1e-9)


@pytest.mark.parametrize("value", [0.1, 1e9 / 3, -123456.789, 1e-30])
@pytest.mark.parametrize("kind", ["glm", "gee"])
def test_all_the_same_is_told_of_any_value(kind: str, value: float) -> None:
    """No rounding of a mean is taken for something to explain."""
    analysis = LINE if kind == "glm" else EQUATIONS
    visits = [0, 1] * 50
    found = outcome(analysis, [k % 7 for k in range(100)], [value] * 100, visits)
    assert isinstance(found, Failure) and "is the same in all 100 rows" in found.because


def test_one_digit_of_one_row_is_something() -> None:
    """A last digit that differs in one of 100 rows is fitted."""
    values = [1e9 / 3] * 99 + [math.nextafter(1e9 / 3, math.inf)]
    assert not isinstance(outcome(LINE, list(range(100)), values), Failure)


@pytest.mark.parametrize("slope", [2, 0.1])
def test_a_perfect_fit_says_so(slope: float) -> None:
    """Where all rows are on the line its estimates stay, and nothing is made of rounding."""
    xs = [0, 1, 2, 3, 4, 7]
    found = outcome(LINE, xs, [1 + slope * x for x in xs])
    assert terms(found) == pytest.approx([1, slope], rel=1e-12)
    assert found.document()["remark"].startswith("essentially perfect fit")


@pytest.mark.parametrize("mean", [0, 1e7])
def test_a_good_fit_has_no_remark(mean: float) -> None:
    """Residuals of a thousandth are seen, also beside a mean of ten million."""
    found = outcome(LINE, [0, 1, 2, 3], [mean, mean + 1, mean + 2, mean + 3.001])
    assert "remark" not in found.document()


def test_odds_by_hand() -> None:
    """One of three without x and two of three with it: the odds ratio is 4."""
    found = outcome(LOGIT, [0, 0, 0, 1, 1, 1], [1, 0, 0, 1, 1, 0])
    assert found.document()["terms"][1]["odds_ratio"] == pytest.approx(4, rel=1e-12)


def fall(limit: float, events: int, rows: int) -> float:
    """Twice what the log-likelihood of a proportion loses at log odds."""
    p, q = events / rows, 1 / (1 + math.exp(-limit))
    return 2 * (events * math.log(p / q) + (rows - events) * math.log((1 - p) / (1 - q)))


def test_profile_limits_by_hand() -> None:
    """With two groups the intercept's profile is that of the proportion 2 of 5 without x."""
    analysis = LOGIT.replace("}", ", intervals: profile}")
    found = outcome(analysis, [0] * 5 + [1] * 4, [1, 1, 0, 0, 0, 1, 0, 1, 1]).document()
    intercept = found["profile"][0]
    falls = [fall(intercept[end], 2, 5) for end in ("conf_low", "conf_high")]
    assert falls == pytest.approx([3.841458820694124] * 2, rel=1e-9)


def test_an_aliased_column_has_no_profile() -> None:
    """A column that does not vary has no limits, the others have."""
    analysis = LOGIT.replace("}", ", intervals: profile}")
    found = outcome(analysis, [2] * 5, [1, 1, 0, 0, 0]).document()["profile"]
    assert [limits["term"] for limits in found] == ["(Intercept)"]


@pytest.mark.parametrize("more", ["robust: row", "dispersion: estimated", "family: gaussian"])
def test_profile_limits_need_a_likelihood(more: str) -> None:
    """Neither with robust errors nor with an estimated dispersion."""
    name = more.split(":")[0]
    base = {"family": "family: binomial", name: more}
    analysis = f"{{kind: glm, outcome: y, intervals: profile, {', '.join(base.values())}}}"
    with pytest.raises(StudyError) as refused:
        outcome(analysis, [0, 1], [0, 1])
    assert "intervals: profile needs a likelihood" in str(refused.value)


def test_rates_by_hand() -> None:
    """Means of 2 and 6: the rate ratio is 3."""
    analysis = "{kind: glm, outcome: y, family: poisson, covariates: [x]}"
    found = outcome(analysis, [0, 0, 1, 1], [1, 3, 4, 8])
    assert found.document()["terms"][1]["rate_ratio"] == pytest.approx(3, rel=1e-12)


def test_aliased_column() -> None:
    """A column that does not vary has no coefficient; the intercept stands for it."""
    assert terms(outcome(LINE, [2, 2, 2, 2], [1, 2, 3, 6])) == [pytest.approx(3.0), None]


MISTAKES = {
    "all missing": (LINE, [None] * 4, [1, 2, 3, 4], "no row has the outcome"),
    "another outcome": (
        LOGIT,
        [1, 2, 3, 4],
        [0, 1, 2, 1],
        "the outcome of 1 of 4 rows is not 0 or",
    ),
    "one outcome": (LOGIT, [1, 2, 3, 4], [1, 1, 1, 1], "the outcome of all 4 rows is 1"),
    "no outcome": (LOGIT, [1, 2, 3, 4], [0, 0, 0, 0], "the outcome of all 4 rows is 0"),
    "separation": (LOGIT, [0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 1, 1], "separated: the likelihood has"),
    "no days": (SMOOTH, [1, 2], [None, None], "no row has the outcome on one of the declared days"),
    "no pairs": (EQUATIONS, [1, 2, 3, 4], [1, 3, 2, 4], "no patient has two waves"),
}


@pytest.mark.parametrize(("analysis", "x", "y", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_what_cannot_be_fitted(analysis: str, x: Any, y: Any, words: str) -> None:
    """A sentence says what was found; no number that is none."""
    found = outcome(analysis, x, y)
    assert isinstance(found, Failure) and words in found.because


def test_undeclared_wave() -> None:
    """A row outside of the declared waves ends the analysis in words."""
    found = outcome(EQUATIONS, [1, 2, 3], [1, 2, 3], visit=[0, 1, 5])
    assert isinstance(found, Failure) and "the wave of 1 rows" in found.because


def test_a_group_of_one_day_has_no_curve() -> None:
    """Too few days are told of the group; the analysis goes on."""
    found = outcome(SMOOTH, [1, 2], [1, 2], visit=[3, 3]).document()
    assert "rows on 1 days only" in found["failed"][0]["because"]


@pytest.mark.parametrize("analysis", [LINE, EQUATIONS])
@pytest.mark.parametrize("value", [0.0, 0.1, 3.0])
def test_an_outcome_that_is_always_the_same(analysis: str, value: float) -> None:
    """There is nothing to explain, and no error of rounding is taken for something."""
    found = outcome(analysis, [0, 1, 2, 5], [value] * 4)
    assert found.because == "the outcome is the same in all 4 rows; there is nothing to explain"


def test_counts_that_are_always_the_same() -> None:
    """A Poisson model has the logarithm of the count, no slope, and a likelihood ratio of 0."""
    poisson = LINE.replace("gaussian", "poisson")
    found = outcome(poisson, [0, 1, 2, 5], [3.0] * 4)
    assert terms(found) == pytest.approx([math.log(3), 0], abs=1e-12)
    assert found.document()["tests"][0]["p_value"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("waves", "said"),
    [
        (", waves: [5, 1]", "waves: found 5, 1; expected two whole numbers, the first wave and a "),
        (", waves: [3, 3]", "waves: found 3, 3; expected two whole numbers"),
        ("", "'waves' is missing"),
    ],
)
def test_waves_that_are_none(waves: str, said: str) -> None:
    """The last wave is a later one; what was found is said."""
    with pytest.raises(StudyError) as raised:
        outcome(EQUATIONS.replace(", waves: [0, 1]", waves), [0], [0])
    assert said in str(raised.value)
