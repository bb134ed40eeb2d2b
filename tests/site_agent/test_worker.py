"""The process that computes: what it answers, what hinders it, and what it never says."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from site_agent import worker as module
from site_agent.child import Child
from site_agent.contract import messages
from site_agent.contract.messages import Burn, Close, Round, Shares
from site_agent.pipes import read_frame, write_frame
from site_agent.runtime.locks import locked
from site_agent.site import Site
from site_agent.worker import Worker, serve
from tests.coordinator.exchange.office import frozen_file, opening
from tests.protocol import Play, World, honest_totals, patients, signed, totals_of
from tests.site_agent.hospital import NAME, furnished, kind, set_up, without_room

STUDY = frozen_file()[1]
ROOT = Path(__file__).parents[2]


class Core:
    """A worker in the place of a core, in a release that is played in this process."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.worker = Worker(site)

    def receive(self, wire: bytes) -> bytes | None:
        """The answer to a message; AssertionError with the words if there is a hindrance."""
        header, reply = self.worker.answer(STUDY.hash, wire)
        assert header["outcome"] != "hindered", header
        return reply or None

    def approve(self) -> None:
        """The steward's approval."""
        self.worker.ledger.append("approved", study=STUDY.hash)

    def restart(self) -> None:
        """Another process in the place of this one."""
        self.worker = Worker(self.site)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hospital with data and study, which its steward has not approved."""
    return furnished(tmp_path / "hospital")


def played(site: Site, folder: Path) -> tuple[Play, Core]:
    """A release of five hospitals; one of them is this one, with its worker."""
    folder.mkdir(exist_ok=True)
    play = Play(World(folder))
    core = Core(site)
    core.approve()
    play.cores[NAME] = core  # type: ignore[assignment]
    return play, core


def approved(site: Site) -> Worker:
    """A worker of a hospital that has approved the study."""
    core = Core(site)
    core.approve()
    return core.worker


def hindrance(worker: Worker, wire: bytes) -> tuple[str, str]:
    """Code and words with which a message is not answered."""
    header, reply = worker.answer(STUDY.hash, wire)
    assert reply == b""
    return str(header.get("code", header["outcome"])), str(header.get("text", ""))


# A whole release


def test_a_release_over_the_worker(site: Site, tmp_path: Path) -> None:
    """A release in which one hospital answers from files gives the totals of any other."""
    play, _ = played(site, tmp_path / "others")
    assert totals_of(play.finish()) == honest_totals()


@pytest.mark.parametrize(
    ("content", "number"), [(Round, 0), (Shares, 0), (Round, 2), (Close, None)]
)
def test_a_new_worker_gives_the_same_bytes(
    site: Site, tmp_path: Path, content: Any, number: int | None
) -> None:
    """A process that is given a release from its first message on answers as the one before."""
    play, core = played(site, tmp_path / "others")
    play.until(content, number)
    core.restart()
    again = [core.receive(wire) for wire in play.script.messages[: play.step]]
    assert again == [play.replies[NAME, step] for step in range(play.step)]


def test_a_release_goes_on_in_a_new_worker(site: Site, tmp_path: Path) -> None:
    """A release whose process was replaced before each round has the same totals."""
    play, core = played(site, tmp_path / "others")
    while not play.script.done:
        core.restart()
        for wire in play.script.messages[: play.step]:
            core.receive(wire)
        play.go()
    assert totals_of(play.release) == honest_totals()


def test_of_a_closed_release_only_the_end_is_answered(site: Site, tmp_path: Path) -> None:
    """A new process says nothing to the messages of a closed release, but the receipt again."""
    play, core = played(site, tmp_path / "others")
    play.finish()
    core.restart()
    again = [core.receive(wire) for wire in play.script.messages]
    assert again == [None] * (play.step - 1) + [play.replies[NAME, play.step - 1]]


def test_of_a_burned_release_nothing_is_answered(site: Site, tmp_path: Path) -> None:
    """A new process says nothing to the messages of a release that was given up."""
    play, core = played(site, tmp_path / "others")
    play.until(Round, 1)
    burn = signed(Burn(messages.read(play.script.messages[0]).digest()))
    core.receive(burn)
    core.restart()
    wires = [*play.script.messages[: play.step + 1], burn]
    assert [core.receive(wire) for wire in wires] == [None] * len(wires)


# What hinders


def test_a_study_that_is_not_approved(site: Site) -> None:
    """Without an approval, OPEN is answered with the reason."""
    assert hindrance(Worker(site), opening()) == (
        "not_approved",
        "this hospital's steward has not approved the study",
    )


def test_an_approval_of_another_process_counts(site: Site) -> None:
    """What the steward approves while the process runs is seen at the next message."""
    worker = Worker(site)
    worker.answer(STUDY.hash, opening())
    site.ledger().append("approved", study=STUDY.hash)
    assert worker.answer(STUDY.hash, opening())[0] == {"outcome": "reply"}


def test_an_approval_that_has_ended(site: Site) -> None:
    """After the end of its approval, a study is not answered, and the text says what to do."""
    site.ledger().append("approved", study=STUDY.hash, until="2026-01-01T00:00:00Z")
    assert hindrance(Worker(site), opening()) == (
        "expired",
        "this hospital's approval of the study ended at 2026-01-01T00:00:00Z; its steward must "
        "approve it again",
    )


def test_a_study_that_was_not_fetched(tmp_path: Path) -> None:
    """A release of a study that is not here says to fetch it."""
    site = set_up(tmp_path / "hospital")
    assert hindrance(Worker(site), opening()) == (
        "not_approved",
        "the study of a release is not here; fetch it with `site-agent studies`, then review and "
        "approve it",
    )


def test_a_study_that_was_altered_here(site: Site) -> None:
    """A study file that is no longer what its name says is not used."""
    path = site.state / "studies" / f"{STUDY.hash}.yaml"
    path.write_text(path.read_text().replace("  curve:", "  curves:"))
    code, text = hindrance(Worker(site), opening())
    assert (code, "Remove it, then fetch it again" in text) == ("configuration", True)


def test_a_study_file_that_cannot_be_read(site: Site) -> None:
    """A damaged study file is told as such, without its text."""
    (site.state / "studies" / f"{STUDY.hash}.yaml").write_bytes(b"\xff: canary")
    code, text = hindrance(Worker(site), opening())
    assert (code, "canary" in text) == ("configuration", False)


def test_data_that_do_not_fit(site: Site) -> None:
    """Findings in the data are told here, in words, under one code."""
    rows = patients(NAME)
    rows["days"] = 99
    rows.to_parquet(site.data("protocol") / "patients.parquet", index=False)
    code, text = hindrance(approved(site), opening())
    assert (code, "days" in text, "99" in text) == ("unfit_data", True, False)


def test_data_that_are_not_there(site: Site) -> None:
    """A missing file is told with its name and folder."""
    path = site.data("protocol") / "patients.parquet"
    path.unlink()
    code, text = hindrance(approved(site), opening())
    assert (code, f"{path.parent}" in text, path.name in text) == ("unfit_data", True, True)


def test_data_that_are_mended(site: Site) -> None:
    """After the data were mended, the same OPEN is answered."""
    path = site.data("protocol") / "patients.parquet"
    kept = path.read_bytes()
    patients(NAME).assign(days=99).to_parquet(path, index=False)
    worker = approved(site)
    worker.answer(STUDY.hash, opening())
    path.write_bytes(kept)
    assert worker.answer(STUDY.hash, opening())[0] == {"outcome": "reply"}


def test_a_damaged_ledger(site: Site) -> None:
    """A ledger that was altered while the process runs stops all answers."""
    worker = approved(site)
    with (site.state / "ledger.jsonl").open("ab") as file:
        file.write(b'{"event":"approved"}\n')
    assert hindrance(worker, opening())[0] == "ledger"


def test_a_message_that_is_none(site: Site) -> None:
    """Bytes that are no message are refused."""
    assert hindrance(Worker(site), b"no message")[0] == "malformed"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (OSError(errno.EIO, "Input/output error"), "disk"),
        (KeyError("canary-alder-0"), "internal"),
    ],
)
def test_what_was_not_foreseen(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str
) -> None:
    """Too little memory, a bad disk, or a defect hinders a release; no value is told."""

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(module, "read_data", fails)
    found, text = hindrance(approved(site), opening())
    assert (found, "canary" in text) == (code, False)


def test_a_table_that_holds_names_is_not_quoted(site: Site) -> None:
    """Whatever is wrong with the data, no value of them is in the words."""
    path = site.data("protocol") / "patients.parquet"
    rows = patients(NAME)
    broken = pd.DataFrame({name: [f"canary {name}"] * len(rows) for name in rows})
    broken.to_parquet(path, index=False)
    assert "canary" not in hindrance(approved(site), opening())[1]


# A full disk


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """The small file system of a folder, filled to its last byte."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(512)):
                pass
        except OSError:
            pass
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture
def small(site: Site) -> Iterator[Site]:
    """A hospital whose state is on a file system of 256 KiB; skipped if none can be mounted."""
    kept = {path: path.read_bytes() for path in site.state.rglob("*") if path.is_file()}
    command = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", str(site.state)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("a file system can be mounted by root only; the limit of files is tried")
    try:
        for path, data in kept.items():
            path.parent.mkdir(exist_ok=True)
            path.touch(0o600)
            path.write_bytes(data)
        yield site
    finally:
        subprocess.run(["umount", "--lazy", str(site.state)], check=True)


