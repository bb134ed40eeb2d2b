"""Five hospitals and a coordinating center in one process, for tests of the protocol.

The sites have 1, 2, 4, 8 and 16 patients, so that a site that is lost or counted twice shows in
every count. The doses are planted: no two patients share one, and none is a round number.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coordinator.freeze import freeze, roster_of
from coordinator.release import Release
from site_agent.contract import messages
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Entropy, Identity
from site_agent.contract.messages import (
    Content,
    Message,
    Part,
    Readies,
    Ready,
    Round,
    Share,
    Split,
)
from site_agent.contract.study.model import Study
from site_agent.core import SiteCore
from site_agent.data.source import read_data
from site_agent.ledger import Ledger
from site_agent.under_way import SiteData
from site_agent.vault import Vault

SITES = ("alder", "beech", "cedar", "dogwood", "elm")
PATIENTS = {site: 2**power for power, site in enumerate(SITES)}
CENTER = "center"

STUDY = """\
quorum: 1
study: protocol
title: Five hospitals with made-up patients
synthetic: true
time: {unit: day, resolution: 1, horizon: 12}
tables:
  patients:
    key: patient
    columns:
      days:   {type: day, range: [0, 12]}
      status: {type: category, codes: {0: censored, 1: dead}}
      dose:   {type: number}
endpoints:
  survival:
    time: days
    event: {death: status == "dead"}
analyses:
  curve:   {kind: survival, endpoint: survival}
  pooled:  {kind: cox, endpoint: survival, covariates: [dose], baseline: pooled}
  by_site: {kind: cox, endpoint: survival, covariates: [dose], baseline: by_site}
disclosure:
  classes: [A, B, C]
  compute: {sites: 3, patients: 10, others: 10}
  accepted:
    - {analysis: by_site, because: two models of one dose tell more numbers than it has values}
"""

# The same with the risk sets open, for what the open form lets a coordinator do.
OPEN_STUDY = STUDY.replace("baseline: pooled}", "baseline: pooled, risk_sets: open}")
AT_CENTER_STUDY = f"sites: {{at_center: dogwood}}\n{STUDY}"

# The numbers of rounds, behind the two of the guard: moments and the curve, the first point.
MOMENTS, POINT = 2, 3


def entropy(seed: str) -> Entropy:
    """Random bytes that are the same in every run: SHA-256 of the seed and a counter."""
    numbers = count()

    def draw(size: int) -> bytes:
        blocks = [
            hashlib.sha256(f"{seed}|{next(numbers)}".encode()).digest()
            for _ in range(-(-size // 32))
        ]
        return b"".join(blocks)[:size]

    return draw


def patients(site: str) -> pd.DataFrame:
    """The made-up patients of one site, with planted doses and names."""
    draw = np.random.default_rng(PATIENTS[site])
    n = PATIENTS[site]
    dose = np.round(draw.uniform(1, 9, n), 2) + draw.uniform(1e-9, 9e-9, n)
    late = draw.uniform(0, 6, n) + 6 * (dose < 5)
    return pd.DataFrame(
        {
            "patient": [f"canary-{site}-{number}" for number in range(n)],
            "days": np.clip(np.rint(late), 1, 12).astype(int),
            "status": (draw.uniform(0, 1, n) < 0.8).astype(int),
            "dose": dose,
        }
    )


@cache
def identity(name: str) -> Identity:
    """A party's keys, the same in every run."""
    return Identity.create(name, entropy(f"identity of {name}"))


def frozen(text: str = STUDY, pinned: Sequence[str] = SITES, **policy: Any) -> Study:
    """A study frozen over `pinned` sites; `policy` replaces parts of its disclosure policy."""
    roster = roster_of(identity(CENTER).member(), [identity(site).member() for site in pinned])
    _, study = freeze(text, "test", roster)
    return replace(study, policy=replace(study.policy, **policy)) if policy else study


@cache
def the_study() -> Study:
    """The study of five sites."""
    return frozen()


def site_data(study: Study, site: str, rows: pd.DataFrame) -> SiteData:
    """A site's rows as its agent reads them from Parquet."""
    with tempfile.TemporaryDirectory() as name:
        rows.to_parquet(Path(name) / "patients.parquet", index=False)
        return read_data(study, Path(name), site, {})


@cache
def the_data(site: str) -> SiteData:
    """The made-up patients of one site, read once."""
    return site_data(the_study(), site, patients(site))


def clock() -> str:
    """An instant that never passes."""
    return "2026-01-01T00:00:00Z"


@dataclass
class World:
    """A frozen study, its sites' folders, and what each site reads when it is asked to."""

    folder: Path
    study: Study = field(default_factory=the_study)
    data: Callable[[str], SiteData] = the_data

    def core(self, site: str) -> SiteCore:
        """A site's core on the ledger and the vault that are in its folder."""
        home = self.folder / site
        home.mkdir(exist_ok=True)
        return SiteCore(
            self.study,
            identity(site),
            lambda: self.data(site),
            ledger=self.ledger(site),
            vault=Vault(home / "vault"),
            entropy=entropy(f"{site} {len(self.ledger(site).entries)}"),
        )

    def ledger(self, site: str) -> Ledger:
        """A site's ledger, read from disk and verified."""
        return Ledger(self.folder / site / "ledger.jsonl", clock)

    def events(self, site: str) -> list[str]:
        """What a site's ledger tells, in order."""
        return [entry["event"] for entry in self.ledger(site).entries]

    def release(
        self, roster: Sequence[str] | None = None, *, number: int = 1, attempt: int = 1
    ) -> Release:
        """A release as an honest coordinator drives it."""
        assert self.study.roster is not None
        sites = tuple(self.study.roster.sites) if roster is None else tuple(roster)
        return Release(self.study, identity(CENTER), number, attempt, sites)


