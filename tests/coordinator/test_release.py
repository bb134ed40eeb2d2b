"""A release as the center drives it: what it takes from sites, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.release import Release
from site_agent.contract import messages
from site_agent.contract.conductor import entry, sections
from site_agent.contract.errors import LifecycleError, Refused
from site_agent.contract.identity import seal
from site_agent.contract.messages import (
    Close,
    Content,
    Part,
    Parts,
    Readies,
    Ready,
    Receipt,
    Round,
    Share,
    Shares,
    Split,
)
from site_agent.contract.securesum import transcript, vector
from site_agent.contract.securesum.fixedpoint import SEALED
from tests.protocol import (
    AT_CENTER_STUDY,
    CENTER,
    OPEN_STUDY,
    POINT,
    SITES,
    Play,
    World,
    content_of,
    frozen,
    honest_totals,
    identity,
    parts_of,
    signed,
    totals_of,
)

SITE = "cedar"


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A release before OPEN."""
    return Play(World(tmp_path))


def code(take: Callable[[bytes], None], wire: bytes) -> str:
    """The code with which the center refuses a message; "taken" if it does not."""
    try:
        take(wire)
    except Refused as refused:
        return refused.code
    return "taken"


def asked(play: Play, number: int = POINT) -> dict[str, bytes]:
    """Ask a round; the shares of all sites, which the center has not taken yet."""
    play.until(Round, number)
    found = {site: play.cores[site].receive(play.next) for site in SITES}
    return {site: wire for site, wire in found.items() if wire is not None}


def again(wire: bytes, *, by: str = SITE, name: str = "", **changed: Any) -> bytes:
    """A site's message with some of it changed, signed anew."""
    message = messages.read(wire)
    parts = changed.pop("parts", parts_of(wire))
    kinds: list[type[Content]] = [Ready, Part, Share, Receipt]
    kind = next(kind for kind in kinds if message.kind == kind.TYPE)
    return messages.write(
        replace(identity(by), name=name or by), kind(**{**message.content, **changed}), parts
    )


def swapped(wire: bytes) -> list[bytes]:
    """A share's parts with one bit of the open one changed."""
    first, second = parts_of(wire)
    return [bytes([first[0] ^ 1]) + first[1:], second]


# READY


def test_the_center_waits_for_every_site(play: Play) -> None:
    """Before the first READY all sites are awaited, after the last nobody."""
    before = play.release.waiting_for()
    play.go()
    assert (before, play.release.readies_message() != b"") == (list(SITES), True)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"by": "fir"}, "unknown_site"),
        ({"by": CENTER}, "unknown_site"),
        ({"by": "elm", "name": SITE}, "signature"),
        ({"open": "0" * 64}, "other_release"),
        ({"ledger_length": 99}, "second_ready"),
        ({}, "taken"),
    ],
)
def test_readies_that_are_not_taken(play: Play, changed: dict[str, Any], expected: str) -> None:
    """From a stranger, in another's name, of another release, or a second one that differs."""
    play.give(SITE)
    wire = play.replies[SITE, 0] or b""
    assert code(play.release.take_ready, again(wire, **changed)) == expected


def test_a_ready_twice_changes_nothing(play: Play) -> None:
    """A READY that comes again, in any state, is taken for what it is."""
    play.until(Round, 2)
    play.release.take_ready(play.replies[SITE, 0] or b"")
    assert totals_of(play.finish()) == honest_totals()


def test_a_share_is_no_ready(play: Play) -> None:
    """A message of another type is refused."""
    shares = asked(play)
    assert code(play.release.take_ready, shares[SITE]) == "malformed"


# PART


def parted(play: Play) -> bytes:
    """The PART of one site, which the center has not taken yet."""
    wire = play.until(Readies).cores[SITE].receive(play.next)
    assert wire is not None
    return wire


