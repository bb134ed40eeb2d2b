"""The agent's loop: what it answers in which order, and what it does when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from coordinator.exchange.mail import LONGEST_WAIT_S
from site_agent.agent import Agent
from site_agent.child import WorkerDied
from site_agent.contract import messages
from site_agent.contract.errors import Declined, LedgerError
from site_agent.contract.messages import Open
from site_agent.ledger import Ledger
from site_agent.site import Site
from site_agent.worker import Worker
from tests.coordinator.exchange.office import (
    FIRST,
    STUDY_HASH,
    Office,
    close,
    digest,
    frozen_file,
    opening,
    ready,
    receipt,
    round_,
    share,
    signed,
)
from tests.protocol import CENTER, SITES, clock
from tests.site_agent.hospital import (
    NAME,
    OTHER_TEXT,
    Way,
    furnished,
    kind,
    problem,
    without_room,
)

DAY_S = 86_400
OTHER = frozen_file(OTHER_TEXT)[1].hash
OTHER_OPENING = signed(CENTER, Open(OTHER, 1, 1, SITES))
REFUSAL = ({"outcome": "hindered", "code": "not_approved", "text": "the steward has not"}, b"")


class Enough(Exception):
    """The test has seen enough of an endless loop."""


@dataclass
class Answers:
    """In the place of the process that computes: what it was asked, and what it is to say.

    `says` maps a study to what is said to all its messages; "dies" ends it once.
    """

    asked: list[bytes] = field(default_factory=list)
    says: dict[str, Any] = field(default_factory=dict)
    running: bool = False
    rests: int = 0
    at_rest: Callable[[], None] = lambda: None

    def start(self) -> None:
        self.running = True

    def answer(self, study: str, wire: bytes) -> tuple[dict[str, Any], bytes]:
        self.running = True
        self.asked.append(wire)
        said = self.says.get(study)
        if said == "dies":
            del self.says[study]
            self.running = False
            raise WorkerDied("the process that computes ended (signal 9)")
        return said or made_up(wire)

    def rest(self) -> None:
        self.rests += 1
        self.at_rest()

    @property
    def kinds(self) -> list[str]:
        return [kind(wire) for wire in self.asked]


def made_up(wire: bytes) -> tuple[dict[str, Any], bytes]:
    """An answer with the right form, as the exchange takes it."""
    message = messages.read(wire)
    if message.kind == "OPEN":
        return {"outcome": "reply"}, ready(NAME, message.digest())
    opened = message.content["open"]
    if message.kind == "ROUND":
        return {"outcome": "reply"}, share(NAME, message.content["number"], opened)
    if message.kind == "CLOSE":
        return {"outcome": "reply"}, receipt(NAME, opened)
    return {"outcome": "nothing"}, b""


@dataclass
class Bench:
    """An agent, the exchange it talks to, and what it said, slept and computed.

    A call of the agent's endless loop ends after `enough` pauses; `wake` is called in each.
    """

    office: Office
    folder: Path
    now: float = 0.0
    worker: Answers = field(default_factory=Answers)
    lines: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    enough: int = 3
    wake: Callable[[int], object] = lambda _: None

    def __post_init__(self) -> None:
        self.way = Way(self.office)
        ledger = Ledger(self.folder / "ledger.jsonl", clock)
        self.agent = Agent(
            self.way.exchange(),
            self.worker,
            ledger,
            poll_s=0,
            say=self.lines.append,
            clock=lambda: self.now,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.wake(len(self.pauses))
        if len(self.pauses) >= self.enough:
            raise Enough

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.agent.turn()

    def run(self) -> None:
        with pytest.raises(Enough):
            self.agent.run()

    def approve(self, study: str = STUDY_HASH) -> None:
        """What `site-agent approve` does in another process."""
        other = Ledger(self.folder / "ledger.jsonl", clock)
        other.append("approved", study=study, until="2026-12-31T00:00:00Z")

    @property
    def standing(self) -> str:
        """What the center knows to hinder this hospital."""
        return str(self.office.release()["standing"].get(NAME, {}).get("code", ""))

    @property
    def told_approvals(self) -> list[bytes]:
        return self.way.bodies(f"PUT /v1/studies/{STUDY_HASH}/approval")


@pytest.fixture
def bench(tmp_path: Path, furnished_file: Path) -> Iterator[Bench]:
    """An agent of one hospital, with a release that the center has opened."""
    database = tmp_path / "exchange.db"
    database.write_bytes(furnished_file.read_bytes())
    with Office(f"sqlite:///{database}") as office:
        office.post(CENTER, opening())
        yield Bench(office, tmp_path)


@pytest.fixture(scope="module")
def furnished_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with five sites and two studies, to be copied."""
    path = tmp_path_factory.mktemp("furnished") / "exchange.db"
    with Office(f"sqlite:///{path}") as office:
        office.furnished()
        office.put_study(frozen_file(OTHER_TEXT)[0], OTHER)
    return path


