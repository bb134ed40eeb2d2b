"""What the ledger says of approvals, by study."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.approvals import Approval, approvals
from site_agent.contract.errors import LifecycleError

JANUARY, JUNE, DECEMBER = (f"2026-{month}-01T00:00:00Z" for month in ("01", "06", "12"))


def entry(event: str, study: str = "s", at: str = JANUARY, **more: str) -> dict[str, Any]:
    """An entry of a ledger."""
    return {"event": event, "study": study, "at": at, **more}


def test_nothing_is_approved_at_first() -> None:
    """A ledger without approvals has none."""
    assert approvals([entry("ready"), {"event": "refused"}]) == {}


def test_an_approval() -> None:
    """An approval has its beginning and its end."""
    found = approvals([entry("approved", until=JUNE)])
    assert found == {"s": Approval("approved", JANUARY, JUNE)}


def test_an_approval_of_before_there_were_ends() -> None:
    """An approval without an end lasts."""
    assert approvals([entry("approved")])["s"].stands(DECEMBER) is True


def test_a_revocation_comes_after() -> None:
    """What was revoked is no longer approved."""
    found = approvals([entry("approved"), entry("revoked", at=JUNE)])
    assert found == {"s": Approval("revoked", JUNE, "")}


def test_an_approval_may_be_renewed() -> None:
    """The last approval counts, also an earlier end."""
    found = approvals([entry("approved", until=DECEMBER), entry("approved", until=JUNE)])
    assert found["s"].until == JUNE


def test_what_was_revoked_may_be_approved_again() -> None:
    """A revocation is not for good."""
    found = approvals([entry("approved"), entry("revoked"), entry("approved", until=JUNE)])
    assert found["s"].state == "approved"


def test_what_was_not_approved_cannot_be_revoked() -> None:
    """A ledger in which a revocation comes first was not written by an agent."""
    with pytest.raises(LifecycleError):
        approvals([entry("revoked")])


def test_each_study_has_its_own() -> None:
    """One study's revocation is not another's."""
    found = approvals([entry("approved", "a"), entry("approved", "b"), entry("revoked", "a")])
    assert {name: one.state for name, one in found.items()} == {"a": "revoked", "b": "approved"}


@pytest.mark.parametrize(
    ("now", "stands", "expired"),
    [(JANUARY, True, False), (JUNE, True, False), (DECEMBER, False, True)],
)
def test_an_approval_lasts_to_its_end(now: str, stands: bool, expired: bool) -> None:
    """An approval stands up to and with the second of its end."""
    approval = Approval("approved", JANUARY, JUNE)
    assert (approval.stands(now), approval.expired(now)) == (stands, expired)


@pytest.mark.parametrize("state", ["frozen", "revoked"])
def test_only_an_approval_expires(state: str) -> None:
    """What is not approved neither stands nor expires."""
    approval = Approval(state, JANUARY, JUNE)
    assert (approval.stands(JANUARY), approval.expired(DECEMBER)) == (False, False)
