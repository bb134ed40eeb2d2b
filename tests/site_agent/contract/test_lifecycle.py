"""The lives of a study, a release and a round: what is allowed, and that nothing else is."""

from __future__ import annotations

import itertools

import pytest

from site_agent.contract.errors import LifecycleError
from site_agent.contract.lifecycle import (
    CENTER_RELEASE,
    SITE_RELEASE,
    SITE_ROUND,
    STUDY,
    Table,
    advance,
)

TABLES = {
    "study": STUDY,
    "site": SITE_RELEASE,
    "center": CENTER_RELEASE,
    "round": SITE_ROUND,
}
ILLEGAL = [
    (name, state, event)
    for name, table in TABLES.items()
    for state in table
    for event in sorted({event for events in table.values() for event in events})
    if event not in table[state]
]
LIVES: list[tuple[Table, str, list[str], str]] = [
    (STUDY, "draft", ["freeze", "approve", "revoke", "approve"], "approved"),
    (SITE_RELEASE, "unknown", ["open", "readies", "share", "audit", "share", "close"], "closed"),
    (SITE_RELEASE, "unknown", ["open", "open", "readies", "open", "readies", "share"], "answering"),
    (SITE_RELEASE, "unknown", ["open", "readies", "share", "burn"], "burned"),
    (SITE_RELEASE, "unknown", ["open", "burn"], "burned"),
    (SITE_RELEASE, "unknown", ["open", "readies", "parts", "parts", "share"], "answering"),
    (SITE_RELEASE, "unknown", ["open", "readies", "parts", "readies", "parts"], "keyed"),
    (SITE_RELEASE, "unknown", ["open", "readies", "parts", "open"], "ready"),
    (SITE_RELEASE, "unknown", ["open", "readies", "parts", "burn"], "burned"),
    (
        CENTER_RELEASE,
        "opening",
        ["ready", "all_ready", "ask", "share", "total", "close"],
        "closing",
    ),
    (CENTER_RELEASE, "opening", ["ready", "secret", "part", "part", "all_parts", "ask"], "asking"),
    (CENTER_RELEASE, "opening", ["ready", "secret", "burn"], "burned"),
    (CENTER_RELEASE, "parting", ["part", "burn"], "burned"),
    (CENTER_RELEASE, "closing", ["receipt", "receipt", "all_receipts"], "closed"),
    (SITE_ROUND, "asked", ["share", "share", "audit", "audit", "total", "total"], "totalled"),
    (SITE_ROUND, "asked", ["share", "total", "audit"], "totalled"),
]


@pytest.mark.parametrize(("table", "state", "events", "expected"), LIVES)
def test_lives(table: Table, state: str, events: list[str], expected: str) -> None:
    """Events in an allowed order lead where they should."""
    for event in events:
        state = advance(table, state, event)
    assert state == expected


@pytest.mark.parametrize(("name", "state", "event"), ILLEGAL)
def test_every_other_event_is_refused(name: str, state: str, event: str) -> None:
    """An event that the state does not list raises, and says what would be allowed."""
    with pytest.raises(LifecycleError, match=f"'{event}' while {state}: expected"):
        advance(TABLES[name], state, event)


@pytest.mark.parametrize("name", TABLES)
def test_every_event_leads_to_a_state_of_the_table(name: str) -> None:
    """No event leads out of the table."""
    table = TABLES[name]
    reached = set(itertools.chain.from_iterable(events.values() for events in table.values()))
    assert reached <= set(table)


@pytest.mark.parametrize("name", ["site", "center"])
def test_what_is_over_stays_over(name: str) -> None:
    """A closed or burned release allows nothing."""
    assert {state: TABLES[name][state] for state in ("closed", "burned")} == {
        "closed": {},
        "burned": {},
    }


def test_after_the_first_share_a_release_cannot_be_opened_again() -> None:
    """From the first share on the roster is fixed."""
    assert "open" not in SITE_RELEASE["answering"]


def test_nothing_is_asked_before_the_secret_is_shared() -> None:
    """Between READIES and the last PART there is no question."""
    assert sorted(CENTER_RELEASE["parting"]) == ["all_parts", "burn", "part"]


def test_after_the_first_share_the_secret_is_fixed() -> None:
    """From the first share on neither READY nor PART messages are taken."""
    assert {"readies", "parts"} & set(SITE_RELEASE["answering"]) == set()
