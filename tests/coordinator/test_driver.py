"""A release driven over a real exchange: taken up anywhere, ended for cause, never asked twice."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.driver import DEFINITE, Driver, approvals, standings
from coordinator.release import Release
from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import (
    ConfigurationError,
    Declined,
    NotReady,
    Refused,
    Unreachable,
)
from site_agent.contract.messages import Round
from tests.coordinator.exchange.office import signed
from tests.coordinator.hospitals import Center, Dropped, kinds, opened_center
from tests.protocol import CENTER, SITES, STUDY, honest_totals, identity, totals_of

KEYS = ["OPEN", "READY", "READIES", "PART", "PARTS"]
WHOLE = [*KEYS, *["ROUND", "SHARE", "SHARES"] * 8, "CLOSE", "RECEIPT"]
FOUR = tuple(site for site in SITES if site != "cedar")


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    """A center whose five hospitals have approved the study."""
    with opened_center(tmp_path) as found:
        yield found


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Center]:
    """The same with a study of eight rounds."""
    with opened_center(tmp_path, STUDY) as found:
        yield found


@pytest.fixture
def unapproved(tmp_path: Path) -> Iterator[Center]:
    """A center none of whose hospitals has said anything yet."""
    with opened_center(tmp_path, approved=False) as found:
        yield found


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Release, list[bytes]]:
    """A release of eight rounds in which nothing goes wrong, and its log."""
    with opened_center(tmp_path_factory.mktemp("plain"), STUDY) as found:
        release = found.run(found.driver())
        return release, found.log(release)


@pytest.fixture
def plain_log(plain: tuple[Release, list[bytes]]) -> list[bytes]:
    """Its log."""
    return plain[1]


@pytest.fixture(scope="module")
def totals(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, ...]:
    """The totals of the short study when nothing goes wrong."""
    with opened_center(tmp_path_factory.mktemp("short")) as found:
        return totals_of(found.run(found.driver()))


def first(center: Center) -> Release:
    """Release 1, whether it is under way or over."""
    return Release(center.study, identity(CENTER), 1, 1, SITES)


def of_center(log: list[bytes]) -> list[tuple[str, list[Any], list[bytes | None]]]:
    """What the center posted, but for what hangs on keys that are sealed at random.

    Totals, arguments, numbers of rounds and the result are there; hashes and hospitals' messages
    are not.
    """
    read = [m for m in map(messages.read, log) if m.sender == CENTER]
    told = ("release", "attempt", "roster", "number", "rounds", "result")
    return [
        (
            m.kind,
            [m.content[name] for name in told if name in m.content],
            list(m.parts) if m.kind in ("ROUND", "CLOSE") else [None] * len(m.parts),
        )
        for m in read
    ]


def words(action: Callable[[], Any], kind: type[Exception]) -> str:
    """What an action ends with."""
    with pytest.raises(kind) as caught:
        action()
    return str(caught.value)


# A whole release


def test_a_release_has_the_totals_of_one_process(plain: tuple[Release, list[bytes]]) -> None:
    """Driven over the exchange, a release adds up what it adds up in one process."""
    assert totals_of(plain[0]) == honest_totals()


def test_the_log_of_a_release(plain_log: list[bytes]) -> None:
    """The exchange holds the messages in the order of the protocol."""
    assert kinds(plain_log) == WHOLE


def test_a_round_is_pointed_to(center: Center) -> None:
    """A pointer names release, round and the hash of its totals, and holds no total."""
    driver = center.rounds(center.driver(), until=1)
    expected = {
        "release": driver.release.digest,
        "round": 0,
        "sums": 1,
        "bytes": driver.release.log[0].bytes_received,
        "totals": sha256(honest_totals()[0]),
    }
    assert driver.round(0) == expected


def test_progress_tells_rounds(center: Center) -> None:
    """People read which round it is and how many sums it asks."""
    center.rounds(center.driver(), until=2)
    assert center.told == ["round 0: 1 sums", "round 1: 1 sums"]


# Another driver takes it up


def drop_each(center: Center, until: Callable[[Driver], bool], go: Callable[[Driver], Any]) -> int:
    """Drop the driver after every message that is new; return how many drivers it took."""
    drivers, driver = 0, center.driver(first(center))
    while not until(driver):
        center.wire.lives = 0
        driver = center.driver(first(center))
        drivers += 1
        try:
            go(driver)
        except Dropped:
            continue
    center.wire.lives = None
    return drivers


def test_dropped_after_every_message(long: Center, plain_log: list[bytes]) -> None:
    """One driver a message, PART and PARTS too: all is as if one driver had posted it."""
    drop_each(long, lambda driver: driver.release.rounds == 2, long.rounds)
    release = long.run(long.driver(first(long)))
    found = (of_center(long.log(release)), totals_of(release))
    assert found == (of_center(plain_log), honest_totals())


def test_dropped_after_every_message_of_the_end(center: Center) -> None:
    """CLOSE and each RECEIPT may end a driver; the next one finds the release closed."""
    center.rounds(center.driver())
    drivers = drop_each(center, lambda driver: driver.release.state == "closed", center.run)
    log = kinds(center.log(first(center)))
    assert (drivers > len(SITES), log[-2:]) == (True, ["CLOSE", "RECEIPT"])


@pytest.mark.campaign
@pytest.mark.parametrize("lives", range(95))
def test_dropped_once(lives: int, long: Center, plain_log: list[bytes]) -> None:
    """Wherever the first driver ends, the second one brings the release to the same end."""
    long.wire.lives = lives
    with pytest.raises(Dropped):
        long.run(long.driver())
    long.wire.lives = None
    release = long.run(long.driver(first(long)))
    found = (of_center(long.log(release)), totals_of(release))
    assert found == (of_center(plain_log), honest_totals())


def test_two_drivers_at_a_time(long: Center) -> None:
    """Two drivers of one release post the same bytes, so neither is in the other's way."""
    one, other = long.driver(), long.driver()
    long.rounds(one, until=2)
    long.rounds(other, until=4)
    assert totals_of(long.run(one)) == totals_of(long.run(other)) == honest_totals()