Full = Callable[[Path], Any]


@pytest.fixture(params=["limit of files", "small file system"])
def short(request: pytest.FixtureRequest) -> tuple[Site, Full]:
    """A hospital, and how its disk is filled."""
    if request.param == "limit of files":
        return request.getfixturevalue("site"), lambda _: without_room()
    return request.getfixturevalue("small"), filled


def test_a_full_disk_is_told(short: tuple[Site, Full]) -> None:
    """At OPEN on a full disk, the message names the file and says to make room."""
    site, filling = short
    worker = approved(site)
    with filling(site.state):
        code, text = hindrance(worker, opening())
    assert (code, text.startswith(str(site.state)), "make room on this disk" in text) == (
        *("disk", True),
        True,
    )


def test_nothing_is_written_half_on_a_full_disk(short: tuple[Site, Full]) -> None:
    """What did not fit on the disk leaves the ledger as it was."""
    site, filling = short
    worker = approved(site)
    before = (site.state / "ledger.jsonl").read_bytes()
    with filling(site.state):
        worker.answer(STUDY.hash, opening())
    assert (site.state / "ledger.jsonl").read_bytes() == before


def test_a_release_goes_on_after_room_was_made(short: tuple[Site, Full], tmp_path: Path) -> None:
    """Every message met a full disk first, and the release has the totals of any other."""
    site, filling = short
    play, core = played(site, tmp_path / "others")
    while not play.script.done:
        with filling(site.state):
            core.worker.answer(STUDY.hash, play.next)
        play.go()
    assert totals_of(play.release) == honest_totals()


