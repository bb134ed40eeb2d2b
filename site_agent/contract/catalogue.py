"""The closed catalogue: every kind of analysis, and every sum that a site will compute."""

from __future__ import annotations

from typing import Final

from site_agent.contract.analyses.cox import COX, COX_SCREEN
from site_agent.contract.analyses.curves import INCIDENCE, SURVIVAL
from site_agent.contract.analyses.guard import ENROLLED
from site_agent.contract.analyses.kind import Kind
from site_agent.contract.analyses.logrank import LOGRANK
from site_agent.contract.sums import Sum

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind for kind in (SURVIVAL, INCIDENCE, LOGRANK, COX, COX_SCREEN)
}
SUMS: Final[dict[str, Sum]] = {
    entry.name: entry for entry in (ENROLLED, *(s for kind in KINDS.values() for s in kind.sums))
}
