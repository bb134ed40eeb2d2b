"""The vault: what is kept is on disk, readable by the agent alone, and gone when it is over."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.vault import Vault

RECORDS = [("secret", b"\x00\n{}" * 9), ("ready", b""), ("share-0", b"s" * 100)]


def filled(folder: Path) -> Path:
    """A vault's file with three records."""
    vault = Vault(folder)
    for name, data in RECORDS:
        vault.put("release", name, data)
    return folder / "release.vault"


def kept(folder: Path) -> list[bytes | None]:
    """The three records as another process reads them."""
    vault = Vault(folder)
    return [vault.get("release", name) for name, _ in RECORDS]


def half_written(file: io.FileIO, *parts: bytes) -> None:
    """A disk that is full after half of the bytes."""
    data = b"".join(parts)
    file.write(data[: len(data) // 2])
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_was_kept_comes_back(tmp_path: Path) -> None:
    """Bytes of any kind, after a restart."""
    filled(tmp_path)
    assert kept(tmp_path) == [data for _, data in RECORDS]


def test_what_was_not_kept(tmp_path: Path) -> None:
    """A name, or a release, that was not kept gives nothing and makes no file."""
    vault = Vault(tmp_path / "vault")
    assert (vault.get("release", "x"), list(tmp_path.iterdir())) == (None, [])


def test_the_last_record_counts(tmp_path: Path) -> None:
    """What is kept again under a name replaces what was kept before."""
    vault = Vault(tmp_path)
    for data in (b"one", b"two"):
        vault.put("release", "share-0", data)
    assert Vault(tmp_path).get("release", "share-0") == b"two"


def test_releases_do_not_mix(tmp_path: Path) -> None:
    """Each release has records of its own."""
    vault = Vault(tmp_path)
    vault.put("one", "secret", b"1")
    vault.put("two", "secret", b"2")
    assert [Vault(tmp_path).get(name, "secret") for name in ("one", "two")] == [b"1", b"2"]


def test_only_the_agent_can_read_it(tmp_path: Path) -> None:
    """Files are 0600 in a folder that is 0700, whatever the umask."""
    before = os.umask(0)
    try:
        path = filled(tmp_path / "vault")
    finally:
        os.umask(before)
    assert [p.stat().st_mode & 0o777 for p in (path, path.parent)] == [0o600, 0o700]


def test_a_record_is_on_disk_before_put_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When fsync is called the file holds the record; a new file waits for its folder too."""
    synced: list[tuple[str, bool]] = []

    def fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((path.name, b"data" in (tmp_path / "v" / "one.vault").read_bytes()))

    monkeypatch.setattr(os, "fsync", fsync)
    Vault(tmp_path / "v").put("one", "share-0", b"data")
    assert synced == [("one.vault", True), ("v", True)]


def test_an_erased_release_is_gone(tmp_path: Path) -> None:
    """Nothing of it is left, neither in memory nor on disk."""
    filled(tmp_path)
    vault = Vault(tmp_path)
    vault.get("release", "secret")
    vault.erase("release")
    assert (vault.get("release", "secret"), list(tmp_path.iterdir())) == (None, [])


def test_an_erased_file_is_overwritten_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the file is removed its bytes are zeros on disk."""
    path = filled(tmp_path)
    seen: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_bytes()))
    length = path.stat().st_size
    Vault(tmp_path).erase("release")
    assert seen == [bytes(length)]


def test_erasing_what_is_not_there(tmp_path: Path) -> None:
    """A release that was never kept can be erased."""
    Vault(tmp_path).erase("release")
    assert list(tmp_path.iterdir()) == []


@given(st.data())
@settings(max_examples=100)
def test_a_file_cut_short(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Wherever a crash cuts the file, the records before the cut are whole, the others absent."""
    folder = tmp_path_factory.mktemp("vault")
    path = filled(folder)
    content = path.read_bytes()
    length = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:length])
    found = kept(folder)
    whole = sum(1 for record in found if record is not None)
    assert found == [record if n < whole else None for n, (_, record) in enumerate(RECORDS)]


def test_a_tail_of_zeros(tmp_path: Path) -> None:
    """A crash may leave zeros where the last record was to stand; they are taken off."""
    path = filled(tmp_path)
    before = path.read_bytes()
    path.write_bytes(before + bytes(64))
    kept(tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "tail", [b"1\n", b"[]\n", b"{}\n", b'{"length":"x"}\n', b"null\n", b"\xff\n"]
)
def test_a_tail_that_is_no_record(tmp_path: Path, tail: bytes) -> None:
    """Whatever stands behind the last record, it is taken off, and nothing else happens."""
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes() + tail)
    assert kept(tmp_path) == [data for _, data in RECORDS]


def test_after_a_full_disk_records_follow_the_last_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that could not be written whole does not swallow those behind it."""
    vault = Vault(tmp_path)
    vault.put("release", "secret", RECORDS[0][1])
    with monkeypatch.context() as patch:
        patch.setattr("site_agent.vault.write_whole", half_written)
        with pytest.raises(OSError, match="No space"):
            vault.put("release", "ready", b"lost" * 99)
    vault.put("release", "ready", b"")
    vault.put("release", "share-0", RECORDS[2][1])
    assert kept(tmp_path) == [data for _, data in RECORDS]


def test_what_could_not_be_written_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record is not to be had before it is on disk."""
    vault = Vault(tmp_path)
    monkeypatch.setattr("site_agent.vault.write_whole", half_written)
    with pytest.raises(OSError, match="No space"):
        vault.put("release", "ready", b"lost")
    assert vault.get("release", "ready") is None
