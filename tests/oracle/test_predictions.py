"""Predicted survival curves against R's survfit.coxph, and open against sealed ones."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.oracle.comparing import deviation
from tests.oracle.entries import ENTRIES
from tests.oracle.reading import entry_of_file, frame, names_of_file, study_text, table_of
from tests.pooling import pool

R_STOPS_EARLY = 1e-6  # survfit is at the coefficients where coxph's iteration has stopped
DATA = ("lung", "cgd", "heart", "mgus2", "rotterdam")
YES_OR_NO = {0: False, 1: True}
CODES = {
    "lung": {"sex": {1: "male", 2: "female"}},
    "rotterdam": {"hormon": YES_OR_NO, "chemo": YES_OR_NO},
}
each_data = pytest.mark.parametrize("data", DATA)
NUMBERS = {"estimate": "surv", "std_error": "std_err", "conf_low": "lower_log",
           "conf_high": "upper_log", "cumulative_hazard": "cumhaz"}  # fmt: skip


def _kept(data: str) -> dict[str, Any]:
    (name,) = names_of_file(f"{data}.predict")
    return entry_of_file(f"{data}.predict", name)


def _curves(data: str) -> dict[str, dict[str, Any]]:
    """R's newdata as curves, as the study names its levels."""
    given = _kept(data)["result"]["newdata"]
    codes = CODES.get(data, {})
    return {
        name: {c: codes.get(c, {}).get(values[k], values[k]) for c, values in given.items()}
        for k, name in enumerate(("one", "two"))
    }


@cache
def _document(data: str) -> dict[str, Any]:
    kept = _kept(data)
    fit = next(e for e in ENTRIES if (e.study, e.name) == (data, kept["fit"]))
    asked = {"predict": _curves(data), "baseline_at": kept["result"]["time"]}
    fields = {**fit.fields, **asked, "risk_sets": "open"}
    sites = {f"site{s}": {table_of(data): rows} for s, rows in frame(data).groupby("site")}
    outcome = pool(study_text(data, {"model": fields}), sites)
    return outcome.results["model"].document()


@each_data
@pytest.mark.parametrize("ours", NUMBERS)
def test_predicted_survival(data: str, ours: str) -> None:
    """Survival, its standard error and limits are R's at each time, curve by curve."""
    theirs = _kept(data)["result"][NUMBERS[ours]]
    found = [row[ours] for row in _document(data)["predicted_at"]]
    expected = [row[k] for k in (0, 1) for row in theirs]
    assert deviation(found, expected, relative=True) <= R_STOPS_EARLY


@each_data
def test_curves_end_where_the_times_do(data: str) -> None:
    """The value at a time is the curve's last step at or before it."""
    document = _document(data)
    at = [row for row in document["predicted_at"] if row["curve"] == "one"][-1]
    steps = [r for r in document["predicted"] if r["curve"] == "one" and r["time"] <= at["time"]]
    assert steps[-1]["estimate"] == at["estimate"]


def test_sealed_curves_are_the_open_ones() -> None:
    """From sealed risk sets the same survival comes, without a standard error."""
    fit = next(e for e in ENTRIES if (e.study, e.name) == ("lung", "efron"))
    times = _kept("lung")["result"]["time"]
    fields = {**fit.fields, "predict": _curves("lung"), "baseline_at": times}
    sites = {f"site{s}": {"patients": rows} for s, rows in frame("lung").groupby("site")}
    outcome = pool(study_text("lung", {"model": fields}), sites)
    sealed = outcome.results["model"].document()["predicted_at"]
    found = {(row["curve"], row["time"]): row["estimate"] for row in sealed}
    opened = {(r["curve"], r["time"]): r["estimate"] for r in _document("lung")["predicted_at"]}
    assert deviation(list(found.values()), [opened[key] for key in found], relative=True) <= 1e-11
