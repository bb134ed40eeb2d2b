"""One Cox model of a study: its rows, its columns, and how it is fitted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from site_agent.contract.analyses.cox_further_options import cluster_of
from site_agent.contract.analyses.cox_together import Together, together
from site_agent.contract.analyses.functional_form import FunctionalForm, form_of
from site_agent.contract.frames import Frame
from site_agent.contract.rows import design_columns, levels_of
from site_agent.contract.study.model import Analysis, Study


@dataclass(frozen=True, slots=True)
class Model:
    """One model to fit: its rows, and the names of its design columns by covariate.

    cluster: `patient`, `site` or `column` where standard errors are robust. curves: by name the
    values of columns for which survival is predicted.
    """

    frame: Frame
    columns: tuple[tuple[str, tuple[str, ...]], ...]
    strata: int
    ties: str
    baseline: str
    risk_sets: str
    zph: tuple[str, ...]
    baseline_at: tuple[float, ...]
    together: Together
    conf_level: float
    firth: str
    intervals: str
    functional_form: FunctionalForm | None
    cluster: str = ""
    concordance: bool = False
    baseline_curve: bool = False
    curves: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def terms(self) -> tuple[str, ...]:
        """Return the names of all design columns in order."""
        return tuple(name for _, names in self.columns for name in names)

    @property
    def blocks(self) -> dict[str, range]:
        """Return the design columns of each covariate, by number."""
        found, start = {}, 0
        for name, columns in self.columns:
            found[name] = range(start, start + len(columns))
            start += len(columns)
        return found


def model_of(study: Study, frame: Frame, analysis: Analysis) -> Model:
    """Return the model of a frame, as its analysis asks for it."""
    options = analysis.options
    return Model(
        frame=frame,
        columns=tuple((c, design_columns(study, frame.table, c)) for c in frame.covariates),
        strata=math.prod(len(levels_of(study, frame.table, name)) for name in frame.strata),
        ties=options["ties"],
        baseline=options["baseline"],
        risk_sets=options["risk_sets"],
        zph=tuple(options["zph"]),
        baseline_at=tuple(options["baseline_at"]),
        together=together(study, analysis),
        conf_level=options["conf_level"],
        cluster=cluster_of(options),
        concordance=options["concordance"],
        baseline_curve=options.get("baseline_curve", False),
        curves=options.get("predict", {}),
        firth=options["firth"],
        intervals=options["intervals"],
        functional_form=form_of(options),
    )


def strata_of(study: Study, frame: Frame) -> list[str]:
    """Return the name of each stratum; of the only one, nothing."""
    levels = [[f"{s}={v}" for v in levels_of(study, frame.table, s)] for s in frame.strata]
    return [", ".join(choice) for choice in product(*levels)]
