from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from coordinator.freeze import freeze, roster_of
from site_agent.contract.enrolment import succeeding
from site_agent.contract.errors import StudyError
from site_agent.contract.identity import Identity
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.contract.sums import Disclosure
from tests.docs.pages import (
    ROOT,
    first_cells,
    fragments,
    full_study,
    headings,
    overlaid,
    page,
    published,
    rows,
    section,
    studies,
    without,
    written,
)
from tests.protocol import entropy

PAGE = page("study-file.md")
STUDIES = [
    (f"{path.name} {number}", text)
    for path in published()
    for number, text in enumerate(studies(path.read_text(encoding="utf-8")), start=1)
]
PARTS = [
    (name, text) for name in ("study-file.md", "analyses.md") for text in fragments(page(name))
]
ANSWERS = [row for row in rows(PAGE) if re.match(r"`[a-z]+: .*`$|without `", row[0])]
NAMED = re.compile(
    r"^(tables|tables\.<name>\.columns|derive|derive\.<name>|endpoints|cohorts|analyses|roster\.sites)$"
)
PARTIES = ("center", "lyon", "boston", "paris", "madrid")
FREE = ("presentation.labels", "sites.attributes", "attributes")  # their names are the author's


def frozen_text() -> str:
    """The study with every field, frozen as a revision over sites of which one has new keys."""
    center, old, *sites = (Identity.create(n, entropy(n)) for n in PARTIES)
    members = [site.member({"country": "US"}) for site in sites]
    new = succeeding(old, Identity.create("lyon", entropy("new")), {"country": "US"})
    roster = roster_of(center.member(), [new, *members])
    text, _ = freeze(studies(PAGE)[0], "study.yaml", roster, revises="0" * 64)
    return text


def pattern(path: str) -> str:
    """A path of a study with <name> for each name that its author gives."""
    out = ""
    for part in re.sub(r"\[\d+\]", "", path).split("."):
        name = "<name>" if NAMED.match(out) else part
        out = f"{out}.{name}" if out else name
    return out


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """Every field that reading a study asks for, those of the kinds of analyses left out."""
    seen: set[str] = set()
    node_of = Fields.node_of

    def note(self: Fields, name: str, *, required: bool = False) -> Any:
        above = pattern(self.node.path)
        if not above.endswith(FREE) and (above != "analyses.<name>" or name == "kind"):
            seen.add(f"{above}.{name}" if above else name)
        return node_of(self, name, required=required)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Fields, "node_of", note)
        read_study(frozen_text(), "study.yaml")
    return seen


def test_every_field_has_its_heading(asked: set[str]) -> None:
    """The page has a heading for each field of a study file."""
    missing = asked - set(headings(PAGE))
    missing -= {"roster.sites.<name>.name"}  # asked for as of any party; the key is the name
    assert missing == set()


def test_every_heading_of_a_field_is_a_field(asked: set[str]) -> None:
    """The page names no field that is not there."""
    titles = re.findall(r"^#+ `([^`]+)`$", PAGE, re.MULTILINE)
    free = {"endpoints.<name>.like"}  # taken out before the endpoint is read
    assert [title for title in titles if title not in asked | free] == []


def test_no_reader_asks_for_a_field_without_heading() -> None:
    """Each field name in the source of the reader is in a heading."""
    getters = {"text", "choice", "flag", "whole", "fraction", "items", "texts", "numbers", "inner"}
    getters |= {"each", "node_of", "proportion"}
    known = {part for title in headings(PAGE) for part in title.split(".")}
    assert set(_constants(ROOT / "site_agent/contract/study", getters)) - known == set()


def _constants(folder: Path, methods: set[str]) -> Iterator[str]:
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                first = node.args[0] if node.args else None
                if node.func.attr in methods and isinstance(first, ast.Constant):
                    yield str(first.value)


@pytest.mark.parametrize(("name", "text"), STUDIES, ids=[name for name, _ in STUDIES])
def test_every_study_in_the_documentation_loads(name: str, text: str) -> None:
    """A fenced study is one that can be used as it stands."""
    assert read_study(text, name).analyses


