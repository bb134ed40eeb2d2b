"""Attacks over releases one behind the other: chains that would subtract into patients."""

from __future__ import annotations

from pathlib import Path
from random import Random

from tests.protocol import (
    SITES,
    STUDY,
    frozen,
)
from tests.site_agent.differing import Course as Releases
from tests.site_agent.differing import corrected, joined


def one_hospital_less(folder: Path, rng: Random) -> set[str]:
    """The next release leaves a hospital out, and the totals subtract."""
    releases = Releases(folder)
    releases.release()
    left = rng.choice(SITES)
    return {releases.release(tuple(site for site in SITES if site != left))}


def few_more(folder: Path, rng: Random) -> set[str]:
    """A few patients join, at as many hospitals as you like: fewer than five in all."""
    releases = Releases(folder)
    releases.release()
    for number in range(rng.randrange(1, 4)):
        releases.changes.append(joined(of=(rng.choice(SITES),), label=f"new{number}"))
    return {releases.release()}


def few_hospitals_more(folder: Path, rng: Random) -> set[str]:
    """Many patients join, all at one or two hospitals."""
    releases = Releases(folder)
    releases.release()
    releases.changes.append(joined(of=rng.sample(SITES, rng.randrange(1, 3)), each=6))
    return {releases.release()}


def corrected_value(folder: Path, rng: Random) -> set[str]:
    """One value of one patient is changed, however little."""
    releases = Releases(folder)
    releases.release()
    by = rng.choice([-1, 1]) * 10 ** rng.uniform(-6, 0)
    releases.changes.append(corrected("dose", by, of=(rng.choice(SITES),)))
    return {releases.release()}


def chain(folder: Path, rng: Random) -> set[str]:
    """Deferred again and again: what was deferred is not what the next one is compared with."""
    releases = Releases(folder)
    releases.release()
    found = set()
    for number in range(3):
        releases.changes.append(joined(of=(rng.choice(SITES[:2]),), label=f"n{number}"))
        found.add(releases.release())
    return found


def revision_with_one_more(folder: Path, rng: Random) -> set[str]:
    """The same under another hash: a study with another title, and one patient more."""
    releases = Releases(folder)
    releases.release()
    title = f"title: {rng.choice(['Five', 'Some', 'All'])} hospitals, again"
    study = frozen(STUDY.replace("title: Five hospitals with made-up patients", title))
    revised = releases.other_study(study)
    revised.changes.append(joined(of=(rng.choice(SITES),)))
    return {revised.release()}


def revision_with_one_less(folder: Path, rng: Random) -> set[str]:
    """Another hash over one hospital less."""
    releases = Releases(folder)
    releases.release()
    left = rng.choice(SITES)
    pinned = tuple(site for site in SITES if site != left)
    return {releases.other_study(frozen(pinned=pinned)).release()}
