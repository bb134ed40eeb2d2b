"""A coordinator that does not keep to the protocol: each attack is refused, and changes nothing.

Every attack is one message to one site at some moment of a release. It is refused with its
code; the ledger verifies and tells of it; and the release, continued honestly, gives the totals
that it would have given.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from site_agent.contract import messages
from site_agent.contract.analyses.newton import LONGEST
from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import Refused
from site_agent.contract.messages import (
    CONTEXT,
    Close,
    Content,
    Open,
    Parts,
    Readies,
    Ready,
    Round,
    Shares,
)
from tests import attacks
from tests.attacks import COLLUDING, LESS_ONE, LOW_ORDER, OTHER, VICTIM
from tests.protocol import (
    CENTER,
    MOMENTS,
    OPEN_STUDY,
    POINT,
    SITES,
    STUDY,
    Play,
    World,
    content_of,
    frozen,
    honest_totals,
    identity,
    parts_of,
    patients,
    refusal,
    signed,
    site_data,
    the_data,
    the_study,
    totals_of,
)


@dataclass(frozen=True)
class Attack:
    """What is sent to the victim in place of the message of this kind (and round)."""

    code: str
    wire: Callable[[Play], bytes]
    kind: type[Content]
    number: int | None = None


def swapped(by: str, name: str, code: str, **changed: Any) -> Attack:
    """An attack with another ephemeral key."""
    return Attack(code, attacks.ready_in_place_of(by, name, **changed), Readies)


SWAPPED_KEY = {
    "by the center": swapped(CENTER, CENTER, "sender"),
    "by the center in a site's name": swapped(CENTER, OTHER, "signature"),
    "by another site": swapped(COLLUDING, COLLUDING, "sender"),
    "by another site in a site's name": swapped(COLLUDING, OTHER, "signature"),
    "the victim's own": swapped(CENTER, VICTIM, "swapped_key", of=VICTIM),
    "of low order": swapped(COLLUDING, COLLUDING, "key", of=COLLUDING, ephemeral=LOW_ORDER),
    "too short": swapped(COLLUDING, COLLUDING, "key", of=COLLUDING, ephemeral="AAAA"),
    "no base64": swapped(COLLUDING, COLLUDING, "key", of=COLLUDING, ephemeral="é*"),
    "of another release": Attack("other_release", attacks.a_ready_of_another_release, Readies),
    "after a share": Attack("second_readies", attacks.other_readies, Round, 2),
}
HALVES = {
    "altered": Attack(
        "seal", attacks.halves_of(lambda h: [attacks.flipped(half) for half in h]), Readies
    ),
    "in another order": Attack("seal", attacks.halves_of(lambda h: h[::-1]), Readies),
    "empty": Attack("seal", attacks.halves_of(lambda h: [b""] * len(h)), Readies),
    "one less": Attack("malformed", attacks.halves_of(lambda h: h[1:]), Readies),
    "one more": Attack("malformed", attacks.halves_of(lambda h: [*h, h[0]]), Readies),
    "too short": Attack("seal", attacks.short_halves, Readies),
}
PARTS = {
    "one less": Attack("missing_part", attacks.parts_in(lambda _, w: w[:-1]), Parts),
    "none": Attack("missing_part", attacks.parts_in(lambda _, w: []), Parts),
    "one more": Attack("missing_part", attacks.parts_in(lambda _, w: [*w, w[0]]), Parts),
    "one withheld": Attack("malformed", attacks.a_part_withheld, Parts),
    "no message in its place": Attack(
        "malformed", attacks.parts_in(lambda _, w: [b"no message", *w[1:]]), Parts
    ),
    "in another order": Attack("sender", attacks.parts_in(lambda _, w: w[::-1]), Parts),
    "one in two places": Attack("sender", attacks.parts_in(lambda _, w: [w[1], *w[1:]]), Parts),
    "by the center": Attack(
        "signature", attacks.parts_in(attacks.part_in_place_of(CENTER, OTHER)), Parts
    ),
    "by another site": Attack(
        "signature", attacks.parts_in(attacks.part_in_place_of(COLLUDING, OTHER)), Parts
    ),
    "in the victim's name": Attack(
        "signature", attacks.parts_in(attacks.part_in_place_of(CENTER, VICTIM, of=VICTIM)), Parts
    ),
    "of other READIES": Attack(
        "swapped_key", attacks.parts_in(attacks.part_of_other_readies), Parts
    ),
    "of another release": Attack(
        "other_release", attacks.parts_in(attacks.part_of_another_release), Parts
    ),
    "under another commitment": Attack(
        "two_parts",
        attacks.parts_in(attacks.part_in_place_of(COLLUDING, COLLUDING, of=COLLUDING)),
        Parts,
    ),
    "another one for the victim": Attack(
        "two_parts", attacks.parts_in(attacks.another_part_for_the_victim), Parts
    ),
    "altered": Attack(
        "seal",
        attacks.parts_in(attacks.ciphertexts(lambda c: [attacks.flipped(one) for one in c])),
        Parts,
    ),
    "for other sites": Attack(
        "seal", attacks.parts_in(attacks.ciphertexts(lambda c: c[::-1])), Parts
    ),
    "for fewer sites": Attack(
        "malformed", attacks.parts_in(attacks.ciphertexts(lambda c: c[1:])), Parts
    ),
    "again and other ones": Attack(
        "second_parts", attacks.parts_in(attacks.part_of_another_release), Round, 0
    ),
    "other ones after a share": Attack(
        "second_parts", attacks.parts_in(attacks.part_of_another_release), Round, 2
    ),
    "left out": Attack("no_keys", attacks.without_parts, Parts),
}
DROPPED_READY = {
    "one less": Attack("missing_ready", attacks.a_ready_less, Readies),
    "one more": Attack("missing_ready", attacks.a_ready_more, Readies),
    "one withheld": Attack("malformed", attacks.a_ready_withheld, Readies),
    "one in two places": Attack("sender", attacks.a_ready_twice, Readies),
    "no message in its place": Attack("malformed", attacks.no_message_for_a_ready, Readies),
}
OTHER_BETA = {
    "a little larger": Attack("argument", attacks.steered(lambda b: b + 2e-9), Round, 4),
    "in an open sum": Attack("argument", attacks.steered(lambda b: b + 2e-9, 2), Round, 4),
    "far away": Attack("argument", attacks.steered(lambda b: b + 100), Round, 4),
    "infinite": Attack("argument", attacks.steered(lambda _: np.inf), Round, 4),
    "not a number": Attack("argument", attacks.steered(lambda _: np.nan), Round, 4),
    "cut short": Attack("argument", attacks.asked(parts=attacks.cut(1)), Round, 4),
    "too long": Attack("argument", attacks.asked(parts=lambda p: [*p[:-1], p[-1] * 2]), Round, 4),
    "one less": Attack("argument", attacks.asked(parts=lambda p: p[:-1]), Round, 4),
    "one more": Attack("argument", attacks.asked(parts=lambda p: [*p, p[-1]]), Round, 4),
    "nothing at all": Attack("malformed", attacks.asked(parts=lambda p: []), Round, 4),
    "to the guard": Attack("argument", attacks.asked(parts=lambda p: [*p, b""]), Round, 0),
}
MINUS_ONE = {
    "another attempt": Attack("second_roster", attacks.open_of(LESS_ONE), Round, 1),
    "the same attempt": Attack("second_roster", attacks.open_of(LESS_ONE, attempt=1), Shares, 0),
    "the next release": Attack("other_roster", attacks.open_of(LESS_ONE, number=2), Round, 3),
    "another attempt with all": Attack("second_roster", attacks.open_of(SITES), Round, 1),
}
SECOND_QUESTION = {
    "of a round of before": Attack("second_question", attacks.second_question, Round, 4),
    "of this round": Attack("second_question", attacks.asked(2, transcript="0" * 64), Shares, 2),
    "of the guard": Attack("second_question", attacks.asked(0, transcript="0" * 64), Round, 1),
    "on other messages": Attack("transcript", attacks.asked(transcript="0" * 64), Round, 4),
    "a round left out": Attack("wrong_round", attacks.asked(number=4), Round, 3),
    "a round before the first": Attack("malformed", lambda p: attacks.raw(p, number=-1), Round, 0),
    "one round more": Attack("finished", attacks.one_round_more, Close),
    "before the shares": Attack("not_audited", attacks.next_but_one, Shares, 2),
    "before the keys": Attack("no_keys", attacks.any_round, Readies),
}
MISSING_SHARE = {
    "one less": Attack("missing_share", attacks.shares(lambda _, w: w[:-1]), Shares, 2),
    "none": Attack("missing_share", attacks.shares(lambda _, w: []), Shares, 0),
    "one more": Attack("missing_share", attacks.shares(lambda _, w: [*w, w[0]]), Shares, 2),
    "one in two places": Attack("sender", attacks.shares(lambda _, w: [w[1], *w[1:]]), Shares, 2),
    "in another order": Attack("sender", attacks.shares(lambda _, w: w[::-1]), Shares, 2),
    "open part withheld": Attack("malformed", attacks.shares(attacks.without_open), Shares, 2),
    "before the keys": Attack("no_keys", attacks.shares_of(0), Readies),
    "before the question": Attack("wrong_round", attacks.shares_of(0), Round, 0),
    "of a round to come": Attack("wrong_round", attacks.shares_of(3), Shares, 2),
}
ALTERED_SHARE = {
    "on the way": Attack("malformed", attacks.shares(attacks.flipped_on_the_way), Shares, 2),
    "signed by the center": Attack(
        "signature", attacks.shares(attacks.forged_share(CENTER, OTHER)), Shares, 2
    ),
    "by a site that colludes": Attack(
        "check_lane", attacks.shares(attacks.forged_share(COLLUDING, COLLUDING)), Shares, 2
    ),
    "one of the round before": Attack(
        "other_question", attacks.shares(attacks.share_of_before), Shares, 2
    ),
    "cut short by a site that colludes": Attack(
        "malformed", attacks.shares(attacks.forged_share(COLLUDING, COLLUDING, cut=1)), Shares, 2
    ),
    "no message in its place": Attack(
        "malformed", attacks.shares(lambda _, w: [b"", *w[1:]]), Shares, 2
    ),
}
ROSTER = {
    "too small": Attack("roster_too_small", attacks.open_of(("beech", "cedar")), Readies),
    "the victim alone": Attack("roster_too_small", attacks.open_of((VICTIM,)), Readies),
    "an unknown site": Attack("unknown_site", attacks.open_of((*SITES, "fir")), Readies),
    "the center": Attack("unknown_site", attacks.open_of((CENTER, *SITES)), Readies),
    "one site twice": Attack("malformed", attacks.open_of(("alder", VICTIM, VICTIM)), Readies),
    "without the victim": Attack("not_in_roster", attacks.open_of(("alder", "elm")), Readies),
    "a number too large": Attack("malformed", attacks.open_of(SITES, number=10**300), Readies),
}
FALSE_TOTALS = {
    "of the guard": Attack("false_totals", attacks.other_totals(attacks.plus_one(0)), Round, 1),
    "of the curve": Attack("false_totals", attacks.other_totals(attacks.plus_one(5)), Round, POINT),
    "of the model": Attack(
        "false_totals", attacks.other_totals(attacks.plus_one(-1)), Round, POINT + 1
    ),
    "too short": Attack("malformed", attacks.other_totals(lambda t: t[1:]), Round, 4),
    "too long": Attack("malformed", attacks.other_totals(lambda t: np.append(t, 0)), Round, 4),
    "at the end": Attack("false_totals", attacks.closing(change=attacks.plus_one(-1)), Close),
}
ENDING = {
    "before the last question": Attack("not_finished", attacks.closing(), Round, 3),
    "before the first question": Attack("not_finished", attacks.closing(), Round, 0),
    "before the keys": Attack("no_keys", attacks.closing(rounds=0), Readies),
    "before the shares": Attack("not_audited", attacks.closing(rounds=3), Shares, 2),
    "after fewer rounds": Attack("not_finished", attacks.closing(rounds=3), Close),
    "after more rounds": Attack("not_finished", attacks.closing(rounds=99), Close),
    "over another result": Attack("other_result", attacks.closing(), Close),
}
STRANGE = {
    "READIES of another release": Attack("not_open", attacks.of_another_release, Readies),
    "PARTS of another release": Attack("not_open", attacks.of_another_release, Parts),
    "ROUND of another release": Attack("not_open", attacks.of_another_release, Round, 2),
    "SHARES of another release": Attack("not_open", attacks.of_another_release, Shares, 2),
    "CLOSE of another release": Attack("not_open", attacks.of_another_release, Close),
    "another study": Attack("other_study", attacks.open_of(SITES, study="0" * 64), Readies),
    "OPEN by a site": Attack("sender", attacks.open_of(SITES, by=COLLUDING), Readies),
    "OPEN in the center's name": Attack(
        "signature", attacks.open_of(SITES, by=COLLUDING, name=CENTER), Readies
    ),
    "READY for a site": Attack(
        "malformed", lambda _: signed(Ready("o", "e", "s", "h", 1, "q")), Readies
    ),
    "no message": Attack("malformed", lambda _: b"GET / HTTP/1.1\r\n", Round, 2),
    "nothing": Attack("malformed", lambda _: b"", Round, 2),
}
ATTACKS = {
    f"{group}: {name}": attack
    for group, group_attacks in {
        "swapped key": SWAPPED_KEY,
        "halves": HALVES,
        "parts": PARTS,
        "dropped READY": DROPPED_READY,
        "other beta": OTHER_BETA,
        "roster minus one": MINUS_ONE,
        "second question": SECOND_QUESTION,
        "missing share": MISSING_SHARE,
        "altered share": ALTERED_SHARE,
        "roster": ROSTER,
        "false totals": FALSE_TOTALS,
        "ending": ENDING,
        "strange": STRANGE,
    }.items()
    for name, attack in group_attacks.items()
}


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A release before OPEN."""
    return Play(World(tmp_path))


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_attack_is_refused_and_changes_nothing(play: Play, name: str) -> None:
    """Refused with its code, in the answer and in the ledger; then all goes on as it would have."""
    attack = ATTACKS[name]
    play.until(attack.kind, attack.number)
    code = refusal(play.cores[VICTIM], attack.wire(play))
    noted = play.world.ledger(VICTIM).entries[-1]
    found = (code, noted["event"], noted.get("code"), totals_of(play.finish()) == honest_totals())
    assert found == (attack.code, "refused", attack.code, True)


