"""Published intervals of treatment-related mortality (Gazeau et al. 2023), from made-up patterns.

The patients are not public. Their counts are: 7 of 15 by day 28, 47 % (20 to 70), and 3 of 43 by
day 28, 7 % (2 to 17). A pattern is how the deaths share days.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.oracle.comparing import CURVE, RELATIVE, deviation
from tests.oracle.reading import result
from tests.pooling import pool, split

SEVEN = "gazeau.low_dose_day28.tie_patterns_cmprsk_loglogF"
STUDY = """
quorum: 1
study: published
title: Made-up patterns of deaths
time: {unit: day, resolution: 1, horizon: 100}
endpoints: {death: {time: day, event: {death: dead}}}
disclosure: {classes: [B], compute: {sites: 3}}
"""


def _patients(pattern: str, size: int) -> pd.DataFrame:
    """Return `size` patients: "2+5" is two deaths on day 1 and five on day 2, the rest alive."""
    ties = [int(count) for count in pattern.split("+")]
    days = [day for day, count in enumerate(ties, start=1) for _ in range(count)]
    alive = size - len(days)
    rows = {"day": days + [90] * alive, "dead": [True] * len(days) + [False] * alive}
    return pd.DataFrame({**rows, "pattern": pattern})


def _curves(patterns: Sequence[str], size: int) -> list[Mapping[str, Any]]:
    rows = pd.concat([_patients(pattern, size) for pattern in patterns], ignore_index=True)
    columns = {
        "day": {"type": "day"},
        "dead": {"type": "boolean"},
        "pattern": {"type": "category", "levels": [*patterns, "no other"]},
    }
    analysis = {"kind": "incidence", "endpoint": "death", "by": "pattern", "at": [28]}
    parts = {
        "tables": {"patients": {"key": "id", "columns": columns}},
        "analyses": {"deaths": analysis},
    }
    rows["id"] = range(len(rows))
    parted = split(rows, 5, seed=28)
    sites = {f"site{number}": {"patients": part} for number, part in enumerate(parted)}
    outcome = pool(STUDY + yaml.safe_dump(parts, sort_keys=False), sites)
    return [curve["at"][0] for curve in outcome.results["deaths"].document()["curves"]]


@cache
def _seven_of_15() -> list[Mapping[str, Any]]:
    return _curves(result("papers", SEVEN)["patterns"]["tie_pattern"], 15)


def _percent(row: Mapping[str, Any]) -> str:
    low, high = (round(100 * row[name]) for name in ("conf_low", "conf_high"))
    return f"{round(100 * row['estimate'])} % ({low} to {high})"


def test_seven_of_15_as_published() -> None:
    """Seven of 15 by day 28, on days of their own, is 47 % (20 to 70)."""
    assert _percent(_seven_of_15()[-1]) == "47 % (20 to 70)"


def test_three_of_43_as_published() -> None:
    """Three of 43 by day 28, on days of their own, is 7 % (2 to 17)."""
    (row,) = _curves(["1+1+1"], 43)
    assert _percent(row) == "7 % (2 to 17)"


def test_variance_of_all_patterns() -> None:
    """For each way in which seven deaths share days, the variance is cuminc's."""
    ours = [row["std_error"] ** 2 for row in _seven_of_15()]
    assert deviation(ours, result("papers", SEVEN)["patterns"]["var"], relative=True) <= RELATIVE


@pytest.mark.parametrize(("side", "name"), [("lower", "conf_low"), ("upper", "conf_high")])
def test_limits_of_all_patterns(side: str, name: str) -> None:
    """For each way in which seven deaths share days, log(-log F) gives R's limits."""
    ours = [row[name] for row in _seven_of_15()]
    theirs = [percent / 100 for percent in result("papers", SEVEN)["patterns"][side]]
    assert deviation(ours, theirs) <= CURVE


@pytest.mark.parametrize(
    "name",
    [
        "gazeau.trm_day28.3of43",
        "gazeau.trm_day60.10of43_no_censoring",
        "gazeau.trm_day60.9of43_no_censoring",
    ],
)
def test_variance_among_43(name: str) -> None:
    """Deaths on days of their own among 43 have cuminc's variance."""
    theirs = result("papers", name)
    (row,) = _curves(["+".join(["1"] * theirs["events"])], theirs["n"])
    assert row["std_error"] ** 2 == pytest.approx(theirs["var"]["cmprsk"], rel=RELATIVE)
