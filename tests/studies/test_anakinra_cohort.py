"""The synthetic cohort adds up to what Gazeau 2023 prints."""

from __future__ import annotations

import math
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from lifelines import CoxPHFitter
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.stats import fisher_exact, mannwhitneyu

from studies.anakinra import generate, published
from studies.anakinra.course import read_courses
from studies.anakinra.covariates import DEALS
from studies.anakinra.grades import Episode, daily_grades, last_graded_day

Days = NDArray[np.float64]
COVARIATES = ["dose_mg_kg", "age", "axi_or_brexu", "log10_ferritin", "kps"]
RELAPSED, TRM, CENSORED = 2, 1, 0


@cache
def cohort() -> tuple[pd.DataFrame, pd.DataFrame]:
    return generate.make_cohort()


@cache
def patients() -> pd.DataFrame:
    """Patients with what the tests derive: group, peaks, resolution, TRM end and state."""
    frame = cohort()[0].set_index("patient", drop=False)
    peaks = cohort()[1].groupby("patient")[["crs", "icans"]].max()
    end = frame[["relapse_day", "last_seen_day"]].astype(float).min(axis=1)
    dead = frame["death_day"].notna() & frame["relapse_day"].isna()
    return frame.assign(
        group=np.where(frame["dose_mg"] > 200, "high", "low"),
        peak_crs=peaks["crs"],
        peak_icans=peaks["icans"],
        resolved_day=[
            resolved_day(grades()[name], start)
            for name, start in zip(frame["patient"], frame["anakinra_day"], strict=True)
        ],
        trm_end=end,
        trm_state=np.select([frame["relapse_day"].notna(), dead], [RELAPSED, TRM], CENSORED),
        wait=frame["anakinra_day"] - frame["onset_day"],
        crs_days=[days_of("crs", 1, name) for name in frame["patient"]],
        icans_days=[days_of("icans", 2, name) for name in frame["patient"]],
        peak_timing=[
            peak_timing(grades()[name], start)
            for name, start in zip(frame["patient"], frame["anakinra_day"], strict=True)
        ],
        axi_or_brexu=frame["product"].isin(["axi-cel", "brexu-cel"]).astype(float),
        log10_ferritin=np.log10(frame["ferritin"].astype(float)),
    )


@cache
def grades() -> dict[str, pd.DataFrame]:
    """Rows of `grades` by patient, in the order of days."""
    return {str(name): rows for name, rows in cohort()[1].groupby("patient")}


def resolved_day(rows: pd.DataFrame, start: int) -> float:
    """First day of three in a row without CRS and ICANS, from the start of anakinra; or NaN."""
    clear = {int(d) for d in rows.loc[(rows["crs"] == 0) & (rows["icans"] == 0), "day"]}
    return min((d for d in clear if d >= start and {d + 1, d + 2} <= clear), default=math.nan)


def days_of(toxicity: str, least: int, name: str) -> float:
    """Days from the first of at least this grade to the last; NaN if there is none."""
    days = grades()[name].loc[grades()[name][toxicity] >= least, "day"]
    return float(days.max() - days.min() + 1)


def peak_timing(rows: pd.DataFrame, start: int) -> str:
    """Whether the worst grade of CRS or ICANS was over at the start of anakinra, or yet to come."""
    crs_is_worse = rows["crs"].max() > rows["icans"].max()
    worst = rows["crs"] if crs_is_worse else rows["icans"]
    peak = rows.loc[worst == worst.max(), "day"]
    return "before" if peak.max() < start else "after" if peak.min() > start else "at start"


def as_printed(p_value: float, text: str) -> str:
    """Print a p-value with the decimals of a published one."""
    if text.startswith(">"):
        return text if p_value > float(text[1:]) else str(p_value)
    return f"{p_value:.{len(text) - 2}f}"


def of_group(group: str) -> pd.DataFrame:
    frame = patients()
    return frame if group == "total" else frame[frame["group"] == group]


def counts(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(level): int(n) for level, n in frame[column].value_counts().items()}


