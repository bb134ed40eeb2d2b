"""The ledger in plain words: what left, and that nothing did."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from site_agent.ledger_words import in_words
from tests.protocol import Play, World

STUDY = "a1b2c3d4" * 8
HEAD = {"number": 7, "at": "2026-01-01T00:00:00Z"}
OF = {"study": STUDY, "release": 2}


ENTRIES: list[tuple[dict[str, Any], str]] = [
    (
        {"event": "approved", "study": STUDY, "until": "2026-12-31T23:59:59Z"},
        "the steward approved study a1b2c3d4a1b2c3d4 until 2026-12-31T23:59:59Z; nothing left",
    ),
    (
        {"event": "approved", "study": STUDY},
        "the steward approved study a1b2c3d4a1b2c3d4; nothing left",
    ),
    (
        {"event": "revoked", "study": STUDY},
        "the steward revoked study a1b2c3d4a1b2c3d4; nothing left",
    ),
    (
        {"event": "ready", **OF, "roster": ["a", "b", "c"]},
        "release 2 of study a1b2c3d4a1b2c3d4 opened with 3 hospitals: a fresh key and a sealed "
        "commitment to the data left, no number",
    ),
    (
        {
            "event": "share",
            **OF,
            "round": 0,
            "bytes": 1234,
            "sums": [{"sum": "cox"}, {"sum": "at_risk"}, {"sum": "cox"}],
        },
        "release 2 of study a1b2c3d4a1b2c3d4, round 0: masked sums left, 1234 bytes "
        "(at_risk x 1, cox x 2)",
    ),
    (
        {"event": "closed", **OF, "rounds": 3, "result": "f" * 64},
        "release 2 of study a1b2c3d4a1b2c3d4 closed after 3 rounds over result ffffffffffffffff; "
        "a signed receipt left, keys erased",
    ),
    (
        {"event": "burned", **OF},
        "release 2 of study a1b2c3d4a1b2c3d4 was given up; keys erased, nothing left",
    ),
    (
        {"event": "refused", "code": "expired", "reason": "the approval ended"},
        "refused (expired): the approval ended; nothing left",
    ),
    ({"event": "of a later version"}, "of a later version"),
]


@pytest.mark.parametrize(("entry", "expected"), ENTRIES, ids=[e["event"] for e, _ in ENTRIES])
def test_each_event_has_its_words(entry: dict[str, Any], expected: str) -> None:
    """An entry is told with its number, its time, and what left the hospital."""
    (line,) = in_words([{**HEAD, **entry}])
    assert line == f"    7  2026-01-01T00:00:00Z  {expected}"


def test_a_whole_release_in_words(tmp_path: Path) -> None:
    """Of each entry of a release that was played it is told what left."""
    play = Play(World(tmp_path))
    play.finish()
    lines = list(in_words(play.world.ledger("alder").entries))
    assert [line for line in lines if " left" not in line] == []