def test_a_closed_release_is_read_again(center: Center) -> None:
    """A driver of a release that is over finds rounds, results and receipts in the log."""
    done = center.run(center.driver())
    again = center.run(center.driver(first(center)))
    assert (again.state, again.ledger_heads()) == ("closed", done.ledger_heads())


# The log as another machine wrote it, or somebody altered it


def nudged(floats: bytes) -> bytes:
    """Each number of an argument in its next floating-point neighbour."""
    numbers = struct.unpack(f"<{len(floats) // 8}d", floats)
    return struct.pack(f"<{len(numbers)}d", *(math.nextafter(x, 9.0) for x in numbers))


def test_floats_that_differ_in_the_last_bit_are_adopted(long: Center) -> None:
    """A round that another processor asked is taken up with its arguments."""
    before = long.rounds(long.driver(), until=3).release
    arguments = [nudged(ask.float_bytes()) for ask in before.conductor.asks]
    long.exchange().post(before.ask(arguments))
    release = long.run(long.driver())
    assert (release.log[3].arguments, release.state) == (tuple(arguments), "closed")


def altered_rounds(wire: bytes) -> bytes:
    """ROUND 1 with another transcript, signed anew; any other message as it is."""
    message = messages.read(wire)
    if message.kind != Round.TYPE or message.content["number"] != 1:
        return wire
    content = Round(message.content["open"], 1, "0" * 64)
    return signed(CENTER, content, [message.part(i) for i in range(len(message.parts))])


def test_an_altered_log_is_refused(center: Center) -> None:
    """A ROUND that does not follow from the log before it ends the refresh, and says why."""
    center.rounds(center.driver(), until=2)
    center.wire.alter = altered_rounds
    assert "the exchange's store was altered" in words(center.driver().open, Refused)


def test_an_altered_log_burns_nothing(center: Center) -> None:
    """What was altered can be restored: the release stays under way."""
    center.rounds(center.driver(), until=2)
    center.wire.alter = altered_rounds
    words(center.driver().open, Refused)
    assert center.listed()["state"] == "under_way"


# Waiting


