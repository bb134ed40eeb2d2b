"""The table of the cohort against R's quantiles, moments and counts of the lung data."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pytest

from tests.oracle.comparing import RELATIVE, deviation
from tests.oracle.reading import frame, result, study_text
from tests.pooling import pool

VARIABLES: Final = ("time", "age", "ph_karno", "meal_cal", "wt_loss")
LEVEL: Final = {"1": "male", "2": "female"}
TYPES: Final = ("type_7", "type_2")


@cache
def _models(quantiles: str) -> dict[str, Any]:
    fields = {"kind": "table_one", "variables": [*VARIABLES, "ecog"], "by": "sex"}
    more = {"quantiles": quantiles, "extremes": True, "tests": True}
    by_site = frame("lung").groupby("site")
    sites = {f"site{site}": {"patients": rows} for site, rows in by_site}
    outcome = pool(study_text("lung", {"cohort": {**fields, **more}}), sites)
    found: dict[str, Any] = outcome.results["cohort"].document()["models"]
    return found


def group(variable: str, stratum: str, quantiles: str = "type_7") -> dict[str, Any]:
    (found,) = (g for g in _models(quantiles)[variable]["groups"] if g["stratum"] == stratum)
    return dict(found)


def in_groups(variable: str) -> list[tuple[str, Any]]:
    """Return R's numbers of a variable in each group, and in all under the empty text."""
    by_sex = result("lung.descriptive", f"cont.{variable}|sex")
    groups = [(LEVEL[code], theirs) for code, theirs in by_sex.items()]
    return [*groups, ("", result("lung.descriptive", f"cont.{variable}"))]


@pytest.mark.parametrize("variable", VARIABLES)
@pytest.mark.parametrize("quantiles", TYPES)
def test_quartiles(variable: str, quantiles: str) -> None:
    """Quartiles of both types are R's in both groups and in all."""
    for stratum, theirs in in_groups(variable):
        ours = group(variable, stratum, quantiles)
        found = [ours[name] for name in ("first_quartile", "median", "third_quartile")]
        wanted = theirs[f"q25_50_75_{quantiles.replace('_', '')}"]
        assert deviation(found, wanted, relative=True) <= RELATIVE


@pytest.mark.parametrize("variable", VARIABLES)
def test_moments_and_extremes(variable: str) -> None:
    """Mean, standard deviation, smallest and largest value are R's."""
    for stratum, theirs in in_groups(variable):
        ours = group(variable, stratum)
        found = [ours[name] for name in ("mean", "std_dev", "minimum", "maximum")]
        wanted = [theirs[name] for name in ("mean", "sd", "min", "max")]
        assert deviation(found, wanted, relative=True) <= RELATIVE


@pytest.mark.parametrize("variable", VARIABLES)
def test_missing(variable: str) -> None:
    """Rows that have a variable, and that lack it, are R's."""
    found = [(group(variable, s)["rows"], group(variable, s)["missing"]) for s in ("male", "")]
    theirs = dict(in_groups(variable))
    assert found == [(theirs[s]["n"], theirs[s]["n_missing"]) for s in ("male", "")]


def test_levels() -> None:
    """Counts of levels are R's table, missing ones too."""
    table = result("lung.descriptive", "cat.ph_ecog|sex")["data"]
    groups = [group("ecog", stratum) for stratum in ("male", "female")]
    found = [[*(of["count"] for of in g["levels"]), g["missing"]] for g in groups]
    assert found == [[row[place] for row in table] for place in (0, 1)]


def test_proportions_are_of_the_known() -> None:
    """36 of 137 men with a known status have ECOG 0."""
    assert group("ecog", "male")["levels"][0]["proportion"] == 36 / 137
