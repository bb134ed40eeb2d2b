"""Where a release stands, in words."""

from __future__ import annotations

from coordinator.phases import place_of


def test_a_round_is_named_by_its_number() -> None:
    """While rounds are asked the number says more than the phase."""
    assert place_of("asking", 7) == "round 7"


def test_another_phase_is_named() -> None:
    """Before the first round and behind the last one."""
    assert [place_of("opening", None), place_of("over", 7)] == ["opening", "over"]