def test_the_center_waits_for_every_part(play: Play) -> None:
    """Behind READIES all sites are awaited, after the last PART nobody."""
    before = play.until(Readies).release.waiting_for()
    play.go()
    assert (before, play.release.state) == (list(SITES), "asking")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"by": "fir"}, "unknown_site"),
        ({"by": CENTER}, "unknown_site"),
        ({"by": "elm", "name": SITE}, "signature"),
        ({"open": "0" * 64}, "other_release"),
        ({"commitment": "0" * 64}, "two_parts"),
        ({}, "taken"),
    ],
)
def test_parts_that_are_not_taken(play: Play, changed: dict[str, Any], expected: str) -> None:
    """From a stranger, in another's name, of another release, or a second one that differs."""
    wire = parted(play)
    play.release.take_part(wire)
    assert code(play.release.take_part, again(wire, **changed)) == expected


def test_a_part_of_who_has_none_to_give(tmp_path: Path) -> None:
    """The hospital at the center has no part of the secret; one in its name is refused."""
    play = Play(World(tmp_path, frozen(AT_CENTER_STUDY)))
    wire = again(parted(play), by="dogwood")
    assert code(play.release.take_part, wire) == "sender"


def test_a_part_twice_changes_nothing(play: Play) -> None:
    """A PART that comes again, in any state, is taken for what it is."""
    wire = parted(play)
    play.until(Round, 2).release.take_part(wire)
    assert totals_of(play.finish()) == honest_totals()


def test_a_part_before_the_readies(play: Play) -> None:
    """A PART that cannot stand on anything is refused."""
    opened = messages.read(play.next).digest()
    with pytest.raises(LifecycleError, match="'part' while opening"):
        play.release.take_part(signed(Part(opened, "0" * 64), by=SITE))


def test_parts_in_the_order_of_the_holders(tmp_path: Path) -> None:
    """PARTS holds each PART in its place; the hospital at the center has none."""
    play = Play(World(tmp_path, frozen(AT_CENTER_STUDY))).until(Parts)
    senders = [messages.read(part).sender for part in parts_of(play.next)]
    assert senders == [site for site in SITES if site != "dogwood"]


def test_without_sealed_sums_there_are_no_parts(tmp_path: Path) -> None:
    """A study that seals nothing goes from READIES to the first round."""
    play = Play(World(tmp_path, frozen(OPEN_STUDY)))
    assert [play.go().kind, play.go().kind, messages.read(play.next).kind] == [
        "OPEN",
        "READIES",
        "ROUND",
    ]


# SPLIT


def test_only_sealed_sums_are_split(tmp_path: Path) -> None:
    """SPLIT comes in the rounds of the fit, and holds the share of the hospital at the center."""
    play = Play(World(tmp_path, frozen(AT_CENTER_STUDY)))
    play.finish()
    found = [messages.read(wire) for wire in play.script.messages]
    numbers = [m.content["number"] for m in found if m.kind == Split.TYPE]
    senders = {messages.read(m.part(0)).sender for m in found if m.kind == Split.TYPE}
    assert (numbers, senders) == ([*range(POINT, len(play.release.log))], {"dogwood"})


def test_what_is_split_is_all_that_is_passed_on(tmp_path: Path) -> None:
    """Of the share of the hospital at the center two other sites see the halves and no vector."""
    play = Play(World(tmp_path, frozen(AT_CENTER_STUDY))).until(Split)
    parts = messages.read(messages.read(play.next).part(0)).parts
    assert [part is None for part in parts] == [True, True, False, False]


def test_no_half_is_shown_to_all(tmp_path: Path) -> None:
    """SHARES holds of the share of the hospital at the center its open vector alone."""
    play = Play(World(tmp_path, frozen(AT_CENTER_STUDY))).until(Shares, POINT)
    share = messages.read(messages.read(play.next).part(SITES.index("dogwood")))
    assert [part is None for part in share.parts] == [False, True, True, True]


# SHARE


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"by": "fir"}, "unknown_site"),
        ({"by": "elm", "name": SITE}, "signature"),
        ({"by": CENTER}, "unknown_site"),
        ({"open": "0" * 64}, "other_question"),
        ({"number": POINT - 1}, "other_question"),
        ({"number": POINT + 1}, "other_question"),
        ({"transcript": "0" * 64}, "other_question"),
        ({}, "taken"),
    ],
)
def test_shares_that_are_not_taken(play: Play, changed: dict[str, Any], expected: str) -> None:
    """From a stranger, in another's name, of another release, round or question."""
    shares = asked(play)
    assert code(play.release.take_share, again(shares[SITE], **changed)) == expected


