"""Firth's penalised fit and profile limits: closed forms, and the likelihood written out slowly."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from scipy.stats import chi2

from site_agent.contract.analyses.cox_firth import maximise_penalised
from site_agent.contract.analyses.cox_objective import Evaluator
from site_agent.contract.analyses.cox_options import uses
from site_agent.contract.analyses.cox_profile import Profile, profiles
from site_agent.contract.analyses.newton import Maximum, maximise
from site_agent.contract.catalogue import SUMS
from site_agent.contract.errors import AnalysisError, StudyError
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.sums import Answer, Ask
from tests.pooling import pool, split
from tests.site_agent.contract.analyses.by_hand import rows
from tests.site_agent.contract.analyses.guarded import text
from tests.site_agent.contract.analyses.sealed_points import (
    ask_of,
    point,
    random_rows,
    spread_over,
)
from tests.site_agent.contract.analyses.slow_firth import SlowFirth
from tests.site_agent.contract.analyses.test_meta_analysis import episodes, patients
from tests.studytext import study

OPEN, SEALED = "cox_risk_sets", "cox_sealed"


def run(steps: Generator[Any, Any, Any], sites: list[Rows]) -> tuple[Any, int]:
    """Answer all questions over hospitals; return the result and how many rounds it took."""
    asks, rounds = next(steps), 1
    while True:
        answers = tuple(Answer(point(ask, sites), ask.floats) for ask in asks)
        try:
            asks, rounds = steps.send(answers), rounds + 1
        except StopIteration as done:
            return done.value, rounds


class Fit:
    """A fit of rows spread over hospitals, and its profile."""

    def __init__(
        self,
        made: Rows,
        *,
        efron: bool = True,
        name: str = OPEN,
        firth: bool = True,
        sites: int = 1,
    ) -> None:
        self.made, self.firth = made, firth
        self.sites = spread_over(made, sites) if sites > 1 else [made]
        p = made.design.shape[1]
        self.covariance = np.atleast_2d(np.cov(made.design.T, bias=True))
        strata = int(made.stratum.max()) + 1

        def ask(beta: Floats) -> Ask:
            return ask_of(made, beta.tolist(), efron=efron, name=name, strata=strata)

        self.ask = ask
        events = int(made.cause.sum())
        path = None
        if firth:
            steps = maximise_penalised(ask, self.covariance, events, most=40)
            (self.maximum, path), self.rounds = run(steps, self.sites)
        else:
            search = maximise(ask, self.covariance, events, most=40)
            self.maximum, self.rounds = run(search, self.sites)
        self.path = path
        self.terms = tuple(f"x{k}" for k in range(p))

    def profile(self, level: float = 0.95) -> tuple[tuple[Profile, ...], int]:
        """Return the profile limits and the rounds that they took."""
        evaluate = Evaluator(self.ask, ~self.maximum.aliased, firth=self.firth)
        found: tuple[tuple[Profile, ...], int] = run(
            profiles(
                evaluate,
                self.maximum,
                self.path,
                self.covariance,
                self.terms,
                level=level,
                most=1000,
            ),
            self.sites,
        )
        return found


def tied(d1: int, d0: int, n1: int, n0: int) -> Rows:
    """All deaths on day 1: d1 of n1 with x = 1, d0 of n0 with x = 0."""
    causes = [1] * d1 + [0] * (n1 - d1) + [1] * d0 + [0] * (n0 - d0)
    return rows([1] * (n1 + n0), causes, x=[[1.0]] * n1 + [[0.0]] * n0)


# One risk set: l* = (d1 + 1/2) log p + (d0 + 1/2) log(1 - p) + constant, p the carriers' share.


@pytest.mark.parametrize(("d1", "d0"), [(1, 0), (0, 4), (3, 0), (2, 5)])
def test_one_risk_set(d1: int, d0: int) -> None:
    """With Breslow's ties p is (d1 + 1/2)/(d + 1): the odds are those of Firth's logistic model."""
    found = Fit(tied(d1, d0, 5, 8), efron=False).maximum
    assert found.estimate[0] == pytest.approx(
        math.log((d1 + 0.5) / (d0 + 0.5) * 8 / 5), abs=1e-11 * math.sqrt(found.variance[0, 0])
    )


def test_its_variance() -> None:
    """The information is d p (1 - p): 3 * 7/8 * 1/8 with three carriers dying."""
    found = Fit(tied(3, 0, 5, 8), efron=False).maximum
    assert found.variance[0, 0] == pytest.approx(64 / 21, rel=1e-11)


def test_its_likelihoods() -> None:
    """At 0 p is 5/13, at the maximum 7/8; the penalty is half the logarithm of d p (1 - p)."""
    found = Fit(tied(3, 0, 5, 8), efron=False).maximum
    expected = [3 * math.log(p / 5) + math.log(3 * p * (1 - p)) / 2 for p in (5 / 13, 7 / 8)]
    assert [found.start.loglik, found.last.loglik] == pytest.approx(expected, rel=1e-13)


def test_its_profile_limits() -> None:
    """Where 3.5 log p + 0.5 log(1 - p) has fallen by half of 3.84."""
    ((found,), _) = Fit(tied(3, 0, 5, 8), efron=False).profile()

    def fallen(beta: float) -> float:
        p = 5 * math.exp(beta) / (5 * math.exp(beta) + 8)
        top = 3.5 * math.log(7 / 8) + 0.5 * math.log(1 / 8)
        return top - 3.5 * math.log(p) - 0.5 * math.log(1 - p) - chi2.ppf(0.95, 1) / 2

    middle = math.log(7 * 8 / 5)
    expected = [brentq(fallen, middle, middle + 15 * side, xtol=1e-13) for side in (-1, 1)]
    assert [found.conf_low, found.conf_high] == pytest.approx(expected, abs=1e-10)


def test_its_test() -> None:
    """Twice the difference of the penalised likelihoods at 7/8 and 5/13, one degree of freedom."""
    ((found,), _) = Fit(tied(3, 0, 5, 8), efron=False).profile()
    expected = 7 * math.log(7 / 8 * 13 / 5) + math.log(1 / 8 * 13 / 8)
    assert [found.statistic, found.p_value] == pytest.approx(
        [expected, chi2.sf(expected, 1)], rel=1e-11
    )


# Several deaths and covariates, against the likelihood written out


@cache
def made(case: str) -> Rows:
    """Rows by case."""
    if case == "plain":
        return random_rows(0, n=30, p=2)
    if case == "four":
        return random_rows(4, n=40, p=4)
    if case == "entry, strata":
        return random_rows(7, n=40, p=2, entry=True, strata=2)
    start = random_rows(11, n=40, p=3)
    carries = np.random.default_rng(3).uniform(size=40) < 0.3
    design = np.column_stack([carries, start.design[:, 1:]])
    return replace(start, design=design, cause=np.where(carries, 0, start.cause))


CASES = ("plain", "four", "entry, strata", "separated")
each_case = pytest.mark.parametrize("case", CASES)


@cache
def slow_fit(case: str, *, efron: bool = True, firth: bool = True) -> SlowFirth:
    """The likelihood of a case, written out."""
    return SlowFirth(made(case), efron, firth)


def in_errors(found: Maximum, expected: Floats, variance: Floats) -> float:
    """The largest difference of coefficients, in standard errors."""
    return float(np.max(np.abs(found.estimate - expected) / np.sqrt(np.diag(variance))))


@each_case
@pytest.mark.parametrize("efron", [True, False], ids=["efron", "breslow"])
def test_estimates(case: str, efron: bool) -> None:
    """The zero of the modified score, within 1e-9 standard errors."""
    slow, found = slow_fit(case, efron=efron), Fit(made(case), efron=efron).maximum
    assert in_errors(found, slow.maximum(), slow.variance()) < 1e-9


@each_case
def test_variances(case: str) -> None:
    """The inverse information at the penalised estimate, to 1e-9."""
    slow, found = slow_fit(case), Fit(made(case)).maximum
    assert found.variance == pytest.approx(slow.variance(), rel=1e-9, abs=1e-12)


@each_case
def test_likelihood_ratio(case: str) -> None:
    """Penalised likelihoods at 0 and at the maximum."""
    slow, found = slow_fit(case), Fit(made(case)).maximum
    p = found.estimate.shape[0]
    expected = [float(slow.value(np.zeros(p))), float(slow.value(slow.maximum()))]
    assert [found.start.loglik, found.last.loglik] == pytest.approx(expected, rel=1e-11)


@each_case
@pytest.mark.parametrize("name", [SEALED, "cox_within_site"])
def test_sealed_and_within_one_hospital(case: str, name: str) -> None:
    """Sealed over four hospitals, or by site over one, the estimate is that of open risk sets."""
    sites = 4 if name == SEALED else 1
    found = _reduced(made(case), name, sites)
    expected = Fit(made(case)).maximum
    assert in_errors(found, expected.estimate, expected.variance) < 1e-10


def _reduced(given: Rows, name: str, sites: int) -> Maximum:
    if name == SEALED:
        return Fit(given, name=SEALED, sites=sites).maximum
    fit = Fit(given)
    steps = maximise_penalised(
        lambda beta: replace(fit.ask(beta), sum=name), fit.covariance, 10, most=40
    )
    asks = next(steps)
    while True:
        answers = tuple(Answer(SUMS[a.sum].compute(given, a), a.floats) for a in asks)
        try:
            asks = steps.send(answers)
        except StopIteration as done:
            maximum: Maximum = done.value[0]
            return maximum


@each_case
@pytest.mark.parametrize("firth", [True, False], ids=["firth", "plain"])
def test_profile_limits(case: str, firth: bool) -> None:
    """Where the profile has fallen by half of chi-square's quantile; exact roots."""
    if case == "separated" and not firth:
        pytest.skip("has no maximum")
    slow, (found, _) = slow_fit(case, firth=firth), Fit(made(case), firth=firth).profile()
    errors = np.sqrt(np.diag(slow.variance()))
    ours = np.array([found[0].conf_low, found[0].conf_high])
    assert np.max(np.abs(ours - slow.limits(0))) / errors[0] < 1e-9


