"""Hospitals that answer in this process whatever the exchange hands out, and the center's way."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

import httpx
import uvicorn

from coordinator.driver import Driver, begin
from coordinator.home import Home, open_home
from coordinator.release import Release
from site_agent.contract import messages
from site_agent.contract.errors import Refused
from site_agent.contract.messages import Burn, Round
from site_agent.contract.study.model import Study
from site_agent.runtime.http import Connection, Exchange
from tests.coordinator.exchange.office import Office, frozen_file
from tests.protocol import CENTER, SITES, STUDY, World, identity

# One curve: two rounds, for all that does not depend on their number.
SHORT: Final = "".join(
    line
    for line in STUDY.splitlines(True)
    if not any(word in line for word in ("kind: cox", "accepted:", "analysis: by_site"))
)


class Dropped(Exception):
    """The process of the driver ends here."""


class Hospitals:
    """Sites that know of the center by mail alone; those in `silent` do not look for mail.

    `withheld` is a round that nobody answers. `posted` counts what the center posts, so that
    nobody looks in vain; None where nobody counts.
    """

    def __init__(self, office: Office, world: World) -> None:
        self.office = office
        self.world = world
        self.cores = {site: world.core(site) for site in SITES}
        self.silent: set[str] = set()
        self.posted: int | None = None
        self.withheld: int | None = None
        self._read = dict.fromkeys(SITES, 0)
        self._looked = dict.fromkeys(SITES, -1)
        self._hindered: set[tuple[str, str]] = set()

    def approve(self, *sites: str) -> Self:
        """The stewards' approval, told to the exchange as agents do."""
        for site in sites or SITES:
            if not self.world.events(site).count("approved"):
                self.cores[site].approve()
            tell_approval(self.office, site, self.world.study.hash)
        return self

    def answer(self) -> bool:
        """One answer of one hospital, if anything is to be answered."""
        return any(self._answers(site) for site in SITES if site not in self.silent)

    def answer_all(self) -> None:
        """All answers that are due."""
        while self.answer():
            pass

    def _answers(self, site: str) -> bool:
        if self._looked[site] == self.posted:
            return False
        while (letter := self.office.mail(site, f"after={self._read[site]}")).status_code == 200:
            message = messages.read(letter.content)
            if message.kind == Round.TYPE and message.content["number"] == self.withheld:
                return False
            self._read[site] = int(letter.headers["Quorum-Message"])
            opened = letter.headers["Quorum-Open"]
            if (site, opened) in self._hindered and message.kind != Burn.TYPE:
                continue
            reply = self._reply(site, opened, letter.content)
            if reply is not None:
                self.office.post(site, reply).raise_for_status()
                return True
        self._looked[site] = -1 if self.posted is None else self.posted
        return False

    def _reply(self, site: str, opened: str, wire: bytes) -> bytes | None:
        try:
            return self.cores[site].receive(wire)
        except Refused as refused:
            self.stand(site, opened, refused.code)
            self._hindered.add((site, opened))
            return None

    def stand(self, site: str, opened: str, code: str) -> None:
        """What hinders a hospital, told to the exchange."""
        target = f"/v1/releases/{opened}/standing"
        self.office.ask(site, "PUT", target, {"code": code}).raise_for_status()


class CenterWire(httpx.BaseTransport):
    """The center's way to the exchange; while the center waits one hospital answers.

    `lives`: the driver is dropped after so many messages that no driver has seen before, be it
    that the answer to its POST or that the message on its way is lost. `alter` is what the
    exchange makes of a message before it hands it out. `waited_s` is a clock: no time passes.
    """

    def __init__(self, hospitals: Hospitals) -> None:
        self.hospitals = hospitals
        self.lives: int | None = None
        self.alter: Callable[[bytes], bytes] = lambda wire: wire
        self.waited_s = 0.0
        self.down = 0
        self._newest = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            self.down -= 1
            raise httpx.ConnectError("connection refused")
        target = request.url.raw_path.decode()
        wait = float(parse_qs(urlsplit(target).query).get("wait", ["0"])[0])
        if wait:
            self.hospitals.answer()
        answer = self.hospitals.office.send(
            request.method, target, content=request.read(), headers=dict(request.headers)
        )
        if wait and answer.status_code == 204:
            self.waited_s += wait
        if answer.status_code == 201 and self.hospitals.posted is not None:
            self.hospitals.posted += 1
        if self._is_new(answer):
            self._live()
        is_mail = "Quorum-Message" in answer.headers
        content = self.alter(answer.content) if is_mail else answer.content
        return httpx.Response(answer.status_code, headers=answer.headers, content=content)

    def _is_new(self, answer: httpx.Response) -> bool:
        number = int(answer.headers.get("Quorum-Message", 0))
        newer = number > self._newest
        self._newest = max(self._newest, number)
        return newer or answer.status_code == 201

    def _live(self) -> None:
        if self.lives is not None:
            self.lives -= 1
            if self.lives < 0:
                raise Dropped