@pytest.mark.parametrize("name", ["false totals: of the model", "other beta: a little larger"])
def test_an_attack_is_refused_as_often_as_it_comes(play: Play, name: str) -> None:
    """Ten times the same message get ten times the same refusal."""
    attack = ATTACKS[name]
    wire = attack.wire(play.until(attack.kind, attack.number))
    assert [refusal(play.cores[VICTIM], wire) for _ in range(10)] == [attack.code] * 10


def test_all_attacks_one_after_the_other(play: Play) -> None:
    """Attacked at every step, with everything, a site still completes the release."""
    codes = []
    while not play.script.done:
        due = messages.read(play.next)
        for name, attack in ATTACKS.items():
            if (due.kind, due.content.get("number")) == (attack.kind.TYPE, attack.number):
                codes.append((name, refusal(play.cores[VICTIM], attack.wire(play)) == attack.code))
        play.go()
    assert ([name for name, same in codes if not same], totals_of(play.release)) == (
        [],
        honest_totals(),
    )


def test_a_long_refusal_does_not_swell_the_ledger(play: Play) -> None:
    """What a refusal quotes of the message is cut."""
    play.until(Readies)
    refusal(play.cores[VICTIM], attacks.open_of((*SITES, "x" * 10**6))(play))
    assert len(play.world.ledger(VICTIM).entries[-1]["reason"]) <= 500


