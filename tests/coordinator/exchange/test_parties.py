"""Invitations and enrolments: who becomes known, and who does not."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.contract.canonical import sha256
from site_agent.contract.enrolment import card
from site_agent.contract.identity import Identity, fingerprint
from tests.coordinator.exchange.office import NOW, TOKEN, Office, code, detail
from tests.protocol import CENTER, entropy, identity

NEW_KEY = Identity.create("alder", entropy("the new key of alder"))


def parties(office: Office) -> dict[str, Any]:
    answer: dict[str, Any] = office.ask(CENTER, "GET", "/v1/parties").json()
    return answer


def test_an_invited_site_enrols(office: Office) -> None:
    """A site with a token enrols once; the same again changes nothing."""
    office.invite("alder")
    answers = [office.enrol("alder").status_code for _ in range(3)]
    assert answers == [201, 200, 200]


def test_an_enrolled_site_is_listed(office: Office) -> None:
    """The center sees card, fingerprint and time of an enrolment."""
    office.invite("alder")
    office.enrol("alder")
    member = identity("alder").member()
    assert parties(office)["sites"] == [
        {
            "name": "alder",
            "card": card(member),
            "fingerprint": fingerprint(member),
            "enrolled": NOW,
            "seen": None,
            "software": "",
        }
    ]


def test_invitations_are_listed(office: Office) -> None:
    """The center sees which invitations were used, and no token or its hash."""
    office.invite("beech", lasts_s=10)
    office.invite("alder", lasts_s=20)
    office.enrol("alder")
    assert parties(office)["invitations"] == [
        {"site": "alder", "expires": NOW + 20, "used": NOW},
        {"site": "beech", "expires": NOW + 10, "used": None},
    ]


def test_the_same_card_after_expiry(office: Office) -> None:
    """A site whose first answer was lost may repeat its enrolment at any time."""
    office.invite("alder")
    office.enrol("alder")
    office.now += 2000
    assert office.enrol("alder").status_code == 200


def test_an_expired_invitation(office: Office) -> None:
    """An invitation that was not used in time is of no use, and the answer says since when."""
    office.invite("alder", lasts_s=10)
    office.now += 11
    answer = office.enrol("alder")
    assert (code(answer), "2026-11-21T04:16:17Z" in detail(answer)) == ("invitation", True)


def test_an_invitation_holds_to_its_last_second(office: Office) -> None:
    """At the second of expiry the invitation still holds."""
    office.invite("alder", lasts_s=10)
    office.now += 10
    assert office.enrol("alder").status_code == 201


def test_another_card_under_a_used_token(office: Office) -> None:
    """A token is good for one card."""
    office.invite("alder")
    office.enrol("alder")
    answer = office.enrol(NEW_KEY)
    assert (code(answer), "used already" in detail(answer)) == ("invitation", True)


def test_a_wrong_token_and_no_invitation_read_the_same(office: Office) -> None:
    """Who has no token does not learn which sites are expected."""
    office.invite("alder")
    wrong, none = office.enrol("alder", "another"), office.enrol("beech", "another")
    assert (code(wrong), detail(wrong)) == (code(none), detail(none).replace("beech", "alder"))


def test_a_new_invitation_replaces_the_key(office: Office) -> None:
    """An enrolled site that is invited again enrols with a new key, and the old one is no more."""
    office.invite("alder")
    office.enrol("alder")
    office.invite("alder", "another token")
    answers = [code(office.enrol(NEW_KEY, "another token"))]
    answers += [code(office.ask(who, "GET", "/v1/studies")) for who in (NEW_KEY, "alder")]
    assert answers == ["201", "200", "signature"]


def test_the_old_token_after_a_new_invitation(office: Office) -> None:
    """A new invitation ends the one before."""
    office.invite("alder")
    office.invite("alder", "another token")
    assert code(office.enrol("alder", TOKEN)) == "invitation"


def test_the_same_invitation_again_is_still_used(office: Office) -> None:
    """An invitation that is repeated does not make its token good for another card."""
    office.invite("alder")
    office.enrol("alder")
    office.invite("alder")
    assert code(office.enrol(NEW_KEY)) == "invitation"


def test_an_old_invitation_again(office: Office) -> None:
    """A request to invite that somebody repeats does not bring its token back."""
    office.invite("alder")
    body = {"token_sha256": sha256(b"old token"), "expires": NOW + 9}
    answer = office.ask(CENTER, "PUT", "/v1/invitations/alder", body, at=NOW - 1)
    assert (code(answer), code(office.enrol("alder"))) == ("conflict", "201")


@pytest.mark.parametrize("name", [CENTER, "Alder", "-a", "a" * 41, "%C3%A4", "a%00"])
def test_names_that_no_site_can_have(office: Office, name: str) -> None:
    """The center, capitals, and too long names cannot be invited."""
    assert code(office.invite(name)) == "malformed"


def test_a_site_cannot_enrol_as_the_center(office: Office) -> None:
    """A card in the center's name has no invitation."""
    assert code(office.enrol(Identity.create(CENTER, entropy("another center")))) == "invitation"


