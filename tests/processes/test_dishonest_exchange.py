"""An exchange that lies: the hospital refuses, and goes on when it is told the truth.

Each lie goes to one hospital in place of a message that is due, over HTTP. It is refused with its
code; no round gets a second share; the ledger verifies; and when the exchange is honest again, the
release completes with the same bytes.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from coordinator.driver import DEFINITE
from coordinator.freeze import freeze, roster_of
from site_agent.contract import messages
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Identity
from site_agent.contract.study.read import read_study
from site_agent.shelf import Shelf
from site_agent.site import open_site
from tests.processes import lies
from tests.processes.gate import Answer
from tests.processes.lies import COLLUDING, OTHER, VICTIM, Liar, Lie, page
from tests.processes.running import until
from tests.processes.world import SITES, STUDY, TEXT, World, running

LESS_ONE = tuple(site for site in SITES if site != COLLUDING)


@dataclass(frozen=True)
class Attack:
    """A lie in place of the message of this kind and round, and the code of the refusal."""

    code: str
    lie: Lie
    kind: str
    number: int | None = None


# The first half needs no key: the exchange, or somebody on the way, can do it.
WITHOUT_KEYS = {
    "READIES altered": Attack("malformed", lies.flipped, "READIES"),
    "PARTS altered": Attack("malformed", lies.flipped, "PARTS"),
    "PARTS withheld": Attack("no_keys", lies.without_parts, "PARTS"),
    "PARTS of another release": Attack("not_open", lies.of_earlier_release("PARTS", None), "PARTS"),
    "ROUND altered": Attack("malformed", lies.flipped, "ROUND", 2),
    "SHARES altered": Attack("malformed", lies.flipped, "SHARES", 2),
    "ROUND signed by a hospital": Attack("signature", lies.signed_by_another, "ROUND", 2),
    "SHARES withheld": Attack("not_audited", lies.next_round, "SHARES", 2),
    "ROUND of another release": Attack("not_open", lies.of_earlier_release("ROUND", 2), "ROUND", 2),
    "READIES of another release": Attack(
        "not_open", lies.of_earlier_release("READIES", None), "READIES"
    ),
    "no message at all": Attack("malformed", lambda *_: b"GET / HTTP/1.1\r\n", "ROUND", 2),
    "an empty message": Attack("malformed", lambda *_: b"", "CLOSE"),
}
WITH_THE_CENTERS_KEY = {
    "a key swapped by the center": Attack(
        "signature", lies.swapped_key("center", OTHER, OTHER), "READIES"
    ),
    "a key swapped by a hospital": Attack(
        "sender", lies.swapped_key(COLLUDING, COLLUDING, OTHER), "READIES"
    ),
    "the hospital's own key swapped": Attack(
        "swapped_key", lies.swapped_key("center", VICTIM, VICTIM), "READIES"
    ),
    "a READY left out": Attack("missing_ready", lies.one_less, "READIES"),
    "halves for other hospitals": Attack("seal", lies.other_halves, "READIES"),
    "a PART left out": Attack("missing_part", lies.one_less, "PARTS"),
    "a PART of the center's": Attack("signature", lies.part_of_the_center, "PARTS"),
    "another part than a hospital told": Attack("two_parts", lies.another_part, "PARTS"),
    "another roster for one": Attack("other_roster", lies.of_roster(*LESS_ONE), "OPEN"),
    "another roster after a share": Attack("other_roster", lies.of_roster(*LESS_ONE), "ROUND", 2),
    "opened again after a share": Attack("second_roster", lies.of_roster(*SITES), "ROUND", 2),
    "a roster too small": Attack("roster_too_small", lies.of_roster(OTHER, VICTIM), "OPEN"),
    "other coefficients": Attack("argument", lies.other_arguments(lambda b: b + 1), "ROUND", 3),
    "coefficients a little off": Attack(
        "transcript", lies.other_arguments(lambda b: b + 5e-10), "ROUND", 3
    ),
    "false totals": Attack("false_totals", lies.other_totals(0), "ROUND", 2),
    "a second question": Attack("second_question", lies.second_question, "SHARES", 2),
    "a share less": Attack("missing_share", lies.one_less, "SHARES", 2),
    "a share altered by the center": Attack(
        "signature", lies.altered_share("center", OTHER), "SHARES", 2
    ),
    "a share altered by its hospital": Attack(
        "check_lane", lies.altered_share(COLLUDING, COLLUDING), "SHARES", 2
    ),
    "a share of another round": Attack("other_question", lies.share_of_another_round, "SHARES", 2),
    "CLOSE too early": Attack("not_finished", lies.early_close, "ROUND", 2),
    "CLOSE over another result": Attack("other_result", lies.changed(result="0" * 64), "CLOSE"),
}
ATTACKS = WITHOUT_KEYS | WITH_THE_CENTERS_KEY
FIRST = ("ROUND altered", "another roster for one", "a key swapped by the center", "false totals")


def chosen(names: Iterable[str], first: Container[str]) -> list[Any]:
    """All names; those that are not among the first are for the campaign."""
    return [
        pytest.param(name, marks=[] if name in first else [pytest.mark.campaign]) for name in names
    ]


@pytest.fixture
def liar(world: World) -> Liar:
    """The dishonest one; there was a release before."""
    if world.last is None:
        world.finished(world.refresh())
    return Liar(world)


def shares_for_a_round(world: World) -> set[int]:
    """How many shares each site has given for each round of the last release, at most and least."""
    last = world.last
    assert last is not None
    posted = {len(digests) for digests in world.gate.shares(last.open).values()}
    rounds = [
        (site, entry["round"])
        for site in SITES
        for entry in world.entries(site)
        if entry["event"] == "share" and entry["release"] == last.number
    ]
    return posted | {rounds.count(place) for place in rounds}


@pytest.mark.parametrize("name", chosen(ATTACKS, FIRST))
def test_a_lie_is_refused_and_changes_nothing(liar: Liar, name: str) -> None:
    """Refused with its code in the ledger, one share a round, and then the same bytes."""
    attack, world = ATTACKS[name], liar.world
    before = len(world.entries(VICTIM))
    world.gate.bend(VICTIM, attack.kind, attack.number, told(liar, attack), times=1)
    driver = world.refresh()
    until(lambda: attack.code in world.codes(VICTIM, before), f"{VICTIM} refuses: {attack.code}")
    world.gate.honest()
    found = (world.finished(driver) == world.expected, set(world.codes(VICTIM, before)))
    assert (*found, shares_for_a_round(world)) == (True, {attack.code}, {1})


@pytest.mark.campaign
def test_a_lie_at_every_step(liar: Liar) -> None:
    """Each hospital is told a lie at each step: one share a round, and the same bytes."""
    world = liar.world
    passing = [attack for attack in ATTACKS.values() if attack.code not in DEFINITE]
    steps = {(attack.kind, attack.number): attack for attack in passing}
    for site in SITES:
        for attack in steps.values():
            world.gate.bend(site, attack.kind, attack.number, told(liar, attack), times=1)
    driver = world.refresh()
    found = world.finished(driver, patience_s=400) == world.expected
    assert (found, shares_for_a_round(world)) == (True, {1})


def told(liar: Liar, attack: Attack) -> Callable[[bytes], bytes]:
    """An attack as the gate makes it."""
    return lambda wire: attack.lie(liar, wire)


def test_an_old_round_again_gets_the_old_share(liar: Liar) -> None:
    """A ROUND that was answered, in place of the next: the same bytes, as often as it comes."""
    world = liar.world

    def old(answer: Answer) -> Answer:
        passed = world.gate.seen("ROUND", 2, liar.opened(answer.body), posted=False)
        return Answer(200, passed.headers, passed.wire)

    rule = world.gate.replace(VICTIM, "ROUND", 3, old)
    driver = world.refresh()
    until(lambda: rule.count > 3, "the old round is handed out again")
    world.gate.honest()
    found = world.finished(driver) == world.expected
    assert (found, shares_for_a_round(world)) == (True, {1})


PASSED_OVER = {
    "OPEN": ("OPEN", None, lies.of_earlier_release("OPEN", None)),
    "ROUND": ("ROUND", 2, lambda liar, wire: liar.seen("ROUND", 1, wire)),
}


@pytest.mark.parametrize("name", chosen(PASSED_OVER, ("ROUND",)))
def test_a_message_that_is_passed_over(liar: Liar, name: str) -> None:
    """Handed an old message as if it were the one that is due, the agent looks again later."""
    kind, number, lie = PASSED_OVER[name]
    world = liar.world
    world.restart_agent(VICTIM, QUORUM_EXCHANGE__AGAIN_S="2", QUORUM_EXCHANGE__POLL_S="1")
    rule = world.gate.bend(VICTIM, kind, number, lambda wire: lie(liar, wire), times=1)
    driver = world.refresh()
    rule.wait()
    found = world.finished(driver) == world.expected
    world.restart_agent(VICTIM)
    assert (found, shares_for_a_round(world)) == (True, {1})


@pytest.mark.campaign
def test_two_rosters_before_any_share(tmp_path: Path) -> None:
    """In a first release one hospital is told of another roster: its READY has no place."""
    with running(tmp_path) as world:
        rule = world.gate.bend(
            VICTIM, "OPEN", None, told(Liar(world), ATTACKS["another roster for one"])
        )
        driver = world.refresh()
        rule.wait()
        world.gate.honest()
        world.restart_agent(VICTIM)
        assert world.finished(driver) == world.expected


@cache
def bomb() -> bytes:
    """600 MiB of zeros, in less than one."""
    packer, mebibyte = zlib.compressobj(1, wbits=31), bytes(1 << 20)
    return b"".join([*(packer.compress(mebibyte) for _ in range(600)), packer.flush()])


def without_end(answer: Answer) -> Answer:
    """An answer that grows when it is unpacked."""
    return page(200, "application/octet-stream", bomb(), content_encoding="gzip")(answer)


STRANGE: dict[str, tuple[str, Callable[[Answer], Answer]]] = {
    "a login page": ("text/html", page(200, "text/html", b"<h1>Welcome to the guest network</h1>")),
    "a gateway's error": ("502", page(502, "text/html", b"<h1>Bad Gateway</h1>")),
    "an error as text": ("503", page(503, "text/plain", b"upstream connect error")),
    "another place": ("sends on", page(302, "text/html", b"", location="https://login.invalid/")),
    "no headers": ("without its headers", page(200, "application/octet-stream", b"\0" * 100)),
    "an answer without end": ("more than 512 MiB", without_end),
    "not gzip": (
        "DecodingError",
        page(200, "application/octet-stream", b"no gzip", content_encoding="gzip"),
    ),
    "a problem that is none": (
        "application/problem+json",
        page(400, "application/problem+json", b'{"code": "made_up"}'),
    ),
}


FIRST_STRANGE = ("a login page", "an answer without end")


@pytest.mark.parametrize("name", chosen(STRANGE, FIRST_STRANGE))
def test_something_that_is_no_exchange(liar: Liar, name: str) -> None:
    """It is told in the agent's log, changes nothing, and passes."""
    words, answer = STRANGE[name]
    world = liar.world
    before, log = len(world.entries(VICTIM)), len(world.agents[VICTIM].text())
    world.gate.replace(VICTIM, "ROUND", 2, answer)
    driver = world.refresh()
    until(lambda: words in world.agents[VICTIM].text()[log:], f"the agent says '{words}'")
    world.gate.honest()
    found = (world.finished(driver) == world.expected, world.codes(VICTIM, before))
    assert found == (True, [])


