"""Attacks that take more than one message: disks that are set back, keys that are stolen, releases
one behind the other. Of each: what it tries, what stops it, and the codes that it meets.

Where a release cannot go on after the attack it is burned, and the next one gives the results.
"""

from __future__ import annotations

from typing import Final

from tests.campaign import chains, disks, under_way
from tests.campaign.stage import LEDGER, Course


def _of(*codes: str) -> frozenset[str]:
    return frozenset(codes)


ONCE: Final = "the ledger: one question a round, one vector in the vault"
COUNTED: Final = (
    "changed patients are none or enough, counted by the hospitals against every release"
)
WITNESSED: Final = "heads of ledgers, witnessed by the other hospitals"
CHAINED: Final = "a chains.chain of hashes, verified when it is opened"
FINAL: Final = "an approved revision supersedes, for good"
COURSES: Final = {
    "beta within rounding": Course(
        "ask one hospital at coefficients of one's choice",
        "masks bound to the bytes of the question",
        _of("answered", "second_question"),
        under_way.nudged_beta,
    ),
    "an erased vault": Course(
        "have numbers masked anew", ONCE, _of("swapped_key", "no_keys"), under_way.erased_vault
    ),
    "data changed under way": Course(
        "have two snapshots in one release",
        "a commitment to the data",
        _of("data_changed"),
        under_way.changed_data,
    ),
    "two rosters before any share": Course(
        "sum with and without one hospital",
        "READY is of one OPEN",
        _of("not_open"),
        under_way.split_before_shares,
    ),
    "two READY of one hospital": Course(
        "have hospitals stand on different transcripts",
        "PART and masks bound to all READY",
        _of("seal"),
        under_way.equivocating_ready,
    ),
    "a number that is over": Course(
        "open a second sum under one number",
        "the ledger",
        _of("release_over"),
        under_way.used_number,
    ),
    "messages of a closed release": Course(
        "mix two releases",
        "messages name the OPEN that they are of",
        _of("not_open"),
        under_way.messages_of_before,
    ),
    "restart without one": Course(
        "subtract two sums that differ by a hospital",
        "one roster for all releases",
        _of("other_roster"),
        chains.one_hospital_less,
    ),
    "a few patients more": Course(
        "subtract two releases", COUNTED, _of("deferred"), chains.few_more, ends=False
    ),
    "many patients of few hospitals": Course(
        "subtract what one hospital added",
        COUNTED,
        _of("deferred"),
        chains.few_hospitals_more,
        ends=False,
    ),
    "one value corrected": Course(
        "subtract one value", COUNTED, _of("deferred"), chains.corrected_value, ends=False
    ),
    "a chains.chain of releases": Course(
        "go in steps that are each too small to be seen",
        COUNTED,
        _of("deferred"),
        chains.chain,
        ends=False,
    ),
    "one patient more under another hash": Course(
        "begin anew by a revision",
        "compared over all studies of the same tables",
        _of("deferred"),
        chains.revision_with_one_more,
        ends=False,
    ),
    "one hospital less under another hash": Course(
        "begin anew by a revision",
        "rosters of before are named and signed",
        _of("other_roster"),
        chains.revision_with_one_less,
    ),
    "a disk set back": Course(
        "have a hospital forget", WITNESSED, _of("rewound"), disks.rewound_ledger, ends=False
    ),
    "a ledger cut at its end": Course(
        "have a hospital forget", WITNESSED, _of("rewound"), disks.cut_ledger, ends=False
    ),
    "an altered ledger": Course(
        "change what was answered", CHAINED, _of(LEDGER), disks.altered_ledger
    ),
    "a ledger cut under way": Course(
        "have a running agent forget", CHAINED, _of(LEDGER), disks.shortened_under_way
    ),
    "a stolen key and the study before": Course(
        "use a key that was replaced", FINAL, _of("superseded"), disks.stolen_key_before, ends=False
    ),
    "a stolen key in the revision": Course(
        "use a key that was replaced",
        "the revision pins the new key",
        _of("signature"),
        disks.stolen_key_after,
        ends=False,
    ),
    "back to the study before": Course(
        "bring a replaced key back by an approval",
        FINAL,
        _of("superseded"),
        disks.back_to_the_study_before,
        ends=False,
    ),
}
