"""The counts of each model of a release: rows, patients, events by cause, rows left out, groups.

A model is an analysis, or one model of a screen. These are the counts that a reader can
subtract from those of another model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coordinator.report.folder import Document


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a model: its rows, and events by cause, the event of interest first."""

    level: str
    rows: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one model; `model` is the covariate in a screen, else empty."""

    analysis: str
    model: str
    endpoint: str
    cohort: str
    by: str
    rows: int
    patients: int
    events: tuple[int, ...]
    left_out: Mapping[str, int]
    groups: tuple[Group, ...] = ()

    @property
    def censored(self) -> int:
        """Return how many rows end without an event."""
        return self.rows - sum(self.events)

    @property
    def all_left_out(self) -> int:
        """Return how many rows are left out for any reason."""
        return sum(self.left_out.values())

    @property
    def counts(self) -> tuple[object, ...]:
        """Return what makes two models of one endpoint and cohort one and the same in numbers."""
        return (self.endpoint, self.cohort, self.rows, self.patients, self.events[:1])


def tallies(document: Document) -> Iterator[Tally]:
    """Yield the counts of each model of a document; nothing of a failure or an unknown kind."""
    result = document.result
    if result.get("failed"):
        return
    if "models" in result:
        for model, found in result["models"].items():
            if not found.get("failed"):
                yield _tally(document, found, _of_model(found), model=model)
    elif "terms" in result:
        yield _tally(document, result, _of_model(result))
    elif "observed" in result:
        yield _tally(document, result, _log_rank_groups(result), grouped=True)
    elif "curves" in result:
        yield _tally(document, result, curve_groups(document), grouped=True)


def _tally(
    document: Document,
    result: Mapping[str, Any],
    groups: Sequence[Group],
    *,
    model: str = "",
    grouped: bool = False,
) -> Tally:
    options = document.options
    return Tally(
        analysis=document.name,
        model=model,
        endpoint=str(options.get("endpoint") or ""),
        cohort=str(options.get("cohort") or ""),
        by=str(options.get("by") or ""),
        rows=sum(group.rows for group in groups),
        patients=int(result["patients"]),
        events=tuple(map(sum, zip(*(group.events for group in groups), strict=True))),
        left_out={reason: int(count) for reason, count in result["left_out"].items()},
        groups=tuple(groups) if grouped else (),
    )


def _of_model(result: Mapping[str, Any]) -> list[Group]:
    return [Group("", int(result["rows"]), (round(result["events"]),))]


def _log_rank_groups(result: Mapping[str, Any]) -> list[Group]:
    columns = zip(result["groups"], result["rows"], result["observed"], strict=True)
    return [Group(level, round(rows), (round(events),)) for level, rows, events in columns]


def curve_groups(document: Document) -> list[Group]:
    """Return the groups of a survival or incidence document; of a reverse one, its other side."""
    curves = document.result["curves"]
    found = []
    for level in dict.fromkeys(curve["stratum"] for curve in curves):
        own = [curve for curve in curves if curve["stratum"] == level]
        rows = int(own[0]["rows"])
        events = tuple(int(curve["events"]) for curve in own)
        if document.options.get("reverse"):
            events = (rows - events[0],)
        found.append(Group(level, rows, events))
    return found
