"""Two releases under way at once over the same tables: each compares with what the other opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.driver import DEFINITE
from site_agent.contract.errors import Refused
from site_agent.contract.messages import Readies, Round
from site_agent.memory import Present
from tests.protocol import STUDY, Play, frozen
from tests.site_agent.differing import Course, joined

REVISED = frozen(STUDY.replace("title: Five", "title: The same five"))


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """Releases over data that change."""
    return Course(tmp_path)


def code(play: Play) -> str:
    """How a release ends: the code of a refusal, or "finished"."""
    try:
        play.finish()
    except Refused as refused:
        return refused.code
    return "finished"


def two(course: Course) -> tuple[Play, Play]:
    """A release, and one of a revision with one patient more: both READY before either answers."""
    one = course.play()
    one.until(Readies)
    revised = course.other_study(REVISED)
    revised.changes.append(joined(of=("elm",)))
    other = revised.play()
    other.until(Readies)
    return one, other


def test_a_release_that_was_overtaken(course: Course) -> None:
    """The second one knew of no release when it began; the first has opened totals since."""
    one, other = two(course)
    assert (code(one), code(other)) == ("finished", "overtaken")


def test_the_first_that_was_overtaken(course: Course) -> None:
    """Whichever opens totals first goes on, and is finished though the other tries."""
    one, other = two(course)
    other.until(Round, 2)
    assert (code(one), code(other)) == ("overtaken", "finished")


def test_two_releases_side_by_side(course: Course) -> None:
    """Both have answered the guard's first question."""
    one, other = two(course)
    one.until(Round, 1)
    other.until(Round, 1)
    assert (code(one), code(other)) == ("finished", "overtaken")


def test_an_entry_that_came_in_between(course: Course) -> None:
    """Two agents look into one ledger and see nothing, then both write: the later is refused."""
    one, other = two(course)
    one.until(Round, 1)
    other.until(Round, 1)
    late = other.cores["elm"]
    one.give("elm")
    look, seen = late._memory.refuse_overtaken, []

    def blind(number: int, present: Present) -> None:
        seen.append(number)
        if len(seen) > 1:
            look(number, present)

    late._memory.refuse_overtaken = blind  # type: ignore[method-assign]
    with pytest.raises(Refused, match="has opened totals of the same tables since"):
        other.give("elm")
    with pytest.raises(Refused, match="has opened totals of the same tables since"):
        other.give("elm")  # what is in the vault by now is not given either


def test_the_next_release_is_compared(course: Course) -> None:
    """What was overtaken is burned, and the next one is deferred for its one patient."""
    one, other = two(course)
    code(one)
    code(other)
    revised = course.other_study(REVISED)
    revised.burn(other, "overtaken")
    revised.changes.append(joined(of=("elm",)))
    revised.number = 1
    assert revised.release() == "deferred"


def test_an_overtaken_release_is_burned() -> None:
    """Waiting does not mend it."""
    assert {"overtaken", "other_identifiers"} <= DEFINITE