# A different beta within the tolerance


def nudged(play: Play) -> str:
    """Ask the victim at a beta that is 5e-10 off, all others honestly; how the round ends."""
    play.until(Round, 4)
    wire = attacks.steered(lambda beta: beta + 5e-10)(play)
    share = play.cores[VICTIM].receive(wire)
    assert share is not None
    for site in SITES:
        if site != VICTIM:
            play.give(site)
    return attacks.total_with(play, VICTIM, share)


def test_a_beta_within_a_billionth_does_not_cancel(play: Play) -> None:
    """A site answers a beta off by 5e-10, under other masks: the check lane is random."""
    assert nudged(play) == "check_lane"


def test_after_a_nudged_beta_the_round_is_used(play: Play) -> None:
    """The honest question then comes too late for that site: the release must be burned."""
    nudged(play)
    assert refusal(play.cores[VICTIM], play.next) == "second_question"


def test_other_sites_see_that_the_question_was_another(play: Play) -> None:
    """The share names its transcript; nobody adds it to shares of another one."""
    play.until(Round, 4)
    share = play.cores[VICTIM].receive(attacks.steered(lambda beta: beta + 5e-10)(play))
    play.cores[VICTIM] = Answering(share, play)  # type: ignore[assignment]
    with pytest.raises(Refused) as refused:
        play.go()
    assert refused.value.code == "other_question"