# What the exchange tells the center

TO_THE_CENTER: dict[str, Attack] = {
    "READY altered": Attack("is not what its header says", lies.flipped, "READY"),
    "READY signed by another": Attack(
        "is not signed with the key",
        lambda liar, wire: liar.again(wire, by="center", name=messages.read(wire).sender),
        "READY",
    ),
    "PART altered": Attack("is not what its header says", lies.flipped, "PART"),
    "PART of another release": Attack(
        "is of another release", lies.of_earlier_release("PART", None), "PART"
    ),
    "SHARE altered": Attack("is not what its header says", lies.flipped, "SHARE", 2),
    "SHARE signed by another": Attack(
        "is not signed with the key",
        lambda liar, wire: liar.again(wire, by="center", name=OTHER),
        *("SHARE", 2),
    ),
    "SHARE of another round": Attack(
        "is of another round", lambda liar, wire: liar.seen("SHARE", 1, wire), "SHARE", 2
    ),
    "RECEIPT altered": Attack("is not signed with the key", lies.flipped, "RECEIPT"),
}


FIRST_TO_THE_CENTER = ("PART altered", "SHARE signed by another")


@pytest.mark.parametrize("name", chosen(TO_THE_CENTER, FIRST_TO_THE_CENTER))
def test_the_center_refuses_too(liar: Liar, name: str) -> None:
    """Told something false, the center ends the refresh as refused; the next one completes."""
    attack, world = TO_THE_CENTER[name], liar.world
    world.gate.bend("center", attack.kind, attack.number, told(liar, attack))
    refused = world.refresh()
    found = (refused.ended(), attack.code in refused.text())
    world.gate.honest()
    assert (*found, world.finished(world.refresh()) == world.expected) == (77, True, True)


