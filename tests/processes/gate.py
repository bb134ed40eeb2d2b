"""A gate between the parties and their exchange: an HTTP proxy that a test can hold and bend.

All parties may go through one gate; it knows them by the name in their signed requests. A rule
names a party and a message (kind and number), and what is to be done with it: hold the request
until the test lets it go, or lose it, or its answer; put something else in the answer's place.
What no rule names passes unchanged. The gate remembers every message that passed.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused
from site_agent.contract.requests import read_credentials

PATIENCE_S: Final = 60.0
UPSTREAM_S: Final = 60.0
DROPPED: Final = frozenset(("connection", "transfer-encoding", "content-length", "keep-alive"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a party gets: status, headers in small letters, body. `seconds`: it trickles so long."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float = 0.0

    def with_body(self, body: bytes) -> Answer:
        """The same with another body."""
        return replace(self, body=body)


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that went through: by whom it was posted or to whom it was handed out."""

    by: str
    posted: bool
    kind: str
    number: int | None
    release: str
    wire: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request at the gate."""

    by: str
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def posts(self) -> bool:
        """Whether a message is put into the exchange."""
        return (self.method, self.target) == ("POST", "/v1/messages")


class Cut(Exception):
    """The connection ends without an answer."""


@dataclass
class Rule:
    """What is done with some messages; `times` of them, all if it is None.

    party: "" for all. kind: of a message, or the beginning of a target ("/v1/studies"). An answer
    is bent by `bend`; with `held` the request waits, before or behind the exchange.
    """

    party: str
    kind: str
    number: int | None = None
    bend: Callable[[Answer], Answer] | None = None
    held: str = ""
    times: int | None = 1
    came: threading.Event = field(default_factory=threading.Event)
    open: threading.Event = field(default_factory=threading.Event)
    lost: bool = False
    count: int = 0

    def fits(self, by: str, kind: str, number: int | None) -> bool:
        """Whether a message is one that the rule is for."""
        left = self.times is None or self.count < self.times
        return left and self.party in ("", by) and self.kind == kind and self.number == number

    def wait(self) -> Self:
        """Wait until the rule has been used."""
        assert self.came.wait(PATIENCE_S), f"{self.kind} {self.number} of {self.party} never came"
        return self

    def let_go(self) -> None:
        """Let what is held go on."""
        self.open.set()

    def lose(self) -> None:
        """Lose what is held: the connection ends."""
        self.lost = True
        self.open.set()

    def hold(self) -> None:
        """Wait until the test lets go; Cut if it is lost."""
        self.came.set()
        assert self.open.wait(4 * PATIENCE_S)
        if self.lost:
            raise Cut


class Gate:
    """A proxy on a port of its own before `upstream` (http://host:port)."""

    def __init__(self, upstream: str, port: int = 0, host: str = "127.0.0.1") -> None:
        self.upstream = upstream
        self.rules: list[Rule] = []
        self.passed: list[Passed] = []
        self._lock = threading.Lock()
        self._server = _Server((host, port), _Handler)
        self._server.gate = self
        self.url = f"http://{host}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.honest()
        self._server.shutdown()
        self._server.server_close()

    # What a test asks for

    def hold(self, party: str, kind: str, number: int | None = None, *, at: str = "before") -> Rule:
        """Hold a message: at="before" the exchange has it, or "behind", so its answer waits."""
        return self._add(Rule(party, kind, number, held=at))

    def bend(
        self,
        party: str,
        kind: str,
        number: int | None,
        change: Callable[[bytes], bytes],
        *,
        times: int | None = None,
    ) -> Rule:
        """Change the body of answers."""

        def bent(answer: Answer) -> Answer:
            return answer.with_body(change(answer.body))

        return self._add(Rule(party, kind, number, bend=bent, times=times))

    def replace(
        self,
        party: str,
        kind: str,
        number: int | None,
        change: Callable[[Answer], Answer],
        *,
        times: int | None = None,
    ) -> Rule:
        """Put other answers in the place of those that the exchange gives."""
        return self._add(Rule(party, kind, number, bend=change, times=times))

    def honest(self) -> None:
        """Take all rules away, and let go what is held."""
        with self._lock:
            rules, self.rules = self.rules, []
        for rule in rules:
            rule.let_go()

    def seen(self, kind: str, number: int | None, release: str, *, posted: bool) -> Passed:
        """Wait for a message of a release to be posted, or handed out; return the last one."""
        until = time.monotonic() + PATIENCE_S
        wanted = (kind, number, release, posted)
        while time.monotonic() < until:
            for one in reversed(list(self.passed)):
                if (one.kind, one.number, one.release, one.posted) == wanted:
                    return one
            time.sleep(0.02)
        raise AssertionError(f"no {kind} {number} passed the gate")

    def shares(self, release: str) -> dict[tuple[str, int], set[str]]:
        """The digests of the shares that each site posted for each round of a release."""
        found: dict[tuple[str, int], set[str]] = {}
        for passed in list(self.passed):
            if passed.posted and passed.kind == "SHARE" and passed.release == release:
                found.setdefault((passed.by, passed.number or 0), set()).add(sha256(passed.wire))
        return found

    def _add(self, rule: Rule) -> Rule:
        with self._lock:
            self.rules.append(rule)
        return rule

    # What passes

    def handle(self, asked: Asked) -> Answer:
        """A request and its answer, as the rules have it."""
        rule, message = None, None
        if asked.posts:
            message = _read(asked.body)
            rule = self._rule(asked.by, message.kind, _number(message)) if message else None
        if rule is not None and rule.held == "before":
            rule.hold()
        answer = self._forwarded(asked)
        if message is not None:
            self._note(asked.by, message, posted=True, headers={})
        elif asked.target.startswith("/v1/mail") and answer.status == 200:
            message = _read(answer.body)
            if message is not None:
                self._note(asked.by, message, posted=False, headers=answer.headers)
                rule = self._rule(asked.by, message.kind, _number(message))
        else:
            rule = self._rule(asked.by, f"{asked.method} {asked.target.partition('?')[0]}", None)
        return answer if rule is None else self._bent(rule, answer)

    def _bent(self, rule: Rule, answer: Answer) -> Answer:
        if rule.held:
            if rule.held == "behind" or not rule.came.is_set():
                rule.hold()
            return answer
        assert rule.bend is not None
        found = rule.bend(answer)
        rule.came.set()
        return found

    def _rule(self, by: str, kind: str, number: int | None) -> Rule | None:
        with self._lock:
            for rule in self.rules:
                if rule.fits(by, kind, number):
                    rule.count += 1
                    return rule
        return None

    def _note(
        self, by: str, message: messages.Message, *, posted: bool, headers: Mapping[str, str]
    ) -> None:
        content = message.content
        release = message.digest() if message.kind == "OPEN" else content["open"]
        number = _number(message)
        self.passed.append(Passed(by, posted, message.kind, number, release, message.wire, headers))

    def _forwarded(self, asked: Asked) -> Answer:
        at = urlsplit(self.upstream)
        assert at.hostname is not None
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=UPSTREAM_S)
        headers = {k: v for k, v in asked.headers.items() if k not in DROPPED}
        try:
            connection.request(asked.method, asked.target, asked.body or None, headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException):
            raise Cut from None
        finally:
            connection.close()
        given = {k.lower(): v for k, v in response.getheaders() if k.lower() not in DROPPED}
        return Answer(response.status, given, body)


def _read(wire: bytes) -> messages.Message | None:
    try:
        return messages.read(wire)
    except Refused:
        return None


def _number(message: messages.Message) -> int | None:
    number: int | None = message.content.get("number")
    return number


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    gate: Gate

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: parties are killed in the middle of requests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _any(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        said = read_credentials(headers.get("authorization", ""))
        asked = Asked("" if said is None else said.name, self.command, self.path, headers, body)
        try:
            self._send(self.server.gate.handle(asked))
        except Cut:
            self.close_connection = True

    do_GET = do_POST = do_PUT = _any

    def _send(self, answer: Answer) -> None:
        body = b"" if answer.status == 204 else answer.body
        lines = [f"HTTP/1.1 {answer.status} given"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        lines += [] if answer.status == 204 else [f"content-length: {len(body)}"]
        self.connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        self._send_body(body, answer.seconds)

    def _send_body(self, body: bytes, seconds: float) -> None:
        """Send a body at once, or a byte at a time for so many seconds."""
        if not seconds:
            self.connection.sendall(body)
            return
        for at in range(len(body)):
            self.connection.sendall(body[at : at + 1])
            time.sleep(seconds / len(body))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""
