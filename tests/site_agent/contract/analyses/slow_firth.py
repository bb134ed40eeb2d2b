"""Firth's penalised Cox likelihood, written out death by death, for tests.

The gradient of the penalty is by complex steps: exact to rounding, and by no formula of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.optimize import brentq, root
from scipy.stats import chi2

from site_agent.contract.frames import Floats, Rows

STEP = 1e-30


@dataclass(frozen=True)
class SlowFirth:
    """The likelihood of rows; penalised with `firth`."""

    rows: Rows
    efron: bool = True
    firth: bool = True
    known: dict[str, Floats] = field(default_factory=dict)

    def parts(self, beta: Any) -> tuple[Any, Any]:
        """Log-likelihood and information at beta, which may be complex."""
        rows, loglik, information = self.rows, 0.0, 0.0
        eta = rows.design @ beta
        for stratum in np.unique(rows.stratum):
            inside = rows.stratum == stratum
            for time in np.unique(rows.time[(rows.cause == 1) & inside]):
                at_risk = inside & (rows.entry < time) & (time <= rows.time)
                dying = at_risk & (rows.time == time) & (rows.cause == 1)
                loglik = loglik + eta[dying].sum()
                for j in range(int(dying.sum())):
                    share = j / dying.sum() if self.efron else 0.0
                    r = np.exp(eta) * (at_risk - share * dying)
                    mean = r @ rows.design / r.sum()
                    apart = rows.design - mean
                    loglik = loglik - np.log(r.sum())
                    information = information + (apart.T * r) @ apart / r.sum()
        return loglik, information

    def value(self, beta: Any) -> Any:
        """The objective at beta."""
        loglik, information = self.parts(beta)
        return loglik + (np.log(np.linalg.det(information)) / 2 if self.firth else 0.0)

    def gradient(self, beta: Floats) -> Floats:
        """Its gradient."""
        steps = STEP * 1j * np.eye(len(beta))
        return np.array([self.value(beta + step).imag for step in steps]) / STEP

    def maximum(self, held: dict[int, float] | None = None) -> Floats:
        """Where the objective is highest, some coefficients being held."""
        if held is None and "top" in self.known:
            return self.known["top"]
        found = self._search(held or {})
        if held is None:
            self.known["top"] = found
        return found

    def _search(self, held: dict[int, float]) -> Floats:
        p = self.rows.design.shape[1]
        free = [k for k in range(p) if k not in held]
        beta = np.array([held.get(k, 0.0) for k in range(p)])
        if not free:
            return beta

        def score(chosen: Floats) -> Floats:
            beta[free] = chosen
            return self.gradient(beta)[free]

        start = self.known["top"][free] if "top" in self.known else np.zeros(len(free))
        for method in ("lm", "hybr"):
            start = root(score, start, method=method, tol=1e-14).x
        beta[free] = start
        return beta

    def profile(self, j: int) -> Callable[[float], float]:
        """How far the objective has fallen from its maximum where coefficient j has a value."""
        top = self.value(self.maximum())
        return lambda at: float(top - self.value(self.maximum({j: at})))

    def limits(self, j: int, level: float = 0.95) -> list[float]:
        """Profile limits of coefficient j."""
        fallen, fall = self.profile(j), chi2.ppf(level, 1) / 2
        middle, far = float(self.maximum()[j]), 2 * float(np.sqrt(self.variance()[j, j]))
        found = []
        for side in (-1, 1):
            end = middle + side * far
            while fallen(end) < fall:
                end += side * far
            found.append(brentq(lambda at: fallen(at) - fall, middle, end, xtol=1e-11))
        return found

    def variance(self) -> Floats:
        """The inverse information at the maximum."""
        return np.asarray(np.linalg.inv(self.parts(self.maximum())[1]))
