"""One analysis as the report sees it: its document, the names to show, what may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coordinator.report import numbers
from coordinator.report.folder import Document, ReleaseFolder
from coordinator.report.group_courses import GroupCourse, incidence_groups, survival_groups
from coordinator.report.small_counts import Limit, Shown, limit_of

TRUTH = {"true": "yes", "false": "no"}
PLURAL = {"day": "days", "week": "weeks", "month": "months", "year": "years"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text; the first `headed` cells of a row name it.

    A row with fewer cells than columns ends in one cell that spans the rest. The cells of a
    table in `prose` are words that may break over lines.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    headed: int = 1
    prose: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One analysis with the labels of its study and the limit for small counts."""

    document: Document
    labels: Mapping[str, str]
    limit: Limit
    unit: str
    marks: tuple[str, ...]
    accepted: tuple[str, ...]

    @property
    def result(self) -> Mapping[str, Any]:
        """Return the result's document."""
        return self.document.result

    @property
    def failed(self) -> bool:
        """Return whether the analysis ended alone."""
        return bool(self.result.get("failed"))

    @property
    def heading(self) -> str:
        """Return the analysis's label, or its name as words."""
        name = self.document.name
        words = name.replace("_", " ")
        return self.labels.get(name, words[:1].upper() + words[1:])

    @property
    def units(self) -> str:
        """Return the unit of time in the plural."""
        return PLURAL.get(self.unit, self.unit)

    @property
    def level(self) -> str:
        """Return the confidence level as in "95 % CI"."""
        value = self.result.get("conf_level", self.document.options.get("conf_level", 0.95))
        return numbers.level(value)

    def label(self, name: str) -> str:
        """Return the label to show for a name; the name itself if there is none."""
        return self.labels.get(name, name)

    def term(self, name: str) -> str:
        """Return the name of a model's term: its label, or its covariate's with the level."""
        covariate, _, level = name.rpartition("=")
        if name not in self.labels and covariate in self.labels:
            return f"{self.labels[covariate]}: {level}"
        return self.label(name)

    def group(self, level: str) -> str:
        """Return the name of a group; of a condition, the condition with yes or no."""
        if level in TRUTH and self.document.options.get("by"):
            return f"{self.label(self.document.options['by'])}: {TRUTH[level]}"
        return self.label(level)

    def groups(self) -> list[GroupCourse]:
        """Return the course of each group of a survival or incidence analysis."""
        curves = self.result["curves"]
        if self.document.kind == "incidence":
            return incidence_groups(curves)
        return survival_groups(curves)

    def count(self, value: float | None) -> str:
        """Return one count that stands by itself."""
        return self.limit.count(value)


def views(release: ReleaseFolder) -> Iterator[View]:
    """Yield each analysis of a release in the study's order."""
    manifest = release.manifest
    for document in release.documents:
        sentences = manifest["disclosure"].get("accepted", [])
        yield View(
            document=document,
            labels=manifest["labels"],
            limit=limit_of(manifest["disclosure"], document.name),
            unit=manifest["unit"],
            marks=release.marks,
            accepted=tuple(why for name, why in sentences if name == document.name),
        )


@dataclass(frozen=True, slots=True)
class CountsOverTime:
    """The counts of an analysis's groups at any time, under the limit."""

    groups: tuple[GroupCourse, ...]
    limit: Limit

    def at(self, time: float) -> list[Shown]:
        """Return (at risk, censored, events of each cause) of each group."""
        return self.limit.column([group.standing(time) for group in self.groups])

    def sizes(self) -> tuple[str, ...]:
        """Return the number of rows of each group as text."""
        return self.limit.sizes([group.rows for group in self.groups])

    @property
    def late_entry(self) -> bool:
        """Return whether rows of any group come under observation after time 0."""
        return any(group.late_entry for group in self.groups)


def counts_over_time(view: View) -> CountsOverTime:
    """Return the counts of a survival or incidence analysis."""
    return CountsOverTime(tuple(view.groups()), view.limit)
