"""Two-stage meta-analysis: by hand, against statsmodels, and what hospitals do not contribute."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.stats.meta_analysis import combine_effects

from site_agent.contract.analyses.meta_analysis import heterogeneity, limits
from site_agent.contract.analyses.meta_sums import local_fit
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.sums import Ask
from tests.pooling import pool
from tests.site_agent.contract.analyses.by_hand import F, rows
from tests.site_agent.contract.analyses.guarded import text
from tests.studytext import study

# Three hospitals with estimates 1, 2, 4 and weights 4, 2, 1:
# sum w 7, w b 12, w b^2 28, w^2 21; Q = 28 - 144/7 = 52/7.
SUMS = {"w": 7.0, "wb": 12.0, "wbb": 28.0, "ww": 21.0}


def test_cochrans_q() -> None:
    """Q is 52/7 on two degrees of freedom."""
    found = heterogeneity(3, SUMS)
    assert (found.q, found.df) == (pytest.approx(float(F(52, 7)), rel=1e-14), 2)


def test_i2_and_h() -> None:
    """I2 is (52/7 - 2)/(52/7) = 19/26, H the square root of 26/7."""
    found = heterogeneity(3, SUMS)
    assert [found.i2, found.h] == pytest.approx([19 / 26, math.sqrt(26 / 7)], rel=1e-14)


def test_tau2() -> None:
    """Tau2 is (38/7) / (7 - 21/7) = 19/14."""
    assert heterogeneity(3, SUMS).tau2 == pytest.approx(float(F(19, 14)), rel=1e-14)


def test_no_heterogeneity() -> None:
    """Equal estimates: Q, I2 and tau2 are 0, not below."""
    found = heterogeneity(2, {"w": 5.0, "wb": 10.0, "wbb": 20.0, "ww": 13.0})
    assert (found.q, found.i2, found.tau2) == (0.0, 0.0, 0.0)


def test_one_hospital() -> None:
    """One alone differs from nobody: no degrees of freedom, no I2."""
    found = heterogeneity(1, {"w": 4.0, "wb": 4.0, "wbb": 4.0, "ww": 16.0})
    assert (found.df, found.tau2, math.isnan(found.i2)) == (0, 0.0, True)


# What a hospital finds


def ask(columns: int, *, least: int = 1) -> Ask:
    """A question for a hospital's own estimates."""
    fixed = {"columns": columns, "strata": 1, "efron": True, "least_events": least}
    return Ask("meta_estimates", Frame("patients"), fixed, {})


def own(x: list[list[float]], cause: list[int] | None = None, *, least: int = 1) -> list[float]:
    """The weights of a hospital's estimates; eight patients, of whom all but two die."""
    time = list(range(1, len(x) + 1))
    made = rows(time, cause or [1, 1, 0, 1, 1, 1, 0, 1], x=x)
    return local_fit(made, ask(len(x[0]), least=least)).weight.tolist()


CARRIES = [[1.0], [0.0], [1.0], [0.0], [1.0], [0.0], [0.0], [1.0]]


def test_too_few_events() -> None:
    """A hospital with six events contributes where six are enough, not where seven are needed."""
    assert (own(CARRIES, least=6)[0] > 0, own(CARRIES, least=7)) == (True, [0.0])


def test_one_level_only() -> None:
    """A covariate that does not vary there has no estimate there; another one keeps its own."""
    both = [[x[0], 1.0] for x in CARRIES]
    assert own(both) == [pytest.approx(own(CARRIES)[0], rel=1e-12), 0.0]


def test_no_event_in_a_group() -> None:
    """A likelihood without a maximum contributes nothing, to any coefficient."""
    assert own([[1.0], [0.0]] * 4, [0, 1, 0, 1, 0, 1, 0, 1]) == [0.0]


def test_without_the_reference_level() -> None:
    """With levels b and c only, b would be compared with c: it does not contribute."""
    assert own([[x[0], 1.0 - x[0]] for x in CARRIES]) == [0.0, 0.0]


def test_no_patients() -> None:
    """A hospital without patients contributes nothing."""
    none = rows([], [], x=np.zeros((0, 1)).tolist())
    empty = Rows(
        none.entry, none.time, none.cause, none.group, none.stratum, np.zeros((0, 1)),
        none.patient, patients=0,
    )  # fmt: skip
    assert local_fit(empty, ask(1)).weight.tolist() == [0.0]


