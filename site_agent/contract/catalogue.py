"""The closed catalogue: every kind of analysis, and every sum that a site will compute."""

from __future__ import annotations

from typing import Final

from site_agent.contract.analyses.adjustment import ADJUSTMENT
from site_agent.contract.analyses.compare import COMPARE
from site_agent.contract.analyses.competing import INCIDENCE
from site_agent.contract.analyses.cox import COX, COX_SCREEN
from site_agent.contract.analyses.curves import SURVIVAL
from site_agent.contract.analyses.fine_gray import FINE_GRAY
from site_agent.contract.analyses.gee import GEE
from site_agent.contract.analyses.glm import GLM
from site_agent.contract.analyses.guard_sums import (
    CARRIERS,
    CHANGED,
    DIFFERING,
    ENROLLED,
    STEPS,
)
from site_agent.contract.analyses.kind import Kind
from site_agent.contract.analyses.loess import LOESS
from site_agent.contract.analyses.logrank import LOGRANK
from site_agent.contract.analyses.meta_analysis import META_ANALYSIS
from site_agent.contract.analyses.paired import PAIRED
from site_agent.contract.analyses.proportion import PROPORTION
from site_agent.contract.analyses.table_one import TABLE_ONE
from site_agent.contract.analyses.weighting import WEIGHTING
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Sum

KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        *(SURVIVAL, INCIDENCE, LOGRANK, COX, COX_SCREEN, FINE_GRAY),
        *(META_ANALYSIS, COMPARE, PAIRED, TABLE_ONE, PROPORTION),
        *(GLM, GEE, WEIGHTING, LOESS, ADJUSTMENT),
    )
}
GUARD: Final = (ENROLLED, CHANGED, CARRIERS, STEPS, DIFFERING)
SUMS: Final[dict[str, Sum]] = {
    entry.name: entry for entry in (*GUARD, *(s for kind in KINDS.values() for s in kind.sums))
}


def seals(study: Study) -> bool:
    """Return whether the study has a sealed sum, for which its sites need a secret of their own."""
    return any(KINDS[analysis.kind].seals(analysis.options) for analysis in study.analyses.values())
