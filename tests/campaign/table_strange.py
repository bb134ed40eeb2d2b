"""The attacks by rosters and by messages that are none: what each tries, what stops it."""

from __future__ import annotations

from typing import Final

from site_agent.contract.messages import Round
from tests.campaign import rosters, strange
from tests.campaign.reasons import (
    FORM,
    IDEMPOTENT,
    MAJORITY,
    ONE_ROSTER,
    PINNED,
)
from tests.campaign.scene import SAME, Attack, always, before
from tests.protocol import CENTER

later_rounds = before(Round, first=1)

ROSTERS: Final = {
    "split rosters": Attack(
        "sum with and without one hospital, and subtract",
        ONE_ROSTER,
        ("second_roster",),
        later_rounds,
        rosters.opening(rosters.a_legal_choice),
    ),
    "opened again after a share": Attack(
        "have another mask over the same numbers",
        ONE_ROSTER,
        ("second_roster",),
        later_rounds,
        rosters.opening(rosters.everybody),
    ),
    "a roster too small": Attack(
        "be alone with the victim",
        MAJORITY,
        ("roster_too_small",),
        always,
        rosters.opening(rosters.too_few),
    ),
    "sybil sites": Attack(
        "fill the roster with hospitals that do not exist",
        "the study pins every hospital",
        ("unknown_site",),
        always,
        rosters.opening(rosters.with_sybils),
    ),
    "a roster without the victim": Attack(
        "have the victim answer for nothing",
        ONE_ROSTER,
        ("not_in_roster",),
        always,
        rosters.opening(rosters.without_the_victim),
    ),
    "a roster in disorder": Attack(
        "have a hospital count twice",
        FORM,
        ("malformed",),
        always,
        rosters.opening(rosters.in_disorder),
    ),
    "a roster without end": Attack(
        "exhaust a hospital's memory",
        FORM,
        ("malformed", "unknown_site"),
        always,
        rosters.long_roster,
    ),
    "OPEN of another study": Attack(
        "run what nobody approved",
        "approval of one hash",
        ("other_study",),
        always,
        rosters.of_another_study,
    ),
    "OPEN by a hospital": Attack(
        "open releases in one's own name",
        PINNED,
        ("sender",),
        always,
        rosters.opening(rosters.everybody, by="colluding"),
    ),
    "OPEN in the center's name": Attack(
        "open releases without the center's key",
        PINNED,
        ("signature",),
        always,
        rosters.opening(rosters.everybody, by="colluding", name=CENTER),
    ),
    "BURN by a hospital": Attack(
        "stop the study of all", PINNED, ("sender", "signature"), always, rosters.burn_by_a_site
    ),
}

STRANGE: Final = {
    "bits flipped": Attack(
        "change anything on the way",
        PINNED,
        ("malformed", "signature", "sender"),
        always,
        strange.bits_flipped,
    ),
    "cut short": Attack("crash a hospital", FORM, ("malformed",), always, strange.cut_short),
    "more behind the end": Attack(
        "smuggle something past the signature",
        FORM,
        ("malformed",),
        always,
        strange.with_more_behind,
    ),
    "noise": Attack("crash a hospital", FORM, ("malformed",), always, strange.noise),
    "a bomb of nesting": Attack("exhaust the stack", FORM, ("malformed",), always, strange.nested),
    "an oversized header": Attack(
        "exhaust the memory", FORM, ("malformed",), always, strange.huge_header
    ),
    "an announced length": Attack(
        "have a hospital wait or allocate", FORM, ("malformed",), always, strange.announced
    ),
    "a field that stands twice": Attack(
        "have two readers read two things", FORM, ("malformed",), always, strange.key_twice
    ),
    "another spelling of the header": Attack(
        "have one message under two hashes", FORM, ("malformed",), always, strange.other_spelling
    ),
    "thousands of parts": Attack(
        "exhaust a hospital", FORM, ("malformed",), always, strange.many_parts
    ),
    "fields of other types": Attack(
        "crash a hospital", FORM, ("malformed",), always, strange.other_types
    ),
    "a kind for others": Attack(
        "have a hospital act as the center", FORM, ("malformed",), always, strange.of_another_kind
    ),
    "a message of another release": Attack(
        "mix two releases",
        "messages name the OPEN that they are of",
        ("not_open",),
        always,
        strange.of_another_release,
    ),
    "the center's name, a hospital's key": Attack(
        "speak for the center", PINNED, ("signature",), always, strange.signed_by_a_site
    ),
    "a hospital's name": Attack(
        "speak as if hospitals could ask", PINNED, ("sender",), always, strange.sent_by_a_site
    ),
    "a look-alike name": Attack(
        "speak for the center in a name that people take for its own",
        PINNED,
        ("sender",),
        always,
        strange.look_alike_sender,
    ),
    "replay": Attack(
        "have masks used twice, or steps taken twice", IDEMPOTENT, (SAME,), always, strange.replayed
    ),
}
