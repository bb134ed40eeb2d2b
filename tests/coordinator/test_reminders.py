"""Hospitals that keep a release waiting: since when, whose turn it is, and who is reminded."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Session

from coordinator.center import _with_parts, add_study, freeze_study, study_status
from coordinator.center_words import status_in_words
from coordinator.driver import Standing
from coordinator.home import Home, open_home
from coordinator.refresh import Refresh
from coordinator.reminders import channels, remind
from coordinator.waits import Waits, keep_waits, read_waits
from coordinator.whose_turn import AWAY, BY_CODE, DATA, OTHER, SLOW, STEWARD, whose_turn
from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.clock import unix_now
from tests.certificates import authority
from tests.coordinator.exchange.office import frozen_file
from tests.coordinator.hospitals import SHORT, Hospitals, Served
from tests.coordinator.listeners import listening, mail_server, webhook
from tests.processes.running import free_port
from tests.protocol import SITES, STUDY, World

LATE_S = 4 * 3600


class Desk:
    """A center whose first release waits for two of its hospitals."""

    def __init__(self, office: Served, folder: Path) -> None:
        (folder / "study.yaml").write_text(SHORT, encoding="utf-8")
        (folder / "hospitals").mkdir()
        self.home: Home = office.furnished().home(folder / "center")
        add_study(self.home, folder / "study.yaml")
        self.study = freeze_study(self.home, "protocol")
        self.hospitals = Hospitals(office, World(folder / "hospitals", self.study)).approve()
        self.hospitals.silent = {"cedar", "elm"}
        with self.home.exchange() as exchange:
            self.opened = Refresh(self.home, self.study, exchange).driver.release.digest
        self.hospitals.answer_all()
        self.now = float(unix_now())
        self.said: list[str] = []

    def set(self, **variables: str) -> None:
        """Settings of reminders."""
        given = {f"QUORUM_REMINDERS__{name.upper()}": text for name, text in variables.items()}
        self.home = open_home(self.home.folder, given)

    def look(self, after_s: float) -> None:
        """What the runner does, so long after the release was opened."""
        remind(self.home, self.study, self.now + after_s, self.said.append)

    def awaited(self) -> dict[str, dict[str, Any]]:
        """For whom the status says that the release waits."""
        found = study_status(self.home, "protocol")["release"]["awaited"]
        return {one["site"]: one for one in found}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A center."""
    with Served(f"sqlite:///{tmp_path / 'exchange.db'}") as office:
        yield Desk(office, tmp_path)


# Who is waited for, and since when


def standing(
    phase: str = "asking", number: int | None = 0, *waiting: str, name: str = "a"
) -> Standing:
    """A release that waits."""
    return Standing(name, 1, 1, "under_way", phase, number, SITES, waiting, {}, opened=100)


def since(*steps: tuple[float, Standing]) -> dict[str, float]:
    """Since when is waited for whom after these looks."""
    waits = Waits()
    for now, one in steps:
        waits.see(one, now)
    return waits.since


def test_while_a_release_is_opened() -> None:
    """Since it was opened, whenever the center looked first."""
    assert since((170, standing("opening", None, "elm"))) == {"elm": 100}


def test_in_a_round() -> None:
    """Since the center first saw the round; who has answered is not waited for."""
    found = since((200, standing("asking", 1, "elm", "cedar")), (300, standing("asking", 1, "elm")))
    assert found == {"elm": 200}


def test_in_the_next_round() -> None:
    """Waiting begins anew."""
    found = since((200, standing("asking", 1, "elm")), (300, standing("asking", 2, "elm")))
    assert found == {"elm": 300}


def test_a_note_is_kept(desk: Desk) -> None:
    """Over a restart of everything."""
    waits = Waits("a", "asking", 2, {"elm": 5.0}, {"x": 6.0}, {"y": (1, 7.0)})
    keep_waits(desk.home, "protocol", waits)
    found = read_waits(desk.home, "protocol")
    assert (found.since, found.sent, [*found.failed["y"]]) == (waits.since, waits.sent, [1, 7.0])


@pytest.mark.parametrize("text", ["", "[]", "{", '{"other": 1}'])
def test_a_damaged_note(desk: Desk, text: str) -> None:
    """It is none, and waiting counts from the next look on."""
    (desk.home.study_folder("protocol") / "waits.json").write_text(text)
    assert read_waits(desk.home, "protocol") == Waits()


def test_the_status_tells_of_both(desk: Desk) -> None:
    """Who, since when, and whose turn it is to do what."""
    desk.hospitals.stand("elm", desk.opened, "unfit_data")
    found = desk.awaited()
    told = {site: (one["late"], one["whose_turn"]) for site, one in found.items()}
    assert told == {"cedar": (False, SLOW), "elm": (False, DATA)}


