"""Cumulative incidence against R's cuminc (cmprsk), survfit of several states, and etm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.oracle.comparing import CURVE, P_VALUE, RELATIVE, deviation, step
from tests.oracle.entries import ETM_NAMES, MULTISTATE, Entry, entries
from tests.oracle.reading import document, expected

CUMINC = entries("cuminc")
STEPS = [e for e in CUMINC if "step_time" in next(iter(expected(e)["curves"].values()))]
TESTED = [entry for entry in CUMINC if "gray_test" in expected(entry)]
STATES = entries("ms")
JACKKNIFED = [entry for entry in STATES if not entry.truncated]
ETM = entries("etm")

Curve = dict[str, Any]


def parametrised(chosen: Sequence[Entry]) -> pytest.MarkDecorator:
    """Run a test for each of some entries."""
    return pytest.mark.parametrize("entry", chosen, ids=lambda entry: entry.id)


def _ours(entry: Entry, conf_type: str) -> list[Curve]:
    """Return our curves: group by group, in each the event of interest first."""
    return document(entry, conf_type)["curves"]


def _cuminc(entry: Entry) -> list[Curve]:
    """Return cuminc's curves in our order; cuminc's is cause by cause."""
    curves = list(expected(entry)["curves"].values())
    groups = len(curves) // 2
    return [curves[cause * groups + group] for group in range(groups) for cause in (0, 1)]


def _strata(entry: Entry) -> list[Curve]:
    return [c for name, c in expected(entry).items() if name != "states"]


def _states(entry: Entry) -> list[Curve]:
    """Return the curves of all states but the first, with the times of their stratum."""
    states = expected(entry)["states"][1:]
    return [
        {**c, **c.get(state, {}), "at": c["landmarks"][state]}
        for c in _strata(entry)
        for state in states
    ]


def _etm(entry: Entry) -> list[Curve]:
    return [curve for stratum in expected(entry).values() for curve in stratum.values()]


def _steps(entry: Entry, conf_type: str, theirs: list[Curve], time: str, column: str) -> list[Any]:
    """Return a column of our curves at the times of theirs."""
    pairs = zip(_ours(entry, conf_type), theirs, strict=True)
    return [step(ours, column, their[time]) for ours, their in pairs]


def _landmarks(entry: Entry, conf_type: str, column: str) -> list[Any]:
    return [[row[column] for row in curve["at"]] for curve in _ours(entry, conf_type)]


def _known(ours: list[Any], theirs: list[Any]) -> list[Any]:
    """Return ours where theirs has a number; timepoints() ends with a group's follow-up."""
    pairs = zip(ours, theirs, strict=True)
    return [[o if t is not None else None for o, t in zip(*p, strict=True)] for p in pairs]


def _where(chosen: list[list[bool]], *columns: list[Any]) -> list[Any]:
    return [
        [v for v, kept in zip(curve, own, strict=True) if kept]
        for column in columns
        for curve, own in zip(column, chosen, strict=True)
    ]


@parametrised(STEPS)
def test_cuminc_estimate(entry: Entry) -> None:
    """The incidence is cuminc's at every step."""
    theirs = _cuminc(entry)
    ours = _steps(entry, "log-log", theirs, "step_time", "estimate")
    assert deviation(ours, [curve["step_est"] for curve in theirs]) <= CURVE


@parametrised(STEPS)
def test_cuminc_variance(entry: Entry) -> None:
    """Gray's variance is cuminc's at every step."""
    theirs = _cuminc(entry)
    errors = _steps(entry, "log-log", theirs, "step_time", "std_error")
    ours = [[error**2 for error in curve] for curve in errors]
    assert deviation(ours, [c["step_var"] for c in theirs], relative=True) <= RELATIVE


@parametrised(CUMINC)
def test_cuminc_landmarks(entry: Entry) -> None:
    """The incidence at given times is what timepoints() says."""
    theirs = [curve["landmarks"]["est"] for curve in _cuminc(entry)]
    assert deviation(_known(_landmarks(entry, "log-log", "estimate"), theirs), theirs) <= CURVE


@parametrised(CUMINC)
def test_cuminc_landmark_variances(entry: Entry) -> None:
    """The variance at given times is what timepoints() says."""
    theirs = [curve["landmarks"]["var"] for curve in _cuminc(entry)]
    errors = _known(_landmarks(entry, "log-log", "std_error"), theirs)
    ours = [[None if error is None else error**2 for error in curve] for curve in errors]
    assert deviation(ours, theirs, relative=True) <= RELATIVE


@parametrised(CUMINC)
def test_cuminc_limits(entry: Entry) -> None:
    """Where there has been an event, limits are log(-log F) with cuminc's variance."""
    theirs = [curve["landmarks"] for curve in _cuminc(entry)]
    ours = [_landmarks(entry, "log-log", name) for name in ("conf_low", "conf_high")]
    limits = [[marks[f"{side}_loglogF"] for marks in theirs] for side in ("lower", "upper")]
    positive = [[bool(estimate) for estimate in marks["est"]] for marks in theirs]
    assert deviation(_where(positive, *ours), _where(positive, *limits)) <= CURVE