def test_a_card_that_another_signed(office: Office) -> None:
    """Enrolling takes the private key of the card."""
    office.invite("alder")
    body = {"card": card(identity("alder").member()), "token": TOKEN}
    assert code(office.ask(NEW_KEY, "POST", "/v1/enrolments", body)) == "signature"


def test_a_card_of_another_name(office: Office) -> None:
    """The card's name is that of the request."""
    office.invite("alder")
    body = {"card": card(identity("alder").member()), "token": TOKEN}
    assert code(office.ask("beech", "POST", "/v1/enrolments", body)) == "signature"


@pytest.mark.parametrize(
    "change",
    [
        {"encryption_key": "AAAA"},
        {"encryption_key": "not base64"},
        {"attributes": {"beds": 5}},
        {"attributes": {"beds": "\ud800"}},
        {"attributes": None},
        {"more": 1},
        {"quorum": 2},
        {"name": 5},
    ],
)
def test_cards_that_are_none(office: Office, change: dict[str, Any]) -> None:
    """A card with other fields, or keys that are none, is malformed."""
    office.invite("alder")
    document = {**card(identity("alder").member()), **change}
    answer = office.ask("alder", "POST", "/v1/enrolments", {"card": document, "token": TOKEN})
    assert code(answer) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b"[" * 60_000,
        b'{"token_sha256": "abc", "expires": 1}',
        b'{"token_sha256": "%s"}' % (b"a" * 64),
        b'{"token_sha256": "%s", "expires": "1"}' % (b"a" * 64),
        b'{"token_sha256": "%s", "expires": 1.5}' % (b"a" * 64),
        b'{"token_sha256": "%s", "expires": true}' % (b"a" * 64),
        b'{"token_sha256": "%s", "expires": -1}' % (b"a" * 64),
        b'{"token_sha256": "%s", "expires": 9007199254740992}' % (b"a" * 64),
        b'{"token_sha256": "%s", "expires": 1, "more": 1}' % (b"a" * 64),
        b'{"token_sha256": "%s\\n", "expires": 1}' % (b"a" * 64),
    ],
)
def test_bodies_that_are_not_of_the_form(plain: Office, body: bytes) -> None:
    """A body with other fields, types or sizes is malformed."""
    assert code(plain.ask(CENTER, "PUT", "/v1/invitations/alder", body)) == "malformed"


def test_a_problem_does_not_repeat_what_was_sent(plain: Office) -> None:
    """The detail names the field and what was expected, not what was found there."""
    body = {"token_sha256": "my-secret-token", "expires": 1}
    answer = plain.ask(CENTER, "PUT", "/v1/invitations/alder", body)
    assert "my-secret-token" not in answer.text


def test_a_token_is_kept_as_its_hash(plain: Office) -> None:
    """Nothing in the store is the token."""
    plain.invite("alder", "a token to look for")
    plain.enrol("alder", "a token to look for")
    found = plain.store.read("test", lambda tx: tx.directory.invitation("alder"))
    assert found is not None and found.token_sha256 == sha256(b"a token to look for")
