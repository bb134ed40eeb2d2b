"""The life of releases: numbers, attempts, ends, and what the center sees of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.coordinator.exchange.office import (
    FIRST,
    NOW,
    STUDY_HASH,
    Office,
    burn,
    close,
    code,
    detail,
    digest,
    opening,
    ready,
    receipt,
    round_,
    share,
)
from tests.protocol import CENTER, SITES

AGAIN = opening(attempt=2, roster=SITES[:4])


def finished(office: Office, opened: str = FIRST) -> Office:
    """The office after a release with one round."""
    return office.finished(opened)


def states(office: Office) -> list[tuple[int, int, str]]:
    answer = office.ask(CENTER, "GET", f"/v1/releases?study={STUDY_HASH}").json()
    return [(one["number"], one["attempt"], one["state"]) for one in answer["releases"]]


@pytest.mark.parametrize("number", [0, 2, 7])
def test_the_first_release_has_number_one(furnished: Office, number: int) -> None:
    """A study begins with release 1."""
    answer = furnished.post(CENTER, opening(number))
    assert (code(answer), "expected 1" in detail(answer)) == ("release_number", True)


@pytest.mark.parametrize(
    ("number", "answer"),
    [(0, "release_number"), (1, "release_number"), (2, "201"), (3, "release_number")],
)
def test_numbers_go_up_without_a_gap(opened: Office, number: int, answer: str) -> None:
    """After a release comes the one with the next number."""
    opened.post(CENTER, burn())
    assert code(opened.post(CENTER, opening(number, attempt=5))) == answer


@pytest.mark.parametrize("number", [1, 2, 3])
def test_one_release_at_a_time(opened: Office, number: int) -> None:
    """While a release is under way, no other one of the study begins."""
    assert code(opened.post(CENTER, opening(number, roster=SITES[:3]))) == "release_under_way"


def test_another_attempt_before_the_first_share(opened: Office) -> None:
    """Before any SHARE the release may be opened again with another roster."""
    opened.post("alder", ready("alder"))
    answer = code(opened.post(CENTER, AGAIN))
    assert (answer, states(opened)) == ("201", [(1, 2, "under_way"), (1, 1, "replaced")])


def test_no_other_attempt_after_a_share(opened: Office) -> None:
    """A sum without one site, taken after one with it, would show that site's part."""
    opened.post("alder", share("alder"))
    answer = opened.post(CENTER, AGAIN)
    assert (code(answer), "roster is fixed" in detail(answer)) == ("release_under_way", True)


def test_an_earlier_attempt(opened: Office) -> None:
    """Attempts go up."""
    opened.post(CENTER, AGAIN)
    answer = opened.post(CENTER, opening(attempt=1, roster=SITES[:3]))
    assert code(answer) == "release_under_way"


def test_the_open_of_a_replaced_attempt_again(opened: Office) -> None:
    """A repeat of what is in the log is fine, whatever came of it."""
    opened.post(CENTER, AGAIN)
    assert opened.post(CENTER, opening()).json() == {"id": 1}


def test_all_receipts_close_a_release(opened: Office) -> None:
    """The last RECEIPT of the roster closes the release."""
    assert states(finished(opened)) == [(1, 1, "closed")]


def test_all_but_one_receipt_do_not_close_it(opened: Office) -> None:
    """As long as one RECEIPT is missing, the release is under way."""
    for site in SITES[1:]:
        opened.post(site, receipt(site))
    assert states(opened) == [(1, 1, "under_way")]


def test_burn_ends_a_release(opened: Office) -> None:
    """A release that was given up is burned."""
    opened.post(CENTER, burn())
    assert states(opened) == [(1, 1, "burned")]


def test_nothing_is_taken_into_a_release_that_is_over(opened: Office) -> None:
    """After its end a release takes nothing new."""
    opened.post(CENTER, burn())
    answer = opened.post("alder", ready("alder"))
    assert (code(answer), "burned" in detail(answer)) == ("release_over", True)


def test_nothing_is_taken_into_a_replaced_attempt(opened: Office) -> None:
    """An attempt that was replaced takes nothing new, not even its end."""
    opened.post(CENTER, AGAIN)
    assert code(opened.post(CENTER, burn())) == "release_over"


def test_a_repeat_into_a_release_that_is_over(opened: Office) -> None:
    """What is in the log is fine again, also after the end."""
    finished(opened)
    assert [code(opened.post("alder", receipt("alder"))), code(opened.post(CENTER, close()))] == [
        "200",
        "200",
    ]


def test_shares_are_erased_when_the_next_release_begins(opened: Office) -> None:
    """Of a release that is over, SHARE and SPLIT are kept no longer than needed."""
    finished(opened)
    before = len(opened.log(FIRST))
    opened.post(CENTER, opening(2))
    assert (before, len(opened.log(FIRST))) == (14, 8)


def test_an_erased_share_again(opened: Office) -> None:
    """A share that was erased is still known as the one that was sent."""
    finished(opened)
    opened.post(CENTER, opening(2))
    assert code(opened.post("alder", share("alder"))) == "200"