def incidence(times: Days, states: NDArray[np.int64], at: float) -> tuple[float, float]:
    """Aalen-Johansen incidence of state 1 at a day, and its variance as cmprsk::cuminc.

    With increments F1 of the incidence, at each event time t <= at, of n at risk:

        var = sum_t m(d1) (1 - g)^2 + m(d2) g^2,     g = (F(at) - F(t)) / S(t),
        m(d) = S(t-)^2 d (1 - (d - 1) / (n - 1)) / n^2

    Gray, Ann Stat 16 (1988) 1141-1154, as conventions of the package cmprsk have it.
    """
    survival, risk, steps = 1.0, 0.0, []
    for time in np.unique(times[(states > 0) & (times <= at)]):
        n = int((times >= time).sum())
        d1, d2 = (int(((times == time) & (states == k)).sum()) for k in (1, 2))
        before, survival = survival, survival * (n - d1 - d2) / n
        risk += before * d1 / n
        m1, m2 = ((before / n) ** 2 * d * (1 - (d - 1) / max(n - 1, 1)) for d in (d1, d2))
        steps.append((m1, m2, risk, survival))
    pull = [(risk - now) / after if after else 0.0 for _, _, now, after in steps]
    spread = [m1 * (1 - g) ** 2 + m2 * g**2 for (m1, m2, *_), g in zip(steps, pull, strict=True)]
    return risk, sum(spread)


def percent(risk: float, variance: float) -> tuple[int, int, int]:
    """Incidence with the 95 % interval of log(-log F), in whole per cent."""
    width = 1.959964 * math.sqrt(variance) / (risk * abs(math.log(risk)))
    lower, upper = (risk ** math.exp(sign * width) for sign in (1, -1))
    return round(100 * risk), round(100 * lower), round(100 * upper)


def trm(frame: pd.DataFrame, at: float, origin: str | None = None) -> tuple[float, float]:
    start = 0 if origin is None else frame[origin]
    return incidence((frame["trm_end"] - start).to_numpy(float), frame["trm_state"].to_numpy(), at)


def resolution(group: str, at: float) -> float:
    """Incidence of resolution from the start of anakinra; death competes."""
    frame = of_group(group)
    end = frame["resolved_day"].fillna(frame["last_seen_day"]) - frame["anakinra_day"]
    dead = frame["death_day"].notna()
    states = np.where(frame["resolved_day"].notna(), 1, np.where(dead, 2, 0))
    return incidence(end.to_numpy(float), states, at)[0]


def standardised(end: pd.Series[float], event: pd.Series[bool]) -> pd.DataFrame:
    """Complete cases of the five-covariate model, covariates on the standardised scale."""
    frame = patients()[[*COVARIATES, "anakinra_day"]].astype(float)
    frame = frame.assign(end=end.astype(float), event=event.astype(float)).dropna()
    x = frame[COVARIATES]
    frame[COVARIATES] = (x - x.mean()) / x.std()
    return frame


def trm_model() -> pd.DataFrame:
    frame = patients()
    return standardised(frame["trm_end"], frame["trm_state"] == TRM)


def resolution_model() -> pd.DataFrame:
    frame = patients()
    day = frame["resolved_day"]
    return standardised(day.fillna(frame["last_seen_day"]), day.notna())


def fitted(frame: pd.DataFrame, columns: list[str] = COVARIATES) -> Any:
    rows = frame[[*columns, "end", "event", "anakinra_day"]]
    return CoxPHFitter().fit(rows, "end", "event", entry_col="anakinra_day").summary


def separation(frame: pd.DataFrame) -> float:
    """How far a direction can raise the dead above those at risk, 0 if none separates them.

    A Cox model is monotone in b if b (x_j - x_i) <= 0 for each death i and each j at risk.
    """
    x, start, end = (frame[c].to_numpy() for c in (COVARIATES, "anakinra_day", "end"))
    gaps = [
        x[j] - x[i]
        for i in np.flatnonzero(frame["event"])
        for j in np.flatnonzero((start < end[i]) & (end >= end[i]))
    ]
    found = linprog(np.sum(gaps, axis=0), np.array(gaps), np.zeros(len(gaps)), bounds=(-1, 1))
    return float(-found.fun)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cohort") / "new"
    generate.write_sites(out)
    return out


