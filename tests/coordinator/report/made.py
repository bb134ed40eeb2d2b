"""A made-up release for the tests of the report: hand-worked numbers in the contract's own types.

Six patients die or are censored at 1 to 6 days (death at 1, 3, 4, 6): survival 5/6, 5/8, 5/12, 0.
Twenty-four more, in group `high`, are censored at 7; the incidence has two causes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coordinator.report.folder import Document
from coordinator.report.output_rules import decide
from coordinator.report.small_counts import Limit
from coordinator.report.views import View
from site_agent.contract.analyses.coefficients import Term, Test
from site_agent.contract.analyses.cox_results import CoxFit, CoxScreen, Wanted
from site_agent.contract.analyses.fine_gray_results import Counted, FineGrayFit
from site_agent.contract.analyses.gray_test import GrayTest
from site_agent.contract.analyses.group_results import Comparison, Comparisons, Found
from site_agent.contract.analyses.incidence import IncidenceCurve, IncidenceCurves
from site_agent.contract.analyses.logrank import LogRank
from site_agent.contract.analyses.paired_results import PairedResult
from site_agent.contract.analyses.proportion import Proportions, ProportionTable, Shares
from site_agent.contract.analyses.quantiles import Summary
from site_agent.contract.analyses.results import Failure
from site_agent.contract.analyses.survival import Curve, SurvivalCurves
from site_agent.contract.analyses.table_one_results import Described, InGroup, TableOne
from site_agent.contract.canonical import sha256

NAN = float("nan")
NONE_LEFT_OUT = {"endpoint unknown": 0, "a value missing": 0, "entry at the end": 0}
TWO_MISSING = {**NONE_LEFT_OUT, "a value missing": 2}
SYNTHETIC = "SYNTHETIC: made-up patients, not results"
DEVELOPMENT = "NO DISCLOSURE POLICY: for method development, not for release"
SEPARATED = "separated by dose: none of the 3 events happens in the group dose=high"
HOSTILE = '<script>alert("1")</script>'


def array(*values: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def survival_curve(stratum: str = "low") -> Curve:
    """Return the curve of the six; limits are made up but ordered."""
    estimate = array(5 / 6, 5 / 6, 5 / 8, 5 / 12, 5 / 12, 0.0)
    return Curve(
        stratum=stratum,
        rows=6,
        events=4,
        time=array(1, 2, 3, 4, 5, 6),
        n_risk=array(6, 5, 4, 3, 2, 1),
        n_event=array(1, 0, 1, 1, 0, 1),
        n_censor=array(0, 1, 0, 0, 1, 0),
        n_enter=array(6, 0, 0, 0, 0, 0),
        estimate=estimate,
        std_error=array(0.1, 0.1, 0.2, 0.2, 0.2, NAN),
        conf_low=array(0.6, 0.6, 0.3, 0.15, 0.15, NAN),
        conf_high=array(1, 1, 1, 1, 1, NAN),
        cumulative_hazard=array(1 / 6, 1 / 6, 5 / 12, 3 / 4, 3 / 4, 7 / 4),
        std_error_hazard=array(0.1, 0.1, 0.2, 0.2, 0.2, 0.5),
        median=(4.0, 3.0, NAN),
        quantiles=((0.25, 3.0, 1.0, NAN), (0.5, 4.0, 3.0, NAN)),
        at=((2.0, 5.0, 1.0, 5 / 6, 0.1, 0.6, 1.0), (5.0, 2.0, 2.0, 5 / 12, 0.2, 0.15, 1.0)),
        restricted_mean=((5.0, 4.25, 0.51),),
    )


def survival(*curves: Curve, by: str = "") -> dict[str, Any]:
    found = curves or (survival_curve(""),)
    return SurvivalCurves(
        "day", "death", by, "log", 0.95, sum(c.rows for c in found), NONE_LEFT_OUT, found
    ).document()


def incidence_curve(stratum: str, outcome: str, own: Sequence[float]) -> IncidenceCurve:
    """Return one cause of a group of six without censoring but the last."""
    all_events = array(1, 1, 1, 1, 1, 0)
    mine = array(*own)
    return IncidenceCurve(
        stratum=stratum,
        outcome=outcome,
        rows=6,
        events=int(mine.sum()),
        time=array(1, 2, 3, 4, 5, 60),
        n_risk=array(6, 5, 4, 3, 2, 1),
        n_event=mine,
        n_competing=all_events - mine,
        n_censor=array(0, 0, 0, 0, 0, 1),
        estimate=np.cumsum(mine) / 6,
        std_error=np.cumsum(mine) / 30,
        conf_low=np.where(np.cumsum(mine) > 0, np.cumsum(mine) / 12, NAN),
        conf_high=np.where(np.cumsum(mine) > 0, np.cumsum(mine) / 5.5, NAN),
        at=((4.0, 3.0, float(mine[:4].sum()), float(mine[:4].sum()) / 6, 0.1, 0.05, 0.9),),
        reached=((0.5, 5.0 if mine.sum() >= 3 else NAN),),
    )


def incidence(*strata: str) -> dict[str, Any]:
    curves = tuple(
        curve
        for stratum in strata or ("low", "high")
        for curve in (
            incidence_curve(stratum, "death", (1, 0, 1, 0, 1, 0)),
            incidence_curve(stratum, "relapse", (0, 1, 0, 1, 0, 0)),
        )
    )
    return IncidenceCurves(
        "day", "dose", "gray", "log-log", 0.95, 6 * len(curves) // 2, NONE_LEFT_OUT, curves,
        tests=(GrayTest("death", 2.125, 1, 0.1449), GrayTest("relapse", NAN, 1, NAN, "no events")),
    ).document()  # fmt: skip


def logrank(
    rows: Sequence[float] = (12, 18), observed: Sequence[float] = (9, 6), rho: float = 0
) -> dict[str, Any]:
    return LogRank(
        by="dose",
        strata=(),
        groups=("low", "high"),
        rows=array(*rows),
        observed=array(*observed),
        expected=array(6.25, 8.75),
        variance=array(3.5, -3.5, -3.5, 3.5).reshape(2, 2),
        statistic=2.1607,
        df=1,
        p_value=0.1416,
        patients=30,
        left_out=NONE_LEFT_OUT,
        rho=rho,
        weighted=array(*observed) * (1 - rho / 4),
    ).document()


def term(name: str, estimate: float = np.log(2.0), std_error: float = 0.5) -> Term:
    low, high = estimate - 1.96 * std_error, estimate + 1.96 * std_error
    return Term(name, estimate, std_error, estimate / std_error, 0.1655, low, high)


def cox_fit(*terms: Term, rows: int = 30, events: int = 15) -> CoxFit:
    found = terms or (term("age"), term("dose=high", np.log(0.5)))
    return CoxFit(
        wanted=Wanted("efron", "pooled", (), 0.95),
        rows=rows,
        patients=rows,
        events=events,
        left_out=TWO_MISSING,
        terms=found,
        variance=np.eye(len(found)),
        loglik_null=-40.125,
        loglik=-38.5,
        tests=(
            Test("likelihood ratio", 3.25, 2, 0.1969),
            Test("score", 3.1, 2, 0.2122),
            Test("Wald", 2.9, 2, 0.2346),
        ),
        evaluations=4,
    )


def cox_screen() -> dict[str, Any]:
    models: Mapping[str, CoxFit | Failure] = {
        "age": cox_fit(term("age")),
        "dose": Failure(SEPARATED),
    }
    return CoxScreen(models).document()


def fine_gray(events: int = 15) -> dict[str, Any]:
    return FineGrayFit(
        wanted={
            "convention": "crr", "ties": "breslow", "baseline": "pooled", "conf_level": 0.95,
            "variance": "fine_gray",
        },
        counted=Counted(30, 30, events, TWO_MISSING),
        terms=(term("age"),),
        variance=np.eye(1),
        model_variance=np.eye(1),
        loglik_null=-40.125,
        loglik=-38.5,
        tests=(Test("pseudo likelihood ratio", 3.25, 1, 0.0714), Test("Wald", 2.9, 1, 0.0886)),
        evaluations=4,
    ).document()  # fmt: skip


def comparison(*counts: tuple[float, float]) -> dict[str, Any]:
    """Return age, by ranks, and sex, by its counts in two groups of dose."""
    sizes = tuple(float(sum(row)) for row in counts)
    of = {"groups": ("low", "high"), "n": sizes, "patients": int(sum(sizes))}
    age = Comparison(
        **of,
        found=Found("wilcoxon", 0.0321, 120.5, distribution="normal"),
        left_out=NONE_LEFT_OUT,
    )
    sex = Comparison(
        **of,
        found=Found("fisher", 0.412, estimate_of="odds ratio", estimate=1.8, conf_low=0.5),
        left_out=NONE_LEFT_OUT,
        levels=("male", "female"),
        counts=counts,
    )
    models = {"age": age, "sex": sex, "site": Failure("no group has rows")}
    return Comparisons("dose", 0.95, models).document()


def cohort(*counts: tuple[int, int], missing: int = 0, smd: bool = False) -> dict[str, Any]:
    """Return age, which some lack, and sex, by its counts in two groups of dose."""
    sizes = [sum(row) for row in counts]
    both = tuple(sum(column) for column in zip(*counts, strict=True))
    ages = Summary(sum(sizes), 40.0, 5.0, (35.0, 40.0, 45.5), 20.0, 70.0)
    groups = [*zip(("low", "high"), sizes, counts, strict=True), ("", sum(sizes), both)]
    age = [InGroup(name, n, missing, ages) for name, n, _ in groups]
    sex = [InGroup(name, n, 0, None, ("male", "female"), own) for name, n, own in groups]
    test = Found("wilcoxon", 0.0321, 120.5)
    models = {
        "age": Described(tuple(age), sum(sizes), NONE_LEFT_OUT, test),
        "sex": Described(tuple(sex), sum(sizes), NONE_LEFT_OUT, Failure("no group has rows")),
        "site": Failure("no group has rows"),
    }
    return TableOne("dose", False, smd, models).document()


def shares(count: int, rows: int, against: float | None = None) -> dict[str, Any]:
    """Return a condition that some rows fulfil."""
    p = None if against is None else 0.0321
    unwell = ("false", rows - count, 1 - count / rows, 0.1, 0.9, p)
    levels = (unwell, ("true", count, 0.4, 0.2, 0.6, p))
    found = Proportions((Shares("", rows, levels),), rows, NONE_LEFT_OUT)
    return ProportionTable("", 0.95, against, {"well": found}).document()


def pairs(rows: int = 30, fell: int = 12, rose: int = 10) -> dict[str, Any]:
    """Return a fall of 5 of c-reactive protein, by t and by ranks."""
    return PairedResult(
        before="crp",
        after="crp_later",
        conf_level=0.95,
        rows=rows,
        patients=rows,
        left_out=NONE_LEFT_OUT,
        fell=fell,
        rose=rose,
        stayed=rows - fell - rose,
        mean=(20.0, 15.0, -5.0),
        std_dev=(8.0, 7.0, 4.0),
        fold_change=0.75,
        tests={
            "t": Found("t", 0.0123, -2.5, 29.0, None, "", "mean change", -5.0, -9.0, -1.0),
            "signed_rank": Found("signed_rank", 0.04, 31.0, distribution="exact"),
        },
    ).document()


CURVE_OPTIONS = {"endpoint": "survival", "cohort": None, "conf_level": 0.95, "at": []}
COX_OPTIONS = {
    "endpoint": "survival",
    "cohort": None,
    "covariates": ["age", "dose"],
    "strata": [],
    "ties": "efron",
    "baseline": "pooled",
    "conf_level": 0.95,
}
REGRESSION_OPTIONS = {
    "table": "patients",
    "cohort": None,
    "outcome": "well",
    "family": "binomial",
    "covariates": ["age"],
    "offset": None,
    "weights": None,
    "conf_level": 0.95,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "survival": {**CURVE_OPTIONS, "by": None, "conf_type": "log", "reverse": False},
    "incidence": {**CURVE_OPTIONS, "by": "dose", "conf_type": "log-log", "variance": "gray"},
    "logrank": {
        "endpoint": "survival", "cohort": None, "by": "dose", "strata": [], "by_site": False,
    },
    "cox": COX_OPTIONS,
    "cox_screen": {**COX_OPTIONS, "complete": "per_model"},
    "fine_gray": {**COX_OPTIONS, "ties": "breslow", "convention": "crr", "variance": "fine_gray"},
    "compare": {
        "table": "patients", "cohort": None, "variables": ["age", "sex"], "by": "dose",
        "test": "auto", "strata": [], "by_site": False, "complete": "per_model",
        "conf_level": 0.95,
    },
    "table_one": {
        "table": "patients",
        "cohort": None,
        "variables": ["age", "sex", "site"],
        "by": "dose",
        "tests": True,
        "smd": False,
        "extremes": False,
        "quantiles": "type_7",
    },
    "proportion": {
        "table": "patients",
        "cohort": None,
        "variables": ["well"],
        "by": None,
        "method": "clopper_pearson",
        "against": None,
    },
    "paired": {
        "table": "patients", "cohort": None, "before": "crp", "after": "crp_later",
        "tests": ["t", "signed_rank"], "conf_level": 0.95,
    },
    "meta_analysis": {**COX_OPTIONS, "least_events": 5},
    "glm": {
        **REGRESSION_OPTIONS, "robust": "none", "dispersion": "fixed", "intervals": "wald",
    },
    "gee": {
        **REGRESSION_OPTIONS,
        "wave": "day",
        "waves": [0, 9],
        "correlation": "ar1",
        "qic": False,
    },
    "loess": {
        "table": "patients",
        "cohort": None,
        "outcome": "grade",
        "day": "day",
        "days": [0, 30],
        "by": "dose",
        "span": 0.75,
        "degree": 2,
        "conf_level": 0.95,
    },
    "weighting": {
        "table": "patients",
        "cohort": None,
        "treatment": "dose",
        "covariates": ["age", "sex"],
        "variant": "stabilised",
        "truncate": [0.1, 10],
        "conf_level": 0.95,
    },
    "adjustment": {"exposure": "dose", "outcome": "death", "models": ["model"]},
}  # fmt: skip


def analyses() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return (kind, result) of each made-up analysis, in the study's order."""
    return {
        "overall": ("survival", survival()),
        "mortality": ("incidence", incidence()),
        "dose_test": ("logrank", logrank()),
        "model": ("cox", cox_fit().document()),
        "screen": ("cox_screen", cox_screen()),
        "broken": ("cox", Failure(SEPARATED).document()),
    }


