"""The methods of a release: what it used, and the literature of that alone."""

from __future__ import annotations

import re
from pathlib import Path

from coordinator.report.folder import read_release
from coordinator.report.methods import methods
from coordinator.report.references import REFERENCES
from site_agent.contract.catalogue import KINDS
from tests.coordinator.report.made import shares, write_release

KNOWN = {kind for kind in KINDS}


def test_every_kind_of_analysis_has_its_sentence() -> None:
    """A kind that is added must say what it does."""
    from coordinator.report import methods as module

    assert {*module.KINDS, *module.SAME} == KNOWN


def test_references_are_numbered_as_they_are_cited(release: Path) -> None:
    """From 1 on, each listed, none that is not cited."""
    found = methods(read_release(release))
    cited = [
        int(number)
        for paragraph in found.paragraphs
        for group in re.findall(r"\[([\d,]+)\]", paragraph)
        for number in group.split(",")
    ]
    assert list(dict.fromkeys(cited)) == list(range(1, len(found.references) + 1))


def test_only_what_was_used_is_described(tmp_path: Path) -> None:
    """A study of proportions does not speak of hazards."""
    folder = write_release(tmp_path / "r", None, {"response": ("proportion", shares(12, 30))})
    found = methods(read_release(folder))
    text = " ".join(found.paragraphs)
    assert ("exact (Clopper-Pearson) [2] 95 % confidence limits" in text, "azard" in text) == (
        True,
        False,
    )
    assert REFERENCES["clopper"] in found.references


def test_endpoints_are_defined(release: Path) -> None:
    """In the words of the study."""
    whole = read_release(release)
    endpoint = {
        "causes": [["death", "death_day"], ["relapse", "relapse_day"]],
        "origin": None, "entry": "start_day", "censored": "last_day", "time": None,
    }  # fmt: skip
    definitions = {"endpoints": {"survival": endpoint}}
    manifest = {**whole.manifest, "definitions": definitions}
    text = methods(type(whole)(manifest, whole.documents, ())).paragraphs[1]
    assert text == (
        "Survival was counted in days from day 0 to death (death_day), with relapse (relapse_day) "
        "as competing; follow-up ended at last_day; patients came under observation at start_day."
    )