def test_a_new_worker_after_a_full_disk(short: tuple[Site, Full], tmp_path: Path) -> None:
    """A process that starts behind a full disk finds all that was sent before."""
    site, filling = short
    play, core = played(site, tmp_path / "others")
    play.until(Round, 1)
    with filling(site.state):
        core.worker.answer(STUDY.hash, play.next)
    core.restart()
    again = [core.receive(wire) for wire in play.script.messages[: play.step]]
    assert again == [play.replies[NAME, step] for step in range(play.step)]


# The process


def test_frames_are_answered_in_order(site: Site) -> None:
    """Each frame is answered by one, until the other side is gone."""
    requests, answers = io.BytesIO(), io.BytesIO()
    for wire in (opening(), b"no message"):
        write_frame(requests, {"study": STUDY.hash}, wire)
    requests.seek(0)
    serve(Worker(site), requests, answers)
    answers.seek(0)
    assert [read_frame(answers)[0]["code"] for _ in range(2)] == ["not_approved", "malformed"]


def test_a_frame_that_was_cut_short_is_the_end(site: Site) -> None:
    """An agent that was killed in the middle of a frame is gone."""
    requests, answers = io.BytesIO(), io.BytesIO()
    write_frame(requests, {"study": STUDY.hash}, opening())
    serve(Worker(site), io.BytesIO(requests.getvalue()[:-1]), answers)
    assert answers.getvalue() == b""


