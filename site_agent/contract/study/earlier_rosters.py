"""Reading `disclosure.earlier_rosters`: which other hospitals earlier releases may have had.

Two totals that differ by a hospital show that hospital. So a study whose hospitals are not those
of an earlier release over the same tables names them, each in a sentence that the stewards sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from site_agent.contract.party import SITE_NAME, SITE_NAME_IN_WORDS
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import EarlierRoster

WORD: Final = re.compile(r"[a-z0-9](?:[a-z0-9_.-]*[a-z0-9_-])?")  # a name, without a full stop


def read_earlier_rosters(fields: Fields) -> tuple[EarlierRoster, ...]:
    """Read the list: in each entry `sites`, names in any order, and `because`."""
    found = []
    for node in fields.items("earlier_rosters"):
        item = Fields(node, fields.issues).open()
        sites = item.texts("sites", required=True)
        because = item.text("because", required=True)
        item.close()
        bad = [name for name in sites if not SITE_NAME.match(name)]
        if bad:
            item.issue(f"{len(bad)} of the sites have names other than {SITE_NAME_IN_WORDS}")
        found.append(EarlierRoster(tuple(sorted(set(sites))), because))
    return tuple(found)


def earlier_roster_issues(named: Sequence[EarlierRoster], sites: Iterable[str]) -> list[str]:
    """Return what is wrong with each sentence that does not name a hospital that joined or left."""
    found = []
    for item in named:
        said = frozenset(WORD.findall(item.because))
        unsaid = sorted(({*item.sites} ^ {*sites}) - said)
        if unsaid:
            found.append(
                f"the sentence on an earlier roster of {len(item.sites)} hospitals does not name "
                f"{', '.join(unsaid)}, whose totals can be had by subtraction; say so in `because`"
            )
    return found
