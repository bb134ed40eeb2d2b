"""The center's statement on the files of a release."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from site_agent.contract.errors import Refused
from site_agent.contract.reports import (
    FILE,
    Statement,
    absent,
    altered,
    hashes,
    read_statement,
)
from tests.protocol import CENTER, identity

FILES: Final = {"a.json": b"{}", "report.html": b"<p>"}
SAID: Final = Statement("study", 2, "open", hashes(FILES))
WRITTEN: Final = SAID.write(identity(CENTER))


def damaged(**changes: Any) -> bytes:
    """The statement with other fields, and the signature as it was."""
    return json.dumps({**json.loads(WRITTEN), **changes}).encode()


def test_a_statement_is_read() -> None:
    """As it was signed."""
    assert read_statement(WRITTEN, identity(CENTER).member()) == SAID


def test_the_same_statement_has_the_same_bytes() -> None:
    """Signing draws nothing at random."""
    assert SAID.write(identity(CENTER)) == WRITTEN


@pytest.mark.parametrize(
    "changes",
    [{"study": "other"}, {"release": 3}, {"open": "other"}, {"files": {}}, {"signature": "AAAA"}],
    ids=lambda changes: next(iter(changes)),
)
def test_an_altered_statement(changes: dict[str, Any]) -> None:
    """The signature covers each field."""
    with pytest.raises(Refused, match="not signed with the key"):
        read_statement(damaged(**changes), identity(CENTER).member())


def test_the_statement_of_another_center() -> None:
    """Only the center that is asked for counts."""
    with pytest.raises(Refused, match="not signed with the key"):
        read_statement(SAID.write(identity("alder")), identity(CENTER).member())


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", damaged(schema=2), damaged(more=1), damaged(files=[]), b"\xff"],
)
def test_what_is_no_statement(data: bytes) -> None:
    """It is said, and nothing else happens."""
    with pytest.raises(Refused, match="not a center's statement"):
        read_statement(data, identity(CENTER).member())


def test_files_as_they_were_signed() -> None:
    """The statement itself is not among them."""
    with_it = {**FILES, FILE: WRITTEN}
    assert (altered(SAID, with_it), absent(SAID, with_it)) == ([], [])


def test_files_that_are_not() -> None:
    """One is changed, one is new, one is gone."""
    found = {"report.html": b"<b>", "new.csv": b""}
    assert (altered(SAID, found), absent(SAID, found)) == (["new.csv", "report.html"], ["a.json"])
