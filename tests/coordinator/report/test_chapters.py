"""In which chapter of the report the analyses of each kind stand."""

from __future__ import annotations

import pytest

from coordinator.report.chapters import FURTHER, chapters
from site_agent.contract.catalogue import KINDS
from tests.coordinator.report.made import view


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_has_a_chapter(kind: str) -> None:
    """No kind that a study can name is left for the last chapter."""
    (chapter,) = chapters([view(kind, {"failed": True, "because": "no event"})])
    assert chapter.heading != FURTHER


def test_a_weighting_stands_with_the_models() -> None:
    """With those that it serves, in the order of the study."""
    made = [view(kind, {"failed": True, "because": "no event"}) for kind in ("weighting", "cox")]
    (chapter,) = chapters(made)
    assert [v.document.kind for v in chapter.views] == ["weighting", "cox"]
