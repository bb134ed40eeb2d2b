"""Where a release that is under way stands, in words: the round it asks, or the phase it is in."""

from __future__ import annotations


def place_of(phase: str, number: int | None) -> str:
    """Return the round that is asked, or the phase: opening, over."""
    return f"round {number}" if phase == "asking" else phase