def spreads(tables: Mapping[str, Mapping[str, published.Spread]]) -> list[Any]:
    return [
        pytest.param(name, group, spread, id=f"{name}-{group}")
        for name, groups in tables.items()
        for group, spread in groups.items()
    ]


def test_variance_of_distinct_events() -> None:
    """Seven of 15 on distinct days have the variance that cmprsk 2.2-11 prints."""
    found = incidence(np.r_[1.0:8, np.full(8, 28)], np.r_[[1] * 7, [0] * 8], 28)
    assert found == pytest.approx((7 / 15, 0.01826098825851665), rel=1e-12)


def test_variance_of_tied_events() -> None:
    """Seven of 15 on one day have the variance that cmprsk 2.2-11 prints."""
    found = incidence(np.r_[np.full(7, 3.0), np.full(8, 28)], np.r_[[1] * 7, [0] * 8], 28)
    assert found == pytest.approx((7 / 15, 0.01777777777777778), rel=1e-12)


def test_patients_by_dose_group() -> None:
    """There are 15 low-dose and 28 high-dose patients."""
    assert counts(patients(), "group") == {"low": 15, "high": 28}


def test_low_doses() -> None:
    """Low is 100 to 200 mg a day."""
    assert set(of_group("low")["dose_mg"]) <= set(range(100, 201))


@pytest.mark.parametrize(
    ("name", "group", "spread"), spreads({**published.TABLE_1, **published.TABLE_2})
)
def test_quartiles(name: str, group: str, spread: published.Spread) -> None:
    """Median and quartiles are the printed ones, to the printed place."""
    found = np.quantile(of_group(group)[name].dropna().astype(float), [0.25, 0.5, 0.75])
    places = [len(f"{unit:g}".partition(".")[2]) for unit in spread.unit]
    expected = [f"{x:.{n}f}" for x, n in zip(spread.quartiles, places, strict=True)]
    assert expected == [f"{x:.{n}f}" for x, n in zip(found, places, strict=True)]


@pytest.mark.parametrize(("name", "group", "spread"), spreads(published.TABLE_2))
def test_ranges(name: str, group: str, spread: published.Spread) -> None:
    """Minimum and maximum are the printed ones."""
    values = of_group(group)[name]
    assert (spread.minimum, spread.maximum) == (values.min(), values.max())


@pytest.mark.parametrize("name", published.MISSING)
def test_missing(name: str) -> None:
    """As many values are missing in each group as printed."""
    found = tuple(int(of_group(group)[name].isna().sum()) for group in ("low", "high"))
    assert published.MISSING[name] == found


def test_nothing_else_is_missing() -> None:
    """Other than outcomes that did not happen, no column lacks a value."""
    absent = set(patients()[generate.PATIENTS.names].isna().any()[lambda some: some].index)
    outcomes = {"response", "relapse_day", "death_day", "death_cause"}
    assert absent == set(published.MISSING) | outcomes


@pytest.mark.parametrize("name", published.COUNTS)
@pytest.mark.parametrize("group", ["low", "high"])
def test_counts(name: str, group: str) -> None:
    """Levels have the printed counts in each group."""
    place = ("low", "high").index(group)
    expected = {level: n[place] for level, n in published.COUNTS[name].items() if n[place]}
    assert expected == counts(of_group(group), name)


@pytest.mark.parametrize("name", published.TOTALS)
def test_totals(name: str) -> None:
    """Levels have the printed counts in total."""
    assert dict(published.TOTALS[name]) == counts(patients(), name)


