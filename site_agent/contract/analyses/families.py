"""The three families of regression models, each with its canonical link.

With linear predictor eta = offset + x beta and mean mu:

    gaussian   mu = eta              V(mu) = 1            l = -(y - mu)^2 / 2
    binomial   mu = 1/(1+exp(-eta))  V(mu) = mu (1 - mu)  l = y eta - log(1 + exp(eta))
    poisson    mu = exp(eta)         V(mu) = mu           l = y eta - mu - log y!

l is the log-likelihood of one row at dispersion 1, for the gaussian family without its constant.
The deviance of a row is 2 (l at mu = y less l). With a canonical link the score is the sum of x
(y - mu), and observed and expected information are both the sum of V x x' (McCullagh and Nelder
1989, 2.5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import expit, gammaln, xlogy

from site_agent.contract.frames import Booleans, Floats


@dataclass(frozen=True, slots=True)
class Family:
    """A family: arrays (n,) in, arrays (n,) out.

    allowed(y) says which outcomes the family can have, `outcomes` in words. link(mean) is the
    linear predictor of a mean. unit: whether the dispersion is 1, not estimated.
    """

    name: str
    outcomes: str
    unit: bool
    mean: Callable[[Floats], Floats]
    link: Callable[[float], float]
    variance: Callable[[Floats], Floats]
    loglik: Callable[[Floats, Floats], Floats]
    saturated: Callable[[Floats], Floats]
    allowed: Callable[[Floats], Booleans]


def _softplus(eta: Floats) -> Floats:
    """Return log(1 + exp(eta)) without overflow."""
    return np.asarray(np.logaddexp(0.0, eta))


GAUSSIAN: Final = Family(
    "gaussian",
    "a number",
    unit=False,
    mean=lambda eta: eta,
    link=lambda mean: mean,
    variance=np.ones_like,
    loglik=lambda y, eta: -((y - eta) ** 2) / 2,
    saturated=np.zeros_like,
    allowed=lambda y: np.isfinite(y),
)
BINOMIAL: Final = Family(
    "binomial",
    "0 or 1, or a condition",
    unit=True,
    mean=lambda eta: np.asarray(expit(eta)),
    link=lambda mean: float(np.log(mean) - np.log1p(-mean)),
    variance=lambda mu: mu * (1 - mu),
    loglik=lambda y, eta: y * eta - _softplus(eta),
    saturated=np.zeros_like,
    allowed=lambda y: (y == 0) | (y == 1),
)
POISSON: Final = Family(
    "poisson",
    "a whole number of at least 0",
    unit=True,
    mean=np.exp,
    link=lambda mean: float(np.log(mean)),
    variance=lambda mu: mu,
    loglik=lambda y, eta: y * eta - np.exp(eta) - gammaln(y + 1),
    saturated=lambda y: xlogy(y, y) - y - gammaln(y + 1),
    allowed=lambda y: (y >= 0) & (y == np.rint(y)),
)
FAMILIES: Final = {family.name: family for family in (GAUSSIAN, BINOMIAL, POISSON)}
