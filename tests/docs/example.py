"""Made-up patients for the smallest study of the documentation, with an analysis of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import yaml

from site_agent.contract.analyses.results import Result
from tests.docs.pages import overlaid, page, studies, written


def _behind() -> dict[str, Any]:
    """What a Cox model can be asked for behind its fit; lists of its own, YAML has no aliases."""
    return {"zph": ["km"], "baseline_at": [180, 181, 365]}


FURTHER: Final[dict[str, Any]] = {
    "risk_sets": "open",
    "robust": True,
    "concordance": True,
    "predict": {"young": {"age": 40, "arm": "new"}},
    "baseline_curve": True,
}
ANALYSES: Final[dict[str, dict[str, Any]]] = {
    "curve": {"kind": "survival", "by": "arm", "at": [180], "restricted_mean": [365]},
    "cif": {"kind": "incidence", "by": "arm", "at": [180], "time_to": [0.5]},
    "test": {"kind": "logrank", "by": "arm"},
    "model": {"kind": "cox", "covariates": ["age", "arm"], **_behind(), **FURTHER},
    "pooled": {"kind": "cox", "covariates": ["age"]},
    "screen": {"kind": "cox_screen", "covariates": ["age", "empty"], **_behind()},
    "subdistribution": {"kind": "fine_gray", "covariates": ["age > 60"], "risk_sets": "open"},
    "groups": {"kind": "compare", "table": "patients", "variables": ["age", "empty"], "by": "arm"},
    "cohort": {"kind": "table_one", "table": "patients", "variables": ["age", "empty"]},
    "part": {"kind": "proportion", "table": "patients", "variables": ["empty"]},
    "change": {
        "kind": "paired",
        "table": "patients",
        "before": "age",
        "after": "last_seen_day",
        "tests": ["t", "ratio_t", "signed_rank"],
    },
    "regression": {
        "kind": "glm",
        "table": "patients",
        "outcome": "empty",
        "family": "binomial",
        "covariates": ["age"],
    },
    "equations": {
        "kind": "gee",
        "table": "patients",
        "outcome": "age",
        "family": "gaussian",
        "covariates": ["empty"],
        "wave": 'number(arm == "new")',
        "waves": [0, 1],
        "correlation": "independence",
        "qic": True,
    },
    "smooth": {
        "kind": "loess",
        "table": "patients",
        "outcome": "age",
        "day": "last_seen_day",
        "days": [0, 800],
        "span": 1,
        "degree": 1,
    },
    "weights": {
        "kind": "weighting",
        "table": "patients",
        "treatment": "arm",
        "covariates": ["age"],
    },
    "diagram": {
        "kind": "adjustment",
        "diagram": ["age -> arm", "age -> relapse", "arm -> relapse"],
        "exposure": "arm",
        "outcome": "relapse",
        "models": ["model"],
    },
    "hospitals": {"kind": "meta_analysis", "covariates": ["age"]},
    "separated": {"kind": "cox", "covariates": ["empty"], "baseline": "by_site"},
}


# Three hospitals are fewer than a meta-analysis takes without the stewards' consent, and the models
# before the regressions have used up their budget. Weights go by name alone.
ACCEPTED: Final = [
    {"analysis": name, "because": "three large hospitals agree to it"}
    for name in ("hospitals", "regression", "equations", "weights")
]


def pooled() -> pd.DataFrame:
    """Sixty made-up patients of three hospitals; nobody with `empty` has a relapse."""
    draw, n = np.random.default_rng(20), 60
    last = draw.integers(100, 730, n).astype(float)
    relapse = draw.integers(10, 900, n).astype(float)
    death = relapse + draw.integers(1, 300, n)
    empty = np.arange(n) % 6 == 0
    return pd.DataFrame(
        {
            "patient": [f"patient {number}" for number in range(n)],
            "hospital": draw.choice(["north", "south", "west"], n),
            "age": draw.integers(30, 80, n),
            "arm": draw.choice(["standard", "new"], n),
            "empty": empty,
            "relapse_day": np.where((relapse <= last) & ~empty, relapse, np.nan),
            "death_day": np.where(death <= last, death, np.nan),
            "last_seen_day": last,
        }
    )


@dataclass(frozen=True)
class Written:
    """A finished release: the folder given as --out, that of the release, and its results."""

    out: Path
    folder: Path
    results: dict[str, Result]


def minimal() -> dict[str, Any]:
    """The smallest study of docs/study-file.md."""
    found: dict[str, Any] = yaml.safe_load(studies(page("study-file.md"))[1])
    return found


def every_kind() -> str:
    """The smallest study with the analyses above, as the text of a file."""
    study = overlaid(
        minimal(),
        {
            "tables": {"patients": {"columns": {"empty": {"type": "boolean"}}}},
            "disclosure": {"classes": ["A", "B", "V", "C"], "accepted": ACCEPTED},
            "synthetic": True,
        },
    )
    study["analyses"] = {
        name: item if {"table", "diagram"} & item.keys() else {"endpoint": "relapse", **item}
        for name, item in ANALYSES.items()
    }
    return written(study)
