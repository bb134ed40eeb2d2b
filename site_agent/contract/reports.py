"""What the center signs of a finished release: which files it consists of, by their hashes.

`signed.json` lies beside the files. Whoever has the center's public key can say whether a file is
what the center wrote, without asking anybody. A hospital does so with the report that it fetches,
by `report.signed.json`, which names the report alone: whoever guesses a number that the report
hides could compare the hash of the file that holds it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Identity, verify
from site_agent.contract.party import Member

FILE: Final = "signed.json"
OF_REPORT: Final = "report.signed.json"
CONTEXT: Final = b"quorum/1/report\x00"
SCHEMA: Final = 1
PAGE: Final = "report.html"
PDF: Final = "report.pdf"
REPORTS: Final = (PAGE, PDF)
FIELDS: Final = {"schema", "study", "release", "open", "files", "signature"}


@dataclass(frozen=True, slots=True)
class Statement:
    """The center's word on a release: `files` are hashes by name, of all but the statement."""

    study: str
    release: int
    open: str
    files: Mapping[str, str]

    def signed(self) -> bytes:
        """Return the bytes that are signed."""
        return CONTEXT + canonical_json(self._document())

    def _document(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "study": self.study,
            "release": self.release,
            "open": self.open,
            "files": dict(self.files),
        }

    def write(self, center: Identity) -> bytes:
        """Return the content of signed.json, signed by the center."""
        signature = base64.b64encode(center.sign(self.signed())).decode()
        document = {**self._document(), "signature": signature}
        return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def hashes(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the hashes of files by name, of all but the statement itself."""
    return {name: sha256(data) for name, data in sorted(files.items()) if name != FILE}


def read_statement(data: bytes, center: Member) -> Statement:
    """Return what signed.json says; Refused("report") if it is none, ("signature") if not signed.

    `center` is the center whose signature it must have.
    """
    said, signature = parse_statement(data)
    verify(center, said.signed(), signature)
    return said


def parse_statement(data: bytes) -> tuple[Statement, bytes]:
    """Return what signed.json says, and its signature, unverified; Refused("report")."""
    try:
        document = json.loads(data)
        if set(document) != FIELDS or document["schema"] != SCHEMA:
            raise _no_statement()
        said = Statement(
            str(document["study"]),
            int(document["release"]),
            str(document["open"]),
            {str(name): str(digest) for name, digest in document["files"].items()},
        )
        return said, base64.b64decode(document["signature"], validate=True)
    except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
        raise _no_statement() from None


def altered(statement: Statement, files: Mapping[str, bytes]) -> list[str]:
    """Return the names of files that are not what was signed, or are there without a word of it."""
    return [n for n, digest in hashes(files).items() if statement.files.get(n) != digest]


def absent(statement: Statement, files: Mapping[str, bytes]) -> list[str]:
    """Return the names of files that were signed and are not there."""
    return sorted(set(statement.files) - set(files))


def _no_statement() -> Refused:
    return Refused("report", f"{FILE} is not a center's statement on the files of a release")
