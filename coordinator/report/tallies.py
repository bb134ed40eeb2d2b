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
    """The counts of one model; `model` is the covariate in a screen, else empty.

    `groups` are those of its rows; `cells` any counts of rows that are shown together or not.
    """

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
    cells: tuple[Group, ...] = ()

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
    if result.get("failed") is True:
        return
    if "models" in result:
        for model, found in result["models"].items():
            if not found.get("failed"):
                yield _tally(document, found, _of_model(found), model=model, cells=_cells(found))
    elif "fell" in result:
        yield _tally(document, result, _of_model(result), cells=_courses(result))
    elif "arms" in result:
        yield _tally(document, result, _of_model(result), cells=_arms(result))
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
    cells: Sequence[Group] = (),
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
        cells=tuple(cells),
    )


def _of_model(result: Mapping[str, Any]) -> list[Group]:
    events = (round(result["events"]),) if "events" in result else ()
    return [Group("", int(result["rows"]), events)]


def _cells(found: Mapping[str, Any]) -> list[Group]:
    """Return the groups of a comparison, and of a category each level in each group and in all."""
    if "groups" not in found:
        return []
    if found["groups"] and isinstance(found["groups"][0], Mapping):
        return _described(found["groups"])
    groups = [Group(name, n, ()) for name, n in zip(found["groups"], found["n"], strict=True)]
    if not found.get("levels"):
        return groups
    sums = [sum(column) for column in zip(*found["counts"], strict=True)]
    rows = [*zip(found["groups"], found["counts"], strict=True), ("", sums)]
    return groups + [
        Group(f"{name}/{level}", count, ())
        for name, counts in rows
        for level, count in zip(found["levels"], counts, strict=True)
    ]


def _described(groups: Sequence[Mapping[str, Any]]) -> list[Group]:
    """Return the cells of a variable of a table: groups, their missing rows, their levels."""
    found = []
    for group in groups:
        name = str(group["stratum"])
        found += [Group(name, int(group["rows"]), ())] if name else []
        if group.get("missing") is not None:
            found.append(Group(f"{name}/missing", int(group["missing"]), ()))
        found += [Group(f"{name}/{of['name']}", int(of["count"]), ()) for of in group["levels"]]
    return found


def _courses(result: Mapping[str, Any]) -> list[Group]:
    """Return how many fell, rose and stayed."""
    pair = f"{result['before']} to {result['after']}"
    courses = ("fell", "rose", "stayed")
    return [Group(f"{pair}/{name}", int(result[name]), ()) for name in courses]


def _arms(result: Mapping[str, Any]) -> list[Group]:
    """Return the rows of the two arms of a weighting, and of those with truncated weights."""
    parts = ("rows", "truncated")
    return [Group(f"{a['arm']}/{part}", int(a[part]), ()) for a in result["arms"] for part in parts]


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
