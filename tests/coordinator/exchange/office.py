"""An exchange in this process with a clock of its own, and parties that sign their requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache, partial
from types import TracebackType
from typing import Any, Final, Self

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal

from coordinator.exchange import passwords
from coordinator.exchange.app import create_app
from coordinator.exchange.bodies import LARGEST_MESSAGE
from coordinator.exchange.store import Store
from coordinator.freeze import freeze, roster_of
from site_agent.contract import archive, messages, reports, requests
from site_agent.contract.canonical import sha256
from site_agent.contract.enrolment import card
from site_agent.contract.identity import Identity
from site_agent.contract.messages import (
    Burn,
    Close,
    Content,
    Open,
    Part,
    Ready,
    Receipt,
    Round,
    Share,
    Split,
)
from site_agent.contract.reports import Statement
from site_agent.contract.study.model import Study
from tests.protocol import CENTER, SITES, STUDY, identity

NOW: Final = 1_795_234_567  # 2026-11-21T04:16:07Z
TOKEN: Final = "a token that is long enough"
PASSWORD: Final = "correct horse battery staple"
ROUNDS: Final = 1

Body = bytes | dict[str, Any]


@cache
def frozen_file(text: str = STUDY, pinned: tuple[str, ...] = SITES) -> tuple[str, Study]:
    """A frozen study file and its study."""
    roster = roster_of(identity(CENTER).member(), [identity(site).member() for site in pinned])
    return freeze(text, "test", roster)


STUDY_HASH: Final = frozen_file()[1].hash


@cache
def kept(password: str) -> str:
    """What is kept of a password; it takes a while to make."""
    return passwords.keep(password)


class Office:
    """An exchange over a database; `now` is what its clock shows."""

    def __init__(
        self, database: str, *, center: str = CENTER, largest_message: int = LARGEST_MESSAGE
    ) -> None:
        self.now: float = NOW
        self.store = Store.open(database)
        self.app = create_app(
            self.store,
            identity(center).member(),
            clock=lambda: self.now,
            largest_message=largest_message,
        )
        self._opening: AbstractContextManager[BlockingPortal] = start_blocking_portal()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://exchange"
        )

    def __enter__(self) -> Self:
        self._portal = self._opening.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._opening.__exit__(kind, error, trace)
        self.store.close()

    def send(self, method: str, target: str, **rest: Any) -> httpx.Response:
        """A request as it stands, unsigned."""
        return self._portal.call(partial(self._client.request, method, target, **rest))

    def ask(
        self,
        by: str | Identity,
        method: str,
        target: str,
        body: Body = b"",
        *,
        at: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """A request that a party signs, at the time of the exchange's clock or at another."""
        who = identity(by) if isinstance(by, str) else by
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        when = int(self.now) if at is None else at
        signature = requests.sign(who, method, target, content, at=when)
        own = {**(headers or {}), "Authorization": signature}
        return self.send(method, target, content=content, headers=own)

    def invite(self, site: str, token: str = TOKEN, *, lasts_s: int = 1000) -> httpx.Response:
        """The center's invitation of a site."""
        body = {"token_sha256": sha256(token.encode()), "expires": int(self.now) + lasts_s}
        return self.ask(CENTER, "PUT", f"/v1/invitations/{site}", body)

    def enrol(self, by: str | Identity, token: str = TOKEN) -> httpx.Response:
        """A site's enrolment with its card."""
        who = identity(by) if isinstance(by, str) else by
        return self.ask(who, "POST", "/v1/enrolments", {"card": card(who.member()), "token": token})

    def put_study(self, text: str | None = None, study_hash: str = STUDY_HASH) -> httpx.Response:
        """The center's study file."""
        body = (frozen_file()[0] if text is None else text).encode()
        return self.ask(CENTER, "PUT", f"/v1/studies/{study_hash}", body)

    def furnished(self, sites: Sequence[str] = SITES) -> Self:
        """The office with sites enrolled and the study on its shelf."""
        for site in sites:
            self.invite(site)
            self.enrol(site)
        self.put_study()
        return self

    def finished(self, opened: str = "") -> Self:
        """The office after a release with one round, whose OPEN is there."""
        opened = opened or FIRST
        self.post(CENTER, round_(0, opened))
        for site in SITES:
            self.post(site, share(site, 0, opened))
        self.post(CENTER, split(0, opened))
        self.post(CENTER, close(opened))
        for site in SITES:
            self.post(site, receipt(site, opened))
        return self

    def put_draft(self, body: bytes | None = None, opened: str = "") -> httpx.Response:
        """The center's draft of a closed release."""
        content = packed(opened=opened or FIRST) if body is None else body
        return self.ask(CENTER, "PUT", f"/v1/reports/{opened or FIRST}", content)

    def put_person(self, name: str, role: str, password: str = PASSWORD) -> httpx.Response:
        """A person who may log in."""
        body = {"role": role, "password": kept(password)}
        return self.ask(CENTER, "PUT", f"/v1/persons/{name}", body)

    def decide(
        self,
        person: str = "anna",
        *,
        decision: str = "released",
        reason: str = "counts as expected",
        password: str = PASSWORD,
        opened: str = "",
    ) -> httpx.Response:
        """A person's decision on a draft, by the center's command."""
        body = {"person": person, "password": password, "decision": decision, "reason": reason}
        return self.ask(CENTER, "POST", f"/v1/reports/{opened or FIRST}/decision", body)

    def post(self, by: str, wire: bytes) -> httpx.Response:
        """A message of a release."""
        return self.ask(by, "POST", "/v1/messages", wire)

    def mail(self, by: str, query: str = "after=0") -> httpx.Response:
        """A poll for the next message."""
        return self.ask(by, "GET", f"/v1/mail?{query}")

    def log(self, opened: str) -> list[bytes]:
        """All messages of a release, as the center reads them one after the other."""
        return [answer.content for answer in self.letters(CENTER, f"open={opened}&")]

    def letters(self, by: str, query: str = "") -> list[httpx.Response]:
        """All that is in the mail for a party, each with its headers."""
        found: list[httpx.Response] = []
        after = "0"
        while (answer := self.mail(by, f"{query}after={after}")).status_code == 200:
            after = answer.headers["Quorum-Message"]
            found.append(answer)
        return found

    def release(self, number: int = 1) -> dict[str, Any]:
        """How the release of this number is going, of its last attempt."""
        answer = self.ask(CENTER, "GET", f"/v1/releases?study={STUDY_HASH}")
        return next(one for one in answer.json()["releases"] if one["number"] == number)


