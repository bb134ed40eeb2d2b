"""Cards: what says that new keys replace old ones, and what does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from site_agent.contract.enrolment import (
    card,
    read_card,
    signed_by_itself,
    succeeding,
    succeeds,
)
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.identity import Identity, fingerprint
from site_agent.contract.party import Member, Replaced
from tests.protocol import entropy, identity

OLD = identity("elm")
NEW = Identity.create("elm", entropy("the new keys of elm"))
THIEF = Identity.create("elm", entropy("somebody else"))
CARD = succeeding(OLD, NEW, {"country": "US"})


def altered(**changed: str) -> Member:
    """The card with another text in what it says of the keys before."""
    assert CARD.replaces is not None
    return replace(CARD, replaces=replace(CARD.replaces, **changed))


def test_a_card_signed_by_both_is_believed() -> None:
    """The old key says that the new one replaces it."""
    assert succeeds(CARD, OLD.member())


def test_a_card_tells_the_fingerprint_of_the_keys_before() -> None:
    """People compare it with the one they have."""
    assert CARD.replaces is not None and CARD.replaces.fingerprint == fingerprint(OLD.member())


def test_a_card_travels_as_json() -> None:
    """Written and read again it is the same."""
    assert read_card(card(CARD), "card") == CARD


def test_a_first_card_has_no_word_of_keys_before() -> None:
    """Cards that were made before there was rotation stay what they were."""
    assert "replaces" not in card(OLD.member())


FORGED = {
    "no word": NEW.member({"country": "US"}),
    "signed by a thief of neither key": succeeding(THIEF, NEW, {"country": "US"}),
    "another fingerprint": altered(fingerprint="AAAA-AAAA-AAAA-AAAA-AAAA"),
    "no base64": altered(by_old="?"),
    "the new key signs for the old": altered(by_old=CARD.replaces.by_new if CARD.replaces else ""),
    "the old key signs for the new": altered(by_new=CARD.replaces.by_old if CARD.replaces else ""),
    "other attributes": replace(CARD, attributes={"country": "Spain"}),
    "another name": replace(CARD, name="cedar"),
    "another encryption key": replace(CARD, encryption_key=THIEF.member().encryption_key),
    "another signing key": replace(CARD, signing_key=THIEF.member().signing_key),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_card_is_not_believed(name: str) -> None:
    """Whatever is changed, the signatures do not fit."""
    assert not succeeds(FORGED[name], OLD.member())


def test_a_card_for_keys_that_another_party_had() -> None:
    """The keys before are those of the party itself."""
    assert not succeeds(CARD, identity("cedar").member())


@pytest.mark.parametrize("said", [3, {}, {"fingerprint": "A", "by_old": "B"}, [], "x"])
def test_a_card_whose_word_is_of_another_form(said: object) -> None:
    """What does not have the three texts is no card."""
    with pytest.raises(ConfigurationError):
        read_card({**card(CARD), "replaces": said}, "card")


def test_the_new_key_must_sign_too() -> None:
    """Nobody announces the key of another as his own."""
    said = Replaced(fingerprint(OLD.member()), "AAAA", "AAAA")
    assert not signed_by_itself(replace(CARD, replaces=said))
