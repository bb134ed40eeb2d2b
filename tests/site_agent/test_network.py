"""A network that loses, repeats and delays messages, and agents that start anew at any moment.

A seed gives a list of operations; whatever they are, the release ends with the totals of one in
which nothing went wrong. Sites have 1, 2, 4, 8 and 16 patients, so a share lost or added twice
would show.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from site_agent.contract import messages
from site_agent.contract.errors import Refused
from tests.protocol import SITES, Script, World, honest_totals, totals_of

LONGEST = 20_000  # operations after which a release that has not ended never will


@dataclass
class Network:
    """Mailboxes of the sites and of the center; messages in them wait, and may come twice."""

    world: World
    seed: int
    to_site: dict[str, list[int]] = field(default_factory=dict)
    to_center: list[bytes] = field(default_factory=list)
    operations: int = 0

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.release = self.world.release()
        self.script = Script(self.release)
        self.cores = {site: self.world.core(site) for site in SITES}
        self.given = dict.fromkeys(SITES, 0)
        for core in self.cores.values():
            core.approve()

    def run(self) -> None:
        """Draw operations until the release has ended."""
        choices = [self.deliver, self.repeat, self.answer, self.restart, self.stray]
        while not self.script.done and self.operations < LONGEST:
            self.operations += 1
            chosen = self.draw.choices(choices, weights=[60, 6, 40, 2, 6])[0]
            chosen(self.draw.choice(SITES))

    def deliver(self, site: str) -> None:
        """Give a site the next message; its answer is lost, or waits for the center."""
        if self.given[site] < len(self.script.messages):
            self._give(site, self.given[site])
            if self.draw.random() < 0.8:
                self.given[site] += 1

    def repeat(self, site: str) -> None:
        """Give a site a message that it had before."""
        if self.given[site]:
            self._give(site, self.draw.randrange(self.given[site]))

    def stray(self, site: str) -> None:
        """Give a site a message long before its time."""
        self._give(site, self.draw.randrange(len(self.script.messages)))

    def answer(self, _: str) -> None:
        """Give the center one of the answers that wait, in any order, now and then twice."""
        if self.to_center:
            at = self.draw.randrange(len(self.to_center))
            wire = self.to_center[at] if self.draw.random() < 0.2 else self.to_center.pop(at)
            try:
                self.script.take(wire)
            except Refused as refused:
                assert refused.code == "other_question", refused.code

    def restart(self, site: str) -> None:
        """Start a site's agent anew; it is given everything from OPEN on."""
        self.cores[site] = self.world.core(site)
        self.given[site] = 0

    def _give(self, site: str, at: int) -> None:
        core = self.cores[site]
        wire = self.script.messages[at]
        try:
            reply = core.receive(wire)
        except Refused as refused:
            self._over(site, refused)
            return
        if reply is not None and self.draw.random() < 0.7:
            self.to_center.append(reply)

    def _over(self, site: str, refused: Refused) -> None:
        """A site that has closed the release refuses all of it but CLOSE."""
        closed = len(self.script.messages) - 1
        if refused.code == "release_over" and messages.read(self.script.messages[-1]).kind == (
            "CLOSE"
        ):
            self.given[site] = closed


def ran(folder: Path, seed: int) -> Network:
    """A network after its last operation."""
    network = Network(World(folder), seed)
    network.run()
    return network


def good(network: Network) -> tuple[str, bool, set[int]]:
    """How a release ended, whether its totals are right, and how many shares sites gave."""
    totals = totals_of(network.release) == honest_totals()
    shares = {len(network.world.ledger(site).find("share")) for site in SITES}
    return network.release.state, totals, shares


EXPECTED = ("closed", True, {len(honest_totals())})


@pytest.mark.parametrize("seed", range(10))
def test_a_bad_network_changes_no_total(tmp_path: Path, seed: int) -> None:
    """Loss, repetition, delay and restarts: the same totals, each round answered once."""
    assert good(ran(tmp_path, seed)) == EXPECTED


@pytest.mark.campaign
def test_many_bad_networks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A thousand seeds more."""
    ends = {seed: good(ran(tmp_path_factory.mktemp("network"), seed)) for seed in range(1000, 2000)}
    assert {seed: end for seed, end in ends.items() if end != EXPECTED} == {}


def test_the_seed_decides(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A run can be had again from its seed, and has not been idle."""
    runs = [ran(tmp_path_factory.mktemp("network"), 6) for _ in range(2)]
    found = [
        (run.operations, [len(run.world.ledger(site).find("refused")) for site in SITES])
        for run in runs
    ]
    assert (found[0] == found[1], sum(found[0][1]) > 0) == (True, True)