def test_the_status_in_words(desk: Desk) -> None:
    """One line a hospital."""
    lines = status_in_words(study_status(desk.home, "protocol")).splitlines()
    began = desk.awaited()["elm"]["since"]
    assert f"elm: awaited since {began}. Next: {SLOW}" in lines


def test_who_is_late(desk: Desk) -> None:
    """After reminders.after_s, in words too."""
    desk.set(after_s="1")
    waits = read_waits(desk.home, "protocol")
    waits.open, waits.phase, waits.since = desk.opened, "opening", {"elm": 5.0}
    keep_waits(desk.home, "protocol", waits)
    words = status_in_words(study_status(desk.home, "protocol"))
    assert "elm: late, awaited since 1970-01-01T00:00:05Z." in words


@pytest.mark.parametrize(
    ("code", "online", "approved", "expected"),
    [
        ("", True, True, SLOW),
        ("", False, True, AWAY),
        ("", True, False, STEWARD),
        ("not_approved", True, True, STEWARD),
        ("unfit_data", True, True, DATA),
        ("disk", False, True, BY_CODE["disk"]),
        ("transcript", True, True, OTHER),
    ],
)
def test_whose_turn_it_is(code: str, online: bool, approved: bool, expected: str) -> None:
    """By the code that the hospital tells; without one, by what the exchange sees of it."""
    assert whose_turn(code, online=online, approved=approved) == expected


def test_who_has_not_sent_its_part_of_a_secret() -> None:
    """In a study with sealed sums, when all are READY; the exchange alone does not know."""
    study = frozen_file(STUDY)[1]
    release = replace(standing("opening", None), parts=("alder", "beech", "cedar"))
    assert _with_parts(study, release).waiting == ("dogwood", "elm")


@pytest.mark.parametrize("text", [SHORT, STUDY])
def test_whose_part_is_not_waited_for(text: str) -> None:
    """Nobody's where nothing is sealed, where READY messages are missing, or in a round."""
    study = frozen_file(text)[1]
    found = [standing("opening", None, "elm"), standing("asking", 0), standing("closing", 6)]
    found += [standing("opening", None)] if text == SHORT else []
    assert [_with_parts(study, one).waiting for one in found] == [one.waiting for one in found]


# Reminders


def test_before_their_time_nobody_is_reminded(desk: Desk) -> None:
    """A hospital has reminders.after_s."""
    with listening(webhook()) as hook:
        desk.set(webhook=f"http://127.0.0.1:{hook.server_port}/x")
        desk.look(LATE_S - 60)
    assert hook.taken == []


def test_each_hospital_is_reminded_once(desk: Desk) -> None:
    """However often the runner looks, and if it is started again in between."""
    with listening(webhook()) as hook:
        desk.set(webhook=f"http://127.0.0.1:{hook.server_port}/x")
        for after_s in (LATE_S + 60, LATE_S + 70, 10 * LATE_S):
            desk.look(after_s)
    assert [one["site"] for one in hook.taken] == ["cedar", "elm"]


def test_what_a_webhook_gets(desk: Desk) -> None:
    """Names, phase, instant, and whose turn it is; nothing else."""
    with listening(webhook()) as hook:
        desk.set(webhook=f"http://127.0.0.1:{hook.server_port}/x")
        desk.look(LATE_S + 60)
    found = hook.taken[0]
    text = found.pop("text")
    began = found.pop("since")
    expected = {
        "study": "protocol",
        "release": 1,
        "phase": "opening",
        "round": None,
        "site": "cedar",
        "whose_turn": SLOW,
    }
    assert (found, began in text, text.splitlines()[0]) == (
        expected,
        True,
        "Quorum: release 1 of protocol waits for cedar",
    )


def test_a_webhook_that_is_away_is_tried_again(desk: Desk) -> None:
    """After pauses, until it takes the reminder; that of the other hospital goes all the same."""
    with listening(webhook()) as hook:
        hook.refusals = 1
        desk.set(webhook=f"http://127.0.0.1:{hook.server_port}/x")
        desk.look(LATE_S + 60)
        first = [one["site"] for one in hook.taken]
        desk.look(LATE_S + 61)
        early = [one["site"] for one in hook.taken]
        desk.look(LATE_S + 120)
    assert (first, early, [one["site"] for one in hook.taken]) == (
        ["elm"],
        ["elm"],
        ["elm", "cedar"],
    )