# What is answered, and in which order


def test_messages_come_in_their_order(bench: Bench) -> None:
    """The agent has the messages of a release answered in the order in which they were sent."""
    bench.office.post(CENTER, round_(0))
    bench.office.post(CENTER, close())
    bench.turns(4)
    assert bench.worker.kinds == ["OPEN", "ROUND", "CLOSE"]


def test_answers_are_sent(bench: Bench) -> None:
    """What the process that computes gives is in the exchange's log of the release."""
    bench.turns(1)
    assert bench.office.log(FIRST) == [opening(), ready(NAME)]


def test_a_message_without_an_answer_sends_nothing(bench: Bench) -> None:
    """A message to which there is nothing to say is followed by no message of this hospital."""
    bench.worker.says[STUDY_HASH] = ({"outcome": "nothing"}, b"")
    bench.turns(2)
    assert bench.way.bodies("POST /v1/messages") == []


def test_an_agent_that_starts_begins_at_the_first_message(bench: Bench) -> None:
    """An agent that was started anew has everything of the releases under way answered again."""
    bench.turns(2)
    again = Bench(bench.office, bench.folder)
    again.turns(2)
    assert again.worker.asked == bench.worker.asked


def test_the_same_answer_again_is_taken(bench: Bench) -> None:
    """Answers that are sent a second time, after a restart, change nothing at the exchange."""
    bench.turns(2)
    Bench(bench.office, bench.folder).turns(2)
    assert bench.office.log(FIRST) == [opening(), ready(NAME)]


def test_the_exchange_is_asked_to_wait_no_longer_than_it_does(bench: Bench) -> None:
    """A poll that is set to last longer than the exchange allows is not sent so."""
    bench.agent.poll_s = 300
    bench.way.said["GET /v1/mail"] = httpx.Response(204)
    bench.turns(1)
    assert bench.way.requests[-1].url.params["wait"] == str(LONGEST_WAIT_S)


# What hinders a release


def test_a_hindrance_is_told_to_the_center(bench: Bench) -> None:
    """The center learns in one word why a release does not go on here."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    assert bench.standing == "not_approved"


def test_a_hindrance_is_told_to_the_log(bench: Bench) -> None:
    """The hospital's log says which release does not go on, and why."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    expected = f"release 1 of study {STUDY_HASH[:16]}: not_approved: the steward has not"
    assert bench.lines == [expected]


def test_a_hindrance_is_told_once(bench: Bench) -> None:
    """What hinders again and again is said once, in the log and to the center."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    for _ in range(6):
        bench.turns(3)
        bench.now += 100
    told = bench.way.bodies(f"PUT /v1/releases/{FIRST}/standing")
    assert (len(bench.lines), len(told), len(bench.worker.asked)) == (1, 1, 6)


def test_the_words_of_a_hindrance_stay_here(bench: Bench) -> None:
    """Findings in a hospital's data, with their counts, are in no request."""
    words = "site alder: 17 values of dose are missing"
    bench.worker.says[STUDY_HASH] = (
        {"outcome": "hindered", "code": "unfit_data", "text": words},
        b"",
    )
    bench.turns(3)
    sent = [request.content for request in bench.way.requests if request.content]
    assert (sent, b"dose" in bench.way.all_bytes) == ([b'{"code": "unfit_data"}'], False)


def test_a_hindered_release_does_not_hold_up_another_study(bench: Bench) -> None:
    """While one study waits for its approval, the release of another is answered."""
    bench.office.post(CENTER, OTHER_OPENING)
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(2)
    log = bench.office.log(digest(OTHER_OPENING))
    assert [kind(wire) for wire in log] == ["OPEN", "READY"]