def test_the_deadline_names_who_is_awaited(center: Center) -> None:
    """A hospital that says nothing is named when the wait is over."""
    center.hospitals.silent = {"cedar"}
    assert words(lambda: center.rounds(center.driver()), NotReady) == (
        "release 1 waits for cedar to open it. It stays open; refresh again and it goes on, or "
        "give it up with `coordinator burn`"
    )


def test_the_deadline_names_the_round_and_why(center: Center) -> None:
    """A hospital that said what hinders it is named with that."""
    driver = center.rounds(center.driver(), until=1)
    center.hospitals.silent = {"elm"}
    center.hospitals.stand("elm", driver.release.digest, "not_approved")
    found = words(lambda: driver.round(1), NotReady)
    assert found.startswith("release 1 waits for elm (not_approved) to answer round 1.")


def test_the_deadline_is_of_each_phase(center: Center) -> None:
    """The wait is as long as the deadline, counted from the beginning of the phase."""
    driver = center.rounds(center.driver(deadline_s=60), until=1)
    center.hospitals.silent, before = {"elm"}, center.wire.waited_s
    words(lambda: driver.round(1), NotReady)
    assert center.wire.waited_s - before == 60


def test_waiting_is_told(center: Center) -> None:
    """While it waits, progress says for whom."""
    center.hospitals.silent = {"beech", "elm"}
    words(lambda: center.rounds(center.driver(deadline_s=10)), NotReady)
    assert "waiting for beech, elm to open it" in center.told


def test_after_the_deadline_it_goes_on(center: Center, totals: tuple[bytes, ...]) -> None:
    """The next refresh ends what the last one left open."""
    center.hospitals.silent = {"cedar"}
    words(lambda: center.rounds(center.driver()), NotReady)
    center.hospitals.silent = set()
    assert totals_of(center.run(center.driver())) == totals


@pytest.mark.parametrize("code", sorted(DEFINITE - {"deferred"}))  # test_deferred.py
def test_a_definite_hindrance_burns_the_release(code: str, center: Center) -> None:
    """What waiting does not mend ends the release for all hospitals, and says who refused."""
    driver = center.rounds(center.driver(), until=0)
    center.hospitals.silent = {"dogwood"}
    center.hospitals.stand("dogwood", driver.release.digest, code)
    found = words(lambda: driver.round(0), Refused)
    assert (found.startswith(f"release 1 was refused by dogwood ({code})"), last(center)) == (
        True,
        ("burned", "BURN"),
    )


def last(center: Center, number: int = 1) -> tuple[str, str]:
    """The state of a release at the exchange, and the kind of its last message."""
    found = center.listed(number)
    return str(found["state"]), messages.read(center.office.log(found["open"])[-1]).kind


def test_a_hospital_that_revoked_is_awaited(center: Center) -> None:
    """What its steward can mend burns nothing: the exchange says what hinders it."""
    center.hospitals.cores["alder"].revoke()
    words(lambda: center.rounds(center.driver(deadline_s=20)), NotReady)
    assert center.listed()["standing"]["alder"]["code"] == "not_approved"


def test_after_a_burned_release_the_next_one_runs(
    center: Center, totals: tuple[bytes, ...]
) -> None:
    """Its number is one higher, and its totals are the same."""
    center.rounds(center.driver(), until=1).burn()
    release = center.run(center.driver())
    assert (release.number, totals_of(release)) == (2, totals)


def test_burning_twice(center: Center) -> None:
    """A release that was burned, or is closed, is not burned again."""
    driver = center.rounds(center.driver(), until=1)
    driver.burn()
    driver.burn()
    assert kinds(center.log(driver.release))[-1] == "BURN"


@pytest.mark.parametrize("rounds", [0, 1])
def test_burned_by_somebody_else_while_it_waits(rounds: int, center: Center) -> None:
    """`coordinator burn` ends a refresh that waits: as refused, not as a defect."""
    driver = center.rounds(center.driver(), until=rounds)
    center.hospitals.silent = {"elm"}
    if rounds:
        words(lambda: driver.round(rounds), NotReady)
    center.driver().burn()
    found = words(lambda: driver.round(rounds), (Refused, Declined))  # type: ignore[arg-type]
    assert "burned" in found