@pytest.mark.parametrize("name", published.P_VALUES)
def test_p_values(name: str) -> None:
    """Wilcoxon's test of the groups, exact without ties as in R, has the printed p-value."""
    low, high = (of_group(group)[name].dropna().astype(float) for group in ("low", "high"))
    method = "exact" if pd.concat([low, high]).is_unique else "asymptotic"
    found = mannwhitneyu(low, high, method=method).pvalue
    assert published.P_VALUES[name] == as_printed(found, published.P_VALUES[name])


def test_p_value_of_the_country() -> None:
    """Fisher's test of dose group and country has the printed p-value."""
    found = fisher_exact(pd.crosstab(patients()["group"], patients()["country"])).pvalue
    assert as_printed(found, published.P_COUNTRY) == published.P_COUNTRY


@pytest.mark.parametrize("name", published.DURATIONS)
def test_durations(name: str) -> None:
    """CRS, and ICANS of grade 2 or more, last as printed in those who have any."""
    days = patients()[name].dropna()
    assert published.DURATIONS[name] == (days.median(), days.min(), days.max())


def test_further_therapies() -> None:
    """Twelve were given something else after anakinra."""
    drugs = patients()[["siltuximab", "intrathecal", "etoposide", "ruxolitinib"]]
    assert (drugs == "yes").any(axis=1).sum() == published.FURTHER_TREATED


def test_changes_of_anakinra() -> None:
    """It was changed in three; where the route was, both are on record."""
    frame = patients()
    changed = frame[(frame["rerouted"] == "yes") | (frame["stopped"] == "yes")]
    rerouted = frame.loc[frame["rerouted"] == "yes", "route"]
    assert (len(changed), list(rerouted)) == (3, ["both"])


@pytest.mark.parametrize(
    ("name", "column", "least"),
    [
        ("vasopressors", "peak_crs", 3),
        ("encephalopathy", "peak_icans", 1),
        ("seizures", "peak_icans", 3),
        ("oedema", "peak_icans", 4),
    ],
)
def test_signs_fit_grades(name: str, column: str, least: int) -> None:
    """Signs that define a grade have no lower one."""
    frame = patients()
    assert frame.loc[frame[name] == "yes", column].min() >= least


def test_history_of_lymphoma_in_the_brain() -> None:
    """Only those with a lymphoma have it in the central nervous system."""
    frame = patients()
    assert not set(frame.loc[frame["cns_history"] == "lymphoma", "disease"]) & {"B-ALL", "MM"}


def test_ages() -> None:
    """The oldest is 77 and three are children of 10, 12 and 15."""
    ages = sorted(patients()["age"])
    assert [age for age in ages if age < 18] + ages[-1:] == [10, 12, 15, 77]


def test_range_of_ldh() -> None:
    """LDH runs from 102 to 2074."""
    assert (patients()["ldh"].min(), patients()["ldh"].max()) == (102, 2074)


def test_ferritin_of_the_low_group() -> None:
    """Table 1's 1720 counts, not the 1,724 of the text."""
    assert of_group("low")["ferritin"].median() == 1720


def test_performance_status_in_tens() -> None:
    """KPS comes in tens."""
    assert set(patients()["kps"].dropna() % 10) == {0}


def test_onset_to_anakinra() -> None:
    """Anakinra starts a median of 3 days after onset, 0 to 32."""
    wait = patients()["wait"]
    assert (wait.median(), wait.min(), wait.max()) == (3, 0, 32)


def test_dose_for_weight() -> None:
    """mg/kg is dose over weight to two places."""
    frame = patients()
    assert list(frame["dose_mg_kg"]) == list((frame["dose_mg"] / frame["weight_kg"]).round(2))


def test_highest_dose_for_weight() -> None:
    """Nobody has more than 12 mg/kg/day, and one has that."""
    assert patients()["dose_mg_kg"].max() == 12


def test_low_doses_for_weight() -> None:
    """Low doses are 1.2 to 3.5 mg/kg/day."""
    assert of_group("low")["dose_mg_kg"].between(1.2, 3.5).all()


