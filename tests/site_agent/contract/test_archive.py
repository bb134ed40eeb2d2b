"""Archives: the same bytes each time, and nothing but what was packed comes out."""

from __future__ import annotations

import io
import zipfile
from typing import Final

import pytest

from site_agent.contract.archive import pack, unpack
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused

FILES: Final = {"b.csv": b"1,2\n", "a.json": b"{}"}


def other(compress: int = zipfile.ZIP_STORED, name: str = "a.json") -> bytes:
    """An archive that another program wrote."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compress) as archive:
        archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), b"{}" * 100, compress)
    return data.getvalue()


def test_what_is_packed_comes_out() -> None:
    """All files with their bytes."""
    assert unpack(pack(FILES)) == FILES


def test_no_files() -> None:
    """An archive may be empty."""
    assert unpack(pack({})) == {}


def test_the_same_bytes_in_whatever_order() -> None:
    """The hash is kept here: it is that of every machine."""
    found = {sha256(pack(FILES)), sha256(pack(dict(reversed(FILES.items()))))}
    assert found == {"2364388beb6e82d81907fc96a534bb913177ebaca3abd32d3480f0c16db2c3fb"}


def test_a_folder_around_the_files() -> None:
    """For people, who unpack it somewhere."""
    with zipfile.ZipFile(io.BytesIO(pack(FILES, "study-release-1"))) as archive:
        assert archive.namelist() == ["study-release-1/a.json", "study-release-1/b.csv"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        pack(FILES)[:-1],
        pack(FILES) + b" ",
        pack(FILES).replace(b"1,2\n", b"1,3\n"),
        pack(FILES, "folder"),
        pack({"../up": b""}),
        pack({".hidden": b""}),
        other(),
        other(zipfile.ZIP_DEFLATED),
        other(name="/etc/passwd"),
    ],
    ids=[
        *("empty", "cut", "short", "long", "altered", "folder", "up", "hidden"),
        *("dated", "compressed", "absolute"),
    ],
)
def test_what_is_no_archive(data: bytes) -> None:
    """Nothing of it is taken, and no path leads out of a folder."""
    with pytest.raises(Refused, match="packed as this software packs"):
        unpack(data)
