"""Tests between groups, and before and after, against R's."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import pandas as pd
import pytest

from site_agent.contract.analyses.results import Failure
from tests.oracle.comparing import P_VALUE, RELATIVE, deviation
from tests.oracle.group_entries import GroupEntry, group_entries
from tests.oracle.reading import frame, result, study_text, table_of
from tests.pooling import pool

SEARCHED: Final = 1e-3  # R's uniroot for the shift, of the unit of the variable
RATIO: Final = 5e-4  # R's uniroot for odds ratios, relative
STUDIES: Final = {"colon": "colon_tests"}  # codes in words, as groups
ENTRIES: Final = [e for data in ("lung", "colon", "heart") for e in group_entries(data)]
FIRST: Final = "\ncohorts: {first: start == 0}\n"
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)


def _rows(data: str, part: str) -> pd.DataFrame:
    """Return the rows of a data set; of heart's part h2 without repeated ages, by year too."""
    rows = frame(data)
    if not part:
        return rows
    rows = rows[rows.start == 0].drop_duplicates("age")
    return rows if part == "h2" else rows[(rows.year < 1) | (rows.year > 5.5)]


def _part(entry: GroupEntry) -> str:
    if not entry.name.startswith("h2."):
        return ""
    return "years" if "~year" in entry.name else "h2"


@cache
def _documents(data: str, part: str) -> dict[str, Any]:
    entries = [e for e in ENTRIES if e.data == data and _part(e) == part]
    analyses = {entry.analysis: dict(entry.fields) for entry in entries}
    text = study_text(STUDIES.get(data, data), analyses) + (FIRST if data == "heart" else "")
    by_site = _rows(data, part).groupby("site")
    outcome = pool(text, {f"site{site}": {table_of(data): rows} for site, rows in by_site})
    return {name: found.document() for name, found in outcome.results.items()}


def document(entry: GroupEntry) -> dict[str, Any]:
    found = _documents(entry.data, _part(entry))[entry.analysis]["models"][entry.variable]
    assert not found.get("failed"), found["because"]
    return found


def expected(entry: GroupEntry) -> dict[str, Any]:
    found: dict[str, Any] = result(f"{entry.data}.tests", entry.name)
    return found


@every_entry
def test_p_value(entry: GroupEntry) -> None:
    """The p-value is R's."""
    ours, theirs = document(entry)["p_value"], expected(entry)["p_value"]
    assert deviation(ours, theirs, relative=True) <= P_VALUE


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if "statistic" in expected(e)], ids=lambda entry: entry.id
)
def test_statistic(entry: GroupEntry) -> None:
    """The statistic is R's."""
    (theirs,) = expected(entry)["statistic"].values()
    assert deviation(document(entry)["statistic"], theirs, relative=True) <= RELATIVE


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if "parameter" in expected(e)], ids=lambda entry: entry.id
)
def test_degrees_of_freedom(entry: GroupEntry) -> None:
    """Degrees of freedom are R's, those of a denominator too."""
    ours, theirs = document(entry), list(expected(entry)["parameter"].values())
    found = [ours["df"], ours["denominator_df"]][: len(theirs)]
    assert deviation(found, theirs, relative=True) <= RELATIVE


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if "stderr" in expected(e)], ids=lambda entry: entry.id
)
def test_means(entry: GroupEntry) -> None:
    """Means of the groups, their difference and its limits are R's, in standard errors."""
    ours, theirs = document(entry), expected(entry)
    means = list(theirs["estimate"].values())
    found = [*ours["mean"], ours["estimate"], ours["conf_low"], ours["conf_high"]]
    wanted = [*means, means[0] - means[1], *theirs["conf_int"]]
    assert deviation(found, wanted) <= RELATIVE * theirs["stderr"]


@pytest.mark.parametrize(
    "entry",
    [e for e in ENTRIES if e.fields.get("shift") and "estimate" in expected(e)],
    ids=lambda entry: entry.id,
)
def test_shift(entry: GroupEntry) -> None:
    """The shift and its limits are those that R's search ends at."""
    ours, theirs = document(entry), expected(entry)
    found = [ours["estimate"], ours["conf_low"], ours["conf_high"]]
    assert deviation(found, [*theirs["estimate"].values(), *theirs["conf_int"]]) <= SEARCHED


@pytest.mark.parametrize(
    "entry",
    [e for e in ENTRIES if "ratio" in "".join(expected(e).get("estimate", {}))],
    ids=lambda entry: entry.id,
)
def test_odds_ratio(entry: GroupEntry) -> None:
    """Odds ratios and their limits are R's; exact ones as far as R searches."""
    ours, theirs = document(entry), expected(entry)
    found = [ours["estimate"], ours["conf_low"], ours["conf_high"]]
    allowed = RATIO if entry.fields["test"] == "fisher" else RELATIVE
    wanted = [*theirs["estimate"].values(), *theirs["conf_int"]]
    assert deviation(found, wanted, relative=True) <= allowed


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if "_x_" in e.name], ids=lambda entry: entry.id
)
def test_counts(entry: GroupEntry) -> None:
    """The table is R's to the bit."""
    theirs = result(f"{entry.data}.tests", f"{entry.name.split('.')[0]}.table")["data"]
    assert document(entry)["counts"] == theirs


def _pairs(correct: bool) -> dict[str, Any]:
    return {
        "kind": "paired",
        "before": "pat_karno",
        "after": "ph_karno",
        "tests": ["t", "signed_rank"],
        "correct": correct,
    }


@cache
def _paired() -> dict[str, Any]:
    text = study_text("lung", {"cc": _pairs(True), "nocc": _pairs(False)})
    by_site = frame("lung").groupby("site")
    outcome = pool(text, {f"site{site}": {"patients": rows} for site, rows in by_site})
    assert not any(isinstance(found, Failure) for found in outcome.results.values())
    return {name: found.document() for name, found in outcome.results.items()}


@pytest.mark.parametrize("correction", ["cc", "nocc"])
def test_signed_rank(correction: str) -> None:
    """V and its p-value are R's, with and without correction."""
    ours = _paired()[correction]["tests"]["signed_rank"]
    theirs = result("lung.tests", f"ph_pat_karno.signed_rank_{correction}")
    assert ours["statistic"] == theirs["statistic"]["V"]
    assert deviation(ours["p_value"], theirs["p_value"], relative=True) <= P_VALUE


def test_paired_t() -> None:
    """The paired t test is R's: t, df, p, mean change and its limits."""
    ours, theirs = _paired()["cc"]["tests"]["t"], result("lung.tests", "ph_pat_karno.t_paired")
    names = ("statistic", "df", "p_value", "estimate", "conf_low", "conf_high")
    wanted = [
        theirs["statistic"]["t"],
        theirs["parameter"]["df"],
        theirs["p_value"],
        theirs["estimate"]["mean difference"],
        *theirs["conf_int"],
    ]
    assert deviation([ours[name] for name in names], wanted, relative=True) <= RELATIVE


def test_pairs() -> None:
    """Pairs, the spread of their changes, and how many stayed, are R's."""
    ours, theirs = _paired()["cc"], result("lung.tests", "ph_pat_karno.t_paired")
    zeros = result("lung.tests", "ph_pat_karno.signed_rank_cc")["n_zero_differences_dropped"]
    assert (ours["rows"], ours["stayed"]) == (theirs["n_pairs"], zeros)
    assert deviation(ours["std_dev"]["change"], theirs["sd_diff"], relative=True) <= RELATIVE