@parametrised(TESTED)
def test_gray_statistic(entry: Entry) -> None:
    """Gray's test of each cause has cuminc's statistic and degrees of freedom."""
    ours, theirs = document(entry, "log-log")["tests"], expected(entry)["gray_test"]["data"]
    found = [[test["statistic"], test["df"]] for test in ours]
    assert deviation(found, [[row[0], row[2]] for row in theirs], relative=True) <= RELATIVE


@parametrised(TESTED)
def test_gray_p_value(entry: Entry) -> None:
    """Gray's test of each cause has cuminc's p-value."""
    found = [test["p_value"] for test in document(entry, "log-log")["tests"]]
    theirs = [row[1] for row in expected(entry)["gray_test"]["data"]]
    assert deviation(found, theirs, relative=True) <= P_VALUE


@parametrised([entry for entry in STATES if all("time" in c for c in _strata(entry))])
def test_states(entry: Entry) -> None:
    """The probability of being in a state is survfit's at every time."""
    theirs = _states(entry)
    ours = _steps(entry, "log", theirs, "time", "estimate")
    assert deviation(ours, [curve["pstate"] for curve in theirs]) <= CURVE


@parametrised([entry for entry in JACKKNIFED if all("time" in c for c in _strata(entry))])
def test_state_counts(entry: Entry) -> None:
    """Events, censored and at risk by time are survfit's to the bit."""
    names = ("time", "n_risk_s0", "n_event", "n_censor")
    theirs = [[value for name in names for value in curve[name]] for curve in _states(entry)]
    own = ("time", "n_risk", "n_event", "n_censor")
    ours = [[value for name in own for value in curve[name]] for curve in _ours(entry, "log")]
    assert deviation(ours, theirs) <= (CURVE if "years" in entry.name else 0)


@parametrised([entry for entry in JACKKNIFED if all("time" in c for c in _strata(entry))])
def test_state_errors(entry: Entry) -> None:
    """Without truncation, the jackknife's error is survfit's."""
    theirs = _states(entry)
    ours = _steps(entry, "log", theirs, "time", "std_error")
    assert deviation(ours, [curve["std_err"] for curve in theirs]) <= CURVE


@parametrised([e for e in JACKKNIFED if all("lower_log" in c for c in _states(e))])
@pytest.mark.parametrize("conf_type", MULTISTATE)
def test_state_limits(entry: Entry, conf_type: str) -> None:
    """Limits are survfit's on each scale; R's NA is null."""
    theirs = _states(entry)
    low = _steps(entry, conf_type, theirs, "time", "conf_low")
    high = _steps(entry, conf_type, theirs, "time", "conf_high")
    limits = [[curve[f"{side}_{conf_type}"] for curve in theirs] for side in ("lower", "upper")]
    assert deviation([low, high], limits) <= CURVE


@parametrised(STATES)
def test_state_landmarks(entry: Entry) -> None:
    """The probability of being in a state at given times is survfit's."""
    theirs = [curve["at"]["pstate"] for curve in _states(entry)]
    assert deviation(_landmarks(entry, "log", "estimate"), theirs) <= CURVE


@parametrised(JACKKNIFED)
@pytest.mark.parametrize("conf_type", MULTISTATE)
def test_state_landmark_limits(entry: Entry, conf_type: str) -> None:
    """Errors and limits at given times are survfit's."""
    own = ("std_error", "conf_low", "conf_high")
    ours = [_landmarks(entry, conf_type, column) for column in own]
    names = ("std_err", f"lower_{conf_type}", f"upper_{conf_type}")
    theirs = [[curve["at"][name] for curve in _states(entry)] for name in names]
    assert deviation(ours, theirs) <= CURVE


@parametrised(ETM)
def test_etm_estimate(entry: Entry) -> None:
    """The incidence is etm's, left truncated or not."""
    theirs = _etm(entry)
    ours = _steps(entry, "log", theirs, "time", "estimate")
    assert deviation(ours, [curve["P"] for curve in theirs]) <= CURVE


@parametrised(ETM)
def test_etm_variance(entry: Entry) -> None:
    """Greenwood's variance is etm's, left truncated or not."""
    theirs = _etm(entry)
    errors = _steps(entry, "log", theirs, "time", "std_error")
    ours = [[error**2 for error in curve] for curve in errors]
    assert deviation(ours, [curve["var"] for curve in theirs], relative=True) <= RELATIVE


@parametrised(ETM)
@pytest.mark.parametrize("conf_type", ETM_NAMES)
def test_etm_limits(entry: Entry, conf_type: str) -> None:
    """Where there has been an event, limits are those of etm's summary on each scale."""
    theirs = _etm(entry)
    low = _steps(entry, conf_type, theirs, "time", "conf_low")
    high = _steps(entry, conf_type, theirs, "time", "conf_high")
    name = ETM_NAMES[conf_type]
    limits = [[c[f"{side}_{name}"] for c in theirs] for side in ("lower", "upper")]
    positive = [[p > 0 for p in curve["P"]] for curve in theirs]
    assert deviation(_where(positive, low, high), _where(positive, *limits)) <= CURVE
