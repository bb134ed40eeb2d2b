"""The first round of every release: how many patients in how many hospitals take part.

Counts only, never reduced. Every site adds up the signed shares itself before it answers
anything further, compares the totals with the study's `compute` limits, and checks that what is
left without its own patients is enough to hide among.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.securesum.fixedpoint import COUNT
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays, Ask, Estimator, Lane, Sum


def _lanes(_: Ask) -> tuple[Lane, ...]:
    return (Lane("patients", (1,), COUNT), Lane("sites", (1,), COUNT))


def _compute(rows: Rows, _: Ask) -> Arrays:
    return {
        "patients": np.array([float(rows.patients)]),
        "sites": np.array([float(rows.patients > 0)]),
    }


ENROLLED: Final = Sum(
    name="enrolled",
    disclosure="A",
    gives="how many patients, in how many hospitals that have any",
    lanes=_lanes,
    compute=_compute,
)


def enrolled_ask(study: Study) -> Ask:
    """Return the question of the guard's round: the patients of the study's first table."""
    return Ask(ENROLLED.name, Frame(table=next(iter(study.tables))), {}, {})


def guard(study: Study, _earlier: tuple[str, ...] = ()) -> Estimator:
    """Ask for the counts and refuse the release if they are below the study's limits."""
    (answer,) = yield (enrolled_ask(study),)
    patients, sites = (int(answer.totals[name][0]) for name in ("patients", "sites"))
    policy = study.policy
    if patients < policy.patients or sites < policy.sites:
        raise Refused(
            "too_few",
            f"{patients} patients in {sites} hospitals take part; the study computes nothing "
            f"below {policy.patients} patients in {policy.sites} hospitals. Wait for more "
            f"patients, or have the stewards approve other limits (disclosure.compute)",
        )
    return {"patients": patients, "sites": sites}


def refuse_exposed(study: Study, totals: Arrays, own: Arrays) -> None:
    """Refuse if, without this site's patients, too few others are left to hide them among."""
    others = int(totals["patients"][0] - own["patients"][0])
    if own["patients"][0] and others < study.policy.others:
        raise Refused(
            "exposed",
            f"{others} patients of other hospitals take part; this hospital's are hidden only "
            f"among {study.policy.others} others or more (disclosure.compute.others)",
        )