class Answering:
    """A site that gives the one answer it was made with."""

    def __init__(self, share: bytes | None, play: Play) -> None:
        self.share = share

    def receive(self, _: bytes) -> bytes | None:
        """Answer."""
        return self.share


# False totals of a sum that is reduced


@pytest.fixture(params=["sealed", "open"])
def reduced(tmp_path: Path, request: pytest.FixtureRequest) -> Play:
    """A release up to the second point of its model, whose risk sets are sealed, or open."""
    text = STUDY if request.param == "sealed" else OPEN_STUDY
    return Play(World(tmp_path, frozen(text))).until(Round, POINT + 1)


def test_false_totals_of_a_reduced_sum_are_not_noticed(reduced: Play) -> None:
    """What the coordinator makes of sums that it alone sees, no site can check.

    It tells one site a score ten times too large, and asks it at the beta that follows. The
    site answers: so a coordinator steers beta, sealed or open. In a model of class C it learns
    sums over those at risk at a beta of its choice, and the class says that it may; of a sealed
    model it learns what it would at any other beta. Models by site have no such sums.
    """
    assert refusal(reduced.cores[VICTIM], attacks.steered_by_totals(reduced, 10.0)) == "answered"


def test_steered_sites_do_not_cancel_with_others(reduced: Play) -> None:
    """Told to one site alone, false totals are another transcript: nothing can be read."""
    share = reduced.cores[VICTIM].receive(attacks.steered_by_totals(reduced, 10.0))
    for site in SITES:
        if site != VICTIM:
            reduced.give(site)
    assert attacks.total_with(reduced, VICTIM, share or b"") == "check_lane"


