"""The order of the report: analyses in chapters as a clinician reads them, each in study order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from coordinator.report.views import View

CHAPTERS: Final = (
    ("Patients", ("table_one", "proportion", "compare", "paired")),
    ("Course over time", ("survival", "incidence", "logrank")),
    ("Models", ("weighting", "cox_screen", "cox", "fine_gray", "meta_analysis", "glm")),
    ("Repeated measurements", ("gee", "loess")),
    ("Causal diagram", ("adjustment",)),
)
FURTHER: Final = "Further analyses"


@dataclass(frozen=True, slots=True)
class Chapter:
    """Analyses that are read together."""

    heading: str
    views: tuple[View, ...]


def chapters(views: Iterable[View]) -> list[Chapter]:
    """Return the chapters that have analyses; those of an unknown kind are in the last one."""
    waiting = list(views)
    known = {kind for _, kinds in CHAPTERS for kind in kinds}
    rest = tuple(view for view in waiting if view.document.kind not in known)
    found = [
        Chapter(heading, tuple(view for view in waiting if view.document.kind in kinds))
        for heading, kinds in CHAPTERS
    ]
    return [chapter for chapter in [*found, Chapter(FURTHER, rest)] if chapter.views]