def test_overlap_of_doses_for_weight() -> None:
    """Some high-dose patients get less for their weight than some low-dose patients."""
    low, high = (of_group(group)["dose_mg_kg"] for group in ("low", "high"))
    assert (high < low.max()).sum() >= 2


def test_route_by_group() -> None:
    """Low is mostly SC; both routes and most IV are high."""
    low, high = (counts(of_group(group), "route") for group in ("low", "high"))
    assert (low, high) == ({"SC": 13, "IV": 2}, {"SC": 8, "IV": 18, "both": 2})


def test_cumulative_dose() -> None:
    """Cumulative dose is dose times days but for the one that the paper's maximum forces."""
    frame = patients()
    other = frame[frame["anakinra_mg"] != frame["dose_mg"] * frame["anakinra_days"]]
    assert list(other["anakinra_mg"]) == [12600]


def test_treatment_ends_before_follow_up() -> None:
    """Nobody is given steroids or anakinra for longer than they are followed."""
    frame = patients()
    anakinra = frame["anakinra_day"] + frame["anakinra_days"] - 1 <= frame["last_seen_day"]
    steroids = frame["onset_day"] + frame["steroid_days"] - 1 <= frame["last_seen_day"]
    assert (anakinra & steroids).all()


def test_deaths_without_progression() -> None:
    """Nine die of infection or ICANS without relapse, all in the low group."""
    dead = patients()[patients()["trm_state"] == TRM]
    expected = ({"low": 9}, {"infection": 5, "ICANS": 4})
    assert expected == (counts(dead, "group"), counts(dead, "death_cause"))


def test_deaths_of_progression() -> None:
    """Relapse comes before each of the six deaths of progression."""
    dead = patients()[patients()["death_cause"] == "progression"]
    assert (len(dead), int((dead["relapse_day"] < dead["death_day"]).sum())) == (6, 6)


def test_order_of_days() -> None:
    """Onset, anakinra, relapse and last contact follow each other."""
    frame = patients()
    after = frame["relapse_day"].isna() | (frame["relapse_day"] > frame["anakinra_day"])
    seen = frame["relapse_day"].isna() | (frame["relapse_day"] <= frame["last_seen_day"])
    start = frame["anakinra_day"].between(frame["onset_day"], frame["last_seen_day"] - 1)
    assert (after & seen & start).all()


def test_death_ends_follow_up() -> None:
    """The dead were last seen on the day of death."""
    dead = patients().dropna(subset=["death_day"])
    assert list(dead["death_day"]) == list(dead["last_seen_day"])


def test_follow_up() -> None:
    """Follow-up has a median of 62 days, 6 to 474."""
    last = patients()["last_seen_day"]
    assert (last.median(), last.min(), last.max()) == (62, 6, 474)


def test_trm_of_low_dose() -> None:
    """Seven of 15 by day 28 after anakinra: 47 % (20 to 70)."""
    assert percent(*trm(of_group("low"), 28, "anakinra_day")) == (47, 20, 70)


def test_trm_of_high_dose() -> None:
    """No high-dose patient dies of treatment."""
    assert trm(of_group("high"), math.inf, "anakinra_day") == (0, 0)


def test_seven_early_deaths_on_distinct_days() -> None:
    """Seven die of treatment by day 28 after anakinra, no two on one day."""
    low = of_group("low")
    days = (low["trm_end"] - low["anakinra_day"])[low["trm_state"] == TRM]
    assert days[days <= 28].nunique() == (days <= 28).sum() == 7


def test_no_early_censoring_of_low_dose() -> None:
    """No low-dose patient is censored before day 28 after anakinra."""
    low = of_group("low")
    days = (low["trm_end"] - low["anakinra_day"])[low["trm_state"] == CENSORED]
    assert days.min() >= 28


def test_trm_at_day_28() -> None:
    """By day 28 after infusion: 7 % (2 to 17)."""
    assert percent(*trm(patients(), 28)) == (7, 2, 17)


def test_deaths_by_day_28() -> None:
    """That is exactly three of 43: an earlier relapse does not move it."""
    assert trm(patients(), 28)[0] == pytest.approx(3 / 43, rel=1e-12)


