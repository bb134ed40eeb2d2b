"""What a Cox model asks for behind its fit, under a study's policy."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from tests.pooling import pool, split
from tests.site_agent.contract.analyses.guarded import text

POOLED = "kind: cox, endpoint: survival, covariates: [age]"


def _patients(deaths: int) -> pd.DataFrame:
    """Return 60 patients of whom some die, each on a day of its own from day 11 on."""
    draw = np.random.default_rng(7)
    day = np.arange(11.0, 71.0)
    dies = np.arange(60) < deaths
    return pd.DataFrame(
        {
            "patient": [f"p{number}" for number in range(60)],
            "age": np.round(draw.uniform(30, 80, 60), 1),
            "ldh": draw.uniform(100, 400, 60),
            "sex": np.where(draw.uniform(size=60) < 0.5, "male", "female"),
            "stage": np.where(draw.uniform(size=60) < 0.5, "one", "two"),
            "start": 0,
            "death": np.where(dies, day, np.nan),
            "seen": 80,
            "left": 0,
        }
    )


@cache
def _document(deaths: int, *analyses: str, accepted: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what comes of the first analysis, named a."""
    episodes = pd.DataFrame(
        {
            "patient": pd.Series(dtype=str),
            "day": pd.Series(dtype=np.int64),
            "until": pd.Series(dtype=np.int64),
            "dies": pd.Series(dtype=bool),
            "doubtful": pd.Series(dtype=bool),
            "ward": pd.Series(dtype=str),
        }
    )
    parts = split(_patients(deaths), 4, seed=2, patient="patient")
    sites = {f"s{n}": {"patients": part, "episodes": episodes} for n, part in enumerate(parts)}
    found = pool(text(*analyses, accepted=accepted), sites, development=False)
    return found.results["a"].document()


def _scales(document: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(test["transform"] for test in document.get("proportionality", ())))


def _times(document: dict[str, Any]) -> list[float]:
    return [row["time"] for row in document["baseline_hazard"]]


def test_fifteen_deaths_are_enough_for_one_scale() -> None:
    """Five death times for each of three sums."""
    assert _scales(_document(15, f"{POOLED}, zph: [km]")) == ["km"]


def test_fewer_are_not() -> None:
    """The fit stands, without its test and with the reason."""
    found = _document(14, f"{POOLED}, zph: [km]")
    assert (_scales(found), len(found["terms"])) == ([], 1)


def test_the_reason_is_told() -> None:
    """With what is needed and what can be done."""
    assert (
        "need 15 different times of death"
        in (_document(14, f"{POOLED}, zph: [km]")["proportionality_withheld"])
    )


def test_another_analysis_takes_scales_too() -> None:
    """Two scales in two analyses need as many deaths as in one."""
    both = (f"{POOLED}, zph: [km]", f"{POOLED}, zph: [log]")
    assert (_scales(_document(24, *both)), _scales(_document(25, *both))) == ([], ["km"])


def test_an_accepted_analysis_has_its_test() -> None:
    """The stewards have signed for it by name."""
    assert _scales(_document(14, f"{POOLED}, zph: [km]", accepted=("a",))) == ["km"]


def test_times_of_another_analysis_make_finer_steps() -> None:
    """Deaths are from day 11 on: 20 and 30 alone have ten between them, with 27 in it three."""
    alone = f"{POOLED}, baseline_at: [20, 30]"
    other = f"{POOLED}, baseline_at: [27]"
    assert (_times(_document(40, alone)), _times(_document(40, alone, other))) == (
        [20.0, 30.0],
        [20.0],
    )
