"""Attacks by whoever can write to a hospital's disk, or has stolen its key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

from site_agent.contract import messages
from site_agent.contract.errors import LedgerError, Refused
from site_agent.contract.messages import Readies, Ready, Round
from tests.campaign.stage import LEDGER, burn, everywhere, some_round
from tests.protocol import (
    SITES,
    Play,
    World,
    content_of,
    identity,
    parts_of,
    readies,
    refusal,
)
from tests.revising import (
    ROTATED,
    frozen_revision,
    hospitals,
    revised_world,
)
from tests.site_agent.differing import Course as Releases


def rewound_ledger(folder: Path, rng: Random) -> set[str]:
    """An old image of a hospital's disk is put back: it has forgotten a release."""
    releases = Releases(folder)
    releases.release()
    site = rng.choice(SITES)
    image = folder.with_name(folder.name + "-image")
    shutil.copytree(folder / site, image)
    releases.release()
    shutil.rmtree(folder / site)
    shutil.move(image, folder / site)
    return everywhere(releases.play().until(Readies), but=site)


def cut_ledger(folder: Path, rng: Random) -> set[str]:
    """The entries from some READY on are taken away, and what is left still verifies."""
    releases = Releases(folder)
    releases.release()
    site = rng.choice(SITES)
    path = folder / site / "ledger.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    ready = next(at for at, line in enumerate(lines) if b'"event":"ready"' in line)
    path.write_bytes(b"".join(lines[: rng.randrange(ready + 1)]))
    return everywhere(releases.play().until(Readies), but=site)


def altered_ledger(folder: Path, rng: Random) -> set[str]:
    """An entry is changed, taken out, moved or added."""
    play = Play(World(folder)).until(Round, some_round(rng))
    site = rng.choice(SITES)
    path = folder / site / "ledger.jsonl"
    kept = path.read_bytes()
    lines = kept.splitlines(keepends=True)
    at = rng.randrange(len(lines) - 1)
    entry = json.loads(lines[at])
    entry["at"] = "2020-01-01T00:00:00Z"
    changed = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    path.write_bytes(
        b"".join(
            rng.choice(
                [
                    [*lines[:at], changed, *lines[at + 1 :]],
                    [*lines[:at], *lines[at + 1 :]],
                    [*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]],
                    [*lines, lines[at]],
                ]
            )
        )
    )
    try:
        play.world.ledger(site)
        found = "answered"
    except LedgerError:
        found = LEDGER
    path.write_bytes(kept)
    burn(play)
    return {found}


def shortened_under_way(folder: Path, rng: Random) -> set[str]:
    """A ledger is cut while the agent runs."""
    play = Play(World(folder)).until(Round, some_round(rng))
    site = rng.choice(SITES)
    path = folder / site / "ledger.jsonl"
    kept = path.read_bytes()
    path.write_bytes(kept[: rng.randrange(len(kept) - 1)])
    try:
        found = refusal(play.cores[site], play.next)
    except LedgerError:
        found = LEDGER
    path.write_bytes(kept)
    burn(play)
    return {found}


def stolen_key_before(folder: Path, rng: Random) -> set[str]:
    """After the revision, whoever has the stolen key asks for the study before."""
    play = Play(World(folder))
    under_way = rng.random() < 0.5
    if under_way:
        play.until(Round, some_round(rng))
    for hospital in hospitals(play, lost=True).values():
        hospital.approve(frozen_revision(lost=True)[1])
    wire = play.next if under_way else play.world.release(number=2).open_message()
    return {refusal(play.cores[site], wire) for site in SITES if site != ROTATED}


def stolen_key_after(folder: Path, rng: Random) -> set[str]:
    """In a release of the revision, the stolen key signs in the hospital's name."""
    play = Play(revised_world(folder, lost=True)).until(Readies)
    wires = parts_of(play.next)
    at = play.release.sites.index(ROTATED)
    forged = messages.write(identity(ROTATED), Ready(**content_of(wires[at])), parts_of(wires[at]))
    victim = rng.choice([site for site in SITES if site != ROTATED])
    found = {
        refusal(play.cores[victim], readies(play.release, [*wires[:at], forged, *wires[at + 1 :]]))
    }
    play.finish()
    return found


def back_to_the_study_before(folder: Path, rng: Random) -> set[str]:
    """A steward is talked into approving the study before once more."""
    play = Play(World(folder))
    found = hospitals(play, lost=rng.random() < 0.5)
    hospital = found[rng.choice(sorted(found))]
    lost = "lost" if rng.random() < 0.5 else ""
    hospital.approve(frozen_revision(lost=bool(lost))[1])
    try:
        hospital.approve(play.world.study)
    except Refused as refused:
        return {refused.code}
    return {"answered"}
