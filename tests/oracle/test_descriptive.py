"""Tables of the cohort against R's description of every data set, overall and by group.

Each data set is described once over random hospitals, one of them empty, by a study whose
dictionary is made from the columns that R described.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from tests.oracle.comparing import deviation
from tests.oracle.reading import frame, names_of_file, result
from tests.pooling import pool

DATA: Final = ("cgd", "colon", "heart", "lung", "mgus2", "rotterdam", "respiratory")
MOMENTS: Final = 1e-12  # of means and standard deviations, relative
QUARTILES: Final = ("first_quartile", "median", "third_quartile")
HEAD: Final = """\
quorum: 1
study: made
title: A data set described
time: {unit: day, resolution: 1, horizon: 9}
disclosure: {classes: [A, V], compute: {sites: 3}}
tables:
  rows:
    key: row
    columns:
"""


def _described(data: str, kind: str) -> list[str]:
    """Return the names of the columns that R described as numbers (cont) or levels (cat)."""
    names = [name for name in names_of_file(f"{data}.descriptive") if name.startswith(f"{kind}.")]
    return sorted({name.removeprefix(f"{kind}.").partition("|")[0] for name in names})


def _groups(data: str) -> list[str]:
    names = names_of_file(f"{data}.descriptive")
    return sorted({name.partition("|")[2] for name in names if "|" in name})


def _text(value: Any) -> str | None:
    """Return a level as R prints it; None for a missing one."""
    if pd.isna(value):
        return None
    return str(value) if isinstance(value, str) else str(int(value))


@cache
def _models(data: str, quantiles: str) -> dict[str, dict[str, Any]]:
    """Return the described variables by the column of the groups, "" for none."""
    rows, numbers = frame(data), _described(data, "cont")
    levels = sorted({*_described(data, "cat"), *_groups(data)})
    table = pd.DataFrame({"row": [f"r{number}" for number in range(len(rows))]})
    lines = []
    for name in numbers:
        values = rows[name].astype(float)
        table[f"n_{name}"] = values
        low, high = np.floor(values.min()), np.ceil(values.max())
        whole = "resolution: 1, " if (values.dropna() % 1 == 0).all() else ""
        lines.append(f"n_{name}: {{type: number, range: [{low}, {high}], {whole}missing: allowed}}")
    for name in levels:
        table[f"c_{name}"] = [_text(value) for value in rows[name]]
        known = ", ".join(f'"{level}"' for level in sorted(set(table[f"c_{name}"].dropna())))
        lines.append(f"c_{name}: {{type: category, levels: [{known}], missing: allowed}}")
    text = HEAD + "".join(f"      {line}\n" for line in lines) + "analyses:\n"
    for by in ("", *_groups(data)):
        own = [f"n_{name}" for name in numbers]
        own += [f"c_{name}" for name in _described(data, "cat") if name != by]
        grouped = f"by: c_{by}, " if by else ""
        text += f"  by_{by}: {{kind: table_one, {grouped}variables: [{', '.join(own)}], "
        text += f"quantiles: {quantiles}}}\n"
    site = np.random.default_rng(5).integers(0, 5, len(table))
    sites = {f"s{number}": {"rows": table[site == number]} for number in range(6)}
    found = pool(text, sites).results
    return {by: found[f"by_{by}"].document()["models"] for by in ("", *_groups(data))}


def _pairs(data: str, quantiles: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield (ours, R's) for each number in each group and in all rows."""
    for name in names_of_file(f"{data}.descriptive"):
        if not name.startswith("cont."):
            continue
        variable, _, by = name.removeprefix("cont.").partition("|")
        groups = _models(data, quantiles)[by][f"n_{variable}"]["groups"]
        ours = {group["stratum"]: group for group in groups}
        theirs = result(f"{data}.descriptive", name)
        for level, one in theirs.items() if by else [("", theirs)]:
            yield ours[level], one


@pytest.mark.parametrize("data", DATA)
def test_counts(data: str) -> None:
    """Rows that have a number, and rows that lack it, are R's to the bit."""
    assert [(ours["rows"], ours["missing"]) for ours, _ in _pairs(data, "type_7")] == [
        (theirs["n"], theirs["n_missing"]) for _, theirs in _pairs(data, "type_7")
    ]


@pytest.mark.parametrize("data", DATA)
def test_moments(data: str) -> None:
    """Means and standard deviations are R's."""
    pairs = list(_pairs(data, "type_7"))
    ours = [[one["mean"], one["std_dev"]] for one, _ in pairs]
    theirs = [[one["mean"], one["sd"]] for _, one in pairs]
    assert deviation(ours, theirs, relative=True) <= MOMENTS


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("kind", ["7", "2"])
def test_quartiles(data: str, kind: str) -> None:
    """Quartiles of both types are R's to the bit."""
    pairs = list(_pairs(data, f"type_{kind}"))
    ours = [[one[part] for part in QUARTILES] for one, _ in pairs]
    assert ours == [one[f"q25_50_75_type{kind}"] for _, one in pairs]


@pytest.mark.parametrize("data", DATA)
def test_levels(data: str) -> None:
    """Counts of levels over all rows, the missing among them, are R's to the bit."""
    ours, theirs = {}, {}
    for variable in _described(data, "cat"):
        (group,) = _models(data, "type_7")[""][f"c_{variable}"]["groups"]
        counts = {level["name"]: level["count"] for level in group["levels"]}
        ours[variable] = {**counts, "<missing>": group["missing"]}
        theirs[variable] = {"<missing>": 0, **result(f"{data}.descriptive", f"cat.{variable}")}
    assert ours == theirs


def _crossed(found: Mapping[str, Any]) -> list[list[int]]:
    """Return a described variable as R's table: levels by groups, and the missing of each group."""
    groups = found["groups"][:-1]
    columns = [[*(level["count"] for level in g["levels"]), g["missing"]] for g in groups]
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("data", DATA)
def test_levels_by_group(data: str) -> None:
    """Counts of levels in groups are R's table of the two, the missing of each group among them."""
    ours, theirs = {}, {}
    for name in names_of_file(f"{data}.descriptive"):
        variable, _, by = name.removeprefix("cat.").partition("|")
        if name.startswith("cat.") and by:
            found = _models(data, "type_7")[by][f"c_{variable}"]
            names = [level["name"] for level in found["groups"][0]["levels"]]
            columns = [group["stratum"] for group in found["groups"][:-1]]
            table = result(f"{data}.descriptive", name)
            ours[name] = dict(zip([*names, "<missing>"], _crossed(found), strict=True))
            kept = [table["cols"].index(column) for column in columns]
            rows = zip(table["rows"], table["data"], strict=True)
            theirs[name] = {row: [counts[place] for place in kept] for row, counts in rows}
    assert ours == theirs


@pytest.mark.parametrize("data", DATA)
def test_left_out(data: str) -> None:
    """Rows without the variable or the group are all the missing cells of R's tables."""
    wrong = []
    for name in names_of_file(f"{data}.descriptive"):
        variable, _, by = name.removeprefix("cat.").partition("|")
        if name.startswith("cat.") and by:
            table = result(f"{data}.descriptive", name)
            known = sum(sum(counts[:-1]) for counts in table["data"][:-1])
            left = sum(_models(data, "type_7")[by][f"c_{variable}"]["left_out"].values())
            if left != sum(map(sum, table["data"])) - known:
                wrong.append(name)
    assert wrong == []
