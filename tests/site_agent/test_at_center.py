"""The hospital of the coordinating center: no secret, its sums in two parts, the same results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from coordinator.release import Release
from site_agent.contract import messages
from site_agent.contract.conductor import entry
from site_agent.contract.messages import Part, Parts, Readies, Round, Share, Shares, Split
from site_agent.contract.study.model import Study
from tests.protocol import (
    AT_CENTER_STUDY,
    CENTER,
    POINT,
    SITES,
    STUDY,
    Play,
    World,
    content_of,
    frozen,
    honest_release,
    honest_totals,
    parts_of,
    refusal,
    signed,
    totals_of,
)

AT_CENTER = "dogwood"
HELPING = ("alder", "beech")
OTHERS = ("cedar", "elm")


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A release of a study whose fourth hospital is the center's own."""
    return Play(World(tmp_path, the_study()))


def the_study(at_center: str = AT_CENTER) -> Study:
    """The study of five hospitals, one of them at the center."""
    return frozen(AT_CENTER_STUDY.replace(AT_CENTER, at_center))


def opened(play: Play) -> str:
    """The digest of OPEN."""
    return messages.read(play.script.messages[0]).digest()


# Results


@pytest.mark.parametrize("at_center", SITES)
def test_the_totals_are_those_of_other_hospitals(tmp_path: Path, at_center: str) -> None:
    """To the last bit: whole numbers are cut in two, blinded elsewhere, and add up to the same."""
    play = Play(World(tmp_path, the_study(at_center)))
    assert totals_of(play.finish()) == honest_totals()


def test_the_results_are_those_of_other_hospitals(play: Play) -> None:
    """Estimates, errors and tests, to the last bit."""
    play.finish()
    assert documents(play.release) == documents(honest_release())


def documents(release: Release) -> dict[str, Any]:
    """All results as they are written."""
    assert release.outcome is not None
    return {name: result.document() for name, result in release.outcome.results.items()}


def test_rounds_and_messages(play: Play) -> None:
    """SPLIT comes between ROUND and SHARES of a round with sealed sums, and nowhere else."""
    release = play.finish()
    kinds = [messages.read(wire).kind for wire in play.script.messages]
    guarded = ["ROUND", "SHARES"] * POINT
    points = ["ROUND", "SPLIT", "SHARES"] * (len(release.log) - POINT)
    assert kinds == ["OPEN", "READIES", "PARTS", *guarded, *points, "CLOSE"]


def test_a_release_without_it(tmp_path: Path) -> None:
    """If it does not take part, the others share the secret and nothing is split."""
    world = World(tmp_path, the_study("alder"))
    play = Play(world, world.release(SITES[1:]))
    outcome = play.finish().outcome
    split = [wire for wire in play.script.messages if messages.read(wire).kind == Split.TYPE]
    assert outcome is not None
    assert (outcome.patients, play.release.holders, split) == (30, SITES[1:], [])


# The secret


def test_it_gets_no_part_of_the_secret(play: Play) -> None:
    """Each holder has the secret, the hospital at the center has not."""
    play.until(Round, POINT)
    found = {site: core._release.keyed().common for site, core in play.cores.items()}  # type: ignore[union-attr]
    assert [site for site in SITES if found[site] is None] == [AT_CENTER]


def test_it_sends_no_part(play: Play) -> None:
    """READIES is answered by the four others."""
    play.until(Readies).go()
    assert [site for site in SITES if play.replies[site, 1] is None] == [AT_CENTER]


def test_no_part_is_encrypted_to_it(play: Play) -> None:
    """Each PART has three ciphertexts, for the three other holders."""
    play.until(Readies).go()
    parts = [messages.read(play.replies[site, 1] or b"").parts for site in (*HELPING, *OTHERS)]
    assert [len(one) for one in parts] == [3] * 4


def test_a_part_in_its_name_is_refused(play: Play) -> None:
    """PARTS with a fifth one would make it a holder: no site takes them."""
    play.until(Parts)
    forged = signed(Part(opened(play), "0" * 64), [b""] * 4, by=AT_CENTER)
    wires = parts_of(play.next)
    wire = signed(Parts(opened(play)), [*wires[:3], forged, wires[3]])
    assert refusal(play.cores["elm"], wire) == "missing_part"


