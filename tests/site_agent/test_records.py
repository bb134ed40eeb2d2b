"""Records of contributions: private, on disk, and never taken for what they are not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from site_agent.contract.errors import Refused
from site_agent.contributions import Contributions
from site_agent.records import Records
from tests.protocol import entropy

STUDY = "ab" * 32
WORDS = np.array([3, 2**63 + 5, 2**64 - 1], dtype=np.uint64)
FOUND = Contributions(
    WORDS,
    WORDS + np.uint64(1),
    {"curve: a": WORDS},
    {"part": WORDS},
    {"part": frozenset({"x"})},
    {"patients": "patient"},
    {"curve: a": ("ab", "cd")},
)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """The records in a folder that is not there yet."""
    return Records(tmp_path / "contributions", entropy("records"))


def files(tmp_path: Path) -> list[Path]:
    """The files of the folder."""
    return sorted((tmp_path / "contributions").iterdir())


def test_what_was_put_is_got(records: Records) -> None:
    """All 64 bits of each digest, names and columns."""
    records.put(STUDY, 7, FOUND)
    found = records.get(STUDY, 7)
    assert (
        [found.patients.tolist(), found.whole.tolist(), found.events["curve: a"].tolist()],
        *(found.parts["part"].tolist(), found.columns, found.identified, found.selected),
    ) == (
        [WORDS.tolist(), (WORDS + np.uint64(1)).tolist(), WORDS.tolist()],
        *(
            WORDS.tolist(),
            {"part": frozenset({"x"})},
            {"patients": "patient"},
            {"curve: a": ("ab", "cd")},
        ),
    )


def test_a_secret_is_made_once(records: Records) -> None:
    """The secret stays, or no two releases could be compared."""
    assert records.secret() == records.secret()


def test_files_are_private(records: Records, tmp_path: Path) -> None:
    """Nobody but the agent reads secret or records."""
    records.put(STUDY, 7, FOUND)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files(tmp_path)}
    assert modes == {f"{STUDY[:16]}-7.parquet": 0o600, "key": 0o600}


def test_a_record_is_on_disk(
    records: Records, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File and folder are synced before `put` returns."""
    synced = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    records.put(STUDY, 7, FOUND)
    folder = tmp_path / "contributions"
    expected = {path.stat().st_ino for path in (folder, *files(tmp_path))}
    assert expected <= set(synced)


def refused(records: Records, number: int = 7) -> str:
    """The code and the first words with which a record is refused."""
    with pytest.raises(Refused) as caught:
        records.get(STUDY, number)
    return f"{caught.value.code}: {str(caught.value).partition(',')[0].partition('release ')[2]}"


def test_a_record_that_is_missing(records: Records) -> None:
    """Without it nobody can tell who has changed."""
    assert refused(records) == "lost: 7 is missing or damaged"


@pytest.mark.parametrize("damage", [b"", b"PAR1 nothing", None])
def test_a_record_that_is_damaged(records: Records, tmp_path: Path, damage: bytes | None) -> None:
    """Cut short, or something else."""
    records.put(STUDY, 7, FOUND)
    path = files(tmp_path)[0]
    path.write_bytes(path.read_bytes()[:-20] if damage is None else damage)
    assert refused(records) == "lost: 7 is missing or damaged"


def test_a_record_of_another_release(records: Records, tmp_path: Path) -> None:
    """A file that was renamed is found out."""
    records.put(STUDY, 8, FOUND)
    path = files(tmp_path)[0]
    path.rename(path.with_name(f"{STUDY[:16]}-7.parquet"))
    assert refused(records) == "lost: 7 is that of another release"


def test_a_record_of_another_secret(records: Records, tmp_path: Path) -> None:
    """Everybody would seem changed, and a difference of one would pass."""
    records.put(STUDY, 7, FOUND)
    (tmp_path / "contributions" / "key").write_bytes(bytes(32))
    assert refused(records) == "lost: 7 was made with another secret"


def test_a_record_that_is_erased(records: Records, tmp_path: Path) -> None:
    """Of a release that gave nothing nothing is kept; twice is once."""
    records.put(STUDY, 7, FOUND)
    records.erase(STUDY, 7)
    records.erase(STUDY, 7)
    assert [path.name for path in files(tmp_path)] == ["key"]
