"""The transcript: every input counts, and no two lists of parts collide."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.frames import Frame
from site_agent.contract.securesum import transcript
from site_agent.contract.sums import Ask
from tests.site_agent.contract.securesum import slow

ASK = Ask(
    "cox_moments",
    Frame("patients", "survival", covariates=("dose",)),
    {"columns": 1},
    {"beta": np.array([0.5]), "centre": np.array([2.0])},
)
ROUND: dict[str, Any] = {"previous": b"before", "number": 3, "asks": [ASK, ASK], "totals": b"sums"}
OTHER_ASKS = {
    "another sum": replace(ASK, sum="cox_deaths"),
    "another cohort": replace(ASK, frame=replace(ASK.frame, cohort="women")),
    "another whole argument": replace(ASK, fixed={"columns": 2}),
    "another last bit": replace(ASK, floats={**ASK.floats, "beta": np.nextafter([0.5], 1)}),
    "a zero's sign": replace(ASK, floats={**ASK.floats, "beta": np.array([-0.0])}),
    "arguments swapped": replace(ASK, floats={"beta": np.array([2.0]), "centre": np.array([0.5])}),
    "arguments split otherwise": replace(ASK, floats={"beta": np.array([0.5, 2.0])}),
    "another shape": replace(ASK, floats={**ASK.floats, "beta": np.array([[0.5]])}),
}
CHANGED: dict[str, dict[str, Any]] = {
    "previous": {"previous": b"befora"},
    "number": {"number": 4},
    "totals": {"totals": b"sumz"},
    "no totals": {"totals": b""},
    "one ask less": {"asks": [ASK]},
    "one ask more": {"asks": [ASK, ASK, ASK]},
    "a byte moved to the totals": {"previous": b"befor", "totals": b"esums"},
    **{name: {"asks": [ASK, other]} for name, other in OTHER_ASKS.items()},
    "the order of asks": {"asks": [OTHER_ASKS["another sum"], ASK]},
}


def test_a_round_by_hand() -> None:
    """T_r is the hash of what the docstring lists, each part behind its length."""
    parts = [b"quorum/1/round", b"before", b"\x00\x00\x00\x03", b"sums"]
    parts += 2 * [ASK.identity().encode()]
    assert transcript.asking(**ROUND) == slow.transcript(parts)


@pytest.mark.parametrize("name", CHANGED)
def test_each_input_changes_the_round(name: str) -> None:
    """Any change, be it one bit of one argument, gives another T_r."""
    assert transcript.asking(**{**ROUND, **CHANGED[name]}) != transcript.asking(**ROUND)


def test_no_two_changes_collide() -> None:
    """All the changed rounds differ from one another too."""
    found = {transcript.asking(**{**ROUND, **changed}) for changed in CHANGED.values()}
    assert len(found) == len(CHANGED)


@pytest.mark.parametrize(
    "parts",
    [
        (b"OPEN", [b"one", b"twp"]),
        (b"OPEN", [b"two", b"one"]),
        (b"OPEN", [b"one"]),
        (b"OPEN", [b"onetwo"]),
        (b"OPENone", [b"two"]),
        (b"OPEN", [b"one", b"two", b""]),
    ],
)
def test_each_input_changes_the_opening(parts: tuple[bytes, list[bytes]]) -> None:
    """Any other READY, order or split gives another T0."""
    assert transcript.opening(*parts) != transcript.opening(b"OPEN", [b"one", b"two"])


def test_the_parts_by_hand() -> None:
    """T0' is the hash of T0 and all PART messages, each behind its length."""
    expected = slow.transcript([b"quorum/1/parts", b"before", b"one", b"two"])
    assert transcript.parting(b"before", [b"one", b"two"]) == expected


@pytest.mark.parametrize(
    "parts",
    [
        (b"before", [b"one", b"twp"]),
        (b"before", [b"two", b"one"]),
        (b"before", [b"one"]),
        (b"beforeone", [b"two"]),
        (b"befora", [b"one", b"two"]),
    ],
)
def test_each_input_changes_the_parting(parts: tuple[bytes, list[bytes]]) -> None:
    """Another PART, another order or another T0: sites with another secret share no mask."""
    assert transcript.parting(*parts) != transcript.parting(b"before", [b"one", b"two"])


lists = st.lists(st.binary(max_size=12), max_size=5)


@given(st.binary(max_size=12), lists, st.binary(max_size=12), lists)
def test_no_two_lists_of_parts_collide(
    first: bytes, rest: list[bytes], other: bytes, others: list[bytes]
) -> None:
    """Two openings have one hash only if all their parts are the same."""
    same = transcript.opening(first, rest) == transcript.opening(other, others)
    assert same == ((first, rest) == (other, others))


@given(st.binary(max_size=8), lists)
def test_a_list_cut_otherwise_does_not_collide(first: bytes, rest: list[bytes]) -> None:
    """The same bytes as one part, or as many, have different hashes."""
    joined = first + b"".join(rest)
    same = transcript.opening(first, rest) == transcript.opening(joined, [])
    assert same == (rest == [])


def test_the_kinds_of_hash_do_not_meet() -> None:
    """An opening is never a parting or a round, even over the same parts."""
    number = (0).to_bytes(4, "big")
    kinds = [
        transcript.opening(b"", [number, b""]),
        transcript.parting(b"", [number, b""]),
        transcript.asking(b"", 0, [], b""),
    ]
    assert len(set(kinds)) == 3


def test_what_a_sealed_share_is_bound_to_by_hand() -> None:
    """T_r and the site, each behind its length."""
    parts = [b"quorum/1/sealed", b"bound", b"alder"]
    assert transcript.sealing(b"bound", "alder") == slow.transcript(parts)


@pytest.mark.parametrize(
    ("bound", "site"), [(b"bounds", "alder"), (b"bound", "elm"), (b"bounda", "lder")]
)
def test_each_input_changes_what_a_share_is_bound_to(bound: bytes, site: str) -> None:
    """Another round or another site is another context."""
    assert transcript.sealing(bound, site) != transcript.sealing(b"bound", "alder")