# What it sends


def test_its_vector_holds_no_risk_set(play: Play) -> None:
    """Its sealed lanes are nothing but its deaths: what would be blinded goes to two others."""
    play.until(Split)
    own = play.cores[AT_CENTER]._release.keyed().own[0]  # type: ignore[union-attr]
    lanes = {name: int(np.abs(own[name]).max()) for name in ("c", "g", "q")}
    assert lanes == {"c": 0, "g": 0, "q": 0}


def test_its_halves_look_random(play: Play) -> None:
    """No half is the other, or that of another round, and none holds the numbers."""
    play.finish()
    sent = [
        messages.read(wire)
        for (site, _), wire in play.replies.items()
        if site == AT_CENTER and wire
    ]
    halves = [half for message in sent if message.kind == Share.TYPE for half in message.parts[2:]]
    rounds = len(play.release.log) - POINT
    assert len(set(halves)) == 2 * rounds


def test_two_others_wait_for_it(play: Play) -> None:
    """The first two holders answer SPLIT, the others ROUND."""
    play.until(Shares, POINT)
    answers = {
        site: [play.replies[site, play.step - back] is not None for back in (2, 1)]
        for site in SITES
    }
    expected = {site: [site not in HELPING, site in HELPING] for site in SITES}
    assert answers == expected


def test_alone_each_half_changes_what_its_helper_sends(play: Play) -> None:
    """A helper's sealed numbers without the half are others: the half is in them."""
    play.until(Split)
    core = play.cores[HELPING[0]]
    core.receive(play.next)
    answering = core._release.keyed()  # type: ignore[union-attr]
    with_half = answering.own[0]["c"].tolist()
    ask, sealer = answering.asks[0], answering._sealer(answering.bound)
    without = entry(ask).share(answering.rows(ask.frame), ask, sealer)["c"].tolist()
    assert all(one != other for one, other in zip(with_half, without, strict=True))


# Restarts


@pytest.mark.parametrize("site", [AT_CENTER, HELPING[0], HELPING[1], OTHERS[0]])
def test_a_restart_in_every_phase(play: Play, site: str) -> None:
    """Started anew after any message, also between ROUND and SPLIT, a site sends the same bytes."""
    different = []
    while messages.read(play.next).kind != "CLOSE":
        play.go()
        if play.restart(site) != [play.replies[site, at] for at in range(play.step)]:
            different.append(play.step)
    assert (different, totals_of(play.finish())) == ([], honest_totals())


def test_a_restart_after_its_own_share(play: Play) -> None:
    """The center's hospital is started anew before anybody has seen its halves."""
    play.until(Round, POINT).give(AT_CENTER)
    play.restart(AT_CENTER)
    again = play.cores[AT_CENTER].receive(play.next)
    expected = (play.replies[AT_CENTER, play.step], honest_totals())
    assert (again, totals_of(play.finish())) == expected


def test_every_message_again_gets_the_same_bytes(play: Play) -> None:
    """Given twice in a row, each message is answered twice with the same bytes, or not at all.

    A SPLIT that comes again has been answered: ROUND, given again, brings the share.
    """
    different = []
    while not play.script.done:
        play.go()
        for site in (AT_CENTER, *HELPING):
            own, at = play.script.messages[play.step - 1], play.step - 1
            again = play.cores[site].receive(own)
            sent = play.replies[site, at]
            if again != sent and messages.read(own).kind not in (Split.TYPE, Round.TYPE):
                different.append((site, at))
    assert (different, totals_of(play.release)) == ([], honest_totals())


def test_the_round_again_brings_a_share_that_waited(play: Play) -> None:
    """A helper whose share was lost on the way gives it again when it is asked again."""
    play.until(Shares, POINT)
    asked = play.script.messages[play.step - 2]
    assert play.cores[HELPING[0]].receive(asked) == play.replies[HELPING[0], play.step - 1]


# A center that does not keep to it


