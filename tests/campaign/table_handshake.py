"""The attacks on keys, READY and PART: what each tries, and what stops it."""

from __future__ import annotations

from typing import Final

from site_agent.contract.messages import Parts, Readies, Shares
from tests.campaign import forging, handshake
from tests.campaign.reasons import (
    FORM,
    HPKE,
    OWN_COPY,
    PINNED,
)
from tests.campaign.scene import Attack, before
from tests.protocol import CENTER

readies, parts, shares = before(Readies), before(Parts), before(Shares)
later_shares = before(Shares, first=1)
colluding = handshake.ready("colluding", "colluding", "colluding")

KEYS: Final = {
    "key substitution in the center's name": Attack(
        "put the center between two hospitals",
        PINNED,
        ("sender",),
        readies,
        handshake.ready(CENTER, CENTER, "other")(ephemeral=handshake.a_key),
    ),
    "key substitution in a hospital's name": Attack(
        "the same, as if the hospital had sent the key",
        PINNED,
        ("signature",),
        readies,
        handshake.ready(CENTER, "other", "other")(ephemeral=handshake.a_key),
    ),
    "key substitution by another hospital": Attack(
        "the same, signed by a hospital that colludes",
        PINNED,
        ("signature",),
        readies,
        handshake.ready("colluding", "other", "other")(ephemeral=handshake.a_key),
    ),
    "the victim's own key": Attack(
        "have the others mask against a key that the victim does not have",
        OWN_COPY,
        ("swapped_key",),
        readies,
        handshake.ready(CENTER, "victim", "victim")(ephemeral=handshake.a_key),
    ),
    "a key of low order": Attack(
        "have two hospitals share a secret that everybody knows",
        "X25519 without results that are zero",
        ("key",),
        readies,
        colluding(ephemeral=handshake.a_key_of_low_order),
    ),
    "a key that is none": Attack(
        "crash a hospital, or have it go on without a mask",
        FORM,
        ("key",),
        readies,
        colluding(ephemeral=handshake.no_key),
    ),
    "altered halves": Attack(
        "weaken what protects masks from later computers",
        HPKE,
        ("seal",),
        readies,
        colluding(handshake.halves_altered),
    ),
    "halves for others": Attack(
        "have two hospitals take one half for two pairs",
        HPKE,
        ("seal",),
        readies,
        colluding(handshake.halves_moved),
    ),
    "a READY of another release": Attack(
        "reuse keys of before",
        "READY names the OPEN that it answers",
        ("other_release",),
        readies,
        colluding(open=forging.other_open),
    ),
    "earlier releases that are none": Attack(
        "crash hospitals, or have them compare with what is not there",
        FORM,
        ("malformed",),
        readies,
        colluding(earlier=handshake.no_earlier),
    ),
    "marks that are none": Attack(
        "fill the ledgers of others",
        FORM,
        ("malformed",),
        readies,
        colluding(witness=handshake.no_marks),
    ),
}