def disclosure(*accepted: str, cell: int = 5, development: bool = False) -> dict[str, Any]:
    return {
        "classes": ["A", "B"],
        "compute": {"sites": 3, "patients": 10, "others": 10},
        "show": {"cell": cell},
        "between_releases": {"patients": 5, "sites": 3},
        "accepted": [[name, f"{name} is the primary result"] for name in accepted],
        "development": development,
    }


def manifest(names: Sequence[str]) -> dict[str, Any]:
    return {
        "schema": 1,
        "study": "made",
        "title": "A made-up study",
        "study_hash": "a" * 64,
        "synthetic": True,
        "watermark": SYNTHETIC,
        "labels": {"model": "The model of survival", "dose": "Dose group", "age": "Age, per year"},
        "unit": "day",
        "release": 2,
        "attempt": 1,
        "started": "2026-01-02T03:04:05Z",
        "ended": "2026-01-02T03:05:06Z",
        "patients": 30,
        "sites_in": ["east", "west"],
        "sites_with_patients": 2,
        "sites_out": {"north": "no folder"},
        "rounds": 2,
        "bytes_received": [1500, 2_500_000],
        "disclosure": disclosure(),
        "opened": {name: [{"class": "B", "what": "how many leave"}] for name in names},
        "failed": {},
        "result": "b" * 64,
        "snapshots": {"east": "c" * 64, "west": "d" * 64},
        "ledger_heads": {"east": "e" * 64, "west": "f" * 64},
        "software": "quorum 0.1.0",
        "python": "3.11.7",
        "libraries": {"numpy": "2.4.0"},
    }


