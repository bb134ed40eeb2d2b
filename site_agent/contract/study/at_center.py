"""A center that is also a hospital: which rosters let it take part in sealed sums.

Sealed sums are opened by the center and unblinded with a secret of the sites. Were the center's
own hospital to hold that secret, the center could read every risk set. So its agent gets no part
of the secret and splits its sums between two other hospitals. One of these alone learns nothing,
and with a third one no two of them are all the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from site_agent.contract.study.fields import nearest

FEWEST_OTHERS: Final = 3


def at_center_issues(at_center: str, sites: Sequence[str]) -> list[str]:
    """Return what is wrong with the hospital of the center (empty for none) among `sites`."""
    if not at_center:
        return []
    if at_center not in sites:
        return [f"'{at_center}' is not one of the hospitals{nearest(at_center, list(sites))}"]
    others = len(sites) - 1
    if others < FEWEST_OTHERS:
        return [
            f"{others} hospitals beside the center's own, expected at least {FEWEST_OTHERS}: it "
            f"splits its sums between two of them. Enrol more, or leave the center's own out"
        ]
    return []


def at_center_sentences(at_center: str) -> list[str]:
    """Return what it means that a hospital is the center's own; nothing if none is."""
    if not at_center:
        return []
    return [
        f"The hospital {at_center} is the center's own. Where sums are sealed, its agent gets no "
        f"part of the secret that the hospitals share: the center could unblind with it. It splits "
        f"its sums between two other hospitals, encrypted to each. One of the two alone sees "
        f"noise; both together would see its sums."
    ]
