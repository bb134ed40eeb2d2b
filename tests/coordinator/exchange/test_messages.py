"""Single messages: who may send which, and what is in a slot."""

from __future__ import annotations

import pytest

from site_agent.contract import messages
from site_agent.contract.identity import Identity
from site_agent.contract.messages import (
    Open,
    Part,
    Parts,
    Readies,
    Ready,
    Round,
    Share,
    Shares,
    Split,
)
from tests.coordinator.exchange.office import (
    FIRST,
    Office,
    burn,
    close,
    code,
    detail,
    opening,
    part,
    ready,
    receipt,
    round_,
    share,
    signed,
    split,
)
from tests.protocol import CENTER, entropy

NEW_KEY = Identity.create("alder", entropy("the new key of alder"))


def test_a_message_gets_an_id(opened: Office) -> None:
    """The first message of a log has id 1, the second id 2."""
    assert opened.post("alder", ready("alder")).json() == {"id": 2}


def test_the_same_bytes_again(opened: Office) -> None:
    """A repeat is answered with the id of the first, and is not put in again."""
    answers = [opened.post("alder", ready("alder")) for _ in range(2)]
    found = [(answer.status_code, answer.json()["id"]) for answer in answers]
    assert (found, len(opened.log(FIRST))) == ([(201, 2), (200, 2)], 2)


def test_other_bytes_in_a_slot(opened: Office) -> None:
    """The first message in a slot stays."""
    opened.post("alder", ready("alder"))
    answer = opened.post("alder", ready("alder", software="another"))
    assert (code(answer), opened.log(FIRST)[1]) == ("conflict", ready("alder"))


def test_a_conflict_names_the_slot(opened: Office) -> None:
    """The problem says what is there already."""
    opened.post("alder", share("alder", 3))
    answer = opened.post("alder", share("alder", 3, masked=b"other"))
    assert "SHARE of 'alder' with number 3" in detail(answer)


def test_numbered_messages_have_a_slot_each(opened: Office) -> None:
    """Shares of two rounds do not meet, nor do ROUND, SPLIT and SHARES of one number."""
    wires = [
        share("alder", 0),
        share("alder", 1),
    ]
    answers = [code(opened.post("alder", wire)) for wire in wires]
    wires = [round_(0), round_(1), split(0), split(1), signed(CENTER, Shares(FIRST, 0))]
    assert answers + [code(opened.post(CENTER, wire)) for wire in wires] == ["201"] * 7


@pytest.mark.parametrize(
    ("first", "other"),
    [
        (part("alder"), signed("alder", Part(FIRST, "another"), [b"encrypted"])),
        (signed(CENTER, Parts(FIRST)), signed(CENTER, Parts(FIRST), [part("alder")])),
        (split(2), signed(CENTER, Split(FIRST, 2), [b"another"])),
    ],
    ids=["PART", "PARTS", "SPLIT"],
)
def test_what_makes_the_secret_has_one_place(opened: Office, first: bytes, other: bytes) -> None:
    """A second PART of a site, other PARTS, or another SPLIT of a round are a conflict."""
    sender = messages.read(first).sender
    answers = [code(opened.post(sender, wire)) for wire in (first, first, other)]
    assert answers == ["201", "200", "conflict"]


@pytest.mark.parametrize(
    "wire",
    [
        ready("alder"),
        part("alder"),
        share("alder"),
        receipt("alder"),
    ],
)
def test_what_sites_send(opened: Office, wire: bytes) -> None:
    """A site sends READY, PART, SHARE and RECEIPT."""
    assert code(opened.post("alder", wire)) == "201"


@pytest.mark.parametrize(
    "wire",
    [
        signed(CENTER, Readies(FIRST)),
        signed(CENTER, Parts(FIRST)),
        round_(),
        split(),
        signed(CENTER, Shares(FIRST, 0)),
        close(),
        burn(),
    ],
)
def test_what_the_center_sends(opened: Office, wire: bytes) -> None:
    """The center sends all else."""
    assert code(opened.post(CENTER, wire)) == "201"


