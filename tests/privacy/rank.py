"""Attack: unblinding by rank. Do the totals of many models determine the values behind them?

Notation. Unknown are the covariates x (n, P); times and status are public (a curve opens
them). Each model opens, for its columns and at each of its coefficients beta, log-likelihood,
score and information over everybody; and sums, sums of products, and sums over deaths.
The system determines a value locally if the unit vector of it lies in the row space of the
Jacobian at the truth.

The rank is exact. The entries are rational in x, beta and r = exp(x beta), so they are evaluated
modulo the prime 2^31 - 1 at random places, with the r as numbers of their own: the rank found is
that of almost every cohort, however many digits the coordinator has (Sedoglavic 2002, "A
probabilistic algorithm to test local algebraic observability in polynomial time"). A rank that
is too small by chance has a probability of about 10^-6. Real data can only determine less.

Two questions are asked with it. `determined`: do many models determine the values? `unblinded`: a
fit and what follows from it (tests of proportional hazards) open several weighted sums over the
same death times; do they determine E or V of one death time, and so undo the sealing?

It is the most that any attack on totals can do, whatever its computing power, short of values
that are known to be whole or few (inversion.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.privacy.holding import Held
from tests.privacy.slow import weights_of

PRIME: Final = 2**31 - 1
Residues = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Model:
    """A model as its totals open: columns, how many points, who takes part, Breslow's ties.

    opened: whether the risk sets open too, as in class C.
    """

    columns: tuple[int, ...]
    points: int = 6
    rows: tuple[int, ...] | None = None
    opened: bool = False


def scalars(models: Sequence[Model]) -> int:
    """How many numbers about covariates the models open."""
    total = 0
    for model in models:
        p = len(model.columns)
        total += 2 * p + _triangle(p) + model.points * (1 + p + _triangle(p))
    return total


def _triangle(p: int) -> int:
    return p * (p + 1) // 2


def determined(
    models: Sequence[Model], time: Sequence[int], dies: Sequence[bool], columns: int, *, seed: int
) -> NDArray[np.bool_]:
    """Which values (n, P) the totals of the models determine."""
    draw = np.random.default_rng(seed)
    n = len(time)
    x = draw.integers(1, PRIME, (n, columns))
    when, death = np.array(time), np.array(dies, dtype=bool)
    rows = []
    for model in models:
        rows.append(_moments(x, model.columns, death))
        for number in range(model.points):
            beta = draw.integers(1, PRIME, len(model.columns)) * (number > 0)
            r = draw.integers(1, PRIME, n) if number else np.ones(n, dtype=np.int64)
            rows.append(_point(x, model, r, beta, when, death))
    return unit_vectors(np.concatenate(rows)).reshape(n, columns)


def _moments(x: Residues, columns: Sequence[int], death: NDArray[np.bool_]) -> Residues:
    """The rows of a model's sums, sums over deaths, and sums of products of its columns."""
    made = []
    for j in columns:
        for values in (np.ones(len(x), dtype=np.int64), death.astype(np.int64)):
            row = np.zeros(x.shape, dtype=np.int64)
            row[:, j] = values
            made.append(row)
    for at, i in enumerate(columns):
        for j in columns[at:]:
            row = np.zeros(x.shape, dtype=np.int64)
            row[:, i] += x[:, j]
            row[:, j] += x[:, i]
            made.append(row % PRIME)
    return np.stack(made).reshape(len(made), -1)


def _point(
    x: Residues, model: Model, r: Residues, beta: Residues, when: Any, death: Any
) -> Residues:
    """The rows of log-likelihood, score and information (or of all risk sets) at one point."""
    n, p = len(x), len(model.columns)
    own = x[:, model.columns]
    part = np.zeros(n, dtype=bool)
    part[list(range(n) if model.rows is None else model.rows)] = True
    one, two = np.triu_indices(p)
    # values (n, M) of r, r x, r x x' and their derivatives by x_j, (n, M, p)
    products = own[:, one] * own[:, two] % PRIME
    values = np.concatenate([np.ones((n, 1), dtype=np.int64), own, products], axis=1)
    slopes = values[:, :, None] * beta % PRIME
    for j in range(p):
        slopes[:, 1 + j, j] += 1
        slopes[:, 1 + p :, j] += (one == j) * own[:, two] + (two == j) * own[:, one]
    values, slopes = values * r[:, None] % PRIME, slopes % PRIME * r[:, None, None] % PRIME
    total = np.zeros((1 + p + len(one), n, p), dtype=np.int64)
    shown = []
    for k in np.flatnonzero(death & part):
        risk = part & (when >= when[k])
        sums = values[risk].sum(axis=0) % PRIME
        d = np.where(risk[:, None, None], slopes, 0).transpose(1, 0, 2)
        if model.opened:
            shown.append(d)
            continue
        inverse = pow(int(sums[0]), PRIME - 2, PRIME)
        mean = sums[1:] * inverse % PRIME
        d = d * inverse % PRIME
        d[1:] = (d[1:] - mean[:, None, None] * d[0]) % PRIME  # of S1/S0 and S2/S0
        total[0] -= d[0]
        total[0, k] += beta
        total[1 : 1 + p] -= d[1 : 1 + p]
        for j in range(p):
            total[1 + j, k, j] += 1
        product = mean[one][:, None, None] * d[1 + two] + mean[two][:, None, None] * d[1 + one]
        total[1 + p :] += d[1 + p :] - product % PRIME
        total %= PRIME
    told = np.concatenate(shown) if model.opened else total
    rows = np.zeros((len(told), n, x.shape[1]), dtype=np.int64)
    rows[:, :, list(model.columns)] = told % PRIME
    return rows.reshape(len(told), -1)


def reduced(matrix: Residues) -> Residues:
    """The reduced row echelon form modulo PRIME, rows of zeros left out."""
    rows, done = matrix % PRIME, 0
    for column in range(rows.shape[1]):
        below = np.flatnonzero(rows[done:, column])
        if not len(below):
            continue
        rows[[done, done + below[0]]] = rows[[done + below[0], done]]
        rows[done] = rows[done] * pow(int(rows[done, column]), PRIME - 2, PRIME) % PRIME
        others = np.flatnonzero(rows[:, column])
        others = others[others != done]
        rows[others] = (rows[others] - rows[others, column][:, None] * rows[done]) % PRIME
        done += 1
        if done == len(rows):
            break
    return rows[:done]


def unblinded(rounds: Sequence[Held], name: str) -> NDArray[np.bool_]:
    """Which pseudo-times' E (score) or V (information) the weighted sums of a fit determine.

    rounds: the last point of a fit and the ask behind it, at coefficients that are nearly equal.
    """
    rows = [row for held in rounds for row in getattr(weights_of(held.ask), name)]
    return unit_vectors(np.array([[w % PRIME for w in row] for row in rows], dtype=np.int64))


def unit_vectors(matrix: Residues) -> NDArray[np.bool_]:
    """Which unit vectors lie in the row space."""
    rows = reduced(matrix)
    single = rows[(rows != 0).sum(axis=1) == 1]
    found = np.zeros(matrix.shape[1], dtype=bool)
    found[(single != 0).argmax(axis=1) if len(single) else []] = True
    return found