def share_of(play: Play, **changed: object) -> bytes:
    """The share of the hospital at the center, with some of it changed, in a SPLIT."""
    share = messages.read(messages.read(play.next).part(0))
    parts = [part or b"" for part in share.parts]
    content = Share(**{**share.content, **changed})  # type: ignore[arg-type]
    return split_of(play, signed(content, parts, by=AT_CENTER))


def split_of(play: Play, share: bytes) -> bytes:
    """A SPLIT of the round that is due, around some share."""
    return signed(Split(opened(play), content_of(play.next)["number"]), [share])


def halved(play: Play, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """A SPLIT whose halves are changed, signed by the hospital at the center."""
    share = messages.read(messages.read(play.next).part(0))
    halves = [share.part(2), share.part(3)]
    content = Share(**share.content)
    return split_of(play, signed(content, [b"", b"", *change(halves)], by=AT_CENTER))


SPLITS: dict[str, tuple[str, Callable[[Play], bytes]]] = {
    "nothing in it": ("malformed", lambda play: split_of(play, b"")),
    "by another site": (
        "sender",
        lambda play: split_of(play, signed(Share(opened(play), POINT, "t"), by="elm")),
    ),
    "signed by the center": (
        "sender",
        lambda play: split_of(play, signed(Share(opened(play), POINT, "t"), by=CENTER)),
    ),
    "of another question": (
        "other_question",
        lambda play: share_of(play, transcript="0" * 64),
    ),
    "of another round": ("other_question", lambda play: share_of(play, number=POINT - 1)),
    "of another release": ("other_question", lambda play: share_of(play, open="0" * 64)),
    "halves swapped": ("seal", lambda play: halved(play, lambda h: h[::-1])),
    "a half altered": ("seal", lambda play: halved(play, lambda h: [h[0][:-1] + b"?", h[1]])),
    "a half empty": ("seal", lambda play: halved(play, lambda h: [b"", h[1]])),
    "no halves": ("malformed", lambda play: halved(play, lambda h: [])),
}


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_that_is_not_taken(play: Play, name: str) -> None:
    """Refused with its code; the true one is then answered as if nothing had been."""
    code, wire = SPLITS[name]
    play.until(Split, POINT)
    found = refusal(play.cores[HELPING[0]], wire(play))
    assert (found, totals_of(play.finish())) == (code, honest_totals())


def test_a_split_of_the_round_before(play: Play) -> None:
    """What was split for one round does not fit the next."""
    play.until(Split, POINT)
    old = messages.read(play.next).part(0)
    play.until(Split, POINT + 1)
    found = refusal(play.cores[HELPING[0]], split_of(play, old))
    assert (found, totals_of(play.finish())) == ("other_question", honest_totals())


@pytest.mark.parametrize("site", [AT_CENTER, *OTHERS])
def test_a_split_for_a_site_that_adds_nothing(play: Play, site: str) -> None:
    """The others neither answer it nor are changed by it."""
    play.until(Split, POINT)
    again = play.cores[site].receive(play.next)
    assert (again, totals_of(play.finish())) == (None, honest_totals())


def test_a_split_before_the_round(play: Play) -> None:
    """A SPLIT for a question that a site has not seen is not answered."""
    play.until(Split, POINT)
    split = play.next
    core = play.world.core(HELPING[0])
    for wire in play.script.messages[: play.step - 1]:
        core.receive(wire)
    assert core.receive(split) is None


def test_without_the_split_a_helper_stays_silent(play: Play) -> None:
    """However often it is asked, it does not answer without the numbers of the other hospital."""
    play.until(Round, POINT)
    answers = [play.cores[HELPING[0]].receive(play.next) for _ in range(3)]
    assert answers == [None] * 3


def test_without_the_split_nothing_adds_up(play: Play) -> None:
    """The center cannot leave its hospital's sums out: it waits for both helpers' shares."""
    play.until(Split, POINT)
    assert play.release.waiting_for() == list(HELPING)


def test_the_study_without_the_field_is_another(play: Play) -> None:
    """Which hospital is at the center is approved with the study."""
    assert play.world.study.hash != frozen(STUDY).hash