def test_a_hindered_release_waits_for_its_time(bench: Bench) -> None:
    """What was refused is not tried again before its pause is over."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    bench.now = 0.9
    bench.turns(3)
    assert bench.worker.kinds == ["OPEN"]


def test_the_pauses_of_a_hindered_release_grow(bench: Bench) -> None:
    """Each further attempt comes after twice the time, up to a minute."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    found = []
    for _ in range(8):
        bench.turns(2)
        again_at = bench.agent.hindered[FIRST].again_at
        assert again_at is not None
        found.append(again_at - bench.now)
        bench.now = again_at
    assert found == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_later_message_of_a_hindered_release_waits_with_it(bench: Bench) -> None:
    """Of a release that was refused at OPEN, no later message is tried before OPEN again."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    bench.office.post(CENTER, round_(0))
    bench.turns(2)
    assert bench.worker.kinds == ["OPEN"]


def test_an_approval_lets_a_release_go_on_at_once(bench: Bench) -> None:
    """After `approve` in another process, the release is tried without waiting."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(2)
    del bench.worker.says[STUDY_HASH]
    bench.approve()
    bench.turns(1)
    assert bench.office.log(FIRST) == [opening(), ready(NAME)]


def test_a_standing_is_cleared_when_the_release_goes_on(bench: Bench) -> None:
    """The center sees that a hindrance is gone."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    del bench.worker.says[STUDY_HASH]
    bench.now = 10
    bench.turns(2)
    assert (bench.standing, bench.agent.hindered) == ("", {})


def test_a_standing_is_cleared_without_an_answer(bench: Bench) -> None:
    """A hindrance that ended without a message to send is cleared by word."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    bench.worker.says[STUDY_HASH] = ({"outcome": "nothing"}, b"")
    bench.now = 10
    bench.turns(2)
    assert bench.way.bodies(f"PUT /v1/releases/{FIRST}/standing")[-1] == b'{"code": ""}'


def test_a_standing_that_could_not_be_told_is_told_later(bench: Bench) -> None:
    """If the exchange is away when something hinders, the center learns of it afterwards."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.way.said[f"PUT /v1/releases/{FIRST}/standing"] = problem(503, "store")
    with pytest.raises(Declined):
        bench.turns(1)
    bench.way.said.clear()
    bench.turns(1)
    assert bench.standing == "not_approved"


def test_a_cleared_standing_that_could_not_be_told_is_told_later(bench: Bench) -> None:
    """If the exchange is away when a hindrance ends, the center learns of that afterwards."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    bench.worker.says[STUDY_HASH] = ({"outcome": "nothing"}, b"")
    bench.now = 10
    bench.turns(1)
    bench.way.said[f"PUT /v1/releases/{FIRST}/standing"] = problem(503, "store")
    with pytest.raises(Declined):
        bench.turns(1)
    bench.way.said.clear()
    bench.turns(1)
    assert bench.standing == ""


def test_another_answer_in_the_place_of_ours_hinders(bench: Bench) -> None:
    """If the exchange has another message of this hospital, the release stops with its code."""
    bench.office.post(NAME, ready(NAME, software="another"))
    bench.turns(1)
    assert bench.standing == "conflict"


def test_an_answer_after_the_end_of_a_release_is_no_hindrance(bench: Bench) -> None:
    """A release that was burned while its answer was computed is over, and nothing is wrong."""
    bench.way.said["POST /v1/messages"] = problem(409, "release_over")
    bench.turns(1)
    assert (bench.agent.hindered, bench.lines) == ({}, [])


# The process that computes


def test_a_dead_worker_begins_at_the_first_message(bench: Bench) -> None:
    """When the process that computes dies at ROUND, the next one is given OPEN first."""
    bench.turns(1)
    bench.office.post(CENTER, round_(0))
    bench.worker.says[STUDY_HASH] = "dies"
    bench.turns(2)
    bench.now = 10
    bench.turns(4)
    assert bench.worker.kinds == ["OPEN", "ROUND", "OPEN", "ROUND"]


def test_nothing_is_lost_with_a_dead_worker(bench: Bench) -> None:
    """The release goes on with the SHARE of the round at which the process died."""
    bench.turns(1)
    bench.office.post(CENTER, round_(0))
    bench.worker.says[STUDY_HASH] = "dies"
    bench.turns(2)
    bench.now = 10
    bench.turns(4)
    assert bench.office.log(FIRST)[-1] == share(NAME, 0)


def test_the_center_learns_of_a_dead_worker(bench: Bench) -> None:
    """While the process that computes is down, the standing of the hospital says so."""
    bench.worker.says[STUDY_HASH] = "dies"
    bench.turns(1)
    assert bench.standing == "worker"


def test_an_idle_worker_is_let_go(bench: Bench) -> None:
    """When every release has gone as far as it can, the process that computes may rest."""
    bench.turns(2)
    assert bench.worker.rests == 1


