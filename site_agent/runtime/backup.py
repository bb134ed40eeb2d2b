"""A backup: one TAR archive of mode 600 with a manifest, checked whole before anything is put back.

The manifest is the last file of the archive, so an archive that was cut short has none. It says
whose backup it is, when it was made, by which software, and the SHA-256 of every file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.version import SOFTWARE
from site_agent.runtime.files import sync_folder

MANIFEST: Final = "manifest.json"
FORMAT: Final = "quorum/1/backup"
PRIVATE: Final = 0o600
CHUNK: Final = 1 << 20
KEY: Final = "key"
UNPACKED: Final = ".restoring"
PART: Final = re.compile(r"[A-Za-z0-9_.@+=, -]{1,200}")
FIELDS: Final = {"format", "of", "name", "made", "software", "about", "files"}


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of itself: of an "agent" or a "center", its name, when it was made (UTC).

    about: facts for the person who restores it. files: SHA-256 by path within the archive.
    """

    of: str
    name: str
    made: str
    software: str
    about: Mapping[str, Any]
    files: Mapping[str, str]


def write_backup(
    file: Path,
    files: Mapping[str, Path | bytes],
    *,
    of: str,
    name: str,
    made: str,
    about: Mapping[str, Any],
) -> Backup:
    """Write a backup that is whole or not there; return what it says of itself.

    files: by path within the archive, what is on disk or the bytes themselves.
    ConfigurationError if `file` is there already.
    """
    if file.exists():
        raise ConfigurationError(
            f"{file} is there already; a backup does not take the place of another, name a new file"
        )
    if not file.absolute().parent.is_dir():
        raise ConfigurationError(f"the folder {file.parent} of the backup is not there; make it")
    beside = file.with_name(f".{file.name}.part")
    beside.unlink(missing_ok=True)
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
        with os.fdopen(descriptor, "wb") as target:
            with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
                hashes = {path: _add(archive, path, files[path]) for path in sorted(files)}
                said = Backup(of, name, made, SOFTWARE, about, hashes)
                text = json.dumps({"format": FORMAT, **asdict(said)}, indent=1)
                _add(archive, MANIFEST, f"{text}\n".encode())
            target.flush()
            os.fsync(target.fileno())
        beside.rename(file)
        sync_folder(file.absolute().parent)
        return said
    finally:
        beside.unlink(missing_ok=True)


def _add(archive: tarfile.TarFile, path: str, content: Path | bytes) -> str:
    """Add a file to an archive; return its hash."""
    source: IO[bytes] = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    with source:
        entry = tarfile.TarInfo(path)
        entry.mode, entry.size = PRIVATE, source.seek(0, os.SEEK_END)
        source.seek(0)
        hashing = _Hashing(source, entry.size)
        archive.addfile(entry, hashing)  # type: ignore[arg-type]
        return hashing.digest()


class _Hashing:
    """A file that is read once, up to the size that it had, and hashed on the way."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source = source
        self._left = size
        self._hash = hashlib.sha256()

    def read(self, size: int) -> bytes:
        data = self._source.read(min(size, self._left))
        self._left -= len(data)
        self._hash.update(data)
        return data

    def digest(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def unpacked(file: Path, of: str, place: Path) -> Iterator[tuple[Backup, Path]]:
    """Yield a backup and a folder within `place` with its files; what is left of that goes.

    Raises ConfigurationError if the file is no backup, one of something else, or damaged.
    """
    made = not place.exists()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = place / UNPACKED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        yield _unpack(file, of, folder), folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if made and not any(place.iterdir()):
            place.rmdir()


def put_back(folder: Path, place: Path) -> None:
    """Move all that is in a folder of `unpacked` into its place, the key last."""
    for path in sorted(folder.iterdir(), key=lambda path: (path.name == KEY, path.name)):
        shutil.move(path, place / path.name)
    sync_folder(place)


def _unpack(file: Path, of: str, folder: Path) -> Backup:
    """Write all files of a backup below `folder`; return what it says of itself."""
    found: dict[str, str] = {}
    manifest = b""
    try:
        with tarfile.open(file, mode="r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is None or not _plain(entry.name) or entry.name in found or manifest:
                    raise _damaged(file, f"the entry '{entry.name[:80]}' does not belong there")
                if entry.name == MANIFEST:
                    manifest = content.read()
                else:
                    found[entry.name] = _write(folder / entry.name, content)
    except (tarfile.TarError, EOFError, ValueError):
        raise _damaged(file, "it is no whole TAR archive") from None
    backup = _read_manifest(file, manifest)
    said = backup.files
    wrong = sorted(path for path in {*found, *said} if found.get(path) != said.get(path))
    if wrong:
        raise _damaged(file, f"not as the manifest has them: {', '.join(wrong[:5])}")
    if backup.of != of:
        raise ConfigurationError(
            f"{file} is a backup, of the kind '{backup.of}'; expected one of the kind '{of}'"
        )
    return backup


def _plain(name: str) -> bool:
    """Return whether a path stays within its folder."""
    parts = PurePosixPath(name).parts
    whole = "/".join(parts) == name
    return whole and all(PART.fullmatch(part) and part not in (".", "..") for part in parts)


def _write(path: Path, content: IO[bytes]) -> str:
    """Write a file of mode 600 and wait until it is on disk; return its hash."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as target:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def _read_manifest(file: Path, data: bytes) -> Backup:
    if not data:
        raise _damaged(file, "it has no manifest at its end")
    try:
        said = json.loads(data)
        if set(said) != FIELDS or said["format"] != FORMAT:
            raise ValueError
        said["files"] = {str(path): str(digest) for path, digest in said["files"].items()}
        return Backup(**{name: said[name] for name in FIELDS - {"format"}})
    except (ValueError, TypeError, AttributeError):
        raise _damaged(file, f"its manifest is not one of {FORMAT}") from None


def _damaged(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{file} is no backup of this software, or a damaged one: {why}. Nothing was put back; "
        f"take another copy of it, or an older backup"
    )
