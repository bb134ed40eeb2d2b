"""No value of a patient gets out: not into a log, the ledger, an error, nor a message.

Hospitals with planted values go through a release, and through everything that can be wrong with
data and messages; then all that was said and written is searched for them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from site_agent import worker as module
from site_agent.contract import messages
from site_agent.contract.canonical import canonical_json
from site_agent.contract.errors import QuorumError
from site_agent.contract.messages import (
    Burn,
    Close,
    Content,
    Open,
    Parts,
    Readies,
    Round,
    Shares,
)
from site_agent.contract.securesum import vector
from site_agent.contract.study.model import Study
from site_agent.data.source import read_data
from site_agent.ledger_words import in_words
from site_agent.preview import preview
from site_agent.site import Site
from site_agent.under_way import SiteData
from site_agent.worker import Worker
from tests.planted import CANARY, FAULTS, STUDY, Tables, faulty, leaks, spellings, tables
from tests.protocol import CENTER, SITES, Play, World, frozen, identity, signed
from tests.site_agent.hospital import check, keep, set_up, without_room

VICTIM = "alder"
FROM_CENTER: tuple[type[Content], ...] = (Open, Readies, Parts, Round, Shares, Close, Burn)
COUNTS = 2  # the first round behind the guard's
PLACE = {site: place for place, site in enumerate(SITES)}


def test_the_search_finds_what_is_planted() -> None:
    """A search that cannot see would find nothing anywhere."""
    of = tables(0)
    value = float(of["patients"]["age"][0])
    said = [b"patient canary-0-3", f"age {value:.4f}".encode(), *spellings(value)]
    assert all(leaks(b"..." + text + b"...", of) for text in said)


def write(folder: Path, of: Tables) -> None:
    """Write tables as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in of.items():
        rows.to_parquet(folder / f"{name}.parquet", index=False)


def contents(folder: Path) -> bytes:
    """Names and contents of all files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"\n".join(str(path).encode() + path.read_bytes() for path in files)


# A release in one process


@dataclass
class Overheard:
    """All that a release wrote, sent and said."""

    written: list[bytes] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    said: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def study() -> Study:
    """The study over five hospitals."""
    return frozen(STUDY)


@pytest.fixture(scope="module")
def data(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], SiteData]:
    """What each hospital reads."""
    folder = tmp_path_factory.mktemp("data")
    for site in SITES:
        write(folder / site, tables(PLACE[site]))
    found = {site: read_data(study, folder / site, site, {}) for site in SITES}
    return found.__getitem__


@pytest.fixture(scope="module")
def overheard(
    study: Study, data: Callable[[str], SiteData], tmp_path_factory: pytest.TempPathFactory
) -> Overheard:
    """A whole release, with its files looked at behind every message."""
    found = Overheard()
    play = Play(World(tmp_path_factory.mktemp("world"), study=study, data=data))
    while not play.script.done:
        play.go()
        found.written.append(contents(play.world.folder))
    found.sent = [*play.script.messages, *(wire for wire in play.replies.values() if wire)]
    for site in SITES:
        entries = play.world.ledger(site).entries
        found.said += [line.encode() for line in in_words(entries, {study.hash: study})]
    return found


@pytest.mark.parametrize("site", SITES)
def test_nothing_is_written_of_a_patient(overheard: Overheard, site: str) -> None:
    """Ledger, vault and records, behind each message of a release: no planted value."""
    assert (
        leaks(b"\n".join(overheard.written), tables(PLACE[site]), digits=4),
        len(overheard.written) > 10,
    ) == (*([], True),)


@pytest.mark.parametrize("site", SITES)
def test_nothing_is_sent_of_a_patient(overheard: Overheard, site: str) -> None:
    """Every message to and from the hospitals: no planted value."""
    assert leaks(b"\n".join(overheard.sent), tables(PLACE[site]), digits=4) == []


@pytest.mark.parametrize("site", SITES)
def test_nothing_is_said_of_a_patient(overheard: Overheard, site: str) -> None:
    """The ledger in words: no planted value."""
    assert leaks(b"\n".join(overheard.said), tables(PLACE[site])) == []


# What goes wrong


@dataclass
class Hospital:
    """A hospital of which everything that it says is kept: words, log, files, stdout, stderr."""

    site: Site
    study: Study
    capture: pytest.CaptureFixture[str]
    log: pytest.LogCaptureFixture
    words: list[str] = field(default_factory=list)

    def worker(self) -> Worker:
        """The process that computes, of a hospital that has approved the study."""
        if not self.site.ledger().entries:
            self.site.ledger().append("approved", study=self.study.hash)
        return Worker(self.site)

    def answer(self, worker: Worker, wire: bytes) -> str:
        """The code with which a message is not answered, or how it is."""
        header, _ = worker.answer(self.study.hash, wire)
        self.words.append(canonical_json(header).decode())
        return str(header.get("code", header["outcome"]))

    def command(self, command: Callable[[Site, str], object]) -> None:
        """What a steward's command says when it fails."""
        try:
            command(self.site, "planted")
        except QuorumError as error:
            self.words += [str(error), repr(error)]

    def everything(self) -> bytes:
        """All that was said and written, but for the data."""
        self.words += [*self.capture.readouterr(), self.log.text]
        self.words += in_words(self.site.ledger().entries, {self.study.hash: self.study})
        return "\n".join(self.words).encode() + contents(self.site.state)


