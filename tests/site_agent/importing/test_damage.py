"""Damaged files of every kind: each is refused with its place, or does no harm; no value is told.

What is damaged where is drawn from a seed. The default suite runs a few of each kind, the campaign
2,400 files.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from site_agent.cli import cli
from site_agent.contract.errors import BAD_CONFIGURATION, FINDING
from site_agent.runtime.command import run
from tests.campaign.damaged_files import BYTES, DAMAGES, WORDS
from tests.site_agent.hospital import set_up

CLEAN = (FINDING, BAD_CONFIGURATION)
FEW, MANY = 3, 300  # variants by kind: 8 kinds
Tried = Counter[str]


@pytest.fixture
def verdict(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[[str, str, int], str]:
    """What becomes of a command over damaged files: refused, harmless, or what is wrong."""

    def of(kind: str, damage: str, number: int) -> str:
        folder = tmp_path / f"{kind}-{damage.replace(' ', '-')}-{number}"
        site = set_up(folder / "hospital", "north")
        case = DAMAGES[kind][0](folder, Random(f"{kind} {damage} {number}"), damage)
        code = run(cli, ["--config", str(site.settings.file), *case.arguments])
        told = "\n".join(capfd.readouterr())
        shutil.rmtree(folder)
        leaked = [word for word in WORDS if word in told.replace(str(tmp_path), "")]
        if leaked:
            return f"told a value: {kind}, {damage}, {number}"
        if code == 0:
            return "harmless"
        if code not in CLEAN:
            return f"exit code {code}: {kind}, {damage}, {number}: {told[-300:]}"
        named = any(place in told for place in case.places)
        return "refused" if named else f"no place: {kind}, {damage}, {number}: {told[-300:]}"

    return of


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_wrong_is_refused(kind: str, verdict: Callable[[str, str, int], str]) -> None:
    """Wrong types, NaN and infinity, negative times, duplicates, encodings: each with its place."""
    damages = DAMAGES[kind][1]
    found = Counter(verdict(kind, damage, number) for number, damage in enumerate(damages))
    assert found == {"refused": len(damages)}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_bytes(kind: str, verdict: Callable[[str, str, int], str]) -> None:
    """A few files of each kind: bits turned, ends missing, holes, stretches that stand twice."""
    found = Counter(verdict(kind, damage, n) for damage in BYTES for n in range(FEW))
    assert set(found) <= {"refused", "harmless"}


@pytest.mark.campaign
@pytest.mark.parametrize("kind", DAMAGES)
def test_many_damaged_files(kind: str, verdict: Callable[[str, str, int], str]) -> None:
    """Hundreds of files of each kind; 2,400 in all."""
    damages = (*DAMAGES[kind][1], *BYTES)
    found: Tried = Counter()
    for number in range(MANY):
        damage = damages[number % len(damages)]
        one = verdict(kind, damage, number + 100)
        found[one if damage in BYTES or one != "harmless" else f"not refused: {damage}"] += 1
    assert set(found) <= {"refused", "harmless"}, found
