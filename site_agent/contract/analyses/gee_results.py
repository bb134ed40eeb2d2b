"""What a GEE fit reports: coefficients with robust errors, scale, working correlation, QIC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from site_agent.contract.analyses.coefficients import Term, terms_table
from site_agent.contract.analyses.glm_results import RATIOS, terms_of
from site_agent.contract.analyses.kind import Options
from site_agent.contract.analyses.regression import Regression, uncentred
from site_agent.contract.analyses.results import Tidy, number, numbers
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Arrays


@dataclass(frozen=True, slots=True)
class Solved:
    """A solution in the units in which sums are formed: estimate, H^-, H^- M H^-, correlation."""

    estimate: Floats
    bread: Floats
    robust: Floats
    parameters: Floats
    phi: float
    aliased: np.ndarray
    quasi: float
    rounds: int
    centre: Floats
    scale: float
    start: Floats


@dataclass(frozen=True, slots=True)
class GeeFit:
    """A fitted model; variances (1 + p, 1 + p). correlation: (wave, wave, value), or one pair."""

    family: str
    correlation: str
    conf_level: float
    rows: int
    patients: int
    left_out: Mapping[str, int]
    terms: tuple[Term, ...]
    variance: Floats
    naive_variance: Floats
    phi: float
    parameters: tuple[tuple[str, float], ...]
    qic: Mapping[str, float]
    rounds: int

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        found: dict[str, Any] = {
            "family": self.family,
            "correlation": self.correlation,
            "conf_level": self.conf_level,
            "rows": self.rows,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "terms": [term.document(RATIOS[self.family]) for term in self.terms],
            "variance": [numbers(row) for row in self.variance],
            "naive_variance": [numbers(row) for row in self.naive_variance],
            "scale": number(self.phi),
            "working_correlation": [
                {"parameter": name, "estimate": number(value)} for name, value in self.parameters
            ],
            "iterations": self.rounds,
        }
        return found | ({"criteria": dict(self.qic)} if self.qic else {})

    def tables(self) -> Mapping[str, Tidy]:
        """Return `terms`, `correlation`, `summary`, and `criteria` if they were asked for."""
        found = {
            "terms": terms_table(self.terms),
            "correlation": Tidy(("parameter", "estimate"), self.parameters),
            "summary": Tidy(
                ("rows", "patients", "scale", "iterations"),
                ((self.rows, self.patients, number(self.phi), self.rounds),),
            ),
        }
        if self.qic:
            found["criteria"] = Tidy(("criterion", "value"), tuple(self.qic.items()))
        return found


def gee_fit(
    model: Regression, options: Options, solved: Mapping[str, Solved], known: Arrays
) -> GeeFit:
    """Return the fit of a solution; `solved` by structure, with independence for the QIC."""
    own = solved[options["correlation"]]
    unit, level = own.scale, options["conf_level"]
    estimate = np.where(own.aliased, np.nan, own.estimate + own.start) * unit
    moved, variance = uncentred(estimate, own.robust * unit**2, own.centre)
    phi = own.phi * unit**2
    patients = int(known["patients"][0])
    return GeeFit(
        family=model.family.name,
        correlation=options["correlation"],
        conf_level=level,
        rows=int(known["rows"][0]),
        patients=patients,
        left_out=left_out(known["left_out"]),
        terms=terms_of(model.names, moved, variance, level, None),
        variance=variance,
        naive_variance=uncentred(estimate, own.phi * own.bread * unit**2, own.centre)[1],
        phi=phi,
        parameters=_named(options, own.parameters),
        qic=_criteria(own, solved["independence"], patients) if options["qic"] else {},
        rounds=own.rounds,
    )


def _named(options: Options, parameters: Floats) -> tuple[tuple[str, float], ...]:
    if options["correlation"] != "unstructured":
        return tuple(("alpha", float(value)) for value in parameters)
    first, last = options["waves"]
    pairs = zip(*np.triu_indices(last - first + 1, 1), strict=True)
    return tuple(
        (f"{first + j}:{first + k}", float(value))
        for (j, k), value in zip(pairs, parameters, strict=True)
    )


def _criteria(own: Solved, plain: Solved, patients: int) -> dict[str, float]:
    """Return Pan's criteria, QICC after Hin and Wang 2009, with the patients as its clusters."""
    kept = ~own.aliased
    block = np.ix_(kept, kept)
    inverse = np.linalg.inv(plain.phi * plain.bread[block])
    trace = float(np.trace(inverse @ own.robust[block]))
    quasi = own.quasi * own.scale**2
    p = int(kept.sum())
    qic, count = -2 * quasi + 2 * trace, p + len(own.parameters)
    return {
        "QIC": qic,
        "QICu": -2 * quasi + 2 * p,
        "QICC": qic + 2 * count * (count + 1) / (patients - count - 1),
        "quasi_likelihood": quasi,
        "CIC": trace,
    }