def reach(beta: float) -> float:
    """The standard deviation of the log hazard over all patients, from their planted doses."""
    return abs(beta) * float(np.std(np.concatenate([patients(site)["dose"] for site in SITES])))


@pytest.mark.parametrize("factor", [1e6, -1e6])
def test_steering_goes_no_farther_than_a_fit(reduced: Play, factor: float) -> None:
    """Whatever the totals, one step takes the log hazards of patients five deviations apart."""
    beta = attacks.beta_of(attacks.steered_parts(reduced, factor))
    assert reach(beta) == pytest.approx(LONGEST)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_steering_beyond_all_numbers_goes_nowhere(reduced: Play) -> None:
    """A score near the largest double gives a step that cannot be measured, and none is taken."""
    assert attacks.beta_of(attacks.steered_parts(reduced, 1e300)) == 0.0


@pytest.mark.parametrize("factor", [1e6, -1e6])
def test_steering_beyond_the_bound_is_refused(reduced: Play, factor: float) -> None:
    """At a beta where one patient outweighs all others a site does not answer."""
    parts = attacks.steered_parts(reduced, factor)
    beta, centre = struct.unpack("<2d", parts[1])
    parts[1] = struct.pack("<2d", 3 * beta, centre)
    assert refusal(reduced.cores[VICTIM], attacks.bound(reduced, parts)) == "argument"


