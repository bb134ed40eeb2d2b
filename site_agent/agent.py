"""The loop of a hospital's agent: fetch a message, have it answered, send the answer.

The agent only ever calls out. Nothing in the loop needs to be remembered: after a restart, when
the process that computes is new, or when something was refused, it begins again at the first
message of every release under way, and the core gives the same bytes again for what it
has answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from site_agent.approvals import Approval, approvals
from site_agent.child import WorkerDied
from site_agent.contract.errors import Declined, Unreachable
from site_agent.contract.identity import Identity
from site_agent.ledger import Ledger
from site_agent.pulse import Beat
from site_agent.runtime.clock import unix_of
from site_agent.runtime.http import Exchange, Mail, passing, pause_s

LOST: Final = ("unknown_party", "signature")  # nothing that waiting mends
ENDED: Final = ("release_over", "unknown_release")  # the release ended while this was computed
HINDERED_POLL_S: Final = 3
AGAIN_S: Final = 900.0
LONGEST_POLL_S: Final = 30  # the exchange holds no request open for longer


class Answers(Protocol):
    """Whoever computes the answer to a message (child.Child)."""

    @property
    def running(self) -> bool:
        """Return whether what earlier messages brought is still there."""

    def start(self) -> None:
        """Begin with nothing."""

    def answer(self, study: str, wire: bytes) -> tuple[dict[str, Any], bytes]:
        """Return header and body of the answer."""

    def rest(self) -> None:
        """Free what is idle."""


@dataclass(slots=True)
class Hindrance:
    """Why a release does not go on here, how often it was tried, and when it is tried again.

    again_at: seconds of the agent's clock; None while it is being tried.
    """

    code: str
    text: str
    attempts: int
    again_at: float | None


@dataclass
class Agent:
    """One hospital's agent. `say` takes a line for the log, `clock` counts seconds.

    settle: lets go of keys that are of no more use; returns those in use if they have changed.
    again_s: how often an agent at rest begins at the first message again. An exchange that was
    set back to an older store numbers new messages as it did others; they would be passed over.
    beat: takes what the agent is at, behind every turn and before every answer.
    """

    exchange: Exchange
    worker: Answers
    ledger: Ledger
    poll_s: int
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    again_s: float = AGAIN_S
    settle: Callable[[], Identity | None] = lambda: None
    beat: Callable[[Beat], None] = lambda _: None
    after: int = 0
    answered: int = 0
    began: float = field(init=False)
    hindered: dict[str, Hindrance] = field(default_factory=dict)
    told: dict[str, Approval] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.began = self.clock()

    def run(self) -> None:
        """Work until the process is stopped; Declined if the exchange does not know this key."""
        failures, last = 0, ""
        while True:
            try:
                self.turn()
            except (Unreachable, Declined) as error:
                if isinstance(error, Declined) and error.code in LOST:
                    raise
                what = error.code if isinstance(error, Declined) else str(error)
                if what != last:
                    self.say(f"{error}. Trying again, at the latest every minute")
                self._beat(reached=False)
                self.sleep(pause_s(failures))
                failures, last = failures + 1, what
                continue
            if failures:
                self.say("the exchange answers again")
            failures, last = 0, ""
            self._beat()

    def _beat(self, *, answering: str = "", reached: bool = True) -> None:
        codes = tuple(hindrance.code for hindrance in self.hindered.values())
        self.beat(Beat(answering, reached, codes, self.answered))

    def turn(self) -> None:
        """Tell what was approved, then fetch one message and answer it."""
        self._tell_approvals()
        self._try_again()
        wait_s = min(self.poll_s, HINDERED_POLL_S if self.hindered else LONGEST_POLL_S)
        mail = self.exchange.mail(self.after, wait_s)
        if mail is None:
            self._at_rest()
        elif not self.worker.running and self.after > 0:
            self._begin_again()
        else:
            self._take(mail)
            self.after = mail.id

    def _begin_again(self) -> None:
        self.after = 0
        self.worker.start()

    def _at_rest(self) -> None:
        """Note that every release has gone as far as it can, and free what is idle."""
        for release, hindrance in list(self.hindered.items()):
            if hindrance.again_at is None:
                self._stand(release, "")
                del self.hindered[release]
        if not self.hindered:
            self.worker.rest()
        if self.clock() - self.began >= self.again_s:
            self.after, self.began = 0, self.clock()

    def _tell_approvals(self) -> None:
        """Tell the exchange what the steward has approved or revoked since the last time."""
        known = len(self.ledger.entries)
        self._renew()
        self.ledger.refresh()
        standing = approvals(self.ledger.entries)
        if any(entry["event"] in ("approved", "revoked") for entry in self.ledger.entries[known:]):
            self._hurry()
        for study, approval in standing.items():
            if self.told.get(study) != approval:
                with _final():  # of a study that the center has taken back
                    tell_approval(self.exchange, study, approval)
                self.told[study] = approval

    def _renew(self) -> None:
        """Sign with new keys once the old ones are gone, whoever let them go."""
        identity = self.settle()
        if identity is not None:
            self.exchange.sign_as(identity)
            self.say("new keys are in use; the old ones are erased")

    def _hurry(self) -> None:
        """Try what is hindered at once: what hindered it may be gone."""
        for hindrance in self.hindered.values():
            hindrance.again_at, hindrance.attempts = self.clock(), 0

    def _try_again(self) -> None:
        """Begin at the first message again if something that was hindered is due."""
        now = self.clock()
        for hindrance in self.hindered.values():
            if hindrance.again_at is not None and hindrance.again_at <= now:
                hindrance.again_at = None
                self.after = 0

    def _take(self, mail: Mail) -> None:
        """Have a message answered and send the answer, or say why there is none."""
        hindrance = self.hindered.get(mail.open)
        if hindrance is not None and hindrance.again_at is not None:
            return  # its time comes later, from its first message on
        self._beat(answering=f"{mail.release} of study {mail.study[:16]}")
        try:
            header, reply = self.worker.answer(mail.study, mail.wire)
            self.answered += 1
        except WorkerDied as error:
            self._hinder(mail, "worker", str(error))
            return
        if header["outcome"] == "hindered":
            self._hinder(mail, header["code"], header["text"])
        elif header["outcome"] == "reply":
            self._send(mail, reply)

    def _send(self, mail: Mail, reply: bytes) -> None:
        try:
            self.exchange.post(reply)
        except Declined as declined:
            if _of_every_request(declined):
                raise
            if declined.code not in ENDED:
                self._hinder(mail, declined.code, str(declined))

    def _hinder(self, mail: Mail, code: str, text: str) -> None:
        """Note, and tell the center in one word, why a release does not go on here."""
        before = self.hindered.get(mail.open)
        if before is None or (before.code, before.text) != (code, text):
            self.say(f"release {mail.release} of study {mail.study[:16]}: {code}: {text}")
        attempts = before.attempts + 1 if before else 1
        if before is None or before.code != code:
            self._stand(mail.open, code)  # first: if it cannot be told, the message comes again
        self.hindered[mail.open] = Hindrance(code, text, attempts, self.clock() + pause_s(attempts))

    def _stand(self, release: str, code: str) -> None:
        with _final():
            self.exchange.write("PUT", f"/v1/releases/{release}/standing", {"code": code})


def _of_every_request(declined: Declined) -> bool:
    """Return whether any other request would be declined as well: key, clock, store."""
    return declined.code in (*LOST, "clock") or passing(declined)


@contextmanager
def _final() -> Iterator[None]:
    """Take a no for an answer, unless what was asked for has nothing to do with it."""
    try:
        yield
    except Declined as declined:
        if _of_every_request(declined):
            raise


def tell_approval(exchange: Exchange, study: str, approval: Approval) -> None:
    """Tell the exchange where a study stands at this hospital."""
    until = unix_of(approval.until) if approval.until else None
    state = "approved" if approval.state == "approved" else "revoked"
    said = {"state": state, "until": until, "at": unix_of(approval.at)}
    exchange.write("PUT", f"/v1/studies/{study}/approval", said)
