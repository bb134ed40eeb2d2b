from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from site_agent.contract.analyses.group_results import Comparison, Comparisons, Found
from tests.docs.example import Written
from tests.docs.pages import codes, first_cells, leaves, page, rows, section
from tests.docs.test_analyses import ANALYSIS_OF

PAGE = page("results.md")
INNER = (
    *("left_out", "median", "quantiles", "at", "restricted_mean", "time_to", "concordance"),
    *("predicted", "predicted_at", "baseline_curve"),
)
FURTHER = ("robust", "concordance", "predicted", "predicted_at", "baseline_curve")
OF_PAIRS = ("mean", "std_dev", "tests")  # by what they are of, in the result of `paired`


def document(release: Written, analysis: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((release.folder / f"{analysis}.json").read_text())
    return found


def fields(result: Mapping[str, Any]) -> list[str]:
    """The fields of a result in order, without what stands inside those of INNER."""
    found = dict.fromkeys(leaves(result))
    return [name for name in found if not any(f"{part}." in f"{name[:-1]}" for part in INNER)]


def test_every_field_of_a_json_file_is_on_the_page(release: Written) -> None:
    """The head of a result file has the fields of the page, in order."""
    told = first_cells(section(PAGE, "`<analysis>.json`").split("###")[0])
    assert told == list(document(release, "curve"))


@pytest.mark.parametrize(
    "kind",
    [
        kind
        for kind in ANALYSIS_OF
        if kind not in ("cox_screen", "compare", "table_one", "proportion")
    ],
)
def test_every_field_of_a_result_is_on_the_page(kind: str, release: Written) -> None:
    """The section of a kind lists the fields of its result, in order."""
    result = document(release, ANALYSIS_OF[kind])["result"]
    found = [n for n in fields(result) if kind != "paired" or n.split(".")[0] not in OF_PAIRS]
    told = first_cells(section(PAGE, f"`result` of `{kind}`"))
    assert [name for name in told if kind != "paired" or name not in OF_PAIRS] == found


def test_a_comparison_is_tests_of_variables() -> None:
    """The two tables of a comparison list the fields of its result and of each variable."""
    result = Comparisons("arm", 0.95, {}).document()
    variable = Comparison(("a",), (1.0,), Found("t", 0.5), 1, {}).document()
    first, second = section(PAGE, "`result` of `compare`").split("Each variable has:")
    assert [first_cells(first), first_cells(second)] == [list(result), list(variable)]


def test_a_table_is_variables_by_group(release: Written) -> None:
    """The three tables list the fields of a result, of a variable, and of a number in a group."""
    result = document(release, "cohort")["result"]
    model = result["models"]["age"]
    text = section(PAGE, "`result` of `table_one`")
    parts = re.split("Each variable has:|Each group has:", text)
    expected = [list(result), list(model), list(model["groups"][0])]
    assert [first_cells(part) for part in parts] == expected


def test_a_screen_is_models_and_failures(release: Written) -> None:
    """A screen holds a fit for one covariate, here with tests alone, and a failure for another."""
    models = document(release, "screen")["result"]["models"]
    every = first_cells(section(PAGE, "`result` of `cox`"))
    fit = [name for name in every if name.split(".")[0] not in FURTHER]
    failure = first_cells(section(PAGE, "`result` of a failure"))
    assert [fields(models["age"]), fields(models["empty"])] == [fit, failure]


def test_the_fields_of_the_manifest_are_those_of_the_page(release: Written) -> None:
    """The manifest has the fields of the page, in order."""
    manifest = json.loads((release.folder / "manifest.json").read_text())
    assert first_cells(section(PAGE, "`manifest.json`")) == list(manifest)


def test_the_fields_of_the_log_are_those_of_the_page(release: Written) -> None:
    """A line of the log has the fields of the page."""
    line = json.loads((release.folder / "log.jsonl").read_text().splitlines()[1])
    assert sorted(first_cells(section(PAGE, "`log.jsonl`"))) == sorted(line)


@pytest.mark.parametrize("event", ["approved", "ready", "share", "closed"])
def test_the_fields_of_the_ledger_are_those_of_the_page(event: str, release: Written) -> None:
    """An entry of a site's ledger has the fields that the page gives for its event."""
    lines = (release.out / "agents/north/ledger.jsonl").read_text().splitlines()
    entry = next(e for e in map(json.loads, lines) if e["event"] == event)
    told = [
        codes(name)[0]
        for name, where, _ in rows(section(PAGE, "`ledger.jsonl`"))
        if where.startswith("all") or event in codes(where)
    ]
    assert sorted(told) == sorted(entry)


def test_the_files_of_a_release_are_those_of_the_page(release: Written) -> None:
    """Every file in the folder of a release has one of the names of the page."""
    known = first_cells(section(PAGE, "The folder of a release").split("**")[0])
    names = {path.name for path in release.folder.iterdir()}
    shapes = {
        "<analysis>.json" if name.endswith(".json") and name != "manifest.json" else name
        for name in names
        if name.count(".") == 1
    }
    shapes |= {f"<analysis>.<part>.{name.split('.')[2]}" for name in names if name.count(".") == 2}
    assert sorted(shapes) == sorted(known)


def test_what_stands_beside_a_release_is_on_the_page(release: Written) -> None:
    """Every file under the folder given as --out is on the page."""
    found = {str(path.relative_to(release.out)) for path in release.out.rglob("*")}
    wanted = [
        cell.replace("OUT/", "").replace("<site>", "north").replace("<n>", "1").rstrip("/")
        for cell in first_cells(PAGE.split("## The folder")[0])
    ]
    assert [name for name in wanted if name not in found] == []


def test_the_watermark_is_a_last_column(release: Written) -> None:
    """A table of a study of made-up patients ends with the column `watermark`."""
    head = (release.folder / "curve.curve.csv").read_text().splitlines()[0]
    assert head.split(",")[-1] == "watermark"


def test_the_vault_is_empty_after_a_release(release: Written) -> None:
    """Nothing of a release that is over stays in the vault."""
    assert list((release.out / "agents/north/vault").iterdir()) == []
