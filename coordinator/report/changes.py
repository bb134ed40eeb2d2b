"""What changed since the release before: hospitals, patients, counts and effects.

Two releases subtract. A reader who keeps both reports can do that whatever stands here, and the
rule between releases (`between_releases` of the study file) is made for him; this page does not do
it for him. With k the smallest count that is shown, a change is told if it is *safe*
(suppression.py), 0 or at least k in size, and differs safely from every change of its kind that is
told already: patients before analyses, analyses in the order of the report. Else it stands hidden.
The change of events is told where the change of those without an event could be told too. Effects
of models stand beside each other as both reports round them, if both show them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from coordinator.report import numbers
from coordinator.report.folder import ReleaseFolder
from coordinator.report.forest_rows import forest_of
from coordinator.report.suppression import Cell, Suppressed, safe
from coordinator.report.tallies import Tally, tallies
from coordinator.report.views import Table, View

FIRST: Final = "This is the first release of the study, or none before it is at hand."
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Changes:
    """A sentence on the release before, and tables; none where there is no release before."""

    sentence: str
    tables: tuple[Table, ...] = ()


@dataclass(slots=True)
class Told:
    """The changes of one kind that are told so far; `least` is the smallest count shown."""

    least: int
    values: list[int] = field(default_factory=list)

    def cell(self, now: int, before: int) -> Cell:
        """Return a change with its sign, or what stands for it."""
        change = now - before
        if not self.may_tell(change):
            return Suppressed(self.least)
        self.values.append(change)
        sign = "+" if change > 0 else numbers.MINUS if change < 0 else ""
        return f"{sign}{numbers.count(abs(change))}"

    def may_tell(self, change: int) -> bool:
        """Return whether a change is safe, and differs safely from those that are told."""
        known = (0, *self.values)
        return self.least <= 1 or all(safe(change - other, self.least) for other in known)


def changes(
    release: ReleaseFolder,
    before: ReleaseFolder | None,
    views: Sequence[View],
    views_before: Sequence[View],
) -> Changes:
    """Return what changed between two releases of one study, the later one first."""
    if before is None:
        return Changes(FIRST)
    earlier = {view.document.name: view for view in views_before}
    pairs = [(v, earlier[v.document.name]) for v in views if v.document.name in earlier]
    least = _least(release)
    tables = (
        _who(release, before, least),
        _counts(pairs, least, release, before),
        _effects(pairs, release, before),
    )
    day, number = str(before.manifest["ended"]).partition("T")[0], before.manifest["release"]
    return Changes(
        f"Against release {number}, as of {day}.", tuple(table for table in tables if table.rows)
    )


def _least(release: ReleaseFolder) -> int:
    rules = release.manifest["disclosure"]
    if rules.get("development"):
        return 0
    return max(int(rules["show"]["cell"]), int(rules["between_releases"]["patients"]))


def _who(release: ReleaseFolder, before: ReleaseFolder, least: int) -> Table:
    """Return hospitals that came and went, and the change of patients."""
    now, then = (set(each.manifest["sites_in"]) for each in (release, before))
    patients = tuple(int(each.manifest["patients"]) for each in (release, before))
    rows: tuple[tuple[Cell, ...], ...] = (
        ("Hospitals that came", ", ".join(sorted(now - then)) or NONE),
        ("Hospitals that went", ", ".join(sorted(then - now)) or NONE),
        ("Patients", f"{numbers.count(patients[0])}"),
        ("Change of patients", Told(least).cell(*patients)),
    )
    return Table("Hospitals and patients", ("What", "This release"), rows, prose=True)


def _counts(
    pairs: Sequence[tuple[View, View]], least: int, release: ReleaseFolder, before: ReleaseFolder
) -> Table:
    """Return the rows and events of each model now, and their changes."""
    told = {name: Told(least) for name in ("rows", "events", "others")}
    told["rows"].cell(int(release.manifest["patients"]), int(before.manifest["patients"]))
    rows = tuple(row for pair in pairs for row in _of_pair(pair, told))
    columns = ("Analysis", "Rows", "Change", "Events", "Change")
    return Table("Rows and events", columns, rows)


def _of_pair(pair: tuple[View, View], told: Mapping[str, Told]) -> Iterator[tuple[Cell, ...]]:
    view, view_before = pair
    if view.failed or view_before.failed:
        words = {(True, False): "no result any more", (False, True): "has a result now"}
        if (view.failed, view_before.failed) in words:
            yield (view.heading, words[view.failed, view_before.failed])
        return
    models = {tally.model: tally for tally in tallies(view_before.document)}
    found = list(tallies(view.document))
    for tally in found:
        if tally.model not in models:
            continue
        name = f"{view.heading}: {view.label(tally.model)}" if len(found) > 1 else view.heading
        then = models[tally.model]
        shown = [_shown(v, t) for v, t in ((view, tally), (view_before, then))]
        hidden = view.limit.hidden if view.limit.least else Suppressed(told["rows"].least)
        yield (
            name,
            numbers.count(tally.rows) if shown[0][0] else hidden,
            told["rows"].cell(tally.rows, then.rows) if shown[0][0] and shown[1][0] else hidden,
            *_events(tally, then, shown, told, hidden),
        )


def _events(
    tally: Tally,
    then: Tally,
    shown: Sequence[tuple[bool, bool]],
    told: Mapping[str, Told],
    hidden: Suppressed,
) -> tuple[Cell, Cell]:
    if not tally.events:
        return ("", "")
    now, before = tally.events[0], then.events[0]
    others = (tally.rows - now) - (then.rows - before)
    change: Cell = hidden
    if shown[0][1] and shown[1][1] and told["others"].may_tell(others):
        change = told["events"].cell(now, before)
        told["others"].values += [others] if isinstance(change, str) else []
    return (numbers.count(now) if shown[0][1] else hidden, change)


def _shown(view: View, tally: Tally) -> tuple[bool, bool]:
    """Return whether a report shows the rows, and the events, of a model."""
    if view.rules.free:
        return True, True
    total = view.rules.total(tally.model)
    rows = view.rules.rows(tally.model, grouped=bool(tally.groups))
    return rows, rows and total.events and not total.few


def _effects(
    pairs: Sequence[tuple[View, View]], release: ReleaseFolder, before: ReleaseFolder
) -> Table:
    """Return the effects of models now and before, as both reports round them."""
    rows: list[tuple[Cell, ...]] = []
    for view, view_before in pairs:
        forest, earlier = forest_of(view), forest_of(view_before)
        if forest is None or earlier is None:
            continue
        then = {(row.label, row.under): row.text for row in earlier.rows if row.text}
        rows += [
            (view.heading, row.label, then[row.label, row.under], row.text)
            for row in forest.rows
            if row.effect is not None and (row.label, row.under) in then
        ]
    names = (f"Release {each.manifest['release']}" for each in (before, release))
    return Table("Effects with limits", ("Analysis", "Effect of", *names), tuple(rows), 2)
