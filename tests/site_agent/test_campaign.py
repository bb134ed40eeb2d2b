"""Named attacks in many variants: each is refused with its code, and changes nothing.

Who is attacked, by whom, when and with what is drawn from a seed. Afterwards the ledgers verify and
tell of the refusals, and what goes on honestly gives the same results. The tables (in
tests/campaign: table.py, courses.py, studies.py) say of each attack what it tries and what stops
it.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from site_agent.contract.errors import StudyError
from site_agent.contract.study.read import read_study
from tests.campaign.courses import COURSES
from tests.campaign.scene import Tried, honest_result, tried
from tests.campaign.stage import honest_afterwards
from tests.campaign.studies import CRAFTED
from tests.campaign.table import ATTACKS
from tests.protocol import SITES, World

FEW, MANY, RELEASES = 3, 10, 10  # variants in one release, and releases of the campaign

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


# On a release under way


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_a_release(tmp_path: Path, name: str) -> None:
    """Some variants in one release."""
    attack = ATTACKS[name]
    found = tried(attack, tmp_path, Random(name), FEW)
    assert found == Tried([], True, honest_result(attack.text))


@pytest.mark.campaign
@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_many_releases(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """A hundred variants in ten releases."""
    attack = ATTACKS[name]
    found = [
        tried(attack, tmp_path_factory.mktemp("many"), Random(f"{name} {number}"), MANY)
        for number in range(RELEASES)
    ]
    assert found == [Tried([], True, honest_result(attack.text))] * RELEASES


# Over disks, keys and releases


def ran(name: str, folder: Path, seed: str) -> tuple[frozenset[str], str]:
    """The codes that an attack met, and the result of an honest release after it."""
    course = COURSES[name]
    codes = course.run(folder, Random(seed))
    for site in SITES:
        World(folder).ledger(site)  # LedgerError unless it verifies
    return frozenset(codes), honest_afterwards(folder) if course.ends else honest_result("sealed")


@pytest.mark.parametrize("name", COURSES)
def test_an_attack_over_several_messages(tmp_path: Path, name: str) -> None:
    """It meets what the table says, and afterwards an honest release gives the same."""
    assert ran(name, tmp_path, name) == (COURSES[name].codes, honest_result("sealed"))


@pytest.mark.campaign
@pytest.mark.parametrize("name", COURSES)
def test_many_attacks_over_several_messages(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """The same a hundred times."""
    found = [
        ran(name, tmp_path_factory.mktemp("course"), f"{name} {number}") for number in range(100)
    ]
    assert found == [(COURSES[name].codes, honest_result("sealed"))] * 100


# By the author of a study


def answer(name: str, seed: str) -> str:
    """What reading a crafted study comes to."""
    try:
        read_study(CRAFTED[name].text(Random(seed)), "crafted")
    except StudyError:
        return "refused"
    return "read"


@pytest.mark.parametrize("name", CRAFTED)
def test_a_crafted_study(name: str) -> None:
    """It is refused with everything that is wrong, and nothing of it is run."""
    assert [answer(name, f"{name} {number}") for number in range(FEW)] == ["refused"] * FEW


@pytest.mark.campaign
@pytest.mark.parametrize("name", CRAFTED)
def test_many_crafted_studies(name: str) -> None:
    """The same a hundred times."""
    assert {answer(name, f"{name} {number}") for number in range(100)} == {"refused"}


# The tables


@pytest.mark.parametrize("name", [*ATTACKS, *COURSES, *CRAFTED])
def test_the_table_says_what_is_tried_and_what_stops_it(name: str) -> None:
    """It can be read by itself."""
    found = ATTACKS.get(name) or COURSES.get(name) or CRAFTED[name]
    assert found.tries and found.stops


def test_no_two_attacks_have_one_name() -> None:
    """A name finds one attack."""
    assert len({*ATTACKS, *COURSES, *CRAFTED}) == len(ATTACKS) + len(COURSES) + len(CRAFTED)


def test_there_are_many_attacks() -> None:
    """More than the forty that were asked for."""
    assert len(ATTACKS) + len(COURSES) + len(CRAFTED) >= 100
