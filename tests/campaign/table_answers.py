"""The attacks on what hospitals are told of others: what each tries, and what stops it."""

from __future__ import annotations

from typing import Final

from site_agent.contract.messages import Parts, Readies, Shares, Split
from tests.campaign import answers, forging, handshake
from tests.campaign.reasons import (
    ALL_READY,
    AUDIT,
    CHECK,
    COMMITTED,
    FORM,
    HPKE,
    PINNED,
    STEPS,
    TRANSCRIPT,
)
from tests.campaign.scene import Attack, before
from tests.protocol import CENTER

readies, parts, shares = before(Readies), before(Parts), before(Shares)
later_shares, split = before(Shares, first=1), before(Split)
part_of_colluding = handshake.part("colluding", "colluding", "colluding")
share_of_colluding = answers.share("colluding", "colluding")

GATHERED: Final = {
    "a READY left out": Attack(
        "run over fewer hospitals than OPEN said",
        ALL_READY,
        ("missing_ready",),
        readies,
        forging.one_less,
    ),
    "a READY too many": Attack(
        "have one hospital count twice", ALL_READY, ("missing_ready",), readies, forging.one_more
    ),
    "READY in others' places": Attack(
        "have two hospitals take one another's masks",
        ALL_READY,
        ("sender", "swapped_key"),
        readies,
        forging.moved,
    ),
    "one READY in two places": Attack(
        "put a colluding hospital in an honest one's place",
        ALL_READY,
        ("sender",),
        readies,
        forging.doubled,
    ),
    "a READY withheld": Attack(
        "let a hospital go on without seeing a key",
        ALL_READY,
        ("malformed",),
        readies,
        forging.withheld,
    ),
    "rubbish for a READY": Attack(
        "crash a hospital", FORM, ("malformed",), readies, forging.replaced_by_nothing
    ),
    "a PART left out": Attack(
        "have hospitals blind with less than all parts",
        ALL_READY,
        ("missing_part",),
        parts,
        forging.one_less,
    ),
    "a PART too many": Attack(
        "mix a part of nobody into the secret",
        ALL_READY,
        ("missing_part",),
        parts,
        forging.one_more,
    ),
    "PART in others' places": Attack(
        "have hospitals mix up whose part it is",
        ALL_READY,
        ("sender", "swapped_key"),
        parts,
        forging.moved,
    ),
    "a PART withheld": Attack(
        "let a hospital blind with less", ALL_READY, ("malformed",), parts, forging.withheld
    ),
    "PART equivocation": Attack(
        "give each hospital another part, so that blinding does not cancel",
        COMMITTED,
        ("two_parts",),
        parts,
        part_of_colluding(handshake.another_for_the_victim),
    ),
    "a PART under another commitment": Attack(
        "promise one part and give another",
        COMMITTED,
        ("two_parts",),
        parts,
        part_of_colluding(commitment=forging.other_open),
    ),
    "a PART by the center": Attack(
        "choose the sites' secret",
        PINNED,
        ("signature",),
        parts,
        handshake.part(CENTER, "other", "other")(commitment=forging.other_open),
    ),
    "a PART of another release": Attack(
        "reuse the secret of before",
        "PART names the OPEN that it answers",
        ("other_release",),
        parts,
        part_of_colluding(open=forging.other_open),
    ),
    "altered PART": Attack(
        "have hospitals hold other secrets",
        HPKE,
        ("seal",),
        parts,
        part_of_colluding(handshake.halves_altered),
    ),
    "no PARTS at all": Attack(
        "have sums sent that are not blinded", STEPS, ("no_keys",), parts, handshake.without_parts
    ),
    "a share left out": Attack(
        "have a hospital audit less than all",
        ALL_READY,
        ("missing_share",),
        shares,
        forging.one_less,
    ),
    "a share too many": Attack(
        "count a hospital twice", ALL_READY, ("missing_share",), shares, forging.one_more
    ),
    "swapped shares": Attack(
        "have a hospital audit shares under other names",
        ALL_READY,
        ("sender",),
        shares,
        forging.moved,
    ),
    "one share in two places": Attack(
        "count a colluding hospital for an honest one",
        ALL_READY,
        ("sender",),
        shares,
        forging.doubled,
    ),
    "a share withheld": Attack(
        "have a hospital go on without audit", AUDIT, ("malformed",), shares, forging.withheld
    ),
    "a share by the center": Attack(
        "make up totals",
        PINNED,
        ("signature",),
        shares,
        answers.share(CENTER, "other")(answers.another_lane),
    ),
    "an altered share": Attack(
        "spoil totals so that they look right",
        CHECK,
        ("check_lane",),
        shares,
        share_of_colluding(answers.another_lane),
    ),
    "a share of another length": Attack(
        "crash the audit", FORM, ("malformed",), shares, share_of_colluding(answers.another_length)
    ),
    "a share of an earlier round": Attack(
        "have masks cancel over two questions",
        TRANSCRIPT,
        ("other_question",),
        later_shares,
        answers.earlier_share,
    ),
    "shares of another round": Attack(
        "audit what was not asked yet", STEPS, ("wrong_round",), shares, answers.shares_of_later
    ),
}

SPLITS: Final = {
    name: Attack(tries, stops, codes, split, answers.split(change), "at center")
    for name, (tries, stops, codes, change) in {
        "a split by the center": (
            "unblind with numbers of its own",
            PINNED,
            ("signature",),
            answers.split_forged,
        ),
        "an altered split": ("spoil what two others add", HPKE, ("seal",), answers.split_altered),
        "splits exchanged": (
            "have both add the other's part",
            HPKE,
            ("seal",),
            answers.split_exchanged,
        ),
        "a split without parts": (
            "have both go on without it",
            FORM,
            ("malformed",),
            answers.split_missing,
        ),
        "a split of another question": (
            "add numbers of another round",
            TRANSCRIPT,
            ("other_question",),
            answers.split_of_another_question,
        ),
    }.items()
}
