"""The kind `gee`: generalised estimating equations over patients' repeated measurements.

At beta and a working correlation C every hospital forms, over its patients, the sums of
clusters.py; one round is one iteration:

    beta' = beta + H^- g      C' from the moments of the residuals at beta (working_correlation.py)

Scale and correlation have the moment estimators of `geepack::geeglm`: phi is the mean squared
residual, with no degrees of freedom taken off. At the estimate g = 0 and C' = C, whatever way led
there; this one is extrapolated (mixing.py) so that few rounds do. A last round opens the
middle M of the sandwich:

    naive    phi H^-                robust    H^- M H^-           (Liang and Zeger 1986)

    QIC = -2 Q + 2 tr(H_0 V / phi_0)                              (Pan 2001)

with Q the quasi-likelihood of the estimate at dispersion 1, V the robust variance, and H_0, phi_0
those of the model with independence, which is fitted in the same rounds.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.gee_results import Solved, gee_fit
from site_agent.contract.analyses.gee_sums import EQUATIONS, SANDWICH, WAVES
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld, read_span
from site_agent.contract.analyses.mixing import Mixing
from site_agent.contract.analyses.newton import FARTHEST, PIVOT, inverse
from site_agent.contract.analyses.regression import (
    Regression,
    centre_and_covariance,
    frame_of_regression,
    limits_of_regression,
    packed,
    read_regression,
    refuse_constant,
    refuse_outcomes,
    regression_of,
    scalars_of_regression,
    scale_of,
    start_of,
)
from site_agent.contract.analyses.regression_sums import MOMENTS
from site_agent.contract.analyses.risk_sets import unpack
from site_agent.contract.analyses.working_correlation import (
    STRUCTURES,
    estimated,
    matrix,
    refuse_indefinite,
)
from site_agent.contract.errors import AnalysisError
from site_agent.contract.expressions import Number
from site_agent.contract.frames import Frame
from site_agent.contract.lockstep import lockstep
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure, Estimator

MOST_WAVES: Final = 40
MOST_ROUNDS: Final = 40
SMALL: Final = 1e-10  # of the last step, in standard errors, and of the correlation's


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    options = read_regression(fields, context)
    waves = read_span(fields, "waves", "wave", most=MOST_WAVES)
    node = fields.node_of("wave", required=True)
    wave = None
    if node is not None:
        wave = context.expression(
            fields, node, options["table"], accept=(Number,), expected="a whole number"
        )
    return {
        **options,
        "weights": None,
        "wave": wave or "",
        "waves": waves,
        "correlation": fields.choice("correlation", STRUCTURES, default="exchangeable"),
        "qic": fields.flag("qic"),
    }


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    opened = (MOMENTS, WAVES, EQUATIONS, SANDWICH)
    return tuple((one.disclosure, one.gives) for one in opened)


def _frame(options: Options) -> Frame:
    return frame_of_regression(options, options["wave"])


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(analysis.options),)


def _gee(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    options = analysis.options
    model = regression_of(study, options, _frame(options))
    structures = {options["correlation"], *(["independence"] if options["qic"] else [])}
    base = {
        "columns": len(model.terms),
        "family": model.family.name,
        "waves": options["waves"],
    }
    asks = (
        Ask(MOMENTS.name, model.frame, {n: base[n] for n in ("columns", "family")}, {}),
        Ask(WAVES.name, model.frame, {"waves": options["waves"]}, {}),
    )
    moments, waves = yield asks
    refuse_outcomes(model, moments.totals)
    _refuse_waves(options, waves.totals)
    solved = yield from lockstep(
        {name: _solve(model, base, name, moments.totals) for name in sorted(structures)}
    )
    for found in solved.values():
        if not isinstance(found, Solved):
            raise AnalysisError(found.because)
    return gee_fit(model, options, solved, moments.totals)


def _refuse_waves(options: Options, totals: Arrays) -> None:
    first, last = options["waves"]
    outside, twice = int(totals["outside"][0]), int(totals["twice"][0])
    if outside:
        raise AnalysisError(
            f"the wave of {outside} rows is no whole number from {first} to {last}; declare all "
            f"waves, or take a cohort of the rows within them"
        )
    if twice:
        raise AnalysisError(
            f"{twice} rows share patient and wave with another row; a wave is measured once"
        )


def _solve(
    model: Regression, base: dict[str, Any], structure: str, known: Arrays
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Solved]:
    """Return where equations and moments agree, for one structure of correlation."""
    p, waves = 1 + len(model.terms), base["waves"][1] - base["waves"][0] + 1
    centre, covariance = centre_and_covariance(known, len(model.terms))
    scale = scale_of(model, known)
    start = start_of(model, known, scale)
    public = {"centre": centre, "scale": np.array([scale]), "start": start}
    beta, parameters = np.zeros(p), np.zeros(_size(structure, waves))
    mixing, aliased, rounds = Mixing(), None, 0
    while rounds < MOST_ROUNDS:
        correlation = matrix(structure, parameters, waves)
        refuse_indefinite(correlation)
        floats = {"beta": beta, "correlation": packed(correlation), **public}
        (answer,) = yield (Ask(EQUATIONS.name, model.frame, base, floats),)
        rounds, totals = rounds + 1, answer.totals
        if rounds == 1:
            refuse_constant(model, known, totals["score"][0], totals["square"][0])
        slope = unpack(totals["slope"], p)
        if aliased is None:
            aliased = inverse(slope, PIVOT * np.diag(slope))[1]
        kept = np.outer(~aliased, ~aliased)
        bread, _ = inverse(np.where(kept, slope, 0.0), np.zeros(p))
        step = bread @ totals["score"]
        spread = np.where(aliased, 1.0, np.sqrt(np.diag(bread)))
        phi = float(totals["square"][0] / known["rows"][0])
        moved = estimated(structure, totals["products"] / phi, totals["pairs"], waves) - parameters
        if max(np.abs(step / spread).max(), np.abs(moved).max(initial=0.0)) <= SMALL:
            (last,) = yield (Ask(SANDWICH.name, model.frame, base, floats),)
            middle = unpack(last.totals["middle"], p)
            return Solved(
                beta + step, bread, bread @ middle @ bread, parameters + moved, phi, aliased,
                float(totals["quasi"][0]), rounds, centre, scale, start,
            )  # fmt: skip
        here = np.concatenate([beta, parameters])
        units = np.concatenate([spread, np.ones(len(parameters))])
        there = mixing.next(here, np.concatenate([step, moved]), units)
        beta, parameters = there[:p], there[p:]
        if np.sqrt(max(0.0, float(beta @ covariance @ beta))) > FARTHEST:
            raise AnalysisError(
                "the model does not converge: its estimates run away, as where a group has one "
                "outcome only; join groups or leave the covariate out"
            )
    raise AnalysisError(f"the model does not converge within {MOST_ROUNDS} iterations")


def _size(structure: str, waves: int) -> int:
    return {"independence": 0, "unstructured": waves * (waves - 1) // 2}.get(structure, 1)


GEE: Final = Kind(
    "gee",
    _read,
    _uses,
    _frames,
    _gee,
    (MOMENTS, WAVES, EQUATIONS, SANDWICH),
    scalars=scalars_of_regression,
    limits=limits_of_regression,
)
