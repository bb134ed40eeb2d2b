"""A hospital's agent in a folder, as `site-agent init` leaves it, and the ways it may go out."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from site_agent.check import look_through
from site_agent.contract import messages
from site_agent.contract.enrolment import Invitation, write_card
from site_agent.contract.errors import DataError
from site_agent.runtime.http import Connection, Exchange
from site_agent.site import Site, open_site
from tests.coordinator.exchange.office import TOKEN, Office, frozen_file
from tests.protocol import CENTER, STUDY, identity, patients

NAME: Final = "alder"
URL: Final = "http://exchange"
OTHER_TEXT: Final = STUDY.replace("study: protocol", "study: sequel")


def invitation(name: str = NAME, *, center: str = CENTER, url: str = URL) -> bytes:
    """The center's invitation of a hospital, as a file."""
    return Invitation(name, url, identity(center).member(), TOKEN, 2_000_000_000).write()


def check(site: Site, wanted: str) -> dict[str, Any]:
    """What a check says as JSON if the data fit; DataError with every finding if not."""
    report = look_through(site, wanted)
    if report.findings:
        raise DataError(report.site, [noted.finding for noted in report.findings])
    return report.document()


def set_up(folder: Path, name: str = NAME, *, more: str = "") -> Site:
    """An agent with settings, key and the center's card, without data and studies."""
    state = folder / "state"
    state.mkdir(parents=True)
    text = f'[site]\nname = "{name}"\n\n[exchange]\nurl = "{URL}"\n{more}'
    (folder / "agent.toml").write_text(text, encoding="utf-8")
    (state / "key").touch(0o600)
    (state / "key").write_bytes(identity(name).secret())
    (state / "center.json").write_bytes(write_card(identity(CENTER).member()))
    return open_site(folder / "agent.toml", {})


def furnished(folder: Path, name: str = NAME, *, more: str = "") -> Site:
    """An agent with its data, and the study fetched."""
    site = set_up(folder, name, more=more)
    keep(site)
    (folder / "data").mkdir()
    patients(name).to_parquet(folder / "data" / "patients.parquet", index=False)
    return site


def keep(site: Site, text: str = STUDY) -> str:
    """Put a frozen study on a hospital's shelf; return its hash."""
    file, study = frozen_file(text)
    folder = site.state / "studies"
    folder.mkdir(exist_ok=True)
    (folder / f"{study.hash}.yaml").write_text(file, encoding="utf-8")
    return study.hash


@dataclass
class Way:
    """The way to an exchange in this process. `broken` and `said` take the exchange's place.

    broken: what the way out fails with. said: answers by method and path, not from the exchange.
    """

    office: Office
    requests: list[httpx.Request] = field(default_factory=list)
    broken: Exception | None = None
    said: dict[str, httpx.Response] = field(default_factory=dict)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        self.requests.append(request)
        if self.broken is not None:
            raise self.broken
        instead = self.said.get(f"{request.method} {request.url.path}")
        if instead is not None:
            return instead
        target, headers = request.url.raw_path.decode(), dict(request.headers)
        answer = self.office.send(request.method, target, content=request.content, headers=headers)
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def exchange(self, name: str = NAME) -> Exchange:
        """The exchange as a hospital sees it over this way."""
        return Exchange(
            Connection(URL),
            identity(name),
            clock=lambda: int(self.office.now),
            transport=httpx.MockTransport(self),
        )

    def bodies(self, beginning: str) -> list[bytes]:
        """What was sent with requests whose method and path begin so."""
        return [
            request.content
            for request in self.requests
            if f"{request.method} {request.url.path}".startswith(beginning)
        ]

    @property
    def all_bytes(self) -> bytes:
        """Everything that went out: addresses, headers, bodies."""
        out = io.BytesIO()
        for request in self.requests:
            out.write(str(request.url).encode() + repr(request.headers.raw).encode())
            out.write(request.content)
        return out.getvalue()


def problem(status: int, code: str, detail: str = "a detail") -> httpx.Response:
    """An answer of the exchange that tells of a problem."""
    document: Mapping[str, Any] = {"code": code, "detail": detail, "status": status}
    media_type = "application/problem+json"
    return httpx.Response(status, json=document, headers={"content-type": media_type})


def kind(wire: bytes) -> str:
    """The kind of a message."""
    return messages.read(wire).kind


@contextmanager
def without_room(size: int = 0) -> Iterator[None]:
    """A disk without room for another byte: no file may grow beyond `size`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
