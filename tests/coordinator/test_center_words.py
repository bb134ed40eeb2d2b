"""What stands where, as a person reads it."""

from __future__ import annotations

from typing import Any

from coordinator.center_words import status_in_words, table


def site(name: str, **changed: Any) -> dict[str, Any]:
    """A hospital as a study's status lists it."""
    plain = {"approval": "approved", "online": True, "seen": "never", "hindered": ""}
    return {"name": name, **plain, **changed}


def status(**changed: Any) -> dict[str, Any]:
    """A study's status."""
    plain = {"study": "lung", "hash": "0123456789abcdef" * 4, "note": ""}
    return {**plain, "sites": [site("north"), site("south")], "release": None, **changed}


def release(**changed: Any) -> dict[str, Any]:
    """A study's last release."""
    plain = {"number": 3, "state": "under_way", "phase": "asking", "round": 2}
    return {**plain, "waiting": ["south"], "opened": "2026-01-01T00:00:00Z", **changed}


def last_line(**changed: Any) -> str:
    """What is said of the release."""
    return status_in_words(status(release=release(**changed))).splitlines()[-1]


def test_columns_are_as_wide_as_their_cells() -> None:
    """Cells stand under their heads, without blanks at the end."""
    rows = [["north", "x"], ["a", "yyyyy"]]
    assert list(table(("site", "what"), rows)) == ["site   what", "north  x", "a      yyyyy"]


def test_no_rows_no_head() -> None:
    """A table of nothing is nothing."""
    assert list(table(("site", "what"), [])) == []


def test_a_study_without_a_release() -> None:
    """Name, beginning of the hash, hospitals, and that there is no release."""
    sites = [
        site("north", online=False, seen="2026-01-01T00:00:00Z"),
        site("south", approval="not approved", hindered="no_data"),
    ]
    assert status_in_words(status(sites=sites)).splitlines() == [
        "lung  0123456789abcdef",
        "site   approval      agent                           hindered by",
        "north  approved      last seen 2026-01-01T00:00:00Z",
        "south  not approved  online                          no_data",
        "no release yet",
    ]


def test_an_agent_that_never_came() -> None:
    """'never' stands for the instant."""
    assert "never seen" in status_in_words(status(sites=[site("north", online=False)]))


def test_a_study_that_is_not_frozen() -> None:
    """What is to be done stands behind its name."""
    assert status_in_words(status(hash=None, note="freeze it")) == "lung: freeze it"


def test_a_release_that_waits() -> None:
    """Its round, and for whom it waits."""
    assert last_line() == (
        "release 3 is under way since 2026-01-01T00:00:00Z: round 2, waiting for south"
    )


def test_a_release_that_is_being_opened() -> None:
    """Before the first round the phase is named."""
    assert last_line(round=None, phase="opening").endswith(": opening, waiting for south")


def test_a_release_that_is_being_closed() -> None:
    """After the last round, too: its number would say nothing."""
    assert last_line(round=6, phase="closing").endswith(": closing, waiting for south")


def test_a_release_that_waits_for_the_center() -> None:
    """If all hospitals have answered it is the center's turn."""
    found = last_line(waiting=[])
    assert found.endswith(": round 2, waiting for the center")


def test_a_release_that_is_over() -> None:
    """Closed or burned."""
    assert last_line(state="burned", phase="over") == "release 3 is burned"