def signed(by: str, content: Content, parts: Sequence[bytes] = ()) -> bytes:
    """A message of a release as a party signs it; what it says is made up."""
    return messages.write(identity(by), content, parts)


def opening(number: int = 1, attempt: int = 1, roster: Sequence[str] = SITES) -> bytes:
    """OPEN of the study."""
    return signed(CENTER, Open(STUDY_HASH, number, attempt, tuple(roster)))


def digest(wire: bytes) -> str:
    """The digest of a message, by which a release is called after its OPEN."""
    return messages.read(wire).digest()


FIRST: Final = digest(opening())


def ready(site: str, opened: str = FIRST, software: str = "test") -> bytes:
    """READY with made-up contents."""
    return signed(site, Ready(opened, "key", "snapshot", "head", 1, software))


def part(site: str, opened: str = FIRST) -> bytes:
    """PART with made-up contents."""
    return signed(site, Part(opened, "commitment"), [b"encrypted"])


def split(number: int = 0, opened: str = FIRST) -> bytes:
    """SPLIT with made-up contents."""
    return signed(CENTER, Split(opened, number), [b"share"])


def round_(number: int = 0, opened: str = FIRST) -> bytes:
    """ROUND with made-up contents."""
    return signed(CENTER, Round(opened, number, "transcript"), [b"totals"])


def share(site: str, number: int = 0, opened: str = FIRST, masked: bytes = b"masked") -> bytes:
    """SHARE with made-up contents."""
    return signed(site, Share(opened, number, "transcript"), [masked, b"sealed"])


def close(opened: str = FIRST) -> bytes:
    """CLOSE with made-up contents."""
    return signed(CENTER, Close(opened, ROUNDS, "result"), [b"totals"])


def receipt(site: str, opened: str = FIRST) -> bytes:
    """RECEIPT with made-up contents."""
    return signed(site, Receipt(opened, "result", "head"))


def burn(opened: str = FIRST) -> bytes:
    """BURN."""
    return signed(CENTER, Burn(opened))


FILES: Final = {"report.html": b"<p>43 patients</p>", "curve.csv": b"time\n1\n"}


def packed(
    files: Mapping[str, bytes] = FILES, *, by: str = CENTER, opened: str = FIRST, number: int = 1
) -> bytes:
    """The files of a release, with the statements that the center signs."""
    report = {name: data for name, data in files.items() if name in reports.REPORTS}
    whole = dict(files)
    for name, contents in ((reports.OF_REPORT, report), (reports.FILE, whole)):
        said = Statement(STUDY_HASH, number, opened, reports.hashes(contents))
        whole[name] = said.write(identity(by))
    return archive.pack(whole)


def code(answer: httpx.Response) -> str:
    """The code of a problem; the status of an answer that is none."""
    document = answer.json() if "problem" in answer.headers.get("content-type", "") else {}
    return str(document.get("code", answer.status_code))


def detail(answer: httpx.Response) -> str:
    """What a problem says."""
    return str(answer.json()["detail"])
