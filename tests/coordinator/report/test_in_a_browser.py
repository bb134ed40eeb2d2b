"""The report as a browser shows it, on a phone and on a desk: nothing is found to be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coordinator.report import write_report
from tests.browser import WIDTHS, findings, window
from tests.coordinator.report.made import (
    analyses,
    cohort,
    comparison,
    disclosure,
    fine_gray,
    manifest,
    pairs,
    shares,
    write_release,
)


def everything(folder: Path, *, accepted: bool) -> Path:
    """Write a release with an analysis of each kind that is made up, and its predecessor."""
    found = {
        **analyses(),
        "characteristics": ("table_one", cohort((8, 7), (9, 6), missing=6)),
        "response": ("proportion", shares(12, 30)),
        "tests": ("compare", comparison((8.0, 7.0), (9.0, 6.0))),
        "crp": ("paired", pairs()),
        "subdistribution": ("fine_gray", fine_gray()),
    }
    shown = disclosure(*(found if accepted else ()))
    write_release(folder / "release-1", {"release": 1, "disclosure": shown}, found)
    changes = {**manifest(list(found)), "disclosure": shown, "patients": 40}
    return write_release(folder / "release-2", changes, found)


@pytest.mark.parametrize("accepted", [True, False], ids=["shown", "hidden"])
@pytest.mark.parametrize("name", WIDTHS)
def test_the_report_is_a_good_page(
    browser: Any, tmp_path: Path, name: str, *, accepted: bool
) -> None:
    """No error, no request, nothing that sticks out or is cut off, no violation of axe-core."""
    path = write_report(everything(tmp_path, accepted=accepted))
    with window(browser, name) as view:
        view.page.goto(path.as_uri())
        view.page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        assert findings(view, f"report-{'shown' if accepted else 'hidden'}") == []