@pytest.fixture
def hospital(
    study: Study,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> Hospital:
    """A hospital with planted values, whose every word is kept."""
    caplog.set_level(logging.DEBUG)
    site = set_up(tmp_path / "hospital", VICTIM)
    keep(site, STUDY)
    write(site.data("planted"), tables(PLACE[VICTIM]))
    return Hospital(site, study, capfd, caplog)


@pytest.mark.parametrize("fault", FAULTS)
def test_data_that_do_not_fit_are_not_quoted(hospital: Hospital, fault: str) -> None:
    """Each fault hinders the release under its code, and no word has a value in it."""
    wrong = faulty(fault, PLACE[VICTIM])
    write(hospital.site.data("planted"), wrong)
    opening = World(hospital.site.state.parent, study=hospital.study).release().open_message()
    code = hospital.answer(hospital.worker(), opening)
    for command in (check, preview):
        hospital.command(command)
    found = leaks(hospital.everything(), tables(PLACE[VICTIM]))
    assert (code, found, [b for b in (b"77.12", b"77123") if b in hospital.everything()]) == (
        *("unfit_data", []),
        [],
    )


@dataclass
class Core:
    """A hospital's worker in the place of a core, in a release that is played in this process."""

    hospital: Hospital
    worker: Worker

    def receive(self, wire: bytes) -> bytes | None:
        """The answer to a message that is due."""
        header, reply = self.worker.answer(self.hospital.study.hash, wire)
        assert header["outcome"] != "hindered", header
        return reply or None

    def approve(self) -> None:
        """The steward's approval, which is given already."""


def played(hospital: Hospital, folder: Path, data: Callable[[str], SiteData]) -> tuple[Play, Core]:
    """A release of five hospitals, one of which is this one."""
    core = Core(hospital, hospital.worker())
    folder.mkdir()
    play = Play(World(folder, study=hospital.study, data=data))
    play.cores[VICTIM] = core  # type: ignore[assignment]
    return play, core


def altered(play: Play) -> Iterator[bytes]:
    """What may come in the place of the message that is due."""
    due = play.next
    yield due[:-1]
    yield due[:40]
    yield due + b"?"
    for at in (9, len(due) // 2, len(due) - 3):
        yield due[:at] + bytes([due[at] ^ 1]) + due[at + 1 :]
    yield from forged(due)
    yield from (wire for wire in play.script.messages if wire != due)
    yield from (wire for wire in play.replies.values() if wire is not None)


def forged(due: bytes) -> Iterator[bytes]:
    """The message that is due in another name, and with each thing that it says changed."""
    message = messages.read(due)
    kind = {kind.TYPE: kind for kind in FROM_CENTER}[message.kind]
    said = message.says(kind, identity(CENTER).member())
    parts = [part for part in message.parts if part is not None]
    yield signed(said, parts, by="beech")
    yield signed(said, parts[:-1])
    yield signed(said, parts[::-1])
    for name, value in asdict(said).items():
        other = value + 1 if isinstance(value, int) else value[::-1]
        yield signed(replace(said, **{name: other}), parts)


def test_refusals_of_a_whole_release(
    hospital: Hospital, tmp_path: Path, data: Callable[[str], SiteData]
) -> None:
    """Before each message of a release come altered ones, and those of others: many refusals."""
    play, core = played(hospital, tmp_path / "others", data)
    codes = set()
    while not play.script.done:
        codes |= {hospital.answer(core.worker, wire) for wire in altered(play)}
        play.go()
    found = leaks(hospital.everything(), tables(PLACE[VICTIM]))
    assert (found, len(codes) > 12) == ([], True), codes


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [("dose", 7.7123457e199, "overflow"), ("dose", -7.7123457e99, "overflow")],
)
def test_numbers_that_cannot_be_sent(
    hospital: Hospital,
    tmp_path: Path,
    data: Callable[[str], SiteData],
    *,
    column: str,
    value: float,
    code: str,
) -> None:
    """A number too large to be summed is refused, and not told."""
    of = tables(PLACE[VICTIM])
    of["patients"][column] = value
    write(hospital.site.data("planted"), of)
    play, core = played(hospital, tmp_path / "others", data)
    play.until(Round, COUNTS)
    found = hospital.answer(core.worker, play.next)
    hospital.words += [preview(hospital.site, "planted").refused]
    assert (found, b"7.7123" in hospital.everything()) == (code, False)


class Unforeseen(Exception):
    """An error whose words are made of data."""


def unforeseen() -> Iterator[BaseException]:
    """Errors as libraries raise them, each with a value in its words."""
    value = f"{CANARY} 77.123457"
    yield from (kind(value) for kind in (KeyError, ValueError, TypeError, RuntimeError, Unforeseen))
    yield from (kind(value) for kind in (ZeroDivisionError, IndexError, AssertionError))
    yield UnicodeDecodeError("utf-8", value.encode(), 0, 1, value)
    yield np.linalg.LinAlgError(value)
    yield MemoryError(value)


@pytest.mark.parametrize("error", list(unforeseen()), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("place", ["read_data", "compute"])
def test_errors_that_nobody_foresaw(
    hospital: Hospital,
    tmp_path: Path,
    data: Callable[[str], SiteData],
    monkeypatch: pytest.MonkeyPatch,
    *,
    error: Exception,
    place: str,
) -> None:
    """While data are read or summed: kind and place are told, the words of the error are not."""

    def fails(*_: object) -> None:
        try:
            raise KeyError(f"{CANARY} cause")
        except KeyError:
            raise error from None

    play, core = played(hospital, tmp_path / "others", data)
    if place == "compute":
        play.until(Round, COUNTS)
        monkeypatch.setattr(vector, "encode", fails)
    else:
        monkeypatch.setattr(module, "read_data", fails)
    code = hospital.answer(core.worker, play.next)
    expected = "memory" if isinstance(error, MemoryError) else "internal"
    assert (code, leaks(hospital.everything(), tables(PLACE[VICTIM]))) == (expected, [])


def test_a_disk_that_fails(
    hospital: Hospital, tmp_path: Path, data: Callable[[str], SiteData]
) -> None:
    """What the system says of a file has its name, and the name is of the hospital's own."""
    play, core = played(hospital, tmp_path / "others", data)
    play.until(Round, COUNTS)
    with without_room():
        code = hospital.answer(core.worker, play.next)
    assert (code, leaks(hospital.everything(), tables(PLACE[VICTIM]))) == ("disk", [])


def test_data_that_change_in_a_release(
    hospital: Hospital, tmp_path: Path, data: Callable[[str], SiteData]
) -> None:
    """A restart over other data is refused: that they changed is told, and not how."""
    play, core = played(hospital, tmp_path / "others", data)
    play.until(Round, COUNTS)
    of = tables(PLACE[VICTIM])
    of["patients"]["age"] += 1
    write(hospital.site.data("planted"), of)
    core.worker = Worker(hospital.site)
    code = hospital.answer(core.worker, play.script.messages[0])
    changed = leaks(hospital.everything(), of) + leaks(hospital.everything(), tables(PLACE[VICTIM]))
    assert (code, changed) == ("data_changed", [])
