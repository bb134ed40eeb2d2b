"""Made-up patients whose covariates an attack may try to find out.

Every covariate is planted: no two patients share a value of a continuous one, so that a value
which an attack gives back names its patient.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PATIENTS: Final = 43
SITES: Final = 9
HORIZON: Final = 365
BINARY: Final = "severe"

STUDY: Final = """\
quorum: 1
study: attacked
title: Made-up patients under attack
synthetic: true
time: {{unit: day, resolution: 1, horizon: 365}}
tables:
  patients:
    key: patient
    columns:
      days:     {{type: day, range: [0, 365]}}
      status:   {{type: category, codes: {{0: censored, 1: dead}}}}
      age:      {{type: number}}
      ferritin: {{type: number}}
      severe:   {{type: boolean}}
endpoints:
  survival:
    time: days
    event: {{death: status == "dead"}}
analyses:
  curve: {{kind: survival, endpoint: survival}}
{models}
disclosure:
  classes: [A, B, C]
  compute: {{sites: 3, patients: 10, others: 10}}
"""


@dataclass(frozen=True, slots=True)
class Cohort:
    """Patients in the order of `rows`, and the hospital of each."""

    rows: pd.DataFrame
    site: NDArray[np.int64]

    def at_sites(self) -> dict[str, dict[str, pd.DataFrame]]:
        """The rows of each hospital, by site and table."""
        return {
            f"site{number}": {"patients": self.rows[self.site == number]}
            for number in range(int(self.site.max()) + 1)
        }

    def values(self, columns: Sequence[str]) -> Floats:
        """The true covariates, (n, p)."""
        return self.rows[list(columns)].to_numpy(dtype=np.float64)


def cohort(seed: int, *, patients: int = PATIENTS, dying: float = 0.5) -> Cohort:
    """Patients with two continuous covariates and a binary one, on which survival depends."""
    draw = np.random.default_rng([seed, patients])
    age = draw.normal(60, 11, patients)
    ferritin = draw.normal(3, 0.6, patients)
    severe = draw.uniform(size=patients) < 0.4
    hazard = np.exp(0.03 * (age - 60) + 0.4 * (ferritin - 3) + 0.5 * severe)
    death = draw.exponential(220 / hazard)
    last = draw.uniform(10, 360, patients) if dying < 1 else np.full(patients, 1e9)
    dies = death * (0.5 / max(dying, 1e-9)) <= last
    days = np.where(dies, death * (0.5 / max(dying, 1e-9)), last)
    rows = pd.DataFrame(
        {
            "patient": [f"p{number}" for number in range(patients)],
            "days": np.clip(np.rint(days), 1, HORIZON).astype(int),
            "status": dies.astype(int),
            "age": age,
            "ferritin": ferritin,
            "severe": severe,
        }
    )
    return Cohort(
        rows, np.concatenate([np.arange(SITES), draw.integers(0, SITES, patients - SITES)])
    )


def study(models: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of a study with a curve and these Cox models: covariates and options of each."""
    lines = []
    for name, options in models.items():
        told = ", ".join(f"{key}: {_written(value)}" for key, value in options.items())
        lines.append(f"  {name}: {{kind: cox, endpoint: survival, {told}}}")
    return STUDY.format(models="\n".join(lines))


def _written(value: Any) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list | tuple) else str(value)
