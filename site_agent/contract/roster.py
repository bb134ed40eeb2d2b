"""Which rosters a release may have: a majority of the pinned sites, at least the study's minimum.

Two majorities always share a site, and a site answers a release with one roster only: so at
most one sum over a release exists, whatever the coordinator does.
"""

from __future__ import annotations

from collections.abc import Sequence

from site_agent.contract.errors import Refused
from site_agent.contract.study.at_center import FEWEST_OTHERS
from site_agent.contract.study.model import Study


def smallest_roster(study: Study) -> int:
    """Return the fewest sites that a release of a frozen study may have."""
    assert study.roster is not None
    if study.policy.development:
        return 1
    beside = FEWEST_OTHERS + 1 if study.at_center else 0
    return max(study.policy.sites, len(study.roster.sites) // 2 + 1, beside)


def refuse_roster(study: Study, own: str, roster: Sequence[str]) -> None:
    """Raise Refused unless `roster` may run a release in which site `own` takes part."""
    assert study.roster is not None
    unknown = [name for name in roster if name not in study.roster.sites]
    if unknown:
        raise Refused(
            "unknown_site",
            f"the roster names {len(unknown)} site(s) that the study does not pin: "
            f"{', '.join(unknown[:5])}",
        )
    if list(roster) != sorted(set(roster)):
        raise Refused("malformed", "the roster is not sorted, or names a site twice")
    if own not in roster:
        raise Refused("not_in_roster", f"the roster leaves out '{own}', which is asked to answer")
    fewest = smallest_roster(study)
    if len(roster) < fewest:
        raise Refused(
            "roster_too_small",
            f"{len(roster)} of {len(study.roster.sites)} pinned sites; this study runs with at "
            f"least {fewest} (disclosure.compute.sites, more than half of the pinned ones, and "
            f"three beside the center's own hospital, if it has one)",
        )
