"""The ledger: chained, verified, on disk before anything that it records is sent."""

from __future__ import annotations

import errno
import io
import json
import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.contract.canonical import sha256
from site_agent.contract.errors import LedgerError, Refused
from site_agent.ledger import START, Ledger
from tests.protocol import clock

ENTRIES: list[tuple[str, dict[str, Any]]] = [
    ("approved", {"study": "s"}),
    ("share", {"round": 0}),
    ("share", {"round": 1}),
]


def filled(folder: Path) -> Path:
    """A ledger of three entries."""
    path = folder / "ledger.jsonl"
    ledger = Ledger(path, clock)
    for event, details in ENTRIES:
        ledger.append(event, **details)
    return path


def opened(data: bytes, folder: Path) -> str:
    """Whether a ledger with these bytes is opened or refused."""
    path = folder / "other.jsonl"
    path.write_bytes(data)
    try:
        Ledger(path, clock)
    except LedgerError:
        return "refused"
    return "opened"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger of three entries."""
    path = tmp_path_factory.mktemp("ledger")
    filled(path)
    return path


def test_entries_come_back(tmp_path: Path) -> None:
    """What was appended is read again, in order."""
    found = Ledger(filled(tmp_path), clock).entries
    assert [entry["event"] for entry in found] == ["approved", "share", "share"]


def test_an_entry_by_hand(tmp_path: Path) -> None:
    """The first entry follows from nothing, and says when and what."""
    line = filled(tmp_path).read_bytes().split(b"\n")[0]
    assert line == (
        b'{"at":"2026-01-01T00:00:00Z","event":"approved","number":1,"previous":"'
        + START.encode()
        + b'","study":"s"}'
    )


def test_entries_are_chained(tmp_path: Path) -> None:
    """Each entry holds the hash of the line before it."""
    lines = filled(tmp_path).read_bytes().splitlines()
    found = [json.loads(line)["previous"] for line in lines]
    assert found == [START, sha256(lines[0]), sha256(lines[1])]


def test_the_head_is_the_last_line(tmp_path: Path) -> None:
    """The head stands for the whole chain."""
    path = filled(tmp_path)
    assert Ledger(path, clock).head == sha256(path.read_bytes().splitlines()[-1])


def test_heads_of_before(tmp_path: Path) -> None:
    """The head behind each entry can be had later, too."""
    path = filled(tmp_path)
    ledger = Ledger(path, clock)
    expected = [sha256(line) for line in path.read_bytes().splitlines()]
    assert [ledger.head_after(number) for number in (1, 2, 3)] == expected


def test_details_do_not_replace_what_chains_an_entry(tmp_path: Path) -> None:
    """Number, time and the hash before are the ledger's own, whatever the details say."""
    ledger = Ledger(tmp_path / "ledger.jsonl", clock)
    ledger.append("share", number=7, previous="0", at="never")
    (entry,) = Ledger(tmp_path / "ledger.jsonl", clock).entries
    assert (entry["number"], entry["previous"], entry["at"]) == (1, START, clock())


def test_an_empty_ledger(tmp_path: Path) -> None:
    """A ledger that is not there yet has no entries, and is not made by being read."""
    ledger = Ledger(tmp_path / "ledger.jsonl", clock)
    assert (ledger.entries, ledger.head, list(tmp_path.iterdir())) == ([], START, [])


def test_find(tmp_path: Path) -> None:
    """Entries are found by event and details."""
    ledger = Ledger(filled(tmp_path), clock)
    assert [entry["number"] for entry in ledger.find("share", round=1)] == [3]


def test_find_does_not_take_an_absent_detail_for_one(tmp_path: Path) -> None:
    """An entry that does not hold a detail is not found by another value of it."""
    assert Ledger(filled(tmp_path), clock).find("approved", round=0) == []


@given(st.data())
@settings(max_examples=150)
def test_an_altered_entry_is_noticed(folder: Path, data: st.DataObject) -> None:
    """A byte changed in any line but the last breaks the chain."""
    content = bytearray((folder / "ledger.jsonl").read_bytes())
    chained = len(b"\n".join(bytes(content).splitlines()[:-1]))
    at = data.draw(st.integers(0, chained - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    assert opened(bytes(content), folder) == "refused"


@pytest.mark.parametrize(
    "alter",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0], lines[0], lines[1], lines[2]],
        lambda lines: [lines[0], b"", lines[1], lines[2]],
        lambda lines: [*lines, b"[]"],
        lambda lines: [*lines, b"null"],
        lambda lines: [*lines, b"{}"],
        lambda lines: [*lines, b"\xff"],
        lambda lines: [*lines, lines[-1]],
    ],
)
def test_lines_taken_out_or_put_in(
    folder: Path, alter: Callable[[list[bytes]], list[bytes]]
) -> None:
    """Lines that are missing, moved, repeated or no entries are noticed."""
    lines = (folder / "ledger.jsonl").read_bytes().splitlines()
    assert opened(b"\n".join(alter(lines)) + b"\n", folder) == "refused"


def test_the_refusal_says_where(folder: Path) -> None:
    """The error names the entry, and that nothing is answered until it is restored."""
    lines = (folder / "ledger.jsonl").read_bytes().splitlines()
    (folder / "other.jsonl").write_bytes(b"\n".join([lines[0], lines[2]]) + b"\n")
    with pytest.raises(LedgerError, match="entry 2 does not follow"):
        Ledger(folder / "other.jsonl", clock)