class Center:
    """The center of five hospitals, driving one release after another."""

    def __init__(self, office: Office, folder: Path, study: Study) -> None:
        office.app.state.surroundings.bells.stop()  # nobody waits
        self.office = office
        self.study = study
        self.world = World(folder / "hospitals", study)
        self.world.folder.mkdir()
        self.hospitals = Hospitals(office, self.world)
        self.hospitals.posted = 0
        self.wire = CenterWire(self.hospitals)
        self.told: list[str] = []
        self.slept: list[float] = []

    def exchange(self) -> Exchange:
        """The exchange as the center sees it."""
        return Exchange(
            Connection("http://exchange"),
            identity(CENTER),
            clock=lambda: int(self.office.now),
            transport=self.wire,
        )

    def begin(self, *without: str) -> Release:
        """The release that is to be driven."""
        return begin(self.study, identity(CENTER), self.exchange(), without=without)

    def driver(self, release: Release | None = None, deadline_s: float = 60) -> Driver:
        """A driver that begins."""
        return Driver(
            release or self.begin(),
            self.exchange(),
            deadline_s=deadline_s,
            clock=lambda: self.wire.waited_s,
            sleep=self.slept.append,
            progress=self.told.append,
        )

    def run(self, driver: Driver) -> Release:
        """A release from wherever it is to its end."""
        self.rounds(driver)
        driver.close()
        return driver.release

    def rounds(self, driver: Driver, until: int | None = None) -> Driver:
        """The rounds that are left, or those before round `until`."""
        driver.open()
        driver.gather()
        number = 0
        while driver.release.outcome is None and number != until:
            driver.round(number)
            number += 1
        return driver

    def listed(self, number: int = 1) -> dict[str, Any]:
        """How the exchange lists a release, of its last attempt."""
        found = self.exchange().read("/v1/releases", study=self.study.hash)["releases"]
        listed: dict[str, Any] = next(one for one in found if one["number"] == number)
        return listed

    def log(self, release: Release) -> list[bytes]:
        """All messages of a release."""
        return self.office.log(release.digest)


def kinds(log: list[bytes]) -> list[str]:
    """The kinds of messages in order, each in a row of the same kind once."""
    found = [messages.read(wire).kind for wire in log]
    return [kind for i, kind in enumerate(found) if i == 0 or found[i - 1] != kind]


@contextmanager
def opened_center(folder: Path, text: str = SHORT, *, approved: bool = True) -> Iterator[Center]:
    """A center with five hospitals that are enrolled and have the study."""
    (folder / "exchange.db").write_bytes(furnished_store(text, approved))
    with Office(f"sqlite:///{folder / 'exchange.db'}") as office:
        center = Center(office, folder, frozen_file(text)[1])
        if approved:
            for core in center.hospitals.cores.values():
                core.approve()
        yield center


@cache
def furnished_store(text: str, approved: bool) -> bytes:
    """The store of an exchange that has the study of this text, made once."""
    frozen, study = frozen_file(text)
    with TemporaryDirectory() as name:
        path = Path(name) / "exchange.db"
        with Office(f"sqlite:///{path}") as office:
            office.furnished().put_study(frozen, study.hash)
            for site in SITES if approved else ():
                tell_approval(office, site, study.hash)
        return path.read_bytes()


def tell_approval(office: Office, site: str, study: str, until: int | None = None) -> None:
    """What a hospital's agent says of a study that its steward approved."""
    said = {"state": "approved", "until": until, "at": int(office.now)}
    office.ask(site, "PUT", f"/v1/studies/{study}/approval", said).raise_for_status()


class Served(Office):
    """An exchange that listens on this machine, in a thread; its clock is the real one."""

    def __enter__(self) -> Self:
        super().__enter__()
        self.now = time.time()
        config = uvicorn.Config(self.app, port=0, log_level="error", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < until, "the exchange did not start"
            time.sleep(0.01)
        host, port = self._server.servers[0].sockets[0].getsockname()[:2]
        self.listen = f"{host}:{port}"
        self._http = httpx.Client(base_url=f"http://{self.listen}", timeout=40)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()
        self.app.state.surroundings.bells.stop()
        self._server.should_exit = True
        self._thread.join(20)
        super().__exit__(kind, error, trace)

    def send(self, method: str, target: str, **rest: Any) -> httpx.Response:
        """A request as it stands, over the network."""
        return self._http.request(method, target, **rest)

    def home(self, folder: Path) -> Home:
        """A center's folder whose settings lead to this exchange, with the tests' key."""
        return home_of(folder, self.listen)


def home_of(folder: Path, listen: str = "127.0.0.1:1") -> Home:
    """A center's folder with the key of the tests' center, and an exchange at an address."""
    folder.mkdir()
    (folder / "key").touch(0o600)
    (folder / "key").write_bytes(identity(CENTER).secret())
    (folder / "center.toml").write_text(
        f'[exchange]\nlisten = "{listen}"\n[prefect]\nlisten = "127.0.0.1:1"\n', encoding="utf-8"
    )
    return open_home(folder, {})


def said(text: str) -> Any:
    """A JSON document that was printed."""
    return json.loads(text)


@contextmanager
def answering(hospitals: Hospitals) -> Iterator[None]:
    """Hospitals that answer in a thread until the block ends."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            if not hospitals.answer():
                stop.wait(0.01)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(20)