# The study on the shelf


@pytest.fixture
def newcomer(world: World, tmp_path: Path) -> Shelf:
    """The victim's shelf with nothing on it yet."""
    folder = tmp_path / VICTIM
    shutil.copytree(world.config(VICTIM).parent, folder)
    shutil.rmtree(folder / "state" / "studies")
    return Shelf(open_site(folder / "agent.toml", {}))


def fetched(world: World, shelf: Shelf) -> tuple[list[str], list[str]]:
    """Why studies were not taken, in words, and those that were."""
    with world.site(VICTIM).exchange() as exchange:
        listed = shelf.fetch(exchange)
    return [entry.get("problem", "")[:60] for entry in listed], shelf.hashes()


def test_a_study_altered_on_its_way(world: World, newcomer: Shelf) -> None:
    """A limit that was lowered changes the hash, and the study is not kept."""
    name = world.home.frozen(STUDY).hash

    def lowered(body: bytes) -> bytes:
        assert b"patients: 10" in body
        return body.replace(b"patients: 10", b"patients: 1")

    world.gate.bend(VICTIM, f"GET /v1/studies/{name}", None, lowered)
    problems, kept = fetched(world, newcomer)
    assert ("problem" in problems[0], kept) == (True, [])


def swapped_roster(world: World, party: str) -> tuple[str, bytes]:
    """A study that is frozen over another key of one party: its hash and file."""
    keys: dict[str, Identity] = {name: world.identity(name) for name in ("center", *SITES)}
    keys[party] = replace(Identity.create(party, lambda size: b"\7" * size), name=party)
    roster = roster_of(keys["center"].member(), [keys[site].member() for site in SITES])
    text, study = freeze(TEXT, "study.yaml", roster)
    return study.hash, text.encode()


