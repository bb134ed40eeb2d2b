"""The mail: what is handed out to whom, and how long a poll waits."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from site_agent.contract import messages
from site_agent.contract.identity import Identity
from tests.coordinator.exchange.office import (
    FIRST,
    STUDY_HASH,
    Office,
    burn,
    close,
    code,
    digest,
    opening,
    ready,
    receipt,
    round_,
    share,
)
from tests.protocol import CENTER, SITES, entropy

NEW_KEY = Identity.create("alder", entropy("the new key of alder"))


def kinds(office: Office, by: str, query: str = "") -> list[str]:
    return [messages.read(answer.content).kind for answer in office.letters(by, query)]


def test_a_letter(opened: Office) -> None:
    """A message comes as it was sent, with its place in the headers."""
    answer = opened.mail("alder")
    named = {
        k: v for k, v in answer.headers.items() if k.startswith("quorum") or k == "content-type"
    }
    assert (answer.content, named) == (
        opening(),
        {
            "quorum-message": "1",
            "quorum-study": STUDY_HASH,
            "quorum-release": "1",
            "quorum-open": FIRST,
            "quorum-sender": CENTER,
            "content-type": "application/octet-stream",
        },
    )


def test_nothing_yet(opened: Office) -> None:
    """Behind the last message there is nothing."""
    answer = opened.mail("alder", "after=1&wait=0")
    assert (answer.status_code, answer.content) == (204, b"")


def test_a_poll_without_numbers(opened: Office) -> None:
    """Left out, after and wait are 0."""
    assert opened.ask("alder", "GET", "/v1/mail").content == opening()


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=-1", "after=9007199254740992", "wait=31", "wait=-1", "wait=nan", "after="],
)
def test_polls_of_another_form(opened: Office, query: str) -> None:
    """Numbers that are none, and waits above 30 seconds, are malformed."""
    assert code(opened.mail("alder", query)) == "malformed"


def test_a_site_gets_the_centers_messages(opened: Office) -> None:
    """What other sites send is not in a site's mail."""
    opened.post("beech", ready("beech"))
    opened.post(CENTER, round_(0))
    opened.post("beech", share("beech"))
    assert kinds(opened, "alder") == ["OPEN", "ROUND"]


def test_the_center_gets_all_of_a_release(opened: Office) -> None:
    """The center reads the whole log of a release, its own messages too."""
    opened.post("beech", ready("beech"))
    opened.post(CENTER, round_(0))
    assert kinds(opened, CENTER, f"open={FIRST}&") == ["OPEN", "READY", "ROUND"]


def test_the_center_gets_what_is_over(opened: Office) -> None:
    """The log of a release is there for the center, whatever its state."""
    opened.post(CENTER, burn())
    opened.post(CENTER, opening(2))
    assert kinds(opened, CENTER, f"open={FIRST}&") == ["OPEN", "BURN"]


def test_a_site_outside_the_roster_gets_nothing(furnished: Office) -> None:
    """A release is in the mail of its roster only."""
    furnished.post(CENTER, opening(roster=SITES[:3]))
    assert [kinds(furnished, site) for site in ("alder", "elm")] == [["OPEN"], []]


def test_nothing_after_the_receipt(opened: Office) -> None:
    """A site that has closed the release gets none of it any more; the others do."""
    opened.post(CENTER, close())
    opened.post("alder", receipt("alder"))
    assert [kinds(opened, site) for site in ("alder", "beech")] == [[], ["OPEN", "CLOSE"]]


def test_a_closed_release_is_in_nobodys_mail(opened: Office) -> None:
    """A site that starts anew does not get the releases that are over."""
    for site in SITES:
        opened.post(site, receipt(site))
    assert kinds(opened, "beech") == []


def test_of_a_burned_release_only_burn(opened: Office) -> None:
    """That a release is burned is all that a site needs of it."""
    opened.post(CENTER, round_(0))
    opened.post(CENTER, burn())
    assert kinds(opened, "alder") == ["BURN"]


def test_a_replaced_attempt_is_in_nobodys_mail(opened: Office) -> None:
    """Of two attempts a site gets the one that holds."""
    again = opening(attempt=2)
    opened.post(CENTER, again)
    found = [answer.headers["Quorum-Open"] for answer in opened.letters("alder")]
    assert found == [digest(again)]


def test_a_site_with_a_new_key_gets_nothing_of_its_old_one(opened: Office) -> None:
    """A study that pins the key of before sends nothing to the new one."""
    opened.invite("alder", "another token")
    opened.enrol(NEW_KEY, "another token")
    assert opened.ask(NEW_KEY, "GET", "/v1/mail").status_code == 204


def test_the_center_names_the_release(opened: Office) -> None:
    """The center's poll is of one release."""
    assert code(opened.mail(CENTER, "after=0")) == "malformed"


def test_the_center_polls_an_unknown_release(opened: Office) -> None:
    """A release that is not here is unknown."""
    assert code(opened.mail(CENTER, f"open={'0' * 64}")) == "unknown_release"


def test_a_site_cannot_read_a_whole_release(opened: Office) -> None:
    """The whole log is for the center."""
    assert code(opened.mail("alder", f"open={FIRST}")) == "forbidden"


def test_a_poll_waits(opened: Office) -> None:
    """A poll that finds nothing waits as long as it was asked to."""
    began = time.monotonic()
    opened.mail("alder", "after=1&wait=0.3")
    assert 0.3 <= time.monotonic() - began < 0.9


@pytest.mark.parametrize(
    ("by", "query", "sender", "wire"),
    [
        ("alder", "after=1&wait=20", CENTER, round_(0)),
        (CENTER, f"open={FIRST}&after=1&wait=20", "beech", ready("beech")),
    ],
)
def test_a_poll_is_woken(opened: Office, by: str, query: str, sender: str, wire: bytes) -> None:
    """A message is handed out to who waits for it, at once."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(opened.mail, by, query)
        time.sleep(0.15)
        began = time.monotonic()
        opened.post(sender, wire)
        answer = waiting.result()
    assert (answer.content, time.monotonic() - began < 0.8) == (wire, True)


def test_a_poll_hears_of_other_processes(opened: Office, furnished_database: str) -> None:
    """What another process over the same database takes is found within about a second."""
    with Office(furnished_database) as other, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(opened.mail, "alder", "after=1&wait=20")
        time.sleep(0.1)
        began = time.monotonic()
        other.post(CENTER, round_(0))
        answer = waiting.result()
    assert (answer.content, time.monotonic() - began < 1.6) == (round_(0), True)
