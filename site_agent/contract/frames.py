"""Which rows an analysis runs over, and those rows as arrays.

A `Frame` is part of a question: names and expressions of the approved study, no data.
`Rows` is what a hospital makes of it from its own tables; it never leaves the hospital.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]

NO_ENTRY: Final = -1  # before every time: at risk from the start, a time of 0 included


@dataclass(frozen=True, slots=True)
class Frame:
    """An endpoint, a cohort, and the expressions that an analysis takes from each row.

    Rows with a missing value in any of them are left out: complete cases of this frame.
    Expressions are in canonical form. Without an endpoint the rows are a whole table.
    """

    table: str
    endpoint: str | None = None
    cohort: str | None = None
    by: str | None = None
    strata: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "table": self.table,
            "endpoint": self.endpoint,
            "cohort": self.cohort,
            "by": self.by,
            "strata": list(self.strata),
            "covariates": list(self.covariates),
            "complete": list(self.complete),
        }


@dataclass(frozen=True, slots=True)
class Rows:
    """The n rows of a frame at one hospital.

    entry, time: ticks of the study's time scale; at risk at t if entry < t <= time.
    cause: 0 censored, 1 the event, 2 and up the competing causes in the study's order.
    group, stratum: level codes from 0. design: (n, p), the covariates as columns.
    patients: distinct patients among the rows. left_out: rows by reason.
    """

    entry: Integers
    time: Integers
    cause: Integers
    group: Integers
    stratum: Integers
    design: Floats
    patients: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.time)

    def subset(self, chosen: NDArray[np.bool_] | Integers) -> Rows:
        """Return some of the rows; the count of patients is not carried over."""
        return Rows(
            self.entry[chosen],
            self.time[chosen],
            self.cause[chosen],
            self.group[chosen],
            self.stratum[chosen],
            self.design[chosen],
            patients=0,
        )