def test_other_bytes_for_an_erased_share(opened: Office) -> None:
    """An erased share does not leave its slot to another."""
    finished(opened)
    opened.post(CENTER, opening(2))
    assert code(opened.post("alder", share("alder", masked=b"other"))) == "release_over"


def test_what_is_listed_of_a_release(opened: Office) -> None:
    """The center sees state, phase, roster, and whom it waits for."""
    opened.post("alder", ready("alder"))
    assert opened.release() == {
        "open": FIRST,
        "number": 1,
        "attempt": 1,
        "state": "under_way",
        "phase": "opening",
        "round": None,
        "roster": list(SITES),
        "waiting": ["beech", "cedar", "dogwood", "elm"],
        "parts": [],
        "standing": {},
        "opened": NOW,
        "ended": None,
    }


def _phase(office: Office) -> tuple[Any, ...]:
    found = office.release()
    return found["phase"], found["round"], len(found["waiting"])


def test_the_phases_of_a_release(opened: Office) -> None:
    """Opening, asking, closing, over: each with the sites that are waited for."""
    found = [_phase(opened)]
    for sender, wire in [
        *((site, ready(site)) for site in SITES),
        (CENTER, round_(0)),
        *((site, share(site, 0)) for site in SITES[:3]),
        (CENTER, round_(1)),
        ("alder", share("alder", 1)),
        (CENTER, close()),
        *((site, receipt(site)) for site in SITES),
    ]:
        opened.post(sender, wire)
        found.append(_phase(opened))
    assert found == [
        *(("opening", None, left) for left in (5, 4, 3, 2, 1, 0)),
        *(("asking", 0, left) for left in (5, 4, 3, 2)),
        *(("asking", 1, left) for left in (5, 4)),
        *(("closing", 1, left) for left in (5, 4, 3, 2, 1)),
        ("over", 1, 0),
    ]


def test_the_end_of_a_release_is_dated(opened: Office) -> None:
    """The center sees when a release ended."""
    opened.now = NOW + 100
    opened.post(CENTER, burn())
    assert (opened.release()["opened"], opened.release()["ended"]) == (NOW, NOW + 100)


def test_the_newest_release_is_listed_first(opened: Office) -> None:
    """Releases are listed from the newest to the oldest, attempts too."""
    opened.post(CENTER, AGAIN)
    opened.post(CENTER, burn(digest(AGAIN)))
    opened.post(CENTER, opening(2))
    assert states(opened) == [(2, 1, "under_way"), (1, 2, "burned"), (1, 1, "replaced")]


def test_releases_of_an_unknown_study(furnished: Office) -> None:
    """A study that is not here has no list."""
    answer = furnished.ask(CENTER, "GET", f"/v1/releases?study={'0' * 64}")
    assert code(answer) == "unknown_study"


def test_releases_of_no_study(furnished: Office) -> None:
    """The study must be named."""
    assert code(furnished.ask(CENTER, "GET", "/v1/releases")) == "malformed"


def stand(office: Office, what: str, by: str = "alder", opened: str = FIRST) -> str:
    return code(office.ask(by, "PUT", f"/v1/releases/{opened}/standing", {"code": what}))


def test_what_hinders_a_site(opened: Office) -> None:
    """The center sees what hinders a site, and since when; the latest holds."""
    stand(opened, "data_missing")
    opened.now = NOW + 7
    stand(opened, "not_approved")
    assert opened.release()["standing"] == {"alder": {"code": "not_approved", "at": NOW + 7}}


def test_nothing_hinders_a_site_any_more(opened: Office) -> None:
    """An empty code takes away what was said."""
    stand(opened, "data_missing")
    assert (stand(opened, ""), opened.release()["standing"]) == ("204", {})


def test_a_new_message_clears_the_standing(opened: Office) -> None:
    """Who answers is not hindered."""
    stand(opened, "data_missing")
    opened.post("alder", ready("alder"))
    assert opened.release()["standing"] == {}


def test_a_repeated_message_does_not_clear_it(opened: Office) -> None:
    """A repeat says nothing new."""
    opened.post("alder", ready("alder"))
    stand(opened, "data_missing")
    opened.post("alder", ready("alder"))
    assert list(opened.release()["standing"]) == ["alder"]


@pytest.mark.parametrize("what", ["Data", "a b", "x" * 41, "a\n", "1"])
def test_codes_that_are_none(opened: Office, what: str) -> None:
    """A code is at most 40 small letters and underscores, so that it can hold no sentence."""
    assert stand(opened, what) == "malformed"


def test_the_standing_of_an_unknown_release(opened: Office) -> None:
    """A release that is not here hinders nobody."""
    assert stand(opened, "data_missing", opened="0" * 64) == "unknown_release"


def test_the_standing_of_a_site_outside_the_roster(furnished: Office) -> None:
    """A site speaks of releases that it is part of."""
    wire = opening(roster=SITES[:3])
    furnished.post(CENTER, wire)
    assert stand(furnished, "data_missing", "elm", digest(wire)) == "unknown_release"
