"""The vault: what is kept is on disk, readable by the agent alone, and gone when it is over."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from site_agent.vault import Vault

RECORDS = [("secret-1", b"\x00\n{}" * 9), ("ready", b""), ("share-0", b"s" * 100)]


def filled(folder: Path) -> Path:
    """The folder of a release with three records."""
    vault = Vault(folder)
    for name, data in RECORDS:
        vault.put("release", name, data)
    return folder / "release"


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
    vault.put("one", "secret-1", b"1")
    vault.put("two", "secret-1", b"2")
    assert [Vault(tmp_path).get(name, "secret-1") for name in ("one", "two")] == [b"1", b"2"]


def test_only_the_agent_can_read_it(tmp_path: Path) -> None:
    """Files are 0600 in folders that are 0700, whatever the umask."""
    before = os.umask(0)
    try:
        folder = filled(tmp_path / "vault")
    finally:
        os.umask(before)
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {0o600}
    assert [p.stat().st_mode & 0o777 for p in (folder, folder.parent)] == [0o700, 0o700]


def test_a_record_is_on_disk_before_put_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes wait for the disk, then the names: of the folder, then of the record in it."""
    vault, synced = tmp_path / "vault", []

    def fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        names = sorted(p.name for p in (vault / "one").iterdir())
        synced.append((path.name, names, path.read_bytes() if path.is_file() else b""))

    monkeypatch.setattr(os, "fsync", fsync)
    Vault(vault).put("one", "share-0", b"data")
    assert synced == [
        ("vault", [], b""),
        ("share-0.part", ["share-0.part"], b"data"),
        ("one", ["share-0"], b""),
    ]


def test_an_erased_release_is_gone(tmp_path: Path) -> None:
    """Nothing of it is left."""
    filled(tmp_path)
    vault = Vault(tmp_path)
    vault.erase("release")
    assert (vault.get("release", "secret-1"), list(tmp_path.iterdir())) == (None, [])


def test_an_erased_secret_is_overwritten_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the files are removed, the bytes of secrets are zeros on disk."""
    path = filled(tmp_path) / "secret-1"
    seen: list[bytes] = []
    monkeypatch.setattr(os, "fsync", lambda _: seen.append(path.read_bytes()))
    length = path.stat().st_size
    Vault(tmp_path).erase("release")
    assert seen == [bytes(length)]


def test_erasing_what_is_not_there(tmp_path: Path) -> None:
    """A release that was never kept can be erased."""
    Vault(tmp_path).erase("release")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("written", [0, 3])
def test_a_record_cut_short(tmp_path: Path, written: int) -> None:
    """What a crash left of a record that was being written does not count, nor stand in the way."""
    folder = filled(tmp_path)
    (folder / "share-1.part").write_bytes(b"abc"[:written])
    vault = Vault(tmp_path)
    assert vault.get("release", "share-1") is None
    vault.put("release", "share-1", b"whole")
    assert [*kept(tmp_path), vault.get("release", "share-1")] == [
        *(data for _, data in RECORDS),
        b"whole",
    ]


def test_what_could_not_be_written_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk a record is not to be had, and the one of before stays."""
    vault = Vault(tmp_path)
    vault.put("release", "ready", b"before")
    with monkeypatch.context() as patch:
        patch.setattr("site_agent.vault.write_whole", half_written)
        for name in ("ready", "share-0"):
            with pytest.raises(OSError, match="No space") as raised:
                vault.put("release", name, b"lost" * 99)
            assert raised.value.filename == str(tmp_path / "release" / name)
    assert [vault.get("release", name) for name in ("ready", "share-0")] == [b"before", None]