def test_no_censoring_before_the_third_death() -> None:
    """Before the third death of treatment only the progression of day 5 leaves."""
    frame = patients()
    third = sorted(frame.loc[frame["trm_state"] == TRM, "trm_end"])[2]
    gone = frame[(frame["trm_end"] < third) & (frame["trm_state"] != TRM)]
    assert list(zip(gone["trm_end"], gone["trm_state"], strict=True)) == [(5, RELAPSED)]


def test_trm_at_day_60() -> None:
    """By day 60 after infusion: 23 % (11 to 38)."""
    assert percent(*trm(patients(), 60)) == (23, 11, 38)


def test_states_at_day_60() -> None:
    """By day 60 all nine have died of treatment and six were censored."""
    early = patients()[patients()["trm_end"] < 60]
    expected = {str(TRM): 9, str(RELAPSED): 7, str(CENSORED): 6}
    assert expected == counts(early, "trm_state")


def test_evaluable_patients() -> None:
    """The three without a response died within 28 days."""
    absent = patients()[patients()["response"].isna()]
    assert (len(absent), int((absent["death_day"] < 28).sum())) == (3, 3)


@pytest.mark.parametrize("disease", published.RESPONDERS)
def test_responders_by_disease(disease: str) -> None:
    """Each disease has its responders."""
    rows = patients()[patients()["disease"] == disease]
    found = int(rows["response"].isin(["CR", "PR"]).sum()), len(rows)
    assert published.RESPONDERS[disease] == found


def test_responses_by_group() -> None:
    """31 respond, 23 of them high-dose; 21 completely, 17 of them high-dose."""
    found = {group: counts(of_group(group), "response") for group in ("low", "high")}
    expected = {
        "low": {"CR": 4, "PR": 4, "none": 5},
        "high": {"CR": 17, "PR": 6, "none": 4},
    }
    assert expected == found


def test_resolution_of_high_dose() -> None:
    """Half have resolved at day 7 after anakinra, not before."""
    assert resolution("high", 6) < 0.5 <= resolution("high", 7)


def test_resolution_of_low_dose() -> None:
    """Half never resolve."""
    assert 0 < resolution("low", math.inf) < 0.5


def test_resolution_is_the_course() -> None:
    """The resolutions read off the grades are those of the courses."""
    expected = sorted(c.resolved_day for c in read_courses() if c.resolved_day is not None)
    assert expected == sorted(patients()["resolved_day"].dropna())


def test_grades_after_resolution() -> None:
    """Those who resolved stay at grade 0."""
    later = [
        rows.loc[rows["day"] >= patients().loc[name, "resolved_day"], ["crs", "icans"]].to_numpy()
        for name, rows in grades().items()
    ]
    assert np.concatenate(later).max() == 0


def test_days_graded() -> None:
    """Each patient has one row a day from day 0."""
    gaps = [n for n, rows in grades().items() if list(rows["day"]) != list(range(len(rows)))]
    assert gaps == []


def test_last_day_graded() -> None:
    """Rows reach two days past resolution, or death or last contact, or day 60; not beyond."""
    last = pd.Series({name: rows["day"].max() for name, rows in grades().items()})
    frame = patients()
    end = frame["last_seen_day"].clip(upper=60)
    needed = (frame["resolved_day"] + 2).fillna(end)
    assert last.between(needed, end).all()


def test_everyone_is_graded() -> None:
    """Each patient has grades and each grade a patient, at one hospital."""
    frame, rows = cohort()
    expected = set(zip(frame["site"], frame["patient"], strict=True))
    assert expected == set(zip(rows["site"], rows["patient"], strict=True))


def test_toxicity_at_anakinra() -> None:
    """Anakinra starts at grade 2 or more of what it is given for."""
    columns = patients()[["patient", "anakinra_day", "indication"]]
    at_start = [
        grades()[name].loc[grades()[name]["day"] == day, reason.lower()].item()
        for name, day, reason in columns.itertuples(index=False)
    ]
    assert min(at_start) >= 2


