"""A console over a real socket, in this process, and a browser that says what it is told to."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from site_agent.console.request import console
from site_agent.console.server import Server
from site_agent.console.session import Session
from site_agent.site import Site

FORM: Final = "application/x-www-form-urlencoded"
IDLE_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def words(self) -> str:
        """What the page says, without its elements."""
        body = self.text.partition("</head>")[2]
        return " ".join(re.sub(r"<[^>]*>", " ", body).split())


@dataclass
class Served:
    """A console that answers, and what a browser would send along."""

    server: Server
    session: Session
    now: list[float]
    cookie: str = ""
    more: dict[str, str] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        fields: Mapping[str, str] | bytes | None = None,
        **headers: str | None,
    ) -> Got:
        """Send a request; a header that is None is left out."""
        body = fields if isinstance(fields, bytes) else urlencode(fields or {}).encode()
        said: dict[str, str | None] = {"Host": self.server.host, "Cookie": self.cookie or None}
        if method == "POST":
            said |= {"Origin": self.server.url, "Content-Type": FORM}
            said |= {"Content-Length": str(len(body))}
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        way = http.client.HTTPConnection(*self.server.server_address, timeout=30)
        way.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in said.items():
            if value is not None:
                way.putheader(name, value)
        way.endheaders(body if method == "POST" else None)
        answer = way.getresponse()
        text = answer.read().decode()
        way.close()
        return Got(answer.status, dict(answer.headers), text)

    def get(self, below: str = "", **headers: str | None) -> Got:
        """Ask for a page of the session."""
        return self.send("GET", self.session.base + below, **headers)

    def post(self, below: str, fields: Mapping[str, str] | None = None) -> Got:
        """Send a form of the session."""
        own = {"form_token": self.session.form_token, **(fields or {})}
        return self.send("POST", self.session.base + below, own)

    def enter(self) -> Got:
        """Use the one-time link."""
        got = self.send("POST", self.session.link)
        self.cookie = got.headers.get("Set-Cookie", "").partition(";")[0] or self.cookie
        return got


@contextmanager
def served(site: Site) -> Iterator[Served]:
    """Serve a console of a hospital, not entered yet; its clock stands still."""
    now = [0.0]
    secrets = iter(bytes([number]) for number in range(1, 9))
    session = Session(lambda size: next(secrets) * size, lambda: now[0], IDLE_S)
    server = Server(console(site, session, lambda: now[0]), 0)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Served(server, session, now)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