def test_a_worker_is_kept_while_a_release_is_hindered(bench: Bench) -> None:
    """The process that computes is not ended between the attempts of a hindered release."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(3)
    assert bench.worker.rests == 0


def test_after_a_rest_the_release_is_replayed(bench: Bench) -> None:
    """A message that comes after a rest is given after all that came before it."""
    bench.turns(2)
    bench.worker.running = False
    bench.office.post(CENTER, round_(0))
    bench.turns(4)
    assert bench.worker.kinds == ["OPEN", "OPEN", "ROUND"]


# A full disk


class OnThisDisk:
    """The real worker in this process; `full`: while there is no room on its disk."""

    running = True
    full = True

    def __init__(self, site: Site) -> None:
        self._worker = Worker(site)

    def start(self) -> None:
        pass

    def answer(self, study: str, wire: bytes) -> tuple[dict[str, Any], bytes]:
        with without_room() if self.full else nullcontext():
            return self._worker.answer(study, wire)

    def rest(self) -> None:
        pass


@pytest.fixture
def crowded(bench: Bench, tmp_path: Path) -> Bench:
    """An agent that has met OPEN of an approved study on a full disk."""
    site = furnished(tmp_path / "hospital")
    site.ledger().append("approved", study=STUDY_HASH)
    bench.agent.worker = OnThisDisk(site)
    bench.turns(1)
    return bench


def room(bench: Bench) -> None:
    """There is room on the disk again, and some time has passed."""
    assert isinstance(bench.agent.worker, OnThisDisk)
    bench.agent.worker.full = False
    bench.now = 10


def test_the_center_learns_of_a_full_disk(crowded: Bench) -> None:
    """A hospital whose disk is full stands there with that word."""
    assert crowded.standing == "disk"


def test_a_full_disk_sends_nothing(crowded: Bench) -> None:
    """What could not be written down was not sent."""
    assert crowded.way.bodies("POST") == []


def test_the_log_says_to_make_room(crowded: Bench) -> None:
    """The hospital's log names the file that could not be written, and what to do."""
    (line,) = crowded.lines
    assert ("disk: /" in line, line.endswith("make room on this disk, then try again")) == (
        True,
        True,
    )


def test_after_room_was_made_the_release_goes_on(crowded: Bench) -> None:
    """With room on the disk, the same release is answered without anybody's doing."""
    room(crowded)
    crowded.turns(2)
    kinds = [kind(wire) for wire in crowded.office.log(FIRST)]
    assert (kinds, crowded.standing) == (["OPEN", "READY"], "")


# The exchange is away


def test_an_exchange_that_is_away_is_asked_again(bench: Bench) -> None:
    """The pauses between attempts double from half a second."""
    bench.way.broken = httpx.ConnectError("Connection refused")
    bench.enough = 5
    bench.run()
    assert bench.pauses == [0.5, 1, 2, 4, 8]


def test_an_exchange_that_is_away_is_told_once(bench: Bench) -> None:
    """The log has one line for the time that the exchange is away, not one for each attempt."""
    bench.way.broken = httpx.ConnectError("Connection refused")
    bench.enough = 5
    bench.run()
    assert bench.lines == [
        "http://exchange cannot be reached (Connection refused); check exchange.url, network and "
        "proxy. Trying again, at the latest every minute"
    ]


def test_an_exchange_that_is_back_is_told(bench: Bench) -> None:
    """The log says when the exchange answers again, and the pauses begin anew."""
    bench.way.broken = httpx.ConnectError("Connection refused")

    def wake(pauses: int) -> None:
        bench.way.broken = None if pauses == 2 else bench.way.broken

    bench.wake = wake
    bench.worker.says[STUDY_HASH] = ({"outcome": "nothing"}, b"")
    bench.worker.at_rest = enough
    bench.run()
    assert bench.lines[-1] == "the exchange answers again"


def test_an_answer_that_was_not_taken_is_sent_again(bench: Bench) -> None:
    """If the connection breaks while an answer is sent, the same bytes are sent later."""
    bench.way.said["POST /v1/messages"] = httpx.Response(502, html="<html>Bad Gateway</html>")
    bench.wake = lambda _: bench.way.said.clear()
    bench.worker.at_rest = enough
    bench.run()
    assert bench.office.log(FIRST) == [opening(), ready(NAME)]


def enough() -> None:
    raise Enough