# A release


def patients(sites: int = 7, each: int = 30, seed: int = 5) -> dict[str, pd.DataFrame]:
    """Hospitals with effects of their own; the last one has three patients."""
    draw = np.random.default_rng(seed)
    found = {}
    for site in range(sites):
        n = each + 5 * site if site < sites - 1 else 3
        male = draw.uniform(size=n) < 0.5
        age = np.round(draw.normal(60, 10, n), 1)
        effect = draw.normal(0.5, 0.8)
        time = np.ceil(draw.exponential(60 / np.exp(effect * male + 0.02 * (age - 60)))) + 1
        end = np.minimum(np.ceil(draw.uniform(20, 200, n)), 300)
        seen = np.minimum(time, end)
        found[f"s{site}"] = pd.DataFrame(
            {
                "patient": [f"{site}-{k}" for k in range(n)],
                "age": age,
                "ldh": draw.uniform(100, 400, n),
                "sex": np.where(male, "female", "male"),
                "stage": "one",
                "start": 0.0,
                "death": np.where(time <= end, seen, np.nan),
                "seen": seen,
                "left": seen,
            }
        )
    return found


def episodes() -> pd.DataFrame:
    """No rows of the study's other table."""
    types = {"patient": str, "day": float, "until": float, "dies": bool}
    types |= {"doubtful": bool, "ward": str}
    return pd.DataFrame({name: [] for name in types}).astype(types)