def test_replaced_by_somebody_else_while_it_waits(center: Center) -> None:
    """A refresh whose release another one opened anew with a smaller roster ends as refused."""
    center.hospitals.silent = {"cedar"}
    driver = center.driver(deadline_s=1e9)
    driver.open()
    center.driver(center.begin("cedar")).open()
    assert "replaced by another attempt" in words(driver.gather, Refused)


def test_a_share_that_does_not_add_up_burns_the_release(center: Center) -> None:
    """What the check lane finds is nothing that asking again would mend."""
    driver = center.rounds(center.driver(), until=1)
    center.wire.alter = disturbed
    found = words(lambda: driver.round(1), Refused)
    assert ("do not cancel" in found, last(center)) == (True, ("burned", "BURN"))


def disturbed(wire: bytes) -> bytes:
    """A SHARE of cedar with one bit changed, signed anew; any other message as it is."""
    message = messages.read(wire)
    if (message.kind, message.sender) != ("SHARE", "cedar"):
        return wire
    content = messages.Share(**message.content)
    first, second = message.part(0), message.part(1)
    return signed("cedar", content, [bytes([first[0] ^ 1]) + first[1:], second])


# The exchange goes away


def test_an_exchange_that_is_away_is_awaited(center: Center) -> None:
    """Requests that nobody answers are made again after growing pauses."""
    driver = center.rounds(center.driver(), until=1)
    center.wire.down = 4
    driver.round(1)
    assert center.slept == [0.5, 1.0, 2.0, 4.0]


def test_an_exchange_that_stays_away(center: Center) -> None:
    """In the end the refresh says that it cannot be reached."""
    driver = center.rounds(center.driver(), until=1)
    center.wire.down = 1000
    found = words(lambda: driver.round(1), Unreachable)
    assert (found.startswith("http://exchange cannot be reached"), sum(center.slept) > 600) == (
        True,
        True,
    )


# Who takes part


def test_the_first_release_is_of_the_whole_roster(center: Center) -> None:
    """Without a word all hospitals of the study take part."""
    release = center.begin()
    assert (release.number, release.attempt, release.sites) == (1, 1, SITES)


def test_without_a_hospital(center: Center) -> None:
    """The first release may be of fewer."""
    assert center.run(center.driver(center.begin("cedar"))).sites == FOUR


def test_later_releases_have_the_roster_of_the_last_closed_one(center: Center) -> None:
    """Who was left out once stays out: the difference of two releases would show it."""
    center.run(center.driver(center.begin("cedar")))
    release = center.begin()
    assert (release.number, release.sites) == (2, FOUR)


def test_the_roster_of_a_burned_release_with_shares_stays(center: Center) -> None:
    """Hospitals that gave a share hold to its roster, whatever became of the release."""
    center.rounds(center.driver(center.begin("cedar")), until=1).burn()
    release = center.begin()
    assert (release.number, release.sites) == (2, FOUR)


def test_a_later_release_without_another_is_refused_by_the_hospitals(center: Center) -> None:
    """Leaving one out of a later release is for the hospitals to refuse, and they do."""
    center.run(center.driver())
    found = words(lambda: center.rounds(center.driver(center.begin("cedar"))), Refused)
    assert found.startswith("release 2 was refused by alder (other_roster)")


def test_without_a_hospital_before_the_first_share(center: Center) -> None:
    """A release that waits for a hospital goes on without it, as another attempt."""
    center.hospitals.silent = {"cedar"}
    words(lambda: center.rounds(center.driver()), NotReady)
    release = center.run(center.driver(center.begin("cedar")))
    assert (release.number, release.attempt, release.sites) == (1, 2, FOUR)


def test_the_other_attempt_is_taken_up_as_it_is(center: Center) -> None:
    """`--without` again, or no more of it, goes on with the smaller roster."""
    center.driver(center.begin("cedar")).open()
    found = {(r.attempt, r.sites) for r in (center.begin(), center.begin("cedar"))}
    assert found == {(1, FOUR)}


def test_without_a_hospital_after_a_share_is_refused(center: Center) -> None:
    """Two sums that differ by a hospital would show it: the exchange takes no other roster."""
    center.hospitals.silent = set()
    center.rounds(center.driver(), until=1)
    found = words(center.driver(center.begin("cedar")).open, Declined)
    assert "has a SHARE already, so its roster is fixed" in found