def write_release(
    folder: Path,
    changes: Mapping[str, Any] | None = None,
    found: Mapping[str, tuple[str, dict[str, Any]]] | None = None,
) -> Path:
    """Write a made-up release into `folder`, with `changes` to its manifest; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = dict(found or analyses())
    whole = {**manifest(list(documents)), **(changes or {})}
    files = {}
    for name, (kind, result) in documents.items():
        document = {
            "schema": 1, "study": "made", "analysis": name, "kind": kind,
            "options": OPTIONS[kind], "synthetic": True, "watermark": whole["watermark"],
            "result": result,
        }  # fmt: skip
        data = json.dumps(document).encode()
        (folder / f"{name}.json").write_bytes(data)
        files[f"{name}.json"] = sha256(data)
    (folder / "manifest.json").write_text(json.dumps({"files": files, **whole}), encoding="utf-8")
    return folder


def view(
    kind: str,
    result: Mapping[str, Any],
    *,
    least: int = 0,
    labels: Mapping[str, str] | None = None,
    **options: Any,
) -> View:
    """Return a view of one result, with all counts shown unless `least` says otherwise."""
    document = Document("one", kind, {**OPTIONS[kind], **options}, result)
    policy = disclosure(cell=least)
    rules = decide([document], policy, None)["one"]
    return View(document, labels or {}, Limit(least), "day", (), (), rules)
