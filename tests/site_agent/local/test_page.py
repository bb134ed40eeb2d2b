"""The page of a hospital's own figures: what is on it, and that it loads and sends nothing."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from site_agent.local.cohort import Cohort
from site_agent.local.page import WARNING, page
from tests.site_agent.local.test_cohort import cohort

__all__ = ["cohort"]
TITLES = [
    "Courses of 4 patients: whole follow-up",
    "Courses of 4 patients: crs by day",
    "fell: change of each patient",
    "alive: Kaplan-Meier",
]


def drawn(html: str) -> list[str]:
    """The figures of a page as SVG."""
    found = re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', html)
    return [base64.b64decode(data).decode() for data in found]


def texts(svg: str) -> set[str]:
    """The texts in a figure."""
    return {
        "".join(node.itertext())
        for node in ElementTree.fromstring(svg).iter()
        if node.tag.endswith("}text")
    }


def test_the_figures(cohort: Cohort) -> None:
    """A swimmer plot, one for each grade, a waterfall plot and a curve, each with its title."""
    html = page(cohort, keys=False)
    assert re.findall(r"<h2>(.*?)</h2>", html) == TITLES and len(drawn(html)) == len(TITLES)


def test_the_marks_are_named(cohort: Cohort) -> None:
    """Marks, grades, and lanes that go on behind the last graded day."""
    _, graded, *_ = drawn(page(cohort, keys=False))
    assert {"death", "grade 1", "grade 2", "grade 3", "goes on"} <= texts(graded)


@pytest.mark.parametrize(("keys", "lanes"), [(False, {"1", "2", "3", "4"}), (True, set("pqrs"))])
def test_the_lanes(cohort: Cohort, keys: bool, lanes: set[str]) -> None:
    """Patients have running numbers; their keys only where somebody asks for them."""
    found = texts(drawn(page(cohort, keys=keys))[0])
    assert (lanes <= found, bool(found & set("pqrs"))) == (True, keys)


def test_it_says_whose_it_is(cohort: Cohort) -> None:
    """The warning stands on the page."""
    assert WARNING in page(cohort, keys=False)


def test_nothing_is_loaded_or_run(cohort: Cohort) -> None:
    """No script, no address but the names of SVG, and a policy that allows none."""
    html = page(cohort, keys=False)
    assert ("<script" in html, "default-src 'none'" in html, "://" in html) == (False, True, False)


def test_the_same_bytes(cohort: Cohort) -> None:
    """Drawn twice, the page is the same."""
    assert page(cohort, keys=False) == page(cohort, keys=False)


def test_what_answers_a_study_cannot_draw() -> None:
    """No module of the agent but the command imports these figures, so none can send them."""
    root = Path(__file__).parents[3] / "site_agent"
    importing = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "site_agent.local" in path.read_text(encoding="utf-8") and path.parent.name != "local"
    }
    assert importing == {"cli.py"}