def test_a_share_of_the_round_before(play: Play) -> None:
    """A share that was right one round ago is refused."""
    play.until(Round, POINT)
    old = play.replies[SITE, play.step - 2]
    assert code(play.release.take_share, old or b"") == "other_question"


def test_a_second_share_that_differs(play: Play) -> None:
    """A site that answers one question twice, otherwise, is refused the second time."""
    shares = asked(play)
    play.release.take_share(shares[SITE])
    other = again(shares[SITE], parts=swapped(shares[SITE]))
    assert code(play.release.take_share, other) == "second_share"


def test_the_same_share_twice(play: Play) -> None:
    """The same share again is counted once."""
    shares = asked(play)
    for wire in [shares[SITE], shares[SITE], *shares.values()]:
        play.release.take_share(wire)
    play.release.total()
    assert totals_of(play.release) == honest_totals()[: POINT + 1]


def test_the_last_share_after_the_end(play: Play) -> None:
    """A share of the last round that comes again while receipts are awaited changes nothing."""
    play.until(Close)
    play.release.take_share(play.replies[SITE, play.step - 2] or b"")
    assert play.finish().state == "closed"


def test_a_total_needs_every_share(play: Play) -> None:
    """Without one share nothing is added up, and the error says whose."""
    shares = asked(play)
    for site in SITES[1:]:
        play.release.take_share(shares[site])
    with pytest.raises(Refused, match="no share yet from alder"):
        play.release.total()


@pytest.mark.parametrize("section", [0, 1])
def test_an_altered_share(play: Play, section: int) -> None:
    """One bit of the check lane of the open or of the closed vector is noticed."""
    shares = asked(play)
    first, second = parts_of(shares[SITE])
    if section == 0:
        parts = swapped(shares[SITE])
    else:
        context = transcript.sealing(bytes.fromhex(content_of(shares[SITE])["transcript"]), SITE)
        plain = bytearray(identity(CENTER).unseal(second, context))
        plain[before_the_check_lane(play)] ^= 1
        parts = [first, seal(identity(CENTER).member(), bytes(plain), context)]
    assert _total(play, {**shares, SITE: again(shares[SITE], parts=parts)}) == "check_lane"


def before_the_check_lane(play: Play) -> int:
    """How many bytes of sealed numbers stand before the check lane of the closed vector."""
    asks = play.release.conductor.asks
    closed = [asks[index] for index in sections(asks)["closed"]]
    layout = vector.Layout(tuple(entry(ask).lanes(ask) for ask in closed))
    return 8 * SEALED.limbs * layout.sizes[SEALED.name]


def _total(play: Play, shares: dict[str, bytes]) -> str:
    """The code with which a round ends over these shares; "taken" if it is added up."""
    for wire in shares.values():
        play.release.take_share(wire)
    return code(lambda _: play.release.total(), b"")


@pytest.mark.parametrize("parts", [["", "x"], ["x", "x"], ["short", ""]])
def test_shares_that_do_not_hold_vectors(play: Play, parts: list[str]) -> None:
    """Parts of another length are refused when the round is added up."""
    shares = asked(play)
    bad = again(shares[SITE], parts=[part.encode() for part in parts])
    assert _total(play, {**shares, SITE: bad}) in ("malformed", "seal")


@pytest.mark.parametrize("to", ["elm", "another round"])
def test_a_sealed_part_that_does_not_open(play: Play, to: str) -> None:
    """A vector sealed to another party, or for another round, is refused as such."""
    shares = asked(play)
    first, _ = parts_of(shares[SITE])
    asked_for = bytes.fromhex(content_of(shares[SITE])["transcript"])
    if to == "elm":
        sealed = seal(identity("elm").member(), b"", transcript.sealing(asked_for, SITE))
    else:
        sealed = seal(identity(CENTER).member(), b"", transcript.sealing(bytes(32), SITE))
    bad = again(shares[SITE], parts=[first, sealed])
    assert _total(play, {**shares, SITE: bad}) == "seal"