class Script:
    """What an honest coordinator sends to every site of a release, in order, as it becomes due."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self.messages = [release.open_message()]

    def take(self, wire: bytes) -> None:
        """Take a site's answer; what then becomes due is put behind the messages."""
        kind = messages.read(wire).kind
        release = self.release
        if kind == Ready.TYPE:
            release.take_ready(wire)
            if release.state != "opening" and len(self.messages) == 1:
                self.messages.append(release.readies_message())
                self._ask_first([])
        elif kind == Part.TYPE:
            release.take_part(wire)
            if len(self.messages) == 2:
                self._ask_first([release.parts_message] if release.state == "keyed" else [])
        elif kind == Share.TYPE:
            number = release.conductor.number
            release.take_share(wire)
            split = release.split_message()
            if split is not None and messages.read(self.messages[-1]).kind == Round.TYPE:
                self.messages.append(split)
            if not release.waiting_for() and self._asked() == number:
                self._go_on()
        else:
            release.take_receipt(wire)

    def _ask_first(self, before: Sequence[Callable[[], bytes]]) -> None:
        """Ask the first round once the sites have their keys, behind what must be told before."""
        if self.release.state == "keyed":
            self.messages += [message() for message in before]
            self.messages.append(self.release.ask())

    def _asked(self) -> int:
        last = messages.read(self.messages[-1])
        return int(last.content["number"]) if last.kind in (Round.TYPE, Split.TYPE) else -1

    def _go_on(self) -> None:
        release = self.release
        self.messages.append(release.shares_message())
        release.total()
        outcome = release.outcome
        if outcome is None:
            self.messages.append(release.ask())
        else:
            self.messages.append(release.close())

    @property
    def done(self) -> bool:
        """Whether every site has closed the release."""
        return self.release.state == "closed"


class Play:
    """A release under way among all its sites; `replies` are the answers by site and step."""

    def __init__(self, world: World, release: Release | None = None) -> None:
        self.world = world
        self.release = release or world.release()
        self.script = Script(self.release)
        self.cores = {site: world.core(site) for site in self.release.sites}
        self.replies: dict[tuple[str, int], bytes | None] = {}
        self.step = 0
        for site, core in self.cores.items():
            if not world.ledger(site).find("approved", study=world.study.hash):
                core.approve()

    def go(self) -> Message:
        """Give the next message to every site; return it."""
        wire = self.script.messages[self.step]
        for site in self.release.sites:
            self.give(site)
        self.step += 1
        return messages.read(wire)

    def give(self, site: str) -> None:
        """Give the next message to one site and its answer to the coordinator."""
        reply = self.cores[site].receive(self.script.messages[self.step])
        self.replies[site, self.step] = reply
        if reply is not None:
            self.script.take(reply)

    def until(self, kind: type[Content], number: int | None = None) -> Play:
        """Go on until the next message is of `kind` (and of round `number`)."""
        while not self._next_is(kind, number):
            self.go()
        return self

    def _next_is(self, kind: type[Content], number: int | None) -> bool:
        message = messages.read(self.script.messages[self.step])
        fits = number is None or message.content.get("number") == number
        return message.kind == kind.TYPE and fits

    @property
    def next(self) -> bytes:
        """The message that is due."""
        return self.script.messages[self.step]

    def finish(self) -> Release:
        """Go on to the end of the release."""
        while not self.script.done:
            self.go()
        return self.release

    def restart(self, site: str) -> list[bytes | None]:
        """Start a site's agent anew and give it everything again; return its answers."""
        self.cores[site] = self.world.core(site)
        return [self.cores[site].receive(wire) for wire in self.script.messages[: self.step]]


def signed(content: Content, parts: Sequence[bytes] = (), *, by: str = CENTER) -> bytes:
    """A message as a party that does not keep to the protocol may sign it."""
    return messages.write(identity(by), content, parts)


def refusal(core: SiteCore, wire: bytes) -> str:
    """The code with which a site refuses a message; "answered" if it does not."""
    try:
        core.receive(wire)
    except Refused as refused:
        return refused.code
    return "answered"


def parts_of(wire: bytes) -> list[bytes]:
    """The parts of a message, all of which are there."""
    message = messages.read(wire)
    return [message.part(index) for index in range(len(message.parts))]


def content_of(wire: bytes) -> Mapping[str, Any]:
    """What a message says."""
    content: Mapping[str, Any] = messages.read(wire).content
    return content


def readies(release: Release, wires: Sequence[bytes]) -> bytes:
    """READIES with other READY messages than those that came."""
    opened = messages.read(release.open_message()).digest()
    return signed(Readies(opened), wires)


@cache
def honest_release(text: str = STUDY) -> Release:
    """A first release in which nothing goes wrong; to be looked at only."""
    with tempfile.TemporaryDirectory() as name:
        return Play(World(Path(name), frozen(text))).finish()


def honest_totals(text: str = STUDY) -> tuple[bytes, ...]:
    """The totals of every round of a first release in which nothing goes wrong."""
    return totals_of(honest_release(text))


def totals_of(release: Release) -> tuple[bytes, ...]:
    """The totals of every round of a release."""
    return tuple(entry.totals for entry in release.log)


def totals_of_another(release: Release) -> tuple[bytes, ...]:
    """The same without the counts of those who have changed, as long as nobody has."""
    guard, *others = totals_of(release)
    enrolled = len(honest_totals()[0])
    assert not any(guard[enrolled:]), "somebody has changed since an earlier release"
    return guard[:enrolled], *others
