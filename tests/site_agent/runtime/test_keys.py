"""A key on disk: for its owner alone, never overwritten, told if it is damaged."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.keys import create_identity, ensure_identity, read_identity
from tests.protocol import entropy, identity


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The place of a key, in a folder that is not there yet."""
    return tmp_path / "state" / "key"


def create(path: Path, seed: str = "a seed") -> bytes:
    """The public half of a new key."""
    return create_identity(path, "alder", entropy(seed)).member().signing_key.encode()


def test_a_key_comes_back(path: Path) -> None:
    """What was created is read again."""
    assert create(path) == read_identity(path, "alder").member().signing_key.encode()


def test_only_its_owner_can_read_a_key(path: Path) -> None:
    """File and folder are closed to all others, whatever the umask is."""
    before = os.umask(0)
    try:
        create(path)
    finally:
        os.umask(before)
    assert [oct(p.stat().st_mode & 0o777) for p in (path, path.parent)] == ["0o600", "0o700"]


def test_a_key_is_never_overwritten(path: Path) -> None:
    """A second key in the same place is an error, and the first stays."""
    first = create(path)
    with pytest.raises(FileExistsError):
        create(path, "another seed")
    assert read_identity(path, "alder").member().signing_key.encode() == first


def test_a_key_that_is_there_is_taken(path: Path) -> None:
    """Setting up again gives the key of before."""
    first = create(path)
    again = ensure_identity(path, "alder", entropy("another seed"))
    assert again.member().signing_key.encode() == first


def test_a_key_that_was_cut_short_by_a_crash_is_made_anew(path: Path) -> None:
    """What a crash left beside the key is no key, and is in nobody's way."""
    path.parent.mkdir()
    path.with_name("key.part").write_bytes(b"half a k")
    create(path)
    assert [p.name for p in path.parent.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o777])
def test_a_key_that_others_can_read_is_not_used(path: Path, mode: int) -> None:
    """The message says what the mode is, what it should be, and how to mend it."""
    create(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError) as error:
        read_identity(path, "alder")
    expected = f"(mode {mode:o}, expected 600): chmod 600 {path}; if somebody may have copied it"
    assert expected in str(error.value)


@pytest.mark.parametrize("size", [0, 1, 127, 129])
def test_a_damaged_key(path: Path, size: int) -> None:
    """A key of another length is told with both lengths, and with what to do."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(bytes(size))
    with pytest.raises(ConfigurationError, match=f"{size} bytes, expected 128; restore it"):
        read_identity(path, "alder")


def test_no_key(path: Path) -> None:
    """A missing key is told by its path."""
    with pytest.raises(ConfigurationError, match="there is no key at .*/state/key; restore it"):
        read_identity(path, "alder")


def test_a_message_about_a_key_does_not_hold_it(path: Path) -> None:
    """Whatever is wrong with a key, its bytes are not told."""
    path.parent.mkdir()
    path.touch(0o600)
    path.write_bytes(identity("alder").secret()[:-1])
    with pytest.raises(ConfigurationError) as error:
        read_identity(path, "alder")
    assert identity("alder").secret()[:4].hex() not in str(error.value)