@pytest.mark.parametrize("factor", [float("nan"), float("inf")])
def test_totals_that_are_no_numbers_end_the_model(reduced: Play, factor: float) -> None:
    """With a score that is not finite the model asks nothing further; the other one goes on."""
    with np.errstate(invalid="ignore"):
        parts = attacks.steered_parts(reduced, factor)
    assert len(parts) == len(parts_of(reduced.next)) - 1


def test_an_overflow_in_one_site_is_a_mark(tmp_path: Path) -> None:
    """At numbers that sealed lanes do not hold, a site puts in nothing, and a mark of it."""
    rows = patients(VICTIM)
    rows["dose"] *= 1e12
    large = site_data(the_study(), VICTIM, rows)
    play = Play(World(tmp_path, data=lambda site: large if site == VICTIM else the_data(site)))
    core = play.until(Round, POINT).cores[VICTIM]
    core.receive(play.next)
    assert core._release is not None and core._release.answering is not None
    own = core._release.answering.own[0]
    found = own["overflow"][0], [int(abs(own[name]).max()) for name in ("loglik", "score")]
    assert found == (1.0, [0, 0])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("factor", [1e6, float("nan"), float("inf")])
def test_after_false_totals_the_true_ones_are_taken(play: Play, factor: float) -> None:
    """As long as no share was given on them, false totals bind nobody."""
    play.until(Round, POINT + 1)
    parts = parts_of(play.next)
    false = factor * np.frombuffer(parts[0])[:3]
    wire = signed(Round(**content_of(play.next)), [false.tobytes() + parts[0][24:], *parts[1:]])
    codes = [refusal(play.cores[VICTIM], wire) for _ in range(2)]
    assert ("answered" in codes, totals_of(play.finish())) == (False, honest_totals())


# Overflow


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_sum_that_overflows_is_refused(tmp_path: Path) -> None:
    """A site whose doses are 1e20 cannot add their squares, and says so without a number."""
    rows = patients(VICTIM)
    rows["dose"] *= 1e20
    huge = site_data(the_study(), VICTIM, rows)
    play = Play(World(tmp_path, data=lambda site: huge if site == VICTIM else the_data(site)))
    play.until(Round, MOMENTS)
    assert refusal(play.cores[VICTIM], play.next) == "overflow"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_after_an_overflow_the_same_again(tmp_path: Path) -> None:
    """The refusal stays the same however often the question comes, and other totals too."""
    rows = patients(VICTIM)
    rows["dose"] *= 1e20
    huge = site_data(the_study(), VICTIM, rows)
    play = Play(World(tmp_path, data=lambda site: huge if site == VICTIM else the_data(site)))
    play.until(Round, MOMENTS)
    wires = [play.next, attacks.other_totals(attacks.plus_one(0))(play), play.next]
    codes = [refusal(play.cores[VICTIM], wire) for wire in wires]
    assert codes == ["overflow", "false_totals", "overflow"]