@pytest.mark.parametrize(("name", "text"), PARTS)
def test_every_part_fits_the_study(name: str, text: str) -> None:
    """A fenced part, laid over the study with every field, loads."""
    study = overlaid(full_study(), yaml.safe_load(text))
    assert read_study(written(study), name).name == "transplant"


@pytest.mark.parametrize(("wrong", "answer"), ANSWERS)
def test_what_is_wrong_gets_the_answer_on_the_page(wrong: str, answer: str) -> None:
    """What the page calls wrong is refused in the words that the page gives."""
    body = wrong.removeprefix("without ").strip("`")
    if wrong.startswith("without"):
        study = without(full_study(), body)
    else:
        study = overlaid(full_study(), yaml.safe_load(body))
    with pytest.raises(StudyError) as caught:
        read_study(written(study), "study.yaml")
    assert answer in [issue.message for issue in caught.value.issues]


@pytest.mark.parametrize("heading", ["study", "time", "tables", "endpoints", "disclosure"])
def test_the_section_says_what_is_wrong(heading: str) -> None:
    """A section with rules shows what answers their breach."""
    assert any(row in ANSWERS for row in rows(section(PAGE, f"`{heading}`")))


def test_the_message_at_the_top_is_the_one_given() -> None:
    """The answer to a misspelt field is printed as it comes."""
    text = studies(PAGE)[0].replace("title:", "titel:", 1)
    with pytest.raises(StudyError) as caught:
        read_study(text, "study.yaml")
    assert f"error: {caught.value}" in PAGE


def test_a_field_that_stands_twice_is_an_error() -> None:
    """Of two fields of one name neither is taken."""
    with pytest.raises(StudyError, match="stands twice"):
        read_study(f"{studies(PAGE)[0]}study: other\n", "study.yaml")


def test_labels_are_outside_of_the_hash() -> None:
    """Labels and schedule can change without a new approval."""
    changed = without(without(full_study(), "presentation"), "schedule")
    assert _study(changed).hash == _study(full_study()).hash


def test_a_changed_title_is_another_study() -> None:
    """What is not said to be outside of the hash is inside."""
    changed = overlaid(full_study(), {"title": "Another"})
    assert _study(changed).hash != _study(full_study()).hash


def _study(document: Any) -> Study:
    return read_study(written(document), "study.yaml")


def test_a_frozen_file_that_was_changed_is_refused() -> None:
    """The words with which a changed frozen file is refused are on the page."""
    changed = frozen_text().replace("Relapse after transplantation", "Another title")
    with pytest.raises(StudyError, match="the study was changed after freezing"):
        read_study(changed, "study.yaml")


def test_every_class_is_on_the_page() -> None:
    """The table of classes has a row for each."""
    classes = [row[0] for row in rows(section(PAGE, "`disclosure.classes`"))]
    assert [*classes[:4]] == list(Disclosure.__args__)  # type: ignore[attr-defined]


def test_every_rule_about_data_is_on_the_page() -> None:
    """The page lists each rule that a hospital's data are checked against."""
    found = set(_rules(ROOT / "site_agent/data")) | set(_rules(ROOT / "site_agent/contract"))
    assert first_cells(section(PAGE, "What a hospital's data are checked for")) == _ordered(found)


def _ordered(found: set[str]) -> list[str]:
    """The rules in the order of the page; those that the page lacks at the end."""
    told = first_cells(section(PAGE, "What a hospital's data are checked for"))
    return [rule for rule in told if rule in found] + sorted(found - set(told))


def _rules(folder: Path) -> Iterator[str]:
    """The names of rules: the argument behind the place, or behind the rows."""
    position = {"Finding": 1, "note": 1, "_note": 3}
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                at = position.get(name)
                rule = node.args[at] if at is not None and len(node.args) > at else None
                if isinstance(rule, ast.Constant):
                    yield str(rule.value)
