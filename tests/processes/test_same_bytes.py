"""A release between processes gives the bytes of one in a single process."""

from __future__ import annotations

from tests.processes.world import World


def test_processes_give_the_same_bytes(world: World) -> None:
    """All results byte for byte, and of the log what was asked, with what, and the totals."""
    assert world.finished(world.refresh()) == world.expected


def test_the_next_release_too(world: World) -> None:
    """A second release over the same data gives the same bytes again."""
    assert world.finished(world.refresh()) == world.expected
