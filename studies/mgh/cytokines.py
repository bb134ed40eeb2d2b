"""Serum cytokines of nine invented patients: at infusion, before and after anakinra.

For each analyte the nine logarithms of after / before are made to have a given t statistic: with
standard normal draws e_i, half a unit less for those of peak ICANS 3 or 4 whose neurotoxicity fell
where the paper sees a trend,

    y_i = e_i - trend_i,    log ratio_i = s ((y_i - mean y) / sd y + t / sqrt(9)),

so that the ratio-paired t test gives t on 8 degrees of freedom but for rounding: 2.31 is p = 0.05,
3.36 is p = 0.01. Wehrli 2022 prints only which analytes fall or rise at p < 0.05.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Day of the sample after anakinra: 3, 7, 14, 21 or 28, which is 2 to 8 days after the last dose.
SAMPLED: Final = {2: 14, 4: 14, 6: 14, 7: 14, 8: 14, 9: 14, 10: 21, 12: 14, 13: 14}
EARLIER: Final = (6, 9, 13)  # sampled two days before the first dose; the others one
RESOLUTION: Final = 0.01  # pg/mL


@dataclass(frozen=True, slots=True)
class Analyte:
    """Median at infusion in pg/mL, fold of it before anakinra, t of the change, a trend or not."""

    name: str
    baseline: float
    fold: float
    t: float
    trend: bool = False


ANALYTES: Final = (
    Analyte("il_1a", 12.0, 2.5, -2.8, trend=True),
    Analyte("il_1b", 4.0, 2.0, -1.6, trend=True),
    Analyte("il_1ra", 900.0, 3.0, 1.2),
    Analyte("il_2", 9.0, 2.2, -1.1),
    Analyte("il_6", 15.0, 12.0, -3.7, trend=True),
    Analyte("il_6r", 21000.0, 0.8, 2.9),
    Analyte("il_7", 11.0, 1.8, -0.6),
    Analyte("il_10", 8.0, 3.5, -1.9),
    Analyte("il_15", 14.0, 3.0, -4.1),
    Analyte("il_18", 450.0, 2.4, 0.5),
    Analyte("ccl2", 380.0, 2.0, -1.4),
    Analyte("ccl3", 160.0, 2.2, -2.7),
    Analyte("ccl4", 240.0, 2.6, -3.0, trend=True),
    Analyte("cxcl10", 190.0, 4.0, -1.8, trend=True),
    Analyte("cd25", 1500.0, 3.2, -0.9),
    Analyte("gm_csf", 22.0, 1.5, -0.4),
    Analyte("tnf_a", 18.0, 1.7, -1.3),
)
SPREAD: Final = 0.9  # sd of the log ratio
TREND: Final = 0.5


def make_samples(patients: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Give a row for each sample: number, day, moment, and a column of pg/mL for each analyte.

    `patients` has the numbers of course.py as its index. Moments are baseline, before and after.
    """
    sampled = patients.loc[list(SAMPLED)]
    eased = ((sampled["peak_icans"] >= 3) & (sampled["improved"] == "yes")).tolist()
    levels = {analyte.name: _levels(analyte, eased, rng) for analyte in ANALYTES}
    days = {
        "baseline": [0] * len(sampled),
        "before": (sampled["anakinra_day"] - 1 - sampled.index.isin(EARLIER)).tolist(),
        "after": list(SAMPLED.values()),
    }
    parts = [
        pd.DataFrame(
            {"number": sampled.index, "day": days[moment], "moment": moment}
            | {name: level[moment] for name, level in levels.items()}
        )
        for moment in days
    ]
    return pd.concat(parts, ignore_index=True)


def _levels(
    analyte: Analyte, eased: Sequence[bool], rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Give the nine levels at infusion, before and after anakinra, rounded."""
    n = len(eased)
    baseline = analyte.baseline * np.exp(0.5 * rng.standard_normal(n))
    before = baseline * analyte.fold * np.exp(0.6 * rng.standard_normal(n))
    drawn = rng.standard_normal(n) - TREND * (np.array(eased) & analyte.trend)
    standard = (drawn - drawn.mean()) / drawn.std(ddof=1)
    after = before * np.exp(SPREAD * (standard + analyte.t / np.sqrt(n)))
    return {
        moment: np.maximum(np.round(level, 2), RESOLUTION)
        for moment, level in (("baseline", baseline), ("before", before), ("after", after))
    }
