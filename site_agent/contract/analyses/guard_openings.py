"""What a study opens, piece by piece, in its order: the units that the guard withholds or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from site_agent.contract.catalogue import KINDS
from site_agent.contract.frames import Frame
from site_agent.contract.rows import design_columns
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Arrays

Key = tuple[str, str]  # an analysis, and its model where it has several
Totals = Mapping[tuple[str, str, str], Arrays]  # by sum, and analysis and model, or table and ""

BY_TIME = ("B", "C")


@dataclass(frozen=True, slots=True)
class Opening:
    """One analysis, or one model of a screen, over its rows; `accepted` by name or not."""

    analysis: Analysis
    model: str
    frame: Frame
    accepted: bool

    @property
    def key(self) -> Key:
        """Return the names of analysis and model."""
        return self.analysis.name, self.model

    @property
    def by_time(self) -> bool:
        """Return whether it opens sums by time."""
        uses = KINDS[self.analysis.kind].uses(self.analysis.options)
        return any(disclosure in BY_TIME for disclosure, _ in uses)


def openings(study: Study) -> tuple[Opening, ...]:
    """Return everything that the study opens, in its order."""
    accepted = {item.analysis for item in study.policy.accepted}
    return tuple(
        Opening(analysis, model, frame, name in accepted)
        for name, analysis in study.analyses.items()
        for model, frame in KINDS[analysis.kind].models(study, analysis)
    )


def columns_of(study: Study, frame: Frame) -> tuple[str, ...]:
    """Return the names of all design columns of a frame, in order."""
    return tuple(
        column for name in frame.covariates for column in design_columns(study, frame.table, name)
    )