def test_a_hospital_that_the_study_does_not_have(center: Center) -> None:
    """A misspelt name is not passed over in silence."""
    found = words(lambda: center.begin("ceder"), ConfigurationError)
    assert found == "the study protocol has no hospital 'ceder'; did you mean 'cedar'?"


@pytest.mark.parametrize("under_way", [False, True])
def test_too_few_hospitals(under_way: bool, center: Center) -> None:
    """The study's least number of hospitals holds for the first and for another attempt."""
    if under_way:
        center.driver().open()
    found = words(lambda: center.begin("alder", "beech", "cedar"), Refused)
    assert found == "2 hospitals would take part; this study runs with at least 3"


def test_nothing_begins_without_approvals(unapproved: Center) -> None:
    """Who has not approved is named, and what to do."""
    unapproved.hospitals.approve("alder", "beech", "elm")
    assert words(unapproved.begin, NotReady) == (
        "3 of 5 hospitals have approved the study; not yet: cedar, dogwood. Wait for their "
        "stewards, or go on without them (--without cedar --without dogwood): all later releases "
        "then have that smaller roster"
    )


def test_who_was_left_out_is_left_out_in_the_advice(unapproved: Center) -> None:
    """The options that are told are all that the next call needs."""
    unapproved.hospitals.approve("alder", "beech", "elm")
    found = words(lambda: unapproved.begin("cedar"), NotReady)
    assert "(--without cedar --without dogwood)" in found


def test_a_roster_that_would_be_too_small_is_no_advice(unapproved: Center) -> None:
    """Two hospitals run no study: there is nothing to do but wait."""
    unapproved.hospitals.approve("alder", "elm")
    assert words(unapproved.begin, NotReady) == (
        "2 of 5 hospitals have approved the study; not yet: beech, cedar, dogwood. Wait for their "
        "stewards"
    )


def test_a_roster_that_hospitals_hold_to_is_no_advice(center: Center) -> None:
    """Behind a release that had a round hospitals refuse a smaller roster."""
    center.run(center.driver())
    revoke(center, "elm")
    assert words(center.begin, NotReady) == (
        "4 of 5 hospitals have approved the study; not yet: elm. Wait for their stewards"
    )


def test_without_those_that_have_not_approved(unapproved: Center) -> None:
    """Only the approvals of those who take part are needed."""
    unapproved.hospitals.approve(*FOUR)
    assert unapproved.begin("cedar").sites == FOUR


def revoke(center: Center, site: str) -> None:
    """Have a hospital say that its approval has ended."""
    said = {"state": "revoked", "until": None, "at": int(center.office.now) + 1}
    center.office.ask(site, "PUT", f"/v1/studies/{center.study.hash}/approval", said)


def test_a_revoked_approval_is_none(center: Center) -> None:
    """What a hospital said last counts."""
    revoke(center, "elm")
    assert "not yet: elm." in words(center.begin, NotReady)


def test_a_release_under_way_asks_for_no_approvals(center: Center) -> None:
    """It goes on: whoever revokes does not answer, and is told so by the hospital itself."""
    center.driver().open()
    revoke(center, "elm")
    assert center.begin().number == 1


def test_a_study_that_the_exchange_does_not_have(center: Center) -> None:
    """Approvals of an unknown study are none."""
    assert approvals(center.exchange(), "0" * 64) == {}


def test_standings_newest_first(center: Center) -> None:
    """The last release comes first, with who is awaited."""
    center.rounds(center.driver(), until=1).burn()
    center.driver().open()
    found = standings(center.exchange(), center.study.hash)
    assert [(s.number, s.state, s.waiting) for s in found] == [
        (2, "under_way", SITES),
        (1, "burned", ()),
    ]


def test_a_release_of_a_changed_policy_is_another_study(center: Center) -> None:
    """A study with another hash is not on the exchange's shelf: it must be frozen there first."""
    center.study = replace(center.study, title="Another title")
    found = words(center.begin, Declined)
    assert "study" in found