@each_case
def test_profile_tests(case: str) -> None:
    """Twice the fall of the profile at 0, as coxphf's p-values."""
    slow, (found, _) = slow_fit(case), Fit(made(case)).profile()
    expected = [2 * slow.profile(j)(0.0) for j in range(len(found))]
    assert [one.statistic for one in found] == pytest.approx(expected, rel=1e-8, abs=1e-11)


@each_case
def test_rounds(case: str) -> None:
    """A penalised fit takes at most ten points, all profile limits together at most ten rounds."""
    fit = Fit(made(case))
    assert (fit.rounds <= 10, fit.profile()[1] <= 10) == (True, True)


def test_an_aliased_column() -> None:
    """A column that is the sum of two others has no coefficient; the penalty is of the others."""
    start = made("plain")
    design = np.column_stack([start.design, start.design.sum(axis=1)])
    found = Fit(replace(start, design=design)).maximum
    expected = [*Fit(start).maximum.estimate, math.nan]
    assert found.estimate == pytest.approx(expected, nan_ok=True, rel=1e-9)


def test_nothing_to_estimate() -> None:
    """A covariate that does not vary where somebody dies ends in words."""
    constant = rows([1, 2, 3], [1, 0, 0], x=[[1.0], [1.0], [1.0]])
    with pytest.raises(AnalysisError, match="no covariate varies"):
        Fit(constant)


