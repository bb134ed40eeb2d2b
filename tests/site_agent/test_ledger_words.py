"""The ledger in plain words: what left, and that nothing did."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import site_agent
from site_agent.contract.catalogue import KINDS
from site_agent.contract.frames import Frame
from site_agent.ledger_words import WORDS, in_words
from tests.protocol import Play, World, frozen

STUDY = "a1b2c3d4" * 8
HEAD = {"number": 7, "at": "2026-01-01T00:00:00Z"}
OF = {"study": STUDY, "release": 2}


def asked(name: str, frame: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A question as the ledger names it."""
    return {"sum": name, "frame": frame or Frame("patients").document()}


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
        "release 2 of study a1b2c3d4a1b2c3d4 opened with 3 hospitals: fresh keys, length and "
        "head of this ledger and a sealed commitment to the data left, no number of patients",
    ),
    (
        {"event": "witnessed", **OF, "ledgers": {"b": [7, "f" * 64], "c": [9, "e" * 64]}},
        "release 2 of study a1b2c3d4a1b2c3d4: the ledgers of b and c witnessed, so that one that "
        "is set back is noticed; no number left",
    ),
    (
        {"event": "share", **OF, "round": 0, "bytes": 1234, "sums": [asked("enrolled")]},
        "release 2 of study a1b2c3d4a1b2c3d4, round 0: masked sums left, 1234 bytes: "
        "enrolled (class A) for the guard",
    ),
    (
        {
            "event": "share",
            **OF,
            "round": 2,
            "bytes": 1234,
            "sums": [asked("cox_deaths"), asked("of_old"), asked("cox_deaths")],
        },
        "release 2 of study a1b2c3d4a1b2c3d4, round 2: masked sums left, 1234 bytes: "
        "cox_deaths (class B) x 2; of_old",
    ),
    (
        {"event": "closed", **OF, "rounds": 3, "result": "f" * 64},
        "release 2 of study a1b2c3d4a1b2c3d4 closed after 3 rounds over result ffffffffffffffff; "
        "a signed receipt left, keys erased",
    ),
    (
        {"event": "burned", **OF, "code": "too_few"},
        "release 2 of study a1b2c3d4a1b2c3d4 was given up (too_few); keys erased, nothing left",
    ),
    (
        {"event": "burned", **OF},
        "release 2 of study a1b2c3d4a1b2c3d4 was given up; keys erased, nothing left",
    ),
    (
        {"event": "burned", **OF, "code": "deferred", "until": "5 patients differ"},
        "release 2 of study a1b2c3d4a1b2c3d4 was deferred until 5 patients differ; only counts of "
        "patients had left, keys erased",
    ),
    (
        {"event": "burned", **OF, "code": "too_few"},
        "release 2 of study a1b2c3d4a1b2c3d4 was given up (too_few); keys erased, nothing left",
    ),
    (
        {"event": "refused", "code": "expired", "reason": "the approval ended"},
        "refused (expired): the approval ended; nothing left",
    ),
    (
        {"event": "refused", "code": "sender", "reason": "of \x1b[2J'x'\nfrom y"},
        "refused (sender): of ?[2J'x' from y; nothing left",
    ),
    (
        {"event": "superseded", "study": STUDY, "by": "f" * 64, "distrusted": ["beech"]},
        "the revision study ffffffffffffffff took the place of study a1b2c3d4a1b2c3d4; the keys "
        "that it replaces of beech may be in other hands; nothing left",
    ),
    (
        {"event": "superseded", "study": STUDY, "by": "f" * 64, "distrusted": []},
        "the revision study ffffffffffffffff took the place of study a1b2c3d4a1b2c3d4; nothing "
        "left",
    ),
    (
        {"event": "rekeyed", "old": "AAAA-BBBB", "new": "CCCC-DDDD"},
        "this hospital's keys with the fingerprint AAAA-BBBB were replaced by CCCC-DDDD, and "
        "erased; nothing left",
    ),
    (
        {"event": "restored", "made": "2027-03-01T00:00:00Z", "keys": []},
        "this hospital's state was restored from its backup of 2027-03-01T00:00:00Z; nothing left",
    ),
    ({"event": "of a later version"}, "of a later version"),
]


@pytest.mark.parametrize(("entry", "expected"), ENTRIES, ids=[e["event"] for e, _ in ENTRIES])
def test_each_event_has_its_words(entry: dict[str, Any], expected: str) -> None:
    """An entry is told with its number, its time, and what left the hospital."""
    (line,) = in_words([{**HEAD, **entry}])
    assert line == f"    7  2026-01-01T00:00:00Z  {expected}"


def test_a_study_at_hand_is_told_by_its_name() -> None:
    """Of a study that is on the shelf the name stands before the hash."""
    study = frozen()
    (line,) = in_words([{**HEAD, "event": "revoked", "study": study.hash}], {study.hash: study})
    assert f"the steward revoked study protocol ({study.hash[:16]}); nothing left" in line


def test_the_sums_of_a_study_at_hand_are_told_with_their_analyses() -> None:
    """Moments serve both models, deaths the pooled one alone, counts the curve."""
    study = frozen()
    model, curve = (
        KINDS[study.analyses[name].kind].frames(study, study.analyses[name])[0].document()
        for name in ("pooled", "curve")
    )
    sums = [
        asked("cox_moments", model),
        asked("cox_deaths", model),
        asked("counts_by_time", curve),
    ]
    entry = {"event": "share", "study": study.hash, "release": 1, "round": 1, "bytes": 9}
    (line,) = in_words([{**HEAD, **entry, "sums": sums}], {study.hash: study})
    assert line.endswith(
        "round 1: masked sums left, 9 bytes: counts_by_time (class B) for curve; "
        "cox_deaths (class B) for pooled; cox_moments (class A) for pooled and by_site"
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The ledger of one hospital, in words, after a release that was played."""
    play = Play(World(tmp_path_factory.mktemp("world")))
    play.finish()
    study = play.world.study
    return list(in_words(play.world.ledger("alder").entries, {study.hash: study}))


def test_a_whole_release_in_words(told: list[str]) -> None:
    """Of each entry of a release that was played it is told what left."""
    assert [line for line in told if " left" not in line] == []


def test_every_sum_of_a_release_has_its_purpose(told: list[str]) -> None:
    """Each sum of a share is told with the analyses, or the guard, that asked for it."""
    shares = [line.partition(" bytes: ")[2] for line in told if " bytes: " in line]
    sums = [each for line in shares for each in line.split("; ")]
    assert (len(sums) > 5, [each for each in sums if " for " not in each]) == (True, [])


EVENT = re.compile(r"""(?:append|_?note)\(\s*"(\w+)\"""")


def test_every_event_that_is_written_has_words() -> None:
    """Whatever the source writes into a ledger is told in a sentence of its own."""
    texts = [path.read_text(encoding="utf-8") for path in Path(site_agent.__path__[0]).glob("*.py")]
    written = {event for text in texts for event in EVENT.findall(text)}
    assert (len(written) > 5, written - set(WORDS)) == (True, set())
