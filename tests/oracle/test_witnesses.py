"""A third witness: statsmodels and lifelines on the pooled rows, where they follow R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lifelines import CoxPHFitter, KaplanMeierFitter
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from tests.oracle.entries import Entry, entries
from tests.oracle.reading import document, frame


def _entry(topic: str, study: str, name: str) -> Entry:
    (entry,) = [e for e in entries(topic) if (e.study, e.name) == (study, name)]
    return entry


def _first_curve(study: str, name: str) -> dict[str, Any]:
    return document(_entry("km", study, name), "log")["curves"][0]


def test_survival_of_statsmodels() -> None:
    """Where somebody dies, survival of all is that of SurvfuncRight."""
    rows, curve = frame("mgus2"), _first_curve("mgus2", "os.all")
    other = SurvfuncRight(rows.futime, rows.death)
    dying = np.isin(curve["time"], other.surv_times)
    assert np.array(curve["estimate"])[dying] == pytest.approx(other.surv_prob, abs=1e-12)


def test_standard_error_of_statsmodels() -> None:
    """Where somebody dies, Greenwood's error is that of SurvfuncRight."""
    rows, curve = frame("mgus2"), _first_curve("mgus2", "os.all")
    other = SurvfuncRight(rows.futime, rows.death)
    dying = np.isin(curve["time"], other.surv_times)
    ours = np.array(curve["std_error"], dtype=np.float64)[dying]
    assert ours == pytest.approx(other.surv_prob_se, abs=1e-12, nan_ok=True)


def test_truncated_survival_of_lifelines() -> None:
    """Survival by age, left truncated, is that of lifelines' fitter with an entry."""
    rows = frame("mgus2").query("sex == 'F'")
    curve = _first_curve("mgus2", "os.age_scale_months")
    last = rows.age_in_m + rows.futime
    other = KaplanMeierFitter().fit(last, rows.death, entry=rows.age_in_m)
    steps = other.survival_function_["KM_estimate"]
    assert curve["estimate"] == pytest.approx(steps.loc[curve["time"]].to_numpy(), abs=1e-10)


def test_log_rank_of_statsmodels() -> None:
    """The log-rank statistic over four groups is that of survdiff in statsmodels."""
    rows = frame("lung").dropna(subset=["ph_ecog"])
    statistic, _ = survdiff(rows.time, rows.event, rows.ph_ecog)
    ours = document(_entry("logrank", "lung", "logrank.ecog"))["statistic"]
    assert ours == pytest.approx(statistic, rel=1e-10)


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_cox_of_statsmodels(ties: str) -> None:
    """Coefficients of a Cox model with ties are those of PHReg."""
    rows = frame("lung").dropna(subset=["ph_ecog"])
    other = PHReg(rows.time, rows[["age", "sex", "ph_ecog"]], status=rows.event, ties=ties).fit()
    ours = [term["estimate"] for term in document(_entry("cox", "lung", ties))["terms"]]
    assert ours == pytest.approx(other.params, rel=1e-7)


def test_cox_of_lifelines() -> None:
    """Coefficients with Efron's ties are those of lifelines, which stops iterating earlier."""
    columns = ["time", "event", "age", "sex", "ph_ecog"]
    fitter = CoxPHFitter().fit(frame("lung")[columns].dropna(), "time", "event")
    ours = [term["estimate"] for term in document(_entry("cox", "lung", "efron"))["terms"]]
    assert ours == pytest.approx(fitter.params_.to_list(), rel=1e-5)
