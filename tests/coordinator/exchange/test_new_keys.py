"""A hospital that changes its key: with the old key's leave both hold for a time, else at once."""

from __future__ import annotations

import httpx
import pytest

from site_agent.contract.enrolment import card, succeeding
from site_agent.contract.identity import Identity
from site_agent.contract.party import Member
from tests.coordinator.exchange.office import STUDY_HASH, Office, code, opening
from tests.protocol import CENTER, identity
from tests.revising import ROTATED, frozen_revision, new_keys

OLD = identity(ROTATED)
NEW = new_keys()
THIEF = Identity.create(ROTATED, lambda size: b"\5" * size)


@pytest.fixture
def enrolled(office: Office) -> Office:
    """Five hospitals and their study."""
    return office.furnished()


def send(office: Office, by: Identity, member: Member, token: str = "") -> httpx.Response:
    """An enrolment with a card of any kind."""
    return office.ask(by, "POST", "/v1/enrolments", {"card": card(member), "token": token})


def rotate(office: Office) -> httpx.Response:
    """New keys that the old ones have signed; no invitation is needed."""
    return send(office, NEW, succeeding(OLD, NEW, {}))


def put_revision(office: Office) -> str:
    """The revision that pins the new keys."""
    file, study = frozen_revision()
    office.put_study(file, study.hash).raise_for_status()
    return study.hash


def hashes(office: Office, by: Identity) -> list[str]:
    """The studies that are there for a key; the code if it is not known."""
    answer = office.ask(by, "GET", "/v1/studies")
    if answer.status_code != 200:
        return [code(answer)]
    return [entry["hash"] for entry in answer.json()["studies"]]


def test_keys_that_the_old_ones_signed_are_taken(enrolled: Office) -> None:
    """The first time they are new, then known."""
    assert [rotate(enrolled).status_code for _ in range(2)] == [201, 200]


def test_the_center_sees_the_new_card(enrolled: Office) -> None:
    """With what it says of the keys before: so it comes into the next study."""
    rotate(enrolled)
    listed = enrolled.ask(CENTER, "GET", "/v1/parties").json()["sites"]
    assert [one["card"] for one in listed if one["name"] == ROTATED] == [
        card(succeeding(OLD, NEW, {}))
    ]


def test_the_old_key_goes_on(enrolled: Office) -> None:
    """The study that pins it is still there."""
    rotate(enrolled)
    assert hashes(enrolled, OLD) == [STUDY_HASH]


def test_the_old_key_sees_the_revision(enrolled: Office) -> None:
    """It is fetched before it is approved, and until then the old key is in use."""
    rotate(enrolled)
    revision = put_revision(enrolled)
    assert sorted(hashes(enrolled, OLD)) == sorted([STUDY_HASH, revision])


def test_the_old_key_gets_its_mail(enrolled: Office) -> None:
    """A release of the study before goes on."""
    rotate(enrolled)
    enrolled.post(CENTER, opening())
    assert enrolled.ask(OLD, "GET", "/v1/mail?after=0").content == opening()


def test_the_new_key_ends_the_old_one(enrolled: Office) -> None:
    """Once the hospital signs with the new key, the old one opens nothing."""
    rotate(enrolled)
    revision = put_revision(enrolled)
    assert (hashes(enrolled, NEW), hashes(enrolled, OLD)) == ([revision], ["signature"])


def test_the_old_key_may_say_what_hinders(enrolled: Office) -> None:
    """Of a release of the study that pins it."""
    rotate(enrolled)
    enrolled.post(CENTER, opening())
    opened = enrolled.release()["open"]
    target = f"/v1/releases/{opened}/standing"
    assert enrolled.ask(OLD, "PUT", target, {"code": "too_few"}).status_code == 204


FORGED = {
    "a thief without any key": (THIEF, succeeding(THIEF, THIEF, {})),
    "no word of the key before": (NEW, NEW.member()),
    "another hospital's key before": (NEW, succeeding(identity("cedar"), NEW, {})),
    "a hospital that is not enrolled": (
        Identity.create("fir", lambda size: b"\6" * size),
        succeeding(
            Identity.create("fir", lambda size: b"\7" * size),
            Identity.create("fir", lambda size: b"\6" * size),
            {},
        ),
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_without_the_old_key_an_invitation_is_needed(enrolled: Office, name: str) -> None:
    """Else anybody could take a hospital's place."""
    assert code(send(enrolled, *FORGED[name])) == "invitation"


def test_a_card_that_another_key_sends(enrolled: Office) -> None:
    """Whoever sends a card has the key on it."""
    assert code(send(enrolled, THIEF, succeeding(OLD, NEW, {}))) == "signature"


def test_a_new_invitation_ends_the_old_key_at_once(enrolled: Office) -> None:
    """A key that was stolen is of no use any more."""
    enrolled.invite(ROTATED, "another token that is long enough")
    send(enrolled, NEW, NEW.member(), "another token that is long enough")
    assert hashes(enrolled, OLD) == ["signature"]


def test_a_new_invitation_ends_what_the_thief_rotated(enrolled: Office) -> None:
    """A thief who was first to make new keys loses both."""
    send(enrolled, THIEF, succeeding(OLD, THIEF, {}))
    enrolled.invite(ROTATED, "another token that is long enough")
    send(enrolled, NEW, NEW.member(), "another token that is long enough")
    assert [hashes(enrolled, key) for key in (OLD, THIEF)] == [["signature"], ["signature"]]