def test_a_site_cannot_send_what_is_the_centers(opened: Office) -> None:
    """A ROUND of a site is forbidden, although it is signed well."""
    wire = signed("alder", Round(FIRST, 0, "transcript"))
    assert code(opened.post("alder", wire)) == "forbidden"


def test_the_center_cannot_send_what_is_a_sites(opened: Office) -> None:
    """A READY of the center is forbidden."""
    wire = signed(CENTER, Ready(FIRST, "key", "snapshot", "head", 1, "test"))
    assert code(opened.post(CENTER, wire)) == "forbidden"


def test_a_message_of_another_sender(opened: Office) -> None:
    """Nobody hands in another party's message."""
    assert code(opened.post("beech", ready("alder"))) == "forbidden"


def test_a_message_that_another_key_signed(opened: Office) -> None:
    """The signature of the message must be that of the key that the study pins."""
    wire = messages.write(NEW_KEY, Ready(FIRST, "key", "snapshot", "head", 1, "test"))
    assert code(opened.post("alder", wire)) == "signature"


def test_a_site_with_a_new_key_cannot_answer_for_its_old_one(opened: Office) -> None:
    """After enrolling anew, a site's messages are not of the key that the study pins."""
    opened.invite("alder", "another token")
    opened.enrol(NEW_KEY, "another token")
    wire = messages.write(NEW_KEY, Ready(FIRST, "key", "snapshot", "head", 1, "test"))
    assert code(opened.ask(NEW_KEY, "POST", "/v1/messages", wire)) == "signature"


def test_a_message_that_was_altered(opened: Office) -> None:
    """A message whose signature was altered is refused."""
    wire = bytearray(ready("alder"))
    wire[-1] ^= 1
    assert code(opened.post("alder", bytes(wire))) == "signature"


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"\0" * 4,
        b"\xff" * 200,
        ready("alder")[:-1],
        ready("alder") + b"\0",
        share("alder").replace(b"masked", b"MASKED"),
        signed("alder", Share("a\0b", 0, "transcript")),
        signed("alder", Share("", 0, "transcript")),
        signed("alder", Share("A" * 64, 0, "transcript")),
    ],
)
def test_what_is_no_message(opened: Office, wire: bytes) -> None:
    """What is cut short, altered, or names no release by a digest is malformed."""
    assert code(opened.post("alder", wire)) == "malformed"


def test_a_refusal_is_told_in_its_own_words(opened: Office) -> None:
    """What the contract says of a message is the detail."""
    answer = opened.post("alder", ready("alder")[:-1])
    assert detail(answer) == "a message that is cut short or has no proper header"


def test_a_message_of_an_unknown_kind(opened: Office) -> None:
    """A kind that the protocol does not have is malformed."""
    wire = ready("alder").replace(b'"type":"READY"', b'"type":"REALY"')
    assert code(opened.post("alder", wire)) == "malformed"


def test_a_message_of_an_unknown_release(furnished: Office) -> None:
    """Before OPEN there is no release."""
    assert code(furnished.post("alder", ready("alder"))) == "unknown_release"


def test_a_site_outside_the_roster(furnished: Office) -> None:
    """A pinned site that this release is without sends nothing into it."""
    furnished.post(CENTER, opening(roster=("alder", "beech", "cedar")))
    opened = opening(roster=("alder", "beech", "cedar"))
    wire = ready("elm", opened=messages.read(opened).digest())
    assert code(furnished.post("elm", wire)) == "forbidden"


def test_the_open_of_a_study_that_is_not_here(office: Office) -> None:
    """A study comes first."""
    assert code(office.post(CENTER, opening())) == "unknown_study"


@pytest.mark.parametrize("roster", [(), ("alder", "alder", "beech"), ("alder", "oak")])
def test_rosters_that_are_none(furnished: Office, roster: tuple[str, ...]) -> None:
    """A roster is some of the study's sites, each once."""
    assert code(furnished.post(CENTER, opening(roster=roster))) == "malformed"


def test_an_open_that_names_no_study(furnished: Office) -> None:
    """OPEN names its study by the hash."""
    wire = signed(CENTER, Open("a\0b", 1, 1, ("alder",)))
    assert code(furnished.post(CENTER, wire)) == "malformed"