@pytest.mark.parametrize("party", ["center", VICTIM])
def test_a_study_with_another_roster(world: World, newcomer: Shelf, party: str) -> None:
    """A study whole in itself that pins other keys of the center or the hospital is not kept."""
    name, file = swapped_roster(world, party)

    def listing(body: bytes) -> bytes:
        listed: dict[str, Any] = json.loads(body)
        return json.dumps({"studies": [{**listed["studies"][0], "hash": name}]}).encode()

    world.gate.bend(VICTIM, "GET /v1/studies", None, listing)
    world.gate.replace(VICTIM, f"GET /v1/studies/{name}", None, page(200, "text/plain", file))
    problems, kept = fetched(world, newcomer)
    assert ("pins other keys" in problems[0], kept) == (True, [])


def test_a_study_with_invented_hospitals_is_another_study(world: World, newcomer: Shelf) -> None:
    """It has another hash, for which there is no approval: nothing of it is answered."""
    name, file = swapped_roster(world, OTHER)
    study = read_study(file.decode(), "study")
    newcomer.keep(file.decode(), name)
    with pytest.raises(Refused) as refused:
        from site_agent.permission import Permission

        Permission(study, VICTIM, world.site(VICTIM).ledger()).refuse_unapproved()
    assert refused.value.code == "not_approved"
