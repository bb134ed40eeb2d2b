"""What models over the same deaths may open together behind their fits.

Weighted sums over the same K death times are linear equations in what is sought at each of them:
with z scales of time a model opens 1 + 2 z sums of V. As many sums as death times undo the sealing,
and two baseline hazards with steps at different times leave the difference of the two. So scales
and times of all Cox models of an endpoint count together, and

- tests of proportional hazards need five death times for each sum, 5 (1 + 2 z) in all;
- the steps of baseline hazards are those of all times together, five deaths or none in each.

A fit itself ends where the numbers that it has opened reach the values that they are made of,
patients times columns, and not before the points that the guard's budget counts: a center that
lies about score and information cannot draw out a fit to learn more.

An analysis that the stewards accept by name is held to none of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from site_agent.contract.analyses.cox_thirds import cubes
from site_agent.contract.analyses.risk_sets import triangle
from site_agent.contract.study.model import Analysis, Study

TIMES_PER_SUM: Final = 5
COUNTED_POINTS: Final = 6  # beta = 0 and five steps of Newton's method
FIRTH_POINTS: Final = 8  # beta = 0 and seven steps of a penalised fit
MOST_POINTS: Final = 100


@dataclass(frozen=True, slots=True)
class Together:
    """The scales and times of all Cox models of an endpoint; `guarded` unless accepted by name."""

    guarded: bool
    scales: int
    times: tuple[float, ...]

    def refuse_scales(self, death_times: int) -> str:
        """Return why tests of proportional hazards are withheld, or nothing."""
        needed = TIMES_PER_SUM * (1 + 2 * self.scales)
        if not self.guarded or death_times >= needed:
            return ""
        models = "the models of this endpoint take"
        return (
            f"withheld: {models} {self.scales} scale{'s' * (self.scales != 1)} of time, which need "
            f"{needed} different times of death. Take fewer scales (zph), or have the stewards "
            f"accept the analysis by name"
        )

    def most_points(self, patients: int, columns: int, *, firth: bool = False) -> int:
        """Return how often the likelihood of a model, or Firth's, may be evaluated."""
        if not self.guarded:
            return MOST_POINTS
        before = 2 * columns + triangle(columns)
        each = 1 + columns + triangle(columns) + firth * cubes(columns)
        counted = FIRTH_POINTS if firth else COUNTED_POINTS
        return max(counted, (patients * columns - before) // each)


def together(study: Study, analysis: Analysis) -> Together:
    """Return what the Cox models of the analysis's endpoint ask for behind their fits."""
    accepted = any(item.analysis == analysis.name for item in study.policy.accepted)
    alike = [
        other.options
        for other in study.analyses.values()
        if "zph" in other.options and other.options["endpoint"] == analysis.options["endpoint"]
    ]
    return Together(
        guarded=not (accepted or study.policy.development),
        scales=len({scale for options in alike for scale in options["zph"]}),
        times=tuple(sorted({time for options in alike for time in options["baseline_at"]})),
    )
