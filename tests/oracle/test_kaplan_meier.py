"""Kaplan-Meier curves against R's survfit, quantile(), print() and summary()."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import pytest

from tests.oracle.comparing import CURVE, RELATIVE, STANDARD_ERRORS, deviation, in_errors
from tests.oracle.entries import CONF_TYPES, Entry, entries
from tests.oracle.reading import document, expected, frame

KM = entries("km")
WHOLE = [entry for entry in KM if all("time" in curve for curve in expected(entry).values())]
BANDS = [e for e in WHOLE if all("lower_log" in curve for curve in expected(e).values())]
MEANS = [e for e in KM if any(n.startswith("rmst") for c in expected(e).values() for n in c)]
AGES = (720, 840, 960, 1080)

every_entry = pytest.mark.parametrize("entry", KM, ids=lambda entry: entry.id)
every_curve = pytest.mark.parametrize("entry", WHOLE, ids=lambda entry: entry.id)
every_conf_type = pytest.mark.parametrize("conf_type", CONF_TYPES)


def _columns(curves: list[dict[str, Any]], *names: str) -> list[Any]:
    return [[curve[name] for name in names] for curve in curves]


def _ours(entry: Entry, conf_type: str = "log") -> list[dict[str, Any]]:
    return document(entry, conf_type)["curves"]


def _r(entry: Entry) -> list[dict[str, Any]]:
    return list(expected(entry).values())


@every_entry
def test_rows(entry: Entry) -> None:
    """Each stratum has R's rows and events."""
    assert _columns(_r(entry), "n", "events") == _columns(_ours(entry), "rows", "events")


@every_curve
def test_counts(entry: Entry) -> None:
    """At risk, events and censored are R's to the bit."""
    names = ("n_risk", "n_event", "n_censor")
    assert _columns(_r(entry), *names) == _columns(_ours(entry), *names)


@every_curve
def test_survival(entry: Entry) -> None:
    """Times, survival and Greenwood's error are R's."""
    ours = _columns(_ours(entry), "time", "estimate", "std_error")
    assert deviation(ours, _columns(_r(entry), "time", "surv", "std_err_S")) <= CURVE


@every_curve
def test_cumulative_hazard(entry: Entry) -> None:
    """Nelson and Aalen's hazard and its error are R's."""
    ours = _columns(_ours(entry), "cumulative_hazard", "std_error_hazard")
    assert deviation(ours, _columns(_r(entry), "cumhaz", "std_chaz")) <= CURVE


@every_conf_type
@pytest.mark.parametrize("entry", BANDS, ids=lambda entry: entry.id)
def test_limits(entry: Entry, conf_type: str) -> None:
    """Confidence limits are R's; R's NA is null."""
    ours = _columns(_ours(entry, conf_type), "conf_low", "conf_high")
    names = (f"lower_{conf_type}", f"upper_{conf_type}")
    assert deviation(ours, _columns(_r(entry), *names)) <= CURVE


@every_conf_type
@every_entry
def test_quantiles(entry: Entry, conf_type: str) -> None:
    """Quantiles and their limits follow the rule of quantile(survfit)."""
    names = ("quantile", "conf_low", "conf_high")
    ours = [[[q[name] for q in c["quantiles"]] for name in names] for c in _ours(entry, conf_type)]
    wanted = ("quantile", f"lower_{conf_type}", f"upper_{conf_type}")
    theirs = [[curve["quantiles"][name] for name in wanted] for curve in _r(entry)]
    assert deviation(ours, theirs) <= CURVE


@every_conf_type
@every_entry
def test_median(entry: Entry, conf_type: str) -> None:
    """The median and its limits follow the rule of print(survfit)."""
    ours = [list(curve["median"].values()) for curve in _ours(entry, conf_type)]
    wanted = ("median", f"lower_{conf_type}", f"upper_{conf_type}")
    theirs = [[curve["median_table"][name] for name in wanted] for curve in _r(entry)]
    assert deviation(ours, theirs) <= CURVE


@every_conf_type
@every_entry
def test_landmarks(entry: Entry, conf_type: str) -> None:
    """The curve at given times is that of summary(survfit, times, extend = TRUE)."""
    names = ("time", "n_event", "estimate", "std_error", "conf_low", "conf_high")
    ours = [[[row[name] for row in c["at"]] for name in names] for c in _ours(entry, conf_type)]
    wanted = ("time", "n_event_since_previous", "surv", "std_err")
    wanted += (f"lower_{conf_type}", f"upper_{conf_type}")
    theirs = [[curve["landmarks"][name] for name in wanted] for curve in _r(entry)]
    assert deviation(ours, theirs) <= CURVE


@pytest.mark.parametrize("entry", [e for e in KM if not e.truncated], ids=lambda entry: entry.id)
def test_landmarks_at_risk(entry: Entry) -> None:
    """How many are at risk at given times is what summary(survfit) says."""
    ours = [[row["n_risk"] for row in curve["at"]] for curve in _ours(entry)]
    assert [curve["landmarks"]["n_risk"] for curve in _r(entry)] == ours


@pytest.mark.parametrize("entry", [e for e in KM if e.truncated], ids=lambda entry: entry.id)
def test_truncated_landmarks_in_r(entry: Entry) -> None:
    """Between times of a truncated curve, summary(survfit) tells the number of the next time.

    Those who enter in between are in it though they are not at risk yet: not our definition.
    """
    following = [
        [c["n_risk"][bisect_left(c["time"], row["time"])] for row in c["at"]] for c in _ours(entry)
    ]
    assert [curve["landmarks"]["n_risk"] for curve in _r(entry)] == following


def test_truncated_landmarks_at_risk() -> None:
    """At risk at a given time are those with entry < t <= time, counted in the pooled rows."""
    (entry,) = [entry for entry in KM if entry.name == "os.age_scale_months"]
    rows = frame("mgus2")
    last = rows.age_in_m + rows.futime
    counted = [
        [int(((rows.sex == sex) & (rows.age_in_m < t) & (t <= last)).sum()) for t in AGES]
        for sex in ("F", "M")
    ]
    assert counted == [[row["n_risk"] for row in curve["at"]] for curve in _ours(entry)]


def _means(curve: dict[str, Any]) -> list[dict[str, float]]:
    return [value for name, value in curve.items() if name.startswith("rmst_tau")]


@pytest.mark.parametrize("entry", MEANS, ids=lambda entry: entry.id)
def test_restricted_mean(entry: Entry) -> None:
    """Restricted means are R's within a part of their error."""
    ours = [[mean["restricted_mean"] for mean in c["restricted_mean"]] for c in _ours(entry)]
    theirs = [[mean["rmst"] for mean in _means(curve)] for curve in _r(entry)]
    errors = [[mean["se"] for mean in _means(curve)] for curve in _r(entry)]
    assert in_errors(ours, theirs, errors) <= STANDARD_ERRORS


@pytest.mark.parametrize("entry", MEANS, ids=lambda entry: entry.id)
def test_restricted_mean_error(entry: Entry) -> None:
    """Errors of restricted means are R's."""
    ours = [[mean["std_error"] for mean in c["restricted_mean"]] for c in _ours(entry)]
    theirs = [[mean["se"] for mean in _means(curve)] for curve in _r(entry)]
    assert deviation(ours, theirs, relative=True) <= RELATIVE