@contextmanager
def process(site: Site, program: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """The process as the agent starts it, or a program that calls it."""
    own = ["-c", program] if program else ["-m", "site_agent.worker"]
    with subprocess.Popen(
        [sys.executable, *own, str(site.settings.file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    ) as found:
        yield found
        found.kill()


def asked(*wires: bytes) -> bytes:
    """Frames with messages of the study."""
    out = io.BytesIO()
    for wire in wires:
        write_frame(out, {"study": STUDY.hash}, wire)
    return out.getvalue()


CHATTY = """
import sys
from pathlib import Path
from site_agent import worker
answer = worker.Worker.answer
def chatty(self, study, wire):
    print("a library prints")
    sys.stdout.flush()
    return answer(self, study, wire)
worker.Worker.answer = chatty
worker.start(Path(sys.argv[1]))
"""


def test_nothing_but_frames_is_on_stdout(site: Site) -> None:
    """What a library prints is in the log, and not between the frames."""
    with process(site, CHATTY) as found:
        out, err = found.communicate(asked(opening()), 30)
    header, _ = read_frame(io.BytesIO(out))
    assert (header["code"], b"a library prints" in out, b"a library prints" in err) == (
        *("not_approved", False),
        True,
    )


def test_a_process_with_wrong_settings_says_so(site: Site) -> None:
    """Settings that were spoilt while the agent runs are told in a line, without a traceback."""
    site.settings.file.write_text("[work]\nmemory_mib = -1\n", encoding="utf-8")
    with process(site) as found:
        _, err = found.communicate(asked(opening()), 30)
    assert (found.returncode, err.decode().splitlines()) == (
        78,
        [
            f"error: {site.settings.file}: settings that do not fit",
            f"  work.memory_mib from {site.settings.file} is '-1', expected a whole number of at "
            f"least 0",
        ],
    )


def test_nothing_is_open_before_the_first_message(site: Site) -> None:
    """A process that stands by holds no lock, and takes the settings that the message finds."""
    with process(site) as found:
        assert found.stdin is not None
        time.sleep(2)  # it has loaded its libraries
        with locked(site.state / "computing"):
            pass
        site.settings.file.write_text("[work]\nmemory_mib = -1\n", encoding="utf-8")
        _, err = found.communicate(asked(opening()), 30)
    assert (found.returncode, b"work.memory_mib" in err) == (78, True)


def test_an_end_without_a_message(site: Site) -> None:
    """A process that stood by when its agent ended just ends."""
    with process(site) as found:
        assert found.communicate(b"", 30) == (b"", b"")
    assert found.returncode == 0


def test_an_orphan_ends_first(site: Site) -> None:
    """While the process of an agent that was killed still computes, another one waits."""
    child = Child(site.settings.file, 60)
    answered: list[dict[str, Any]] = []
    thread = threading.Thread(
        target=lambda: answered.append(child.answer(STUDY.hash, opening())[0])
    )
    with locked(site.state / "computing"):
        thread.start()
        thread.join(2)
        waited = list(answered)
    thread.join(30)
    child.end()
    assert (waited, [header["code"] for header in answered]) == ([], ["not_approved"])


GREEDY = """
import sys
from pathlib import Path
from site_agent import worker
worker.read_data = lambda *_: bytes(64 << 30)
worker.start(Path(sys.argv[1]))
"""


def test_too_little_memory(site: Site) -> None:
    """Data that need more than the bound on memory hinder the release; the words name it."""
    with site.settings.file.open("a", encoding="utf-8") as file:
        file.write("\n[work]\nmemory_mib = 16384\n")
    approved(site)
    with process(site, GREEDY) as found:
        out, _ = found.communicate(asked(opening()), 30)
    header, _ = read_frame(io.BytesIO(out))
    assert (header["code"], "work.memory_mib" in header["text"]) == ("memory", True)


def test_the_answers_of_the_process_are_messages(site: Site) -> None:
    """The process answers OPEN of an approved study with READY."""
    approved(site)
    with process(site) as found:
        out, _ = found.communicate(asked(opening()), 30)
    header, reply = read_frame(io.BytesIO(out))
    assert (header, kind(reply)) == ({"outcome": "reply"}, "READY")


def test_studies_over_one_folder_are_compared(site: Site) -> None:
    """A core knows from where this hospital reads the study of a name."""
    core = Worker(site)._core(STUDY.hash)
    assert core._memory._folder("any") == str(site.settings.path("data.folder"))