def test_a_failure_does_not_tell_the_address(desk: Desk) -> None:
    """The address of a webhook is a secret."""
    desk.set(webhook="http://127.0.0.1:1/hush")
    desk.look(LATE_S + 60)
    assert desk.said == [
        f"Quorum: release 1 of protocol waits for {site}: no reminder by webhook yet (Unreachable)"
        for site in ("cedar", "elm")
    ]


def test_e_mail(desk: Desk) -> None:
    """To the hospital's people and to those who get all; nobody for a hospital without address."""
    with listening(mail_server()) as server:
        desk.set(
            smtp=f"127.0.0.1:{server.server_address[1]}",
            smtp_security="none",
            **{"from": "center@example.org"},
            recipients="elm=it@elm.example.org",
            copies="lead@example.org",
        )
        desk.look(LATE_S + 60)
    found = {",".join(recipients): text for recipients, text in server.taken}
    told = found["it@elm.example.org,lead@example.org"]
    assert (set(found), "Message-ID: <protocol-1-opening-elm@example.org>" in told) == (
        {"lead@example.org", "it@elm.example.org,lead@example.org"},
        True,
    )


class Accounts:
    """Takes letters of who logged in, and keeps them with the names that were let in."""

    def __init__(self) -> None:
        self.letters: list[tuple[list[str], bool]] = []

    def __call__(self, _: Any, __: Any, envelope: Any, ___: str, given: Any) -> AuthResult:
        """One account is known."""
        known = (given.login, given.password) == (b"quorum", b"s3cret")
        return AuthResult(success=known, handled=False)

    async def handle_DATA(self, server: Any, _: Session, envelope: Any) -> str:
        """A letter, and whether it came over TLS."""
        over_tls = server.transport.get_extra_info("ssl_object") is not None
        self.letters.append((envelope.rcpt_tos, over_tls))
        return "250 taken"


@contextmanager
def office_of_mail(folder: Path, security: str) -> Iterator[tuple[Accounts, int]]:
    """A server that takes letters over TLS from who logs in, and its port."""
    signer = authority("Mail CA")
    signer.write(folder)
    (folder / "server.pem").write_bytes(signer.signed("127.0.0.1"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "server.pem")
    accounts, port = Accounts(), free_port()
    over = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    asked = {"auth_required": True, "auth_require_tls": security == "starttls"}
    server = Controller(accounts, "127.0.0.1", port, authenticator=accounts, **over, **asked)
    server.start()
    try:
        yield accounts, port
    finally:
        server.stop()


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # without STARTTLS: there all of it is TLS
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_e_mail_over_tls_with_a_login(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    """A real server takes it; it takes nothing with another password, or from a server unknown."""
    with office_of_mail(tmp_path, security) as (accounts, port):
        login = {"smtp_user": "quorum", "smtp_password": "s3cret"}
        mail = {"smtp": f"127.0.0.1:{port}", "smtp_security": security, "copies": "lead@x.org"}
        desk.set(**mail, **login)
        monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
        desk.look(LATE_S + 60)
        untrusted = list(accounts.letters)
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        desk.set(**mail, **login | {"smtp_password": "wrong"})
        desk.look(LATE_S + 660)
        refused = list(accounts.letters)
        desk.set(**mail, **login)
        desk.look(LATE_S + 6600)
    assert (untrusted, refused) == ([], [])
    assert accounts.letters == [(["lead@x.org"], True)] * 2
    assert "s3cret" not in "".join(desk.said)


def test_a_server_that_takes_no_mail_is_tried_again(desk: Desk) -> None:
    """It is told, and noted for later."""
    desk.set(smtp="127.0.0.1:1", smtp_security="none", copies="lead@example.org")
    desk.look(LATE_S + 60)
    failed = read_waits(desk.home, "protocol").failed
    assert sorted(failed) == ["mail protocol-1-opening-cedar", "mail protocol-1-opening-elm"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"smtp": "here"}, "reminders.smtp is 'here', expected address:port"),
        ({"smtp_security": "ssl"}, "is 'ssl', expected one of starttls, tls, none"),
        ({"from": "me"}, "'me' in the settings of reminders is no address"),
        ({"copies": "a@b, c"}, "'c' in the settings of reminders is no address"),
        ({"recipients": "elm=a b@c"}, "'a b@c' in the settings of reminders is no address"),
    ],
)
def test_settings_that_cannot_be_used(desk: Desk, given: dict[str, str], words: str) -> None:
    """The setting or the address is named."""
    desk.set(**{"smtp": "127.0.0.1:25", **given})
    with pytest.raises(ConfigurationError) as caught:
        channels(desk.home)
    assert words in str(caught.value)