@given(st.data())
@settings(max_examples=60)
def test_a_torn_last_line_is_dropped(folder: Path, data: st.DataObject) -> None:
    """A crash while writing leaves a line without its end, which was never acted on."""
    lines = (folder / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    path = folder / "torn.jsonl"
    path.write_bytes(b"".join(lines[:2]) + lines[2][: data.draw(st.integers(0, len(lines[2]) - 1))])
    Ledger(path, clock)
    assert path.read_bytes() == b"".join(lines[:2])


def test_after_a_torn_line_the_chain_goes_on(tmp_path: Path) -> None:
    """What is appended behind a torn line follows from the last whole one."""
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:-10])
    Ledger(path, clock).append("share", round=1)
    assert [entry["event"] for entry in Ledger(path, clock).entries] == [
        "approved",
        "share",
        "share",
    ]


def test_only_the_agent_can_read_it(tmp_path: Path) -> None:
    """The file is 0600, whatever the umask."""
    before = os.umask(0)
    try:
        mode = filled(tmp_path).stat().st_mode & 0o777
    finally:
        os.umask(before)
    assert mode == 0o600


def test_an_entry_is_on_disk_before_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When fsync is called the file holds the entry, and the memory does not yet."""
    seen: list[tuple[int, int]] = []
    ledger = Ledger(filled(tmp_path), clock)

    def fsync(descriptor: int) -> None:
        lines = (tmp_path / "ledger.jsonl").read_bytes().count(b"\n")
        seen.append((lines, len(ledger.entries)))

    monkeypatch.setattr(os, "fsync", fsync)
    ledger.append("closed")
    assert seen == [(4, 3)]


def test_a_new_file_is_in_its_folder_before_append_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first entry waits for the folder too: a file without a name is lost in a crash."""
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda number: synced.append(os.readlink(f"/proc/self/fd/{number}"))
    )
    Ledger(tmp_path / "ledger.jsonl", clock).append("approved")
    assert synced == [str(tmp_path / "ledger.jsonl"), str(tmp_path)]


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry that could not be written whole is taken off again."""
    path = filled(tmp_path)
    before, ledger = path.read_bytes(), Ledger(path, clock)
    monkeypatch.setattr("site_agent.ledger.write_whole", half_written)
    with pytest.raises(OSError, match="No space"):
        ledger.append("share", round=2)
    assert path.read_bytes() == before


def test_after_a_full_disk_the_chain_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once there is room again, the next entry follows from the last whole one."""
    path = filled(tmp_path)
    ledger = Ledger(path, clock)
    with monkeypatch.context() as patch:
        patch.setattr("site_agent.ledger.write_whole", half_written)
        with pytest.raises(OSError, match="No space"):
            ledger.append("share", round=2)
    ledger.append("closed")
    assert [entry["event"] for entry in Ledger(path, clock).entries][-2:] == ["share", "closed"]


def half_written(file: io.FileIO, data: bytes) -> None:
    """A disk that is full after half of the bytes."""
    file.write(data[: len(data) // 2])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_two_processes_on_one_ledger(tmp_path: Path) -> None:
    """What another process wrote comes first; the next entry follows from it."""
    path = filled(tmp_path)
    one, other = Ledger(path, clock), Ledger(path, clock)
    other.append("revoked")
    one.append("share", round=2)
    events: list[Any] = [entry["event"] for entry in Ledger(path, clock).entries]
    assert events[-2:] == ["revoked", "share"]


def test_what_another_process_wrote_is_seen(tmp_path: Path) -> None:
    """A revocation that the steward's command wrote is read by the agent that runs."""
    path = filled(tmp_path)
    one, other = Ledger(path, clock), Ledger(path, clock)
    other.append("revoked")
    one.refresh()
    assert one.head == other.head


def test_processes_that_write_at_once(tmp_path: Path) -> None:
    """Entries of four processes that write at once make one chain, none lost."""
    path = filled(tmp_path)
    started = [multiprocessing.Process(target=write_many, args=(path, n)) for n in range(4)]
    for process in started:
        process.start()
    for process in started:
        process.join()
    written = Ledger(path, clock).find("share", round=7)
    assert sorted((e["writer"], e["turn"]) for e in written) == [
        (writer, turn) for writer in range(4) for turn in range(5)
    ]


def write_many(path: Path, writer: int) -> None:
    """Append five entries."""
    ledger = Ledger(path, clock)
    for turn in range(5):
        ledger.append("share", round=7, writer=writer, turn=turn)


def test_a_file_that_was_set_back(tmp_path: Path) -> None:
    """A file that is shorter than the process left it is not written to."""
    path = filled(tmp_path)
    before = path.read_bytes()
    ledger = Ledger(path, clock)
    ledger.append("share", round=2)
    path.write_bytes(before)
    with pytest.raises(LedgerError, match="shorter than this process left it"):
        ledger.append("share", round=3)


def test_two_refusals_in_turn(tmp_path: Path) -> None:
    """Two releases that are tried again and again, each refused, give one entry each."""
    ledger = Ledger(filled(tmp_path), clock)
    for _ in range(3):
        for code in ("too_few", "exposed"):
            ledger.append_refusal(Refused(code, "as before"))
    assert [e["code"] for e in ledger.find("refused")] == ["too_few", "exposed"]
