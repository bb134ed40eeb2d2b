"""What stands where, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from coordinator.phases import place_of
from coordinator.released import Entry


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table with columns as wide as their cells; nothing without rows."""
    if not rows:
        return
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        yield "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()


def status_in_words(found: dict[str, Any]) -> str:
    """Return a study's status: its hospitals in a table, and what the last release waits for."""
    if found["hash"] is None:
        return f"{found['study']}: {found['note']}"
    rows = [
        [
            site["name"],
            site["approval"],
            _seen(site),
            site["hindered"],
        ]
        for site in found["sites"]
    ]
    head = ("site", "approval", "agent", "hindered by")
    lines = [f"{found['study']}  {found['hash'][:16]}", *table(head, rows)]
    release = found["release"]
    return "\n".join(
        [*lines, _release(release), *_awaited(release), *_schedule(found.get("schedule"))]
    )


def _awaited(release: dict[str, Any] | None) -> Iterator[str]:
    for one in release.get("awaited", []) if release else []:
        late = "late, " if one["late"] else ""
        yield f"{one['site']}: {late}awaited since {one['since']}. Next: {one['whose_turn']}"


def _schedule(schedule: dict[str, str] | None) -> Iterator[str]:
    if schedule is not None:
        comes = f"next refresh {schedule['next']}" if schedule["next"] else schedule["note"]
        yield f"schedule {schedule['cron']} {schedule['time_zone']}: {comes}"


def _seen(site: dict[str, Any]) -> str:
    if site["online"]:
        return "online"
    return "never seen" if site["seen"] == "never" else f"last seen {site['seen']}"


def _release(release: dict[str, Any] | None) -> str:
    if release is None:
        return "no release yet"
    told = release.get("deferred") or release.get("nothing_new")
    if told:
        return str(told)
    if release["state"] != "under_way":
        return f"release {release['number']} is {release['state']}"
    where = place_of(release["phase"], release["round"])
    waits = ", ".join(release["waiting"]) or "the center"
    return (
        f"release {release['number']} is under way since {release['opened']}: {where}, waiting "
        f"for {waits}"
    )


def results_in_words(found: Sequence[Entry]) -> Iterator[str]:
    """Yield the lines of a table of drafts and releases, those of revised studies with a hash."""
    newest = found[0].study if found else ""
    head = ("release", "state", "made", "decided", "by", "files", "reason")
    rows = [
        [
            str(one.number) + ("" if one.study == newest else f" of {one.study[:16]}"),
            one.state,
            one.at,
            one.decided,
            one.person,
            _files(one),
            " ".join(one.reason.split()),
        ]
        for one in found
    ]
    yield from table(head, rows)


def _files(one: Entry) -> str:
    if one.altered is None:
        return "not here"
    return "altered" if one.altered else "as signed"


def state_in_words(one: Entry) -> str:
    """Return what became of a draft, and why."""
    if one.state == "draft":
        return f"draft since {one.at}; coordinator release STUDY {one.number} --reason ..."
    return f"{one.state} by {one.person}, {one.decided}: {one.reason}"
