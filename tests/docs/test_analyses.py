from __future__ import annotations

import re
from typing import Any, Final

import pytest

from site_agent.contract.catalogue import KINDS
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.read import read_study
from tests.docs.example import ANALYSES, Written
from tests.docs.pages import codes, full_study, headings, page, rows, section, written

PAGE = page("analyses.md")
EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "survival": {"endpoint": "survival"},
    "incidence": {"endpoint": "relapse"},
    "logrank": {"endpoint": "survival", "by": "arm"},
    "cox": {"endpoint": "survival", "covariates": ["age"], "baseline": "by_site"},
    "cox_screen": {"endpoint": "survival", "covariates": ["age"], "baseline": "by_site"},
    "fine_gray": {"endpoint": "relapse_from_start", "covariates": ["age"], "baseline": "by_site"},
    "compare": {"variables": ["age", "related"], "by": "arm"},
    "paired": {"before": "ferritin", "after": "age"},
    "table_one": {"variables": ["age", "related"]},
    "proportion": {"variables": ["related"]},
    "meta_analysis": {"endpoint": "survival", "covariates": ["age"]},
    "glm": {"outcome": "related", "family": "binomial", "covariates": ["age"]},
    "gee": {
        "outcome": "age",
        "family": "gaussian",
        "covariates": ["arm"],
        "wave": "age",
        "waves": [0, 9],
    },
    "loess": {"outcome": "age", "day": "age", "days": [0, 110]},
    "weighting": {"treatment": "related", "covariates": ["age"]},
    "adjustment": {"diagram": ["age -> arm"], "exposure": "age", "outcome": "arm"},
}
ANALYSIS_OF = {item["kind"]: name for name, item in reversed(ANALYSES.items())}


def options(kind: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every option that the reader of a kind asks for."""
    seen: set[str] = set()
    node_of = Fields.node_of

    def note(self: Fields, name: str, *, required: bool = False) -> Any:
        if self.node.path == "analyses.only" and name != "kind":
            seen.add(f"{kind}.{name}")
        return node_of(self, name, required=required)

    monkeypatch.setattr(Fields, "node_of", note)
    read_study(_only(kind), "study.yaml")
    return seen


def _only(kind: str) -> str:
    study = full_study()
    study["analyses"] = {"only": {"kind": kind, **EXAMPLES[kind]}}
    named = ["only"] if kind == "weighting" else []  # weights go by name alone
    study["disclosure"]["accepted"] = [{"analysis": n, "because": "agreed"} for n in named]
    return written(study)


def test_every_kind_has_its_section() -> None:
    """The page has a section for each kind of analysis."""
    assert [kind for kind in KINDS if kind not in headings(PAGE)] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_has_its_heading(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A section has a heading for each option of its kind, and for no other."""
    found = {title for title in headings(PAGE) if title.startswith(f"{kind}.")}
    assert found == options(kind, monkeypatch)


@pytest.mark.parametrize("kind", KINDS)
def test_the_section_has_an_example(kind: str) -> None:
    """A section shows an analysis of its kind."""
    assert re.search(rf"kind: {kind}\b", section(PAGE, f"`{kind}`"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_default_choice_is_on_the_page(kind: str) -> None:
    """The words that an option takes without being given are in its section."""
    study = read_study(_only(kind), "study.yaml")
    defaults = [v for v in study.analyses["only"].options.values() if isinstance(v, str)]
    text = section(PAGE, f"`{kind}`") + section(PAGE, "`cox`")
    given = {str(value) for value in EXAMPLES[kind].values()}
    assert [v for v in defaults if v and v not in given and f"`{v}`" not in text] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_tables_are_those_of_the_page(kind: str, release: Written) -> None:
    """The page names each tidy table of a kind with its columns in order."""
    tables = release.results[ANALYSIS_OF[kind]].tables()
    found = [(f"<analysis>.{part}", list(tidy.columns)) for part, tidy in tables.items()]
    told = [(codes(a)[0], codes(b)) for a, b in rows(section(PAGE, f"Files of `{kind}`"))]
    assert told == found


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_what_opens(kind: str) -> None:
    """The classes that a kind can open are named in its section."""
    baselines = ("pooled", "by_site") if "covariates" in EXAMPLES[kind] else ("",)
    study = read_study(_only(kind), "study.yaml")
    text = section(PAGE, f"`{kind}`") + (section(PAGE, "`cox`") if kind == "cox_screen" else "")
    opened = {
        disclosure
        for baseline in baselines
        for disclosure, _ in KINDS[kind].uses(
            {**study.analyses["only"].options, "baseline": baseline}
        )
    }
    assert [name for name in opened if not re.search(rf"class [^|]*\b{name}\b", text)] == []


def test_the_reasons_are_those_of_the_results(release: Written) -> None:
    """The page lists the reasons for which rows are left out, in order."""
    counted = release.results["curve"].document()["left_out"]
    told = [row[0].strip("`") for row in rows(section(PAGE, "What holds for all kinds"))]
    assert told == list(counted)


def test_a_curve_takes_one_round(release: Written) -> None:
    """A model takes one round before its evaluations, one behind; the guard's two come first.

    A variance of a subdistribution hazard takes two, a concordance over all hospitals three.
    """
    lines = (release.folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    names = ("model", "pooled", "subdistribution")
    models = [release.results[name].document() for name in names]
    behind = [2 if "variance_of" in m else 3 * ("concordance" in m) for m in models]
    rounds = [m["evaluations"] + more for m, more in zip(models, behind, strict=True)]
    assert len(lines) == 3 + max(rounds)
