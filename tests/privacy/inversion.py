"""Attack: inversion of a model's totals for a binary covariate, with the counts of a curve.

Notation. n_k at risk at the k-th of K death times (no ties), m_k carriers among them. At a
coefficient beta, with w = exp(beta):

    S0 = n + m (w - 1),  E = m w / S0,  U = (carriers that die) - sum of E,  I = sum of E (1 - E)

n_k are public, and how many carriers there are and how many of them die open as moments. So the
unknown is the path m_1 >= m_2 >= ... >= m_K, with steps of at most the number who leave. There
are few paths, and the totals fix one, or a handful. A patient is *pinned* if all paths that fit
agree that everybody who left between the same two deaths is a carrier, or nobody is.

Paths are enumerated as two halves that meet in the middle: score and information are sums over
deaths, so the second half must bring what the first one leaves. Then totals at further beta sift.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Paths = NDArray[np.int64]
EXACT: Final = 1e-9  # of totals that open as doubles
MOST: Final = 200_000  # half paths beyond which an enumeration is given up


@dataclass(frozen=True, slots=True)
class Public:
    """What a curve and the moments tell: at risk at each death (K,), carriers, carriers that die.

    leaving (K + 1,): how many leave before the first death, between deaths, and from the last on.
    """

    at_risk: NDArray[np.int64]
    leaving: NDArray[np.int64]
    carriers: int
    dying: int


@dataclass(frozen=True, slots=True)
class Totals:
    """Score and information at one beta."""

    beta: float
    score: float
    information: float


def terms(m: NDArray[np.int64], n: NDArray[np.int64], beta: float) -> tuple[Floats, Floats]:
    """E and E (1 - E) for m carriers among n at risk."""
    weight = np.exp(beta)
    mean = m * weight / (n + m * (weight - 1.0))
    return mean, mean * (1.0 - mean)


def totals(path: NDArray[np.int64], public: Public, beta: float) -> Totals:
    """The totals of a path."""
    mean, spread = terms(path, public.at_risk, beta)
    return Totals(beta, float(public.dying - mean.sum()), float(spread.sum()))


def paths(public: Public, seen: Sequence[Totals], *, exact: float = EXACT) -> Paths | None:
    """All paths (N, K) with the totals seen, each to within `exact`; None if too many to try."""
    ways = len(public.at_risk)
    middle = ways // 2
    first = _halves(public, 0, middle)
    if first is None:
        return None
    found = []
    for at in np.unique(first[:, -1]):
        second = _halves(public, middle, ways, start=int(at))
        if second is None:
            return None
        own = first[first[:, -1] == at][:, :-1]
        found.append(_joined(own, second, public, seen, exact))
    return np.concatenate(found) if found else np.zeros((0, ways), dtype=np.int64)


def _halves(public: Public, low: int, high: int, start: int | None = None) -> Paths | None:
    """Steps low ... high - 1 of all paths; the first half with the step behind it as a column."""
    n, gone = public.at_risk, public.leaving
    if start is None:
        fewest = max(0, public.carriers - int(gone[0]))
        values = np.arange(fewest, min(public.carriers, int(n[0])) + 1)[:, None]
        high += 1
    else:
        values = np.array([[start]])
    for k in range(low + 1, min(high, len(n))):
        last = values[:, -1]
        grown = []
        for step in range(int(gone[k]) + 1):
            now = last - step
            kept = (now >= 0) & (now <= n[k]) & (n[k - 1] - last >= n[k] - now)
            grown.append(np.column_stack([values[kept], now[kept]]))
        values = np.concatenate(grown)
        if len(values) > MOST:
            return None
    return values


def _joined(
    first: Paths, second: Paths, public: Public, seen: Sequence[Totals], exact: float
) -> Paths:
    """The paths of both halves whose totals are those seen."""
    n, start = public.at_risk, seen[0]
    split = first.shape[1]
    left = np.stack([t.sum(axis=1) for t in terms(first, n[:split], start.beta)], axis=1)
    right = np.stack([t.sum(axis=1) for t in terms(second, n[split:], start.beta)], axis=1)
    wanted = np.array([public.dying - start.score, start.information]) - left
    order = np.argsort(right[:, 0])
    low = np.searchsorted(right[order, 0], wanted[:, 0] - exact)
    high = np.searchsorted(right[order, 0], wanted[:, 0] + exact)
    pieces = [
        np.column_stack([np.repeat(first[[i]], len(chosen), axis=0), second[chosen]])
        for i in np.flatnonzero(high > low)
        for chosen in [_alike(right, order[low[i] : high[i]], wanted[i, 1], exact)]
        if len(chosen)
    ]
    if not pieces:
        return np.zeros((0, len(n)), dtype=np.int64)
    every = np.concatenate(pieces)
    for one in seen[1:]:
        mean, spread = terms(every, n, one.beta)
        fits = np.abs(public.dying - mean.sum(axis=1) - one.score) <= exact
        fits &= np.abs(spread.sum(axis=1) - one.information) <= exact
        every = every[fits]
    return every


def _alike(
    right: Floats, among: NDArray[np.int64], wanted: float, exact: float
) -> NDArray[np.int64]:
    return among[np.abs(right[among, 1] - wanted) <= exact]


def pinned(found: Paths, public: Public) -> int:
    """How many patients all paths agree on."""
    before = np.full((len(found), 1), public.carriers)
    after = np.zeros((len(found), 1), dtype=np.int64)
    gone = -np.diff(np.concatenate([before, found, after], axis=1), axis=1)
    nobody = (gone == 0).all(axis=0)
    everybody = (gone == public.leaving).all(axis=0)
    return int(public.leaving[nobody | everybody].sum())


@dataclass(frozen=True, slots=True)
class Patients:
    """Made-up patients: when each leaves (all different), who dies, who carries."""

    time: NDArray[np.int64]
    dies: NDArray[np.bool_]
    carries: NDArray[np.bool_]

    def public(self) -> Public:
        """What a curve and the moments tell of them."""
        deaths = np.sort(self.time[self.dies])
        at_risk = (self.time[None, :] >= deaths[:, None]).sum(axis=1)
        leaving = -np.diff(np.concatenate([[len(self.time)], at_risk, [0]]))
        return Public(at_risk, leaving, int(self.carries.sum()), int(self.carries[self.dies].sum()))

    def path(self) -> NDArray[np.int64]:
        """The true path."""
        deaths = np.sort(self.time[self.dies])
        return (self.carries[None, :] & (self.time[None, :] >= deaths[:, None])).sum(axis=1)


def made_up(seed: int, *, patients: int, carriers: int, deaths: int) -> Patients:
    """Patients whose carriers and deaths are drawn at random."""
    draw = np.random.default_rng([seed, patients, carriers, deaths])
    dies, carries = np.zeros(patients, dtype=bool), np.zeros(patients, dtype=bool)
    dies[draw.choice(patients, deaths, replace=False)] = True
    carries[draw.choice(patients, carriers, replace=False)] = True
    return Patients(draw.permutation(patients), dies, carries)


def points(someone: Patients, steps: int) -> list[Totals]:
    """The totals of a fit: at beta = 0 and at the points of Newton's method, up to a bound."""
    public, path, beta, seen = someone.public(), someone.path(), 0.0, []
    for _ in range(steps + 1):
        one = totals(path, public, beta)
        seen.append(one)
        if one.information <= 1e-6:
            break
        beta = float(np.clip(beta + one.score / one.information, -6, 6))
    return seen


@dataclass(frozen=True, slots=True)
class Measured:
    """Over many cohorts: how often the path is unique, and how many patients are pinned."""

    unique: float
    pinned: float
    tried: int


def measure(
    *,
    patients: int,
    carriers: int,
    deaths: int,
    steps: int,
    runs: int,
    exact: float = EXACT,
) -> Measured:
    """What totals at beta = 0 and after `steps` steps give away."""
    unique, held = [], []
    for seed in range(runs):
        someone = made_up(seed, patients=patients, carriers=carriers, deaths=deaths)
        found = paths(someone.public(), points(someone, steps), exact=exact)
        if found is not None:
            unique.append(len(found) == 1)
            held.append(pinned(found, someone.public()))
    if not unique:
        return Measured(float("nan"), float("nan"), 0)
    return Measured(float(np.mean(unique)), float(np.mean(held)), len(unique))