# Anything that a coordinator may sign

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
        st.sampled_from([*SITES, CENTER, the_study().hash, "0" * 64]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


KINDS = ["OPEN", "READIES", "PARTS", "ROUND", "SPLIT", "SHARES", "CLOSE"]


@st.composite
def hostile(draw: st.DrawFn, wires: list[bytes]) -> bytes:
    """A message of a release with fields and parts changed, signed well or not."""
    message = messages.read(draw(st.sampled_from(wires)))
    content = dict(message.content)
    for name in draw(st.lists(st.sampled_from(sorted(content)), max_size=2)):
        content[name] = draw(anything)
    kind = draw(st.sampled_from([message.kind] * 3 + KINDS))
    parts = _changed(draw, [part or b"" for part in message.parts])
    header = canonical_json(
        {
            "type": kind,
            "sender": draw(st.sampled_from([CENTER, CENTER, CENTER, COLLUDING])),
            "content": content,
            "parts": [[len(part), sha256(part)] for part in parts],
        }
    )
    signature = identity(draw(st.sampled_from([CENTER, CENTER, COLLUDING]))).sign(CONTEXT + header)
    return messages._wire(header, signature, parts)


def _changed(draw: st.DrawFn, parts: list[bytes]) -> list[bytes]:
    """Parts of which some are cut, altered, repeated, left out or in another order."""
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(parts)))
        change = draw(st.sampled_from(["cut", "flip", "put", "drop", "swap"]))
        own = parts[at] if at < len(parts) else b""
        if change == "cut":
            parts[at : at + 1] = [own[: draw(st.integers(0, len(own)))]]
        elif change == "flip" and own:
            flipped = bytearray(own)
            flipped[draw(st.integers(0, len(own) - 1))] ^= draw(st.integers(1, 255))
            parts[at] = bytes(flipped)
        elif change == "put":
            parts[at:at] = [draw(st.binary(max_size=40))]
        elif change == "drop":
            parts[at : at + 1] = []
        else:
            parts = parts[at:] + parts[:at]
    return parts


def hammer(play: Play, data: st.DataObject, count: int) -> None:
    """Give the victim hostile messages; whatever it makes of them, it raises Refused only."""
    for _ in range(count):
        wire = data.draw(hostile(play.script.messages))
        if refusal(play.cores[VICTIM], wire) == "answered":
            for own in play.script.messages[: play.step]:
                refusal(play.cores[VICTIM], own)


PHASES: list[tuple[type[Content], int | None]] = [
    (Open, None),
    (Readies, None),
    (Parts, None),
    (Round, 0),
    (Shares, 0),
    (Round, 1),
    (Round, 3),
    (Shares, 3),
    (Close, None),
]


@pytest.mark.parametrize("phase", PHASES, ids=lambda p: f"{p[0].TYPE}-{p[1]}")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_hostile_messages(tmp_path_factory: pytest.TempPathFactory, phase: Any) -> None:
    """In every phase: hostile messages are refused or harmless, and a restart goes on."""
    _hammered(tmp_path_factory, phase, examples=4, count=25)


@pytest.mark.campaign
@pytest.mark.parametrize("phase", PHASES, ids=lambda p: f"{p[0].TYPE}-{p[1]}")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_many_hostile_messages(tmp_path_factory: pytest.TempPathFactory, phase: Any) -> None:
    """The same, with a thousand times as many."""
    _hammered(tmp_path_factory, phase, examples=400, count=100)


def _hammered(
    folders: pytest.TempPathFactory, phase: tuple[type[Content], int | None], **size: int
) -> None:
    ends = []

    # Without shrinking: a run is a whole release, and a failure is told with its seed.
    @settings(max_examples=size["examples"], deadline=None, phases=[Phase.generate])
    @given(st.data())
    def run(data: st.DataObject) -> None:
        play = Play(World(folders.mktemp("hostile"))).until(*phase)
        hammer(play, data, size["count"])
        if "closed" in play.world.events(VICTIM):  # by the CLOSE that was due, and no other
            ends.append(phase[0] is Close)
            return
        play.restart(VICTIM)
        ends.append(totals_of(play.finish()) == honest_totals())

    run()
    assert ends and all(ends)