def test_a_sealed_part_in_another_sites_name(play: Play) -> None:
    """A site cannot send on what another site sealed: the context holds the name."""
    shares = asked(play)
    first, _ = parts_of(shares[SITE])
    _, sealed = parts_of(shares["elm"])
    assert _total(play, {**shares, SITE: again(shares[SITE], parts=[first, sealed])}) == "seal"


def test_a_share_without_parts(play: Play) -> None:
    """A share that lacks its vectors is refused when the round is added up."""
    shares = asked(play)
    assert _total(play, {**shares, SITE: again(shares[SITE], parts=[])}) == "malformed"


def test_after_a_round_that_does_not_add_up(play: Play) -> None:
    """Nothing is logged, and the round is still being asked."""
    shares = asked(play)
    _total(play, {**shares, SITE: again(shares[SITE], parts=swapped(shares[SITE]))})
    assert (len(play.release.log), play.release.state) == (POINT, "asking")


# The log, and the end


def test_the_log_holds_what_a_replay_needs(play: Play) -> None:
    """Questions, arguments and totals of each round, and the shares' hashes."""
    log = play.finish().log
    found = {(len(entry.asks), len(entry.arguments), len(entry.share_digests)) for entry in log}
    assert found == {(1, 1, 5), (3, 3, 5), (2, 2, 5)}


def test_what_was_received_is_counted(play: Play) -> None:
    """The bytes of a round are those of its shares."""
    shares = asked(play)
    _total(play, shares)
    assert play.release.log[-1].bytes_received == sum(map(len, shares.values()))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"by": "fir"}, "unknown_site"),
        ({"by": "elm", "name": SITE}, "signature"),
        ({"open": "0" * 64}, "other_result"),
        ({"result": "0" * 64}, "other_result"),
        ({}, "taken"),
    ],
)
def test_receipts_that_are_not_taken(play: Play, changed: dict[str, Any], expected: str) -> None:
    """From a stranger, in another's name, of another release, over another result."""
    play.until(Close)
    receipt = play.cores[SITE].receive(play.next) or b""
    assert code(play.release.take_receipt, again(receipt, **changed)) == expected


def test_a_receipt_before_the_end(play: Play) -> None:
    """Before the release is closed no receipt fits, not even one over nothing."""
    play.until(Round, 2)
    opened = messages.read(play.script.messages[0]).digest()
    receipt = signed(Receipt(opened, "0" * 64, "0" * 64), by=SITE)
    assert code(play.release.take_receipt, receipt) == "other_result"


def test_an_empty_receipt_before_the_end(play: Play) -> None:
    """Nor one whose result is empty."""
    play.until(Round, 2)
    opened = messages.read(play.script.messages[0]).digest()
    with pytest.raises(LifecycleError):
        play.release.take_receipt(signed(Receipt(opened, "", ""), by=SITE))


def test_a_receipt_twice(play: Play) -> None:
    """The same receipt again, after the release is closed too, changes nothing."""
    play.finish()
    play.release.take_receipt(play.replies[SITE, play.step - 1] or b"")
    assert play.release.state == "closed"


def test_the_heads_and_snapshots_of_all_sites(play: Play) -> None:
    """What the manifest tells of each site."""
    release: Release = play.finish()
    assert (list(release.ledger_heads()), list(release.snapshots())) == (list(SITES), list(SITES))


def test_a_round_is_not_asked_twice(play: Play) -> None:
    """While shares are awaited the center asks nothing else."""
    asked(play)
    with pytest.raises(LifecycleError, match="'ask' while asking"):
        play.release.ask()


def test_readies_in_the_order_of_the_roster(play: Play) -> None:
    """READIES holds each site's READY in its place."""
    play.until(Readies)
    senders = [messages.read(part).sender for part in parts_of(play.next)]
    assert senders == list(SITES)


def test_sealed_parts_are_not_passed_on(play: Play) -> None:
    """SHARES holds the open vectors, and of the sealed ones nothing."""
    shares = asked(play)
    for wire in shares.values():
        play.release.take_share(wire)
    passed = messages.read(play.release.shares_message())
    second = [messages.read(part or b"").parts[1] for part in passed.parts]
    assert second == [None] * 5
