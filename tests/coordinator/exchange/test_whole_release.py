"""A whole release over the exchange: the same totals as in one process."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract import messages
from tests.coordinator.exchange.office import Office, code
from tests.protocol import CENTER, SITES, Script, World, honest_totals, totals_of


class Run:
    """The center's script and five sites that know of each other by mail alone."""

    def __init__(self, office: Office, world: World) -> None:
        self.office = office
        self.script = Script(world.release())
        self.cores = {site: world.core(site) for site in SITES}
        for core in self.cores.values():
            core.approve()
        self.opened = messages.read(self.script.messages[0]).digest()
        self.read = dict.fromkeys((*SITES, CENTER), "0")
        self.sent = 0
        self.answers: list[str] = []

    def post(self, by: str, wire: bytes) -> None:
        """Post a message twice, as after an answer that was lost."""
        self.answers += [code(self.office.post(by, wire)) for _ in range(2)]

    def center(self) -> None:
        """Send what has become due, and take what has come."""
        for wire in self.script.messages[self.sent :]:
            self.post(CENTER, wire)
        self.sent = len(self.script.messages)
        for wire in self.mail(CENTER, f"open={self.opened}&"):
            if messages.read(wire).sender != CENTER:
                self.script.take(wire)

    def site(self, name: str) -> None:
        """Answer all that is in the mail."""
        for wire in self.mail(name):
            reply = self.cores[name].receive(wire)
            if reply is not None:
                self.post(name, reply)

    def mail(self, by: str, query: str = "") -> list[bytes]:
        found: list[bytes] = []
        while True:
            answer = self.office.mail(by, f"{query}after={self.read[by]}")
            if answer.status_code != 200:
                return found
            self.read[by] = answer.headers["Quorum-Message"]
            found.append(answer.content)


@pytest.fixture
def run(furnished: Office, tmp_path: Path) -> Run:
    """A release from OPEN to the last RECEIPT."""
    run = Run(furnished, World(tmp_path))
    while not run.script.done:
        run.center()
        for site in SITES:
            run.site(site)
    return run


def test_a_release_over_the_exchange(run: Run) -> None:
    """Totals, answers and state are those of a release in which nothing goes wrong."""
    found = (totals_of(run.script.release), set(run.answers), run.office.release()["state"])
    assert found == (honest_totals(), {"201", "200"}, "closed")