def test_units_do_not_matter() -> None:
    """In units a thousand times as large the coefficient is a thousand times as large."""
    start = made("separated")
    scale = np.array([1.0, 1e-3, 1e3])
    found = Fit(replace(start, design=start.design * scale)).maximum
    assert found.estimate * scale == pytest.approx(Fit(start).maximum.estimate, rel=1e-9)


# A release


def _release(fields: str, sites: int = 4, *, separated: bool = True) -> dict[str, Any]:
    """The result of a Cox model of hospitals; no woman dies where it is separated."""
    frame = pd.concat(patients().values(), ignore_index=True)
    if separated:
        frame.loc[frame.sex == "female", "death"] = np.nan
    parts = split(frame, sites, 3, patient="patient")
    tables = {f"s{n}": {"patients": p, "episodes": episodes()} for n, p in enumerate(parts)}
    model = f"kind: cox, endpoint: survival, covariates: [sex, age], {fields}"
    document: dict[str, Any] = pool(text(model), tables).results["a"].document()
    return document


def test_without_firth_separation_is_named() -> None:
    """The sentence names the group, and Firth's fit as a way out."""
    because = _release("ties: efron")["because"]
    assert ("in the group sex=female" in because, "Firth's fit" in because) == (True, True)


def test_on_separation() -> None:
    """The same sentence stands with a penalised fit, which is the one that `true` gives."""
    one, other = _release("firth: on_separation"), _release("firth: true")
    assert (one["firth_because"][:16], one["terms"]) == ("separated by sex", other["terms"])


def test_without_separation() -> None:
    """Where nothing is separated, on_separation gives the ordinary fit."""
    one = _release("firth: on_separation", separated=False)
    assert one == _release("ties: efron", separated=False)


@pytest.mark.parametrize("form", ["risk_sets: sealed", "risk_sets: open"])
@pytest.mark.parametrize("sites", [1, 6])
def test_any_spread_and_form(form: str, sites: int) -> None:
    """However patients are spread and risk sets are summed, the numbers are the same."""
    found = _release(f"firth: true, intervals: profile, {form}", sites)
    expected = _release("firth: true, intervals: profile, risk_sets: open", 3)
    numbers = [
        [[*term.values()][1:] for part in ("terms", "profile") for term in own[part]]
        for own in (found, expected)
    ]
    assert numbers[0] == [pytest.approx(row, rel=1e-8, abs=1e-10) for row in numbers[1]]


def test_its_tests() -> None:
    """Likelihood ratio and Wald; there is no score test of a penalised fit."""
    assert [test["name"] for test in _release("firth: true")["tests"]] == [
        "likelihood ratio",
        "Wald",
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ("firth: maybe", "expected true, false or on_separation"),
        ("firth: true, zph: [km]", "'zph' is not offered with Firth's fit"),
        ("firth: true, weights: age", "'weights' is not offered with Firth's fit"),
        ("intervals: bootstrap", "expected one of wald, profile"),
    ],
)
def test_what_is_wrong_is_said(fields: str, words: str) -> None:
    """Options that do not go together have a sentence."""
    model = "covariates: [age, sex, kps], baseline: by_site"
    with pytest.raises(StudyError, match=words):
        study((model, f"covariates: [age, sex, kps], {fields}"))


def test_what_it_opens() -> None:
    """Class A where risk sets are sealed or by site, class C where they are open."""
    options = {"baseline": "pooled", "weights": None, "zph": [], "baseline_at": []}
    found = {
        form: [kind for kind, _ in uses({**options, "firth": "always", "risk_sets": form})][-1]
        for form in ("sealed", "open", "")
    }
    assert found == {"sealed": "A", "open": "C", "": "A"}