def test_a_login_page_that_takes_everything_takes_no_message(bench: Bench) -> None:
    """A page that answers 200 to a SHARE is no exchange; the SHARE is sent again."""
    bench.way.said["POST /v1/messages"] = httpx.Response(200, text="welcome")
    bench.wake = lambda _: bench.way.said.clear()
    bench.worker.at_rest = enough
    bench.run()
    assert bench.office.log(FIRST) == [opening(), ready(NAME)]


@pytest.mark.parametrize("lost", ["unknown_party", "signature"])
def test_a_key_that_the_exchange_does_not_know_ends_the_agent(bench: Bench, lost: str) -> None:
    """Nothing that waiting mends: the process ends as badly configured."""
    bench.way.said["GET /v1/mail"] = problem(401, lost)
    with pytest.raises(Declined) as declined:
        bench.agent.run()
    assert declined.value.exit_code == 78


def test_a_wrong_clock_is_waited_for(bench: Bench) -> None:
    """While the clock is a day off, the agent tries again; with the right time, it goes on."""
    bench.agent.exchange._clock = lambda: int(bench.office.now) - DAY_S

    def wake(pauses: int) -> None:
        if pauses == 2:
            bench.agent.exchange._clock = lambda: int(bench.office.now)

    bench.wake = wake
    bench.worker.at_rest = enough
    bench.run()
    assert bench.office.log(FIRST) == [opening(), ready(NAME)]


def test_a_wrong_clock_is_told_once(bench: Bench) -> None:
    """Each refusal names another second, and yet the log has one line."""
    bench.agent.exchange._clock = lambda: int(bench.office.now) - DAY_S

    def wake(_: int) -> None:
        bench.office.now += 60

    bench.wake = wake
    bench.run()
    assert bench.lines == [
        "the exchange http://exchange declines: the request was made at 2026-11-20T04:16:07Z, and "
        "here it is 2026-11-21T04:16:07Z: the clock of 'alder' is 1 day behind; set it, or have it "
        "set by NTP. Trying again, at the latest every minute"
    ]


def test_an_exchange_that_was_set_back(bench: Bench) -> None:
    """At rest, the agent reads from the first message again after a while."""
    bench.turns(2)
    bench.now = bench.agent.again_s
    bench.turns(2)
    assert bench.worker.kinds == ["OPEN", "OPEN"]


# Approvals


def test_an_approval_is_told(bench: Bench) -> None:
    """The exchange learns what the steward approved, and until when."""
    bench.approve()
    bench.turns(1)
    said = b'{"state": "approved", "until": 1798675200, "at": 1767225600}'
    assert bench.told_approvals == [said]


def test_an_approval_is_told_once(bench: Bench) -> None:
    """What the exchange has heard is not repeated at each poll."""
    bench.approve()
    bench.turns(4)
    assert len(bench.told_approvals) == 1


def test_a_revocation_is_told(bench: Bench) -> None:
    """After `revoke` in another process the exchange learns of it."""
    bench.approve()
    bench.turns(1)
    Ledger(bench.folder / "ledger.jsonl", clock).append("revoked", study=STUDY_HASH)
    bench.turns(1)
    assert b'"revoked"' in bench.told_approvals[-1]


@pytest.mark.parametrize("passes", ["store", "clock"])
def test_an_approval_that_was_not_heard_is_told_again(bench: Bench, passes: str) -> None:
    """An approval that meets a store that does not answer, or a wrong clock, is not forgotten."""
    bench.approve()
    bench.way.said[f"PUT /v1/studies/{STUDY_HASH}/approval"] = problem(503, passes)
    with pytest.raises(Declined):
        bench.turns(1)
    bench.way.said.clear()
    bench.turns(1)
    assert len(bench.told_approvals) == 2


def test_a_study_that_the_center_took_back_hinders_nothing(bench: Bench) -> None:
    """An approval of a study that the exchange does not know is no reason to stop."""
    bench.approve("f" * 64)
    bench.turns(1)
    assert bench.worker.kinds == ["OPEN"]


def test_a_damaged_ledger_stops_the_agent(bench: Bench) -> None:
    """An agent whose ledger was altered answers nothing and ends."""
    (bench.folder / "ledger.jsonl").write_bytes(b'{"event":"share"}\n')
    with pytest.raises(LedgerError):
        bench.agent.run()


def test_the_exchange_counts_this_hospital_as_waiting(bench: Bench) -> None:
    """A hindered hospital stays on the list of those that the release waits for."""
    bench.worker.says[STUDY_HASH] = REFUSAL
    bench.turns(1)
    assert NAME in bench.office.release()["waiting"]
