"""How long the message is with which a hospital answers a round.

It depends on the questions and on names, not on numbers: the same message is written over zeros,
with keys that are thrown away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from site_agent.answering import RowSource
from site_agent.contract import messages
from site_agent.contract.catalogue import SUMS
from site_agent.contract.conductor import sections
from site_agent.contract.identity import Identity, seal
from site_agent.contract.messages import Share
from site_agent.contract.securesum import vector
from site_agent.contract.securesum.fixedpoint import SEALED
from site_agent.contract.securesum.pairing import encrypt
from site_agent.contract.securesum.splitting import HELPERS
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Ask

HASH: Final = "0" * 64


def share_size(study: Study, site: str, number: int, asks: Sequence[Ask], rows: RowSource) -> int:
    """Return the length in bytes of the SHARE of `site` in round `number`."""
    nobody = Identity.create(site, bytes)
    length = {
        name: vector.Layout(tuple(SUMS[asks[i].sum].lanes(asks[i]) for i in chosen)).byte_length
        for name, chosen in sections(asks).items()
        if chosen
    }
    closed = length.get("closed", 0)
    parts = [
        bytes(length.get("open", 0)),
        seal(nobody.member(), bytes(closed), b"") if closed else b"",
    ]
    split = _split_numbers(asks, rows) if site == study.at_center else 0
    if split:
        half = encrypt(bytes(32), b"", site, site, bytes(8 * SEALED.limbs * split))
        parts += [half] * HELPERS
    return len(messages.write(nobody, Share(HASH, number, HASH), parts))


def _split_numbers(asks: Sequence[Ask], rows: RowSource) -> int:
    """Return how many numbers a hospital at the center splits between two others."""
    return sum(
        len(split(rows(ask.frame), ask))
        for ask in asks
        if (split := SUMS[ask.sum].split) is not None
    )