def release(fields: str, tables: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """The result of one analysis of the guarded study."""
    sites = {name: {"patients": own, "episodes": episodes()} for name, own in tables.items()}
    outcome = pool(text(fields), sites)
    document: dict[str, Any] = outcome.results["a"].document()
    return document


FIELDS = "kind: meta_analysis, endpoint: survival, covariates: [sex, age]"


def by_statsmodels(tables: dict[str, pd.DataFrame]) -> Any:
    """Each hospital's own fit of sex and age by PHReg, put together by combine_effects."""
    estimates, variances = [], []
    for frame in list(tables.values())[:-1]:
        x = np.column_stack([frame.sex == "female", frame.age - 60]).astype(float)
        fit = PHReg(frame.seen, x, status=frame.death.notna(), ties="efron").fit(tol=1e-14)
        estimates.append(fit.params[0])
        variances.append(fit.cov_params()[0, 0])
    return combine_effects(np.array(estimates), np.array(variances), method_re="dl")


def test_against_statsmodels() -> None:
    """Effects, their errors, Q and tau2 are those of combine_effects over fits of PHReg."""
    tables = patients()
    found, theirs = release(FIELDS, tables)["terms"][0], by_statsmodels(tables)
    ours = [
        *(
            found[model][value]
            for model in ("fixed", "random")
            for value in ("estimate", "std_error")
        ),
        *(found["heterogeneity"][name] for name in ("q", "tau2", "i2")),
    ]
    expected = [
        theirs.mean_effect_fe, theirs.sd_eff_w_fe, theirs.mean_effect_re, theirs.sd_eff_w_re,
        theirs.q, theirs.tau2, theirs.i2,
    ]  # fmt: skip
    assert ours == pytest.approx(expected, rel=1e-8)


def test_limits_against_statsmodels() -> None:
    """Wald limits of both effects."""
    tables = patients()
    found, theirs = release(FIELDS, tables)["terms"][0], by_statsmodels(tables)
    ours = [found[m][end] for m in ("fixed", "random") for end in ("conf_low", "conf_high")]
    frame = theirs.summary_frame(alpha=0.05, use_t=False)
    expected = frame.loc[["fixed effect", "random effect"], ["ci_low", "ci_upp"]].to_numpy()
    assert ours == pytest.approx(expected.ravel().tolist(), rel=1e-8)


def test_prediction() -> None:
    """The interval of a further hospital has the t distribution with k - 2 degrees of freedom."""
    found = release(FIELDS, patients())["terms"][0]
    random, tau2 = found["random"], found["heterogeneity"]["tau2"]
    width = t.ppf(0.975, 4) * math.sqrt(tau2 + random["std_error"] ** 2)
    expected = [random["estimate"] - width, random["estimate"] + width]
    assert found["predict"] == pytest.approx(expected, rel=1e-12)


def test_the_small_hospital_is_counted_out() -> None:
    """Six of seven hospitals have an estimate; all patients are counted."""
    tables = patients()
    found = release(FIELDS, tables)
    sites = found["terms"][0]["heterogeneity"]["sites"]
    assert (sites, found["patients"]) == (6, sum(map(len, tables.values())))


TENTHS = FIELDS.replace("[sex, age]", "[sex, age, age / 10]")


def test_a_later_alias_hides_no_coefficient() -> None:
    """With age / 10 behind age all hospitals leave the former out: age is pooled as without it."""
    effects = [
        [term["fixed"]["estimate"] for term in release(fields, patients())["terms"][:2]]
        for fields in (TENTHS, FIELDS)
    ]
    assert effects[0] == pytest.approx(effects[1], rel=1e-9)


def test_an_alias_everywhere_says_so() -> None:
    """Of the covariate that is left out."""
    said = release(TENTHS, patients())["terms"][2]["withheld"]
    assert said == "not estimable: in every hospital constant, or a combination of those before it"


STAGES = FIELDS.replace("[sex, age]", "[stage]")


def staged(*of: str) -> dict[str, pd.DataFrame]:
    """Hospitals, each with its own two stages, one after the other."""
    found = {}
    for (name, frame), pair in zip(patients().items(), of, strict=True):
        stages = [pair.split()[k % 2] for k in range(len(frame))]
        found[name] = frame.assign(stage=stages)
    return found


def test_an_alias_of_another_meaning_stays_hidden() -> None:
    """Stage two against three in two hospitals is no estimate of two against one, as in four."""
    tables = staged(*["two three"] * 2, *["one two"] * 4, "one two")
    assert release(STAGES, tables)["terms"][0]["heterogeneity"]["sites"] == 4


def test_a_reference_level_that_is_missing_everywhere() -> None:
    """Stage two against three in all hospitals is what coxph gives of all of them together."""
    tables = staged(*["two three"] * 7)
    assert release(STAGES, tables)["terms"][0]["heterogeneity"]["sites"] == 6


# What opens


def _limits(*replacements: tuple[str, str]) -> tuple[int, int]:
    model = "model: {kind: cox, endpoint: trm, covariates: [age, sex, kps], baseline: by_site}"
    meta = "model: {kind: meta_analysis, endpoint: trm, covariates: [age]}"
    made = study((model, meta), *replacements)
    return limits(made, made.analyses["model"])


def test_four_hospitals_or_five() -> None:
    """Three hospitals would leave each of them four equations for the other two's four numbers."""
    assert _limits() == (4, 5)


def test_a_study_that_asks_for_more() -> None:
    """disclosure.compute.sites holds for a meta-analysis too."""
    assert _limits(("sites: 3, patients", "sites: 6, patients")) == (6, 6)


def test_accepted_by_name() -> None:
    """The stewards may accept fewer, down to the study's own limit."""
    assert _limits(("analysis: curve", "analysis: model")) == (3, 3)


def _guarded(tables: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    sites = {name: {"patients": own, "episodes": episodes()} for name, own in tables.items()}
    outcome = pool(text(FIELDS), sites, development=False)
    terms: list[dict[str, Any]] = outcome.results["a"].document().get("terms", [])
    return terms or [outcome.results["a"].document()]


def test_three_hospitals_are_withheld() -> None:
    """With three estimates nothing is pooled, and the result says why."""
    (found,) = _guarded(patients(4, each=40))
    assert found["because"].startswith("withheld: fewer than 4 hospitals have an estimate")


def test_four_hospitals_have_fixed_effects_only() -> None:
    """Random effects would be two equations more than there are unknown numbers to hide."""
    found = _guarded(patients(5, each=40))[0]
    withheld = found["heterogeneity"]["tau2"] > 0 and "random" not in found
    assert (withheld, "random_withheld" in found) == (True, True)


def test_nobody_has_an_event() -> None:
    """A sentence, not a division by zero."""
    tables = {name: own.assign(death=np.nan) for name, own in patients().items()}
    assert "no event" in release(FIELDS, tables)["because"]
