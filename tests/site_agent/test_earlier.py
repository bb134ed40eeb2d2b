"""Which earlier releases a site compares with, as its ledger tells: entries made by hand."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.contract.errors import Refused
from site_agent.contract.messages import MOST_EARLIER
from site_agent.earlier import given, names_to_compare
from tests.protocol import the_study

OWN = the_study().hash
OTHER = "b" * 64


def entries(
    study: str,
    release: int,
    *,
    rounds: int,
    tables: tuple[str, ...] = ("patients",),
    name: str = "x",
) -> list[dict[str, Any]]:
    """A READY and so many shares."""
    said = {"study": study, "release": release, "attempt": 1, "roster": ["a", "b", "c"]}
    ready = {"event": "ready", **said, "name": name, "tables": list(tables)}
    return [ready, *({"event": "share", **said, "round": number} for number in range(rounds))]


def names(*parts: list[dict[str, Any]], number: int = 9) -> list[str]:
    """The releases with which release `number` is compared."""
    found = [entry for part in parts for entry in part]
    return list(names_to_compare(the_study(), number, found, lambda _: "data"))


@pytest.mark.parametrize(("rounds", "expected"), [(0, []), (1, []), (2, [f"{OWN}/1"])])
def test_a_release_counts_from_its_second_round(rounds: int, expected: list[str]) -> None:
    """READY opens nothing, the guard's first question counts only."""
    assert names(entries(OWN, 1, rounds=rounds)) == expected


def test_a_release_is_not_compared_with_itself() -> None:
    """A release that goes on after a restart is the one that it was."""
    assert names(entries(OWN, 1, rounds=3), entries(OWN, 9, rounds=3)) == [f"{OWN}/1"]


def test_a_burned_release_counts() -> None:
    """What it opened is not taken back."""
    burned = {"event": "burned", "study": OWN, "release": 1}
    assert names([*entries(OWN, 1, rounds=2), burned]) == [f"{OWN}/1"]


@pytest.mark.parametrize(
    ("tables", "expected"),
    [(("patients",), [f"{OTHER}/2"]), (("grades", "patients"), [f"{OTHER}/2"]), (("visits",), [])],
)
def test_another_study_counts_over_a_common_table(
    tables: tuple[str, ...], expected: list[str]
) -> None:
    """One table in common is enough."""
    assert names(entries(OTHER, 2, rounds=2, tables=tables)) == expected


def test_another_study_over_another_folder() -> None:
    """Its table of the same name holds other patients."""
    found = entries(OTHER, 2, rounds=2, name="elsewhere")
    assert names_to_compare(the_study(), 9, found, lambda name: name) == ()


def test_names_are_sorted() -> None:
    """As text, so that all sites write them alike."""
    found = [entries(OWN, number, rounds=2) for number in (10, 2, 1)]
    assert names(*found) == [f"{OWN}/1", f"{OWN}/10", f"{OWN}/2"]


def test_too_many_to_compare_with() -> None:
    """None of them may be left out, so nothing is answered."""
    found = [entries(OWN, number, rounds=2) for number in range(10, 11 + MOST_EARLIER)]
    with pytest.raises(Refused, match="1001 earlier releases") as refused:
        names(*found)
    assert refused.value.code == "too_many_releases"


def test_what_a_release_gave() -> None:
    """Who took part, over which tables, and up to which round."""
    (found,) = given(entries(OTHER, 2, rounds=3, tables=("a", "b"), name="lung"))
    assert (found.name, found.named, sorted(found.tables), found.roster, found.last_round) == (
        *(f"{OTHER}/2", "lung"),
        *(["a", "b"], ("a", "b", "c"), 2),
    )
