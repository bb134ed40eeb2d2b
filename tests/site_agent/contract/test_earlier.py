"""The releases with which a new one is compared, and in which respects."""

from __future__ import annotations

import pytest

from site_agent.contract.earlier import (
    analysed,
    check_names,
    earlier_releases,
    respects,
    selection_of,
)
from site_agent.contract.errors import Refused
from site_agent.contract.messages import MOST_EARLIER, Ready
from tests.studytext import study

ONE, TWO = f"{'a' * 64}/1", f"{'b' * 64}/12"


def ready(*earlier: str) -> Ready:
    """A READY that names these releases."""
    return Ready("o", "e", "s", "h", 1, "q", earlier)


def test_the_union_of_all() -> None:
    """One site that remembers is enough."""
    assert earlier_releases([ready(TWO), ready(), ready(ONE, TWO)]) == (ONE, TWO)


def test_nothing_earlier() -> None:
    """The first release is compared with nothing."""
    assert earlier_releases([ready(), ready()]) == ()


@pytest.mark.parametrize(
    "names",
    [
        [TWO, ONE],
        [ONE, ONE],
        ["a/1"],
        [f"{'a' * 64}/0"],
        [f"{'A' * 64}/1"],
        [f"{ONE}/events"],
        [f"{'a' * 64}/{number}" for number in sorted(map(str, range(1, MOST_EARLIER + 2)))],
    ],
    ids=["unsorted", "twice", "short", "release 0", "upper case", "a respect", "too many"],
)
def test_names_that_are_none(names: list[str]) -> None:
    """Names of releases are hash and number, sorted, each once, and not too many."""
    with pytest.raises(Refused, match="no sorted names"):
        check_names(names)


def test_too_many_in_all() -> None:
    """No two sites together may blow the question up either."""
    halves = [
        sorted(f"{letter * 64}/{number}" for number in range(1, MOST_EARLIER)) for letter in "ab"
    ]
    with pytest.raises(Refused, match="1998 earlier releases"):
        earlier_releases(ready(*half) for half in halves)


def test_the_frames_of_all_analyses() -> None:
    """A screen has one a model; equal frames stand once, under the first analysis."""
    assert list(analysed(study())) == ["curve", "incidence", "model", "screen:age", "screen:peak"]


def test_a_release_of_the_same_study_is_compared_by_analysis() -> None:
    """In anything, and in the rows of each analysis."""
    own = f"{study().hash}/3"
    expected = ["curve", "incidence", "model", "screen:age", "screen:peak"]
    assert respects(study(), [own]) == (own, *(f"{own}/{label}" for label in expected))


def test_a_release_of_another_study_is_compared_in_two_ways() -> None:
    """With ends of follow-up and without: its analyses need not be those of this one."""
    assert respects(study(), [ONE])[:2] == (ONE, f"{ONE}/events")


def test_selections_are_compared_with_those_of_another_study() -> None:
    """Each distinct one with each of 32, as the other study may have: by the first analysis."""
    compared = [selection_of(respect) for respect in respects(study(), [ONE])[2:]]
    named = ("curve", "incidence", "model", "screen:peak")
    assert compared == [(name, ONE) for name in named for _ in range(32)]


def test_an_analysis_of_that_name_is_no_selection() -> None:
    """In the same study an analysis may be called as it likes."""
    assert [selection_of(f"{ONE}{end}")[0] for end in ("", "/selected", "/a", "/events")] == [
        ""
    ] * 4
