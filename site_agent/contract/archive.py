"""Files of a release in one ZIP archive: the same files give the same bytes, anywhere.

Nothing is compressed, because compressors differ in their versions, and nothing depends on a clock
or a machine: names in their order, one date for all.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Final

from site_agent.contract.errors import Refused

MEDIA_TYPE: Final = "application/zip"
DATE: Final = (1980, 1, 1, 0, 0, 0)  # the first that the format knows
MODE: Final = 0o644 << 16
UNIX: Final = 3
MOST_FILES: Final = 5000
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}", re.ASCII)


def pack(files: Mapping[str, bytes], folder: str = "") -> bytes:
    """Return the archive of files by name, in a folder of it if one is named."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(f"{folder}/{name}" if folder else name, DATE)
            entry.create_system, entry.external_attr = UNIX, MODE
            archive.writestr(entry, files[name])
    return data.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Return the files of an archive that `pack` wrote, without a folder; Refused("archive")."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_FILES or any(not _plain(entry) for entry in entries):
                raise _no_archive()
            files = {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError):
        raise _no_archive() from None
    if len(files) != len(entries) or pack(files) != data:
        raise _no_archive()
    return files


def _plain(entry: zipfile.ZipInfo) -> bool:
    """Return whether an entry has a plain name and is stored as it is."""
    stored = entry.compress_type == zipfile.ZIP_STORED and entry.file_size == entry.compress_size
    return stored and NAME.fullmatch(entry.filename) is not None


def _no_archive() -> Refused:
    return Refused(
        "archive",
        "the files of the release are not packed as this software packs them; expected a ZIP "
        "archive without compression, of files with plain names in their order",
    )