def test_model_of_trm_has_events() -> None:
    """At least five who die of treatment have all covariates."""
    assert trm_model()["event"].sum() >= 5


@pytest.mark.parametrize("model", [trm_model, resolution_model])
def test_models_are_not_separated(model: Any) -> None:
    """No combination of covariates puts each event above all others at risk."""
    assert separation(model()) == pytest.approx(0, abs=1e-9)


def test_separation_is_found() -> None:
    """A covariate that only the dead carry separates them."""
    frame = trm_model()
    assert separation(frame.assign(kps=frame["event"])) > 0


@pytest.mark.parametrize("model", [trm_model, resolution_model])
def test_models_converge(model: Any) -> None:
    """The five-covariate model fits: coefficients finite, standard errors under 5."""
    summary = fitted(model())
    assert np.isfinite(summary["coef"]).all() and (summary["se(coef)"] < 5).all()


def test_lean_of_dose() -> None:
    """In the model of TRM a higher dose for weight goes with fewer deaths."""
    assert fitted(trm_model()).loc["dose_mg_kg", "coef"] < 0


@pytest.mark.parametrize(("name", "sign"), [("kps", -1), ("ldh", 1), ("ferritin", 1)])
def test_leans_of_trm(name: str, sign: int) -> None:
    """Lower KPS, higher LDH and higher ferritin go with more deaths of treatment."""
    frame = trm_model().assign(x=np.log10(patients()[name].astype(float))).dropna()
    assert fitted(frame, ["x"]).loc["x", "coef"] * sign > 0


def test_lean_of_resolution() -> None:
    """Higher KPS goes with faster resolution."""
    assert fitted(resolution_model(), ["kps"]).loc["kps", "coef"] > 0


def test_sizes_of_sites() -> None:
    """43 patients lie over nine hospitals, 25 in two of the US and 18 in seven of Spain."""
    sizes = counts(patients(), "site")
    assert (sizes, sum(sizes.values())) == (generate.SITE_SIZE, 43)


def test_country_of_site() -> None:
    """A hospital's name begins with its country's letters."""
    frame = patients()
    expected = frame["site"].str[:2].map({"us": "US", "es": "Spain"})
    assert list(expected) == list(frame["country"])


def test_names_are_unique() -> None:
    """No two patients share an id, over all hospitals."""
    assert cohort()[0]["patient"].nunique() == 43


def test_order_within_a_site(written: Path) -> None:
    """Rows stand in the order of patient ids."""
    names = pq.read_table(written / "us-1" / "patients.parquet")["patient"].to_pylist()
    assert names == sorted(names)


def test_order_of_names() -> None:
    """Dose groups are mixed in the order of ids, so that the order of making cannot be read."""
    groups = patients().query("site == 'us-1'")["group"]
    assert (groups != groups.shift()).sum() > 3


def test_the_cohort_does_not_change() -> None:
    """Made twice, it is the same."""
    first, second = generate.make_cohort(), generate.make_cohort()
    assert first[0].equals(second[0]) and first[1].equals(second[1])


def test_same_bytes(written: Path, tmp_path: Path) -> None:
    """Written twice, each file has the same bytes."""
    generate.write_sites(tmp_path)
    files = [p.relative_to(written) for p in sorted(written.rglob("*.*")) if p.is_file()]
    assert [(written / p).read_bytes() for p in files] == [
        (tmp_path / p).read_bytes() for p in files
    ]


def test_files(written: Path) -> None:
    """Each hospital has three files; the notice stands beside them."""
    expected = {
        f"{site}/{file}"
        for site in generate.SITE_SIZE
        for file in ("patients.parquet", "grades.parquet", "site.toml")
    } | {"SYNTHETIC.txt"}
    assert expected == {str(p.relative_to(written)) for p in written.rglob("*") if p.is_file()}


