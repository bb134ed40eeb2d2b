"""Sums of generalised estimating equations over a hospital's patients (Liang and Zeger 1986).

Patient i has rows j at waves w_ij of a declared list of W, with means mu_ij, V_ij = V(mu_ij) and
Pearson residuals r_ij = (y_ij - mu_ij) / sqrt(V_ij). With a canonical link the derivative of the
mean is V x', so that with d_ij = sqrt(V_ij) x_ij and the working correlation C_i, the rows and
columns of C at the patient's waves,

    g = sum of d_i' C_i^- r_i              the estimating equations, 0 at the estimate
    H = sum of d_i' C_i^- d_i              their expected slope
    M = sum of u_i u_i',  u_i = d_i' C_i^- r_i        the middle of the sandwich

and for the next scale and correlation

    q      = sum of r_ij^2
    p_jk   = sum of r_ij r_ik over the patients who have waves j < k, and n_jk their number

Every sum runs over all patients: class A. The scale cancels in g = 0 and in H^- M H^-.
Patients who have the same waves share one C_i^-; they are taken together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from site_agent.contract.frames import Floats, Integers


@dataclass(frozen=True, slots=True)
class Panel:
    """The rows of a hospital by patient: arrays over n rows, at most one a patient and wave.

    design (n, p) times sqrt(V), residual (n,) Pearson's, patient and wave (n,) numbers from 0.
    """

    design: Floats
    residual: Floats
    patient: Integers
    wave: Integers

    def patterns(self) -> Iterator[tuple[Integers, Integers]]:
        """Yield (waves (m,), rows (k, m)) of the k patients who have just these m waves."""
        order = np.lexsort((self.wave, self.patient))
        patient, wave = self.patient[order], self.wave[order]
        starts = np.flatnonzero(np.r_[True, patient[1:] != patient[:-1]][: len(patient)])
        sizes = np.diff(np.r_[starts, len(patient)])
        held: dict[bytes, list[Integers]] = {}
        for start, size in zip(starts, sizes, strict=True):
            block = slice(start, start + size)
            held.setdefault(wave[block].tobytes(), []).append(order[block])
        for rows in held.values():
            together = np.stack(rows)
            yield self.wave[together[0]], together


def equations(panel: Panel, correlation: Floats) -> tuple[Floats, Floats, Floats]:
    """Return g (p,), H (p, p) and M (p, p) under a working correlation (W, W)."""
    p = panel.design.shape[1]
    score, slope, middle = np.zeros(p), np.zeros((p, p)), np.zeros((p, p))
    for waves, rows in panel.patterns():
        inverse = np.linalg.inv(correlation[np.ix_(waves, waves)])
        design, residual = panel.design[rows], panel.residual[rows]
        weighted = np.einsum("ab,kbp->kap", inverse, design)
        each = np.einsum("kap,ka->kp", weighted, residual)
        score += each.sum(axis=0)
        slope += np.einsum("kap,kaq->pq", weighted, design)
        middle += each.T @ each
    return score, slope, middle


def products(panel: Panel, waves: int) -> tuple[Floats, Floats, Floats]:
    """Return q (1,), and p_jk and n_jk over the pairs j < k of all waves, row by row."""
    count = int(panel.patient.max(initial=-1)) + 1
    residual, there = np.zeros((count, waves)), np.zeros((count, waves))
    residual[panel.patient, panel.wave] = panel.residual
    there[panel.patient, panel.wave] = 1.0
    pairs = np.triu_indices(waves, 1)
    square = np.array([panel.residual @ panel.residual])
    return square, (residual.T @ residual)[pairs], (there.T @ there)[pairs]
