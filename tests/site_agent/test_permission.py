"""What a site may answer: the approval of its steward, and the releases that are over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from site_agent.contract.errors import LifecycleError, Refused
from site_agent.contract.messages import Open
from site_agent.contract.study.model import EarlierRoster
from site_agent.ledger import Ledger
from site_agent.permission import Permission
from tests.protocol import SITES, STUDY, frozen, the_study

NAME = "alder"
END = "2026-06-30T23:59:59Z"


class Clock:
    """An instant that a test sets."""

    now = "2026-01-01T00:00:00Z"

    def __call__(self) -> str:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The first of January."""
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Ledger:
    """An empty ledger."""
    return Ledger(tmp_path / "ledger.jsonl", clock)


@pytest.fixture
def permission(ledger: Ledger) -> Permission:
    """The standing of a study that nobody has approved."""
    return Permission(the_study(), NAME, ledger)


def opened(release: int = 1, roster: tuple[str, ...] = SITES, attempt: int = 1) -> Open:
    """OPEN of the study."""
    return Open(the_study().hash, release, attempt, roster)


def refused(permission: Permission, said: Open) -> str:
    """The code with which an OPEN is refused; "allowed" if it is not."""
    try:
        permission.refuse_open(said)
    except Refused as refusal:
        return refusal.code
    return "allowed"


def test_without_an_approval(permission: Permission) -> None:
    """A study that nobody approved is not answered."""
    assert refused(permission, opened()) == "not_approved"


def test_with_an_approval(permission: Permission) -> None:
    """An approved study is."""
    permission.note("approved", until=END)
    assert refused(permission, opened()) == "allowed"


def test_up_to_the_end_of_an_approval(permission: Permission, clock: Clock) -> None:
    """An approval lasts to the last second of its last day."""
    permission.note("approved", until=END)
    clock.now = END
    assert refused(permission, opened()) == "allowed"


def test_after_the_end_of_an_approval(permission: Permission, clock: Clock) -> None:
    """A second later it is over, and the reason is another one than no approval at all."""
    permission.note("approved", until=END)
    clock.now = "2026-07-01T00:00:00Z"
    assert refused(permission, opened()) == "expired"


def test_an_approval_that_was_renewed(permission: Permission, clock: Clock) -> None:
    """After its end, an approval can be given again."""
    permission.note("approved", until=END)
    clock.now = "2026-07-01T00:00:00Z"
    permission.note("approved", until="2026-12-31T23:59:59Z")
    assert refused(permission, opened()) == "allowed"


def test_after_a_revocation(permission: Permission) -> None:
    """A revoked study is not answered."""
    permission.note("approved")
    permission.note("revoked")
    assert refused(permission, opened()) == "not_approved"


def test_what_is_not_approved_cannot_be_revoked(permission: Permission, ledger: Ledger) -> None:
    """A revocation without an approval writes nothing."""
    with pytest.raises(LifecycleError):
        permission.note("revoked")
    assert ledger.entries == []


def test_what_another_process_wrote_counts(permission: Permission, ledger: Ledger) -> None:
    """An approval by the steward's command is seen by an agent that runs."""
    Ledger(ledger.path, ledger.now).append("approved", study=the_study().hash)
    assert refused(permission, opened()) == "allowed"


def test_a_release_of_another_study(permission: Permission) -> None:
    """An OPEN of another study is refused, whatever was approved."""
    permission.note("approved")
    assert refused(permission, Open("f" * 64, 1, 1, SITES)) == "other_study"


@pytest.mark.parametrize("end", ["closed", "burned"])
def test_a_release_that_is_over(permission: Permission, ledger: Ledger, end: str) -> None:
    """A release that was closed or burned is not opened again."""
    permission.note("approved")
    ledger.append(end, study=the_study().hash, release=1)
    assert (refused(permission, opened()), permission.over(2)) == ("release_over", False)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (opened(), "allowed"),
        (opened(attempt=2), "second_roster"),
        (opened(roster=SITES[:4]), "second_roster"),
        (opened(2), "allowed"),
        (opened(2, SITES[:4]), "other_roster"),
    ],
)
def test_the_roster_of_a_share_that_was_given(
    permission: Permission, ledger: Ledger, said: Open, expected: str
) -> None:
    """After a share, its release keeps roster and attempt, and later ones keep the roster."""
    permission.note("approved")
    ledger.append("share", study=the_study().hash, release=1, attempt=1, roster=list(SITES))
    assert refused(permission, said) == expected


# Rosters of earlier releases of another study over the same tables

REVISION = frozen(STUDY.replace("title: Five", "title: The same five"))
NAMED = EarlierRoster(SITES[:4], "elm joined, and its totals can be had by subtraction")


def earlier_release(ledger: Ledger, *, rounds: int, tables: Sequence[str] = ("patients",)) -> None:
    """A release of the study over four sites, in which so many rounds were answered."""
    said = {"study": the_study().hash, "release": 1, "attempt": 1, "roster": list(SITES[:4])}
    ledger.append("ready", **said, name="protocol", tables=list(tables))
    for number in range(rounds):
        ledger.append("share", **said, round=number)


def refused_revision(ledger: Ledger, *named: EarlierRoster, folder: str = "") -> str:
    """The code with which a revision over all five sites is refused."""
    study = replace(
        REVISION, policy=replace(REVISION.policy, earlier_rosters=named), name="revision"
    )
    permission = Permission(study, NAME, ledger, lambda name: folder and name)
    permission.note("approved")
    return refused(permission, Open(study.hash, 1, 1, SITES))


def test_a_hospital_joined(ledger: Ledger) -> None:
    """Its totals could be had by subtraction, and nobody has accepted that."""
    earlier_release(ledger, rounds=2)
    assert refused_revision(ledger) == "other_roster"


def test_a_hospital_joined_as_the_study_names(ledger: Ledger) -> None:
    """The stewards signed the sentence."""
    earlier_release(ledger, rounds=2)
    assert refused_revision(ledger, NAMED) == "allowed"


def test_a_hospital_joined_after_the_first_question(ledger: Ledger) -> None:
    """A release that opened only counts of patients does not bind another study."""
    earlier_release(ledger, rounds=1)
    assert refused_revision(ledger) == "allowed"


def test_a_hospital_joined_in_a_study_over_other_tables(ledger: Ledger) -> None:
    """Nothing can be subtracted."""
    earlier_release(ledger, rounds=2, tables=["visits"])
    assert refused_revision(ledger) == "allowed"


def test_a_hospital_joined_in_a_study_over_other_data(ledger: Ledger) -> None:
    """A table of this name in another folder is another table."""
    earlier_release(ledger, rounds=2)
    assert refused_revision(ledger, folder="apart") == "allowed"


def test_who_joined_is_said(ledger: Ledger) -> None:
    """The refusal names the hospitals, and the field of the study."""
    earlier_release(ledger, rounds=2)
    permission = Permission(REVISION, NAME, ledger)
    permission.note("approved")
    with pytest.raises(Refused, match=r"joined: elm.*disclosure.earlier_rosters"):
        permission.refuse_open(Open(REVISION.hash, 1, 1, SITES))
