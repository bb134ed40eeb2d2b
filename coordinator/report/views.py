"""One analysis as the report sees it: its document, the names to show, what may be shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from coordinator.report import numbers
from coordinator.report.families import EVENT, REST
from coordinator.report.folder import Document, ReleaseFolder
from coordinator.report.group_courses import GroupCourse, incidence_groups, survival_groups
from coordinator.report.output_rules import Rules, decide, series_of
from coordinator.report.small_counts import Limit, limit_of
from coordinator.report.suppression import Cell

TRUTH = {"true": "yes", "false": "no"}
PLURAL = {"day": "days", "week": "weeks", "month": "months", "year": "years"}


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text and suppressed cells; the first `headed` cells of a row name it.

    A row with fewer cells than columns ends in one cell that spans the rest. The cells of a
    table in `prose` are words that may break over lines. The rows numbered in `under` (from 0) are
    levels of the row above that is not; `notes` stand at the table's foot.
    """

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    headed: int = 1
    prose: bool = False
    under: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """One analysis with the labels of its study and what is shown of its counts."""

    document: Document
    labels: Mapping[str, str]
    limit: Limit
    unit: str
    marks: tuple[str, ...]
    accepted: tuple[str, ...]
    rules: Rules = field(default_factory=Rules)
    references: Mapping[str, str] = field(default_factory=dict)

    @property
    def result(self) -> Mapping[str, Any]:
        """Return the result's document."""
        return self.document.result

    @property
    def failed(self) -> bool:
        """Return whether the analysis ended alone."""
        return self.result.get("failed") is True

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

    def series(self, cause: int) -> str:
        """Return the series that the curves of a cause count; of a reverse curve, the censored."""
        return REST if self.document.options.get("reverse") else series_of(cause)


def views(release: ReleaseFolder) -> Iterator[View]:
    """Yield each analysis of a release in the study's order."""
    manifest = release.manifest
    rules = decide(release.documents, manifest["disclosure"], int(manifest["patients"]))
    for document in release.documents:
        sentences = manifest["disclosure"].get("accepted", [])
        yield View(
            document=document,
            labels=manifest["labels"],
            limit=limit_of(manifest["disclosure"], document.name),
            unit=manifest["unit"],
            marks=release.marks,
            accepted=tuple(why for name, why, *_ in sentences if name == document.name),
            rules=rules[document.name],
            references=manifest.get("definitions", {}).get("references", {}),
        )


@dataclass(frozen=True, slots=True)
class CountsOverTime:
    """The counts of an analysis's groups at any time, as far as they are shown."""

    groups: tuple[GroupCourse, ...]
    view: View

    def at(self, time: float) -> list[tuple[Cell, ...]]:
        """Return (at risk, censored, events of each cause) of each group; infinity is the end."""
        return [self._cells(group, time) for group in self.groups]

    def _cells(self, group: GroupCourse, time: float) -> tuple[Cell, ...]:
        rules, cell, now = self.view.rules, self.view.limit.cell, group.standing(time)
        reverse = bool(self.view.document.options.get("reverse"))
        return (
            cell(now.at_risk, shown=rules.at_risk(time)),
            cell(now.censored, shown=rules.counts(EVENT if reverse else REST, time)),
            *(
                cell(events, shown=rules.counts(self.view.series(cause), time))
                for cause, events in enumerate(now.events)
            ),
        )

    def sizes(self) -> tuple[Cell, ...]:
        """Return the number of rows of each group."""
        shown = self.view.rules.full
        return tuple(self.view.limit.cell(group.rows, shown=shown) for group in self.groups)

    @property
    def late_entry(self) -> bool:
        """Return whether rows of any group come under observation after time 0."""
        return any(group.late_entry for group in self.groups)


def counts_over_time(view: View) -> CountsOverTime:
    """Return the counts of a survival or incidence analysis."""
    return CountsOverTime(tuple(view.groups()), view)
