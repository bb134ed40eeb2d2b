"""Which rosters a release may have."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from site_agent.contract.errors import Refused
from site_agent.contract.roster import refuse_roster, smallest_roster
from tests.protocol import SITES, frozen

OWN = "cedar"


def code(roster: list[str], **policy: Any) -> str:
    """The code with which a roster of the five sites is refused; "accepted" if it is not."""
    try:
        refuse_roster(frozen(**policy), OWN, roster)
    except Refused as refused:
        return refused.code
    return "accepted"


@pytest.mark.parametrize(
    ("pinned", "least", "expected"),
    [(3, 3, 3), (4, 3, 3), (5, 3, 3), (5, 4, 4), (5, 5, 5), (3, 5, 5)],
)
def test_the_smallest_roster(pinned: int, least: int, expected: int) -> None:
    """More than half of the pinned sites, and at least the study's minimum."""
    study = frozen(pinned=SITES[:pinned])
    policy = replace(study.policy, sites=least)
    assert smallest_roster(replace(study, policy=policy)) == expected


@pytest.mark.parametrize(
    ("roster", "expected"),
    [
        (list(SITES), "accepted"),
        (list(SITES[:3]), "accepted"),
        (list(SITES[1:3]), "roster_too_small"),
        ([OWN], "roster_too_small"),
        ([], "not_in_roster"),
        ([s for s in SITES if s != OWN], "not_in_roster"),
        ([*SITES, "fir"], "unknown_site"),
        (["alder", "birch", OWN], "unknown_site"),
        (["center", *SITES], "unknown_site"),
        (list(SITES[::-1]), "malformed"),
        ([OWN, OWN, "dogwood", "elm"], "malformed"),
        (["alder", OWN, OWN], "malformed"),
    ],
)
def test_rosters(roster: list[str], expected: str) -> None:
    """Sorted names of pinned sites, each once, one's own among them, and enough of them."""
    assert code(roster) == expected


def test_a_site_named_often_does_not_make_a_majority() -> None:
    """Three times one's own name is not three sites."""
    assert code([OWN] * 3) == "malformed"


def test_any_two_rosters_share_a_site() -> None:
    """Two accepted rosters always have a site in common, which answers one of them only."""
    rosters = [
        set(chosen)
        for size in range(1, 6)
        for chosen in itertools.combinations(SITES, size)
        if OWN not in chosen or code(list(chosen)) == "accepted"
        if len(chosen) >= smallest_roster(frozen())
    ]
    assert [pair for pair in itertools.combinations(rosters, 2) if not pair[0] & pair[1]] == []


def test_in_development_one_site_will_do() -> None:
    """Without a policy nothing is protected, and one site runs alone."""
    assert code([OWN], development=True) == "accepted"
