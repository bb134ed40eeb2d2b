"""What a weighting reports: the score's model, the weights of each arm, and the balance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.glm_results import GlmFit
from site_agent.contract.analyses.kind import Options
from site_agent.contract.analyses.results import Tidy, number
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Answer, Arrays

ARM_COLUMNS: Final = (
    *("arm", "rows", "truncated", "weight", "weight_square", "ess", "score_mean", "score_sd"),
)
BALANCE_COLUMNS: Final = (
    *("term", "mean_treated", "mean_untreated", "smd"),
    *("weighted_mean_treated", "weighted_mean_untreated", "weighted_smd"),
)


@dataclass(frozen=True, slots=True)
class Arm:
    """The weights and scores of one arm; weight, weight_square are sums, ess the effective size."""

    arm: str
    rows: int
    truncated: int
    weight: float
    weight_square: float
    ess: float
    score_mean: float
    score_sd: float


@dataclass(frozen=True, slots=True)
class Balance:
    """One design column: means of both arms and their standardized difference, before and after."""

    term: str
    mean_treated: float
    mean_untreated: float
    smd: float
    weighted_mean_treated: float
    weighted_mean_untreated: float
    weighted_smd: float


@dataclass(frozen=True, slots=True)
class WeightingFit:
    """A weighting: the fit of its score, arms (untreated, treated), and balance by column."""

    fit: GlmFit
    variant: str
    truncate: tuple[float, ...]
    arms: tuple[Arm, Arm]
    balance: tuple[Balance, ...]

    @property
    def ess(self) -> float:
        """Return the effective sample size of both arms together."""
        weight, square = (
            sum(getattr(a, n) for a in self.arms) for n in ("weight", "weight_square")
        )
        return float(weight**2 / square)

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON: the score's regression, and what its weights do."""
        return {
            **self.fit.document(),
            "variant": self.variant,
            "truncate": list(self.truncate),
            "ess": self.ess,
            "arms": [_plain(arm) for arm in self.arms],
            "balance": [_plain(row) for row in self.balance],
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `terms`, `tests` and `summary` of the score, `arms` and `balance`."""
        return {
            **self.fit.tables(),
            "arms": Tidy(ARM_COLUMNS, tuple(tuple(_plain(arm).values()) for arm in self.arms)),
            "balance": Tidy(
                BALANCE_COLUMNS, tuple(tuple(_plain(row).values()) for row in self.balance)
            ),
        }


def _plain(part: Arm | Balance) -> dict[str, Any]:
    """Return a part as JSON; None for what is not finite."""
    return {n: number(v) if isinstance(v, float) else v for n, v in asdict(part).items()}


def weighting_fit(
    fit: GlmFit, options: Options, levels: tuple[str, str], answer: Answer
) -> WeightingFit:
    """Return the result from the totals of weighting_balance; levels: names of the arms."""
    totals = answer.totals
    first, second = (_arm(level, totals, place) for place, level in enumerate(levels))
    rows, centre = totals["rows"][:, None], answer.floats["centre"]
    means = totals["sum"] / rows
    with np.errstate(divide="ignore", invalid="ignore"):
        variances = (totals["product"] - rows * means**2) / (rows - 1)
    spread = np.sqrt(np.maximum(variances, 0.0).mean(axis=0))
    after = totals["weighted"] / totals["weight"][:, None]
    parts = [_columns(means, centre, spread), _columns(after, centre, spread)]
    return WeightingFit(
        fit,
        options["variant"],
        tuple(options["truncate"]),
        (first, second),
        tuple(
            Balance(term.term, *before, *weighted)
            for term, before, weighted in zip(fit.terms[1:], *parts, strict=True)
        ),
    )


def _columns(means: Floats, centre: Floats, spread: Floats) -> list[tuple[float, float, float]]:
    """Return (mean of the treated, of the others, difference) by column; means (2, p) centred."""
    untreated, treated = means
    return [
        (float(one + c), float(other + c), standardized(float(one - other), float(s)))
        for one, other, c, s in zip(treated, untreated, centre, spread, strict=True)
    ]


def standardized(difference: float, spread: float) -> float:
    """Return a difference in units of a spread; 0 for none, infinite where nothing varies."""
    if difference == 0:
        return 0.0
    return difference / spread if spread > 0 else math.copysign(math.inf, difference)


def _arm(level: str, totals: Arrays, place: int) -> Arm:
    def of(name: str) -> float:
        return float(totals[name][place])

    rows, mean = int(of("rows")), of("score") / of("rows")
    spread = max(of("score_square") - rows * mean**2, 0.0)
    return Arm(
        level,
        rows,
        int(of("truncated")),
        of("weight"),
        of("square"),
        of("weight") ** 2 / of("square"),
        mean,
        math.sqrt(spread / (rows - 1)) if rows > 1 else math.nan,
    )