@pytest.mark.parametrize("site", generate.SITE_SIZE)
def test_types_at_each_site(written: Path, site: str) -> None:
    """Columns have the same names and types at each hospital, whatever it misses."""
    found = [
        pq.read_schema(written / site / f"{table}.parquet") for table in ("patients", "grades")
    ]
    assert all(
        a.equals(b) for a, b in zip(found, (generate.PATIENTS, generate.GRADES), strict=True)
    )


@pytest.mark.parametrize("table", ["patients", "grades"])
def test_metadata(written: Path, table: str) -> None:
    """Each Parquet file says that it is synthetic."""
    metadata = pq.read_schema(written / "es-7" / f"{table}.parquet").metadata
    assert metadata == {b"synthetic": generate.SENTENCE.encode()}


@pytest.mark.parametrize(("site", "country"), [("us-2", "US"), ("es-4", "Spain")])
def test_site_file(written: Path, site: str, country: str) -> None:
    """A hospital's file holds its country."""
    assert tomllib.loads((written / site / "site.toml").read_text()) == {"country": country}


def test_notice(written: Path) -> None:
    """The notice is one paragraph and names the paper."""
    text = (written / "SYNTHETIC.txt").read_text()
    assert (text.count("\n"), "no patients" in text, "Gazeau" in text) == (1, True, True)


def test_files_hold_the_cohort(written: Path) -> None:
    """The files together hold the rows of the cohort."""
    rows = [
        pq.read_table(written / site / "patients.parquet").to_pandas()
        for site in sorted(generate.SITE_SIZE)
    ]
    expected = cohort()[0][generate.PATIENTS.names]
    pooled = pd.concat(rows, ignore_index=True)
    assert pooled.astype(expected.dtypes.to_dict()).equals(expected)


def test_command(tmp_path: Path) -> None:
    """As a script, from any folder, it writes the nine hospitals."""
    script = Path(generate.__file__)
    out = tmp_path / "out"
    subprocess.run([sys.executable, script, "--out", out], check=True, cwd=tmp_path)
    assert sorted(p.name for p in out.iterdir() if p.is_dir()) == sorted(generate.SITE_SIZE)


def test_values_to_deal() -> None:
    """A list never holds more values than its group has patients."""
    assert [d.name for d in DEALS if len(d.low) > 15 or len(d.high) > 28] == []


@pytest.mark.parametrize(
    ("episode", "expected"),
    [
        (Episode(2, 5, 9, 4), [0, 0, 1, 2, 3, 4, 3, 2, 1, 0, 0]),
        (Episode(3, 3, 4, 2), [0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]),
        (Episode(1, 2, None, 3), [0, 1, 3, 3, 3, 2, 2, 2, 1, 1, 1]),
        (Episode(1, 2, 5, 0), [0] * 11),
        (Episode(1, 2, 9, 4, mild=5), [0, 1, 4, 3, 2, 1, 1, 1, 1, 0, 0]),
    ],
)
def test_grades_of_an_episode(episode: Episode, expected: list[int]) -> None:
    """A grade rises to its peak, falls to the clear day, or eases to its floor."""
    assert expected == [episode.grade(day) for day in range(11)]


def test_death_of_icans() -> None:
    """A death of grade 5 is grade 5 on its day and no earlier."""
    course = next(c for c in read_courses() if c.peak_icans == 5)
    icans = [row[2] for row in daily_grades(course, np.random.default_rng(0))]
    assert (icans.index(5), max(icans[:-1])) == (course.last_seen_day, 4)


def test_last_day_of_a_long_course() -> None:
    """Nobody is graded after day 60."""
    course = replace(read_courses()[0], resolved_day=70, last_seen_day=474)
    assert last_graded_day(course) == 60


@pytest.mark.parametrize(
    ("word", "unit"), [("1720", 10), ("1040.", 1), ("43.5", 0.1), ("8.75", 0.01), ("609", 1)]
)
def test_printed_places(word: str, unit: float) -> None:
    """The last printed place is read off the figure."""
    assert published._last_place(word) == pytest.approx(unit)
