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

from site_agent.contract.canonical import digest

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]

NO_ENTRY: Final = -1  # before every time: at risk from the start, a time of 0 included


@dataclass(frozen=True, slots=True)
class Weighting:
    """How rows are weighted by a propensity score: what it is of, on what, and the variant.

    treatment, covariates: expressions in canonical form. truncate: the smallest and the largest
    weight, or nothing.
    """

    treatment: str
    covariates: tuple[str, ...]
    variant: str
    truncate: tuple[float, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """Return every expression without which a row has no weight."""
        return (self.treatment, *self.covariates)

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "covariates": list(self.covariates),
            "treatment": self.treatment,
            "truncate": list(self.truncate),
            "variant": self.variant,
        }


@dataclass(frozen=True, slots=True)
class Frame:
    """An endpoint, a cohort, and the expressions that an analysis takes from each row.

    Rows with a missing value in any of them are left out: complete cases of this frame.
    Expressions are in canonical form. Without an endpoint the rows are a whole table.
    grid: ascending ticks to which times are moved, none for all of them. weights: the number that
    each row counts as. offset: a known part of its linear predictor. cluster: what rows that hang
    together have in common. numbers: what each row has besides covariates, such as the outcome of a
    regression. weighting: rows are weighted by a propensity score, whose coefficients come with the
    question (propensity.py). compared: other frames over the same table, of which each row says
    whether it belongs to them.
    """

    table: str
    endpoint: str | None = None
    cohort: str | None = None
    by: str | None = None
    strata: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    complete: tuple[str, ...] = ()
    grid: tuple[int, ...] = ()
    weights: str | None = None
    compared: tuple[Frame, ...] = ()
    offset: str | None = None
    cluster: str | None = None
    numbers: tuple[str, ...] = ()
    weighting: Weighting | None = None

    @property
    def weighted(self) -> bool:
        """Return whether rows count otherwise than as one each."""
        return self.weights is not None or self.weighting is not None

    @property
    def needed(self) -> tuple[str, ...]:
        """Return every expression without which a row is left out."""
        alone = (self.by, self.weights, self.offset, self.cluster)
        first = [name for name in alone if name is not None]
        scored = self.weighting.needed if self.weighting is not None else ()
        lists = (*self.strata, *self.covariates, *self.numbers, *scored, *self.complete)
        return tuple(dict.fromkeys((*first, *lists)))

    def digest(self) -> str:
        """Return the hash of the canonical form."""
        return digest(self.document())

    def document(self) -> dict[str, Any]:
        """Return the canonical form; what came later is in it only where it is used."""
        later: dict[str, Any] = {"offset": self.offset, "cluster": self.cluster}
        later["numbers"] = list(self.numbers) or None
        later["weighting"] = None if self.weighting is None else self.weighting.document()
        return {
            "table": self.table,
            "endpoint": self.endpoint,
            "cohort": self.cohort,
            "by": self.by,
            "strata": list(self.strata),
            "covariates": list(self.covariates),
            "complete": list(self.complete),
            "grid": list(self.grid),
            "weights": self.weights,
            "compared": [frame.document() for frame in self.compared],
            **{name: text for name, text in later.items() if text is not None},
        }


def _none_compared() -> Booleans:
    return np.zeros((0, 0), dtype=bool)


def _no_numbers() -> Floats:
    return np.zeros((0, 0))


@dataclass(frozen=True, slots=True)
class Scored:
    """What a propensity score is made from: treated (n,) of 0 and 1, design (n, q)."""

    treated: Floats
    design: Floats

    def subset(self, chosen: Booleans | Integers) -> Scored:
        """Return that of some of the rows."""
        return Scored(self.treated[chosen], self.design[chosen])


@dataclass(frozen=True, slots=True)
class Rows:
    """The n rows of a frame at one hospital.

    entry, time: ticks of the study's time scale; at risk at t if entry < t <= time.
    cause: 0 censored, 1 the event, 2 and up the competing causes in the study's order.
    group, stratum: level codes from 0. design: (n, p), the covariates as columns.
    patient: whose each row is, a number within the hospital; patients: how many distinct ones.
    left_out: rows by reason. member: (n, m), which of the m compared frames each row belongs to.
    changed: by earlier release, how many patients contribute otherwise than to it; a release
    that is not named is one of which the hospital knows nothing. weight: (n,), what each row counts
    as; None where each counts as one. offset: (n,), added to the linear predictor, or None.
    cluster: (n,), equal in rows that hang together, or None. derived: what was worked out from
    these rows and serves again in the next round, by name; rows made from others have none.
    numbers: (n, k), what else each row has, as in the frame. scored: where the frame has a
    weighting, what its score is made from.
    """

    entry: Integers
    time: Integers
    cause: Integers
    group: Integers
    stratum: Integers
    design: Floats
    patient: Integers
    patients: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    member: Booleans = field(default_factory=_none_compared)
    changed: Mapping[str, int] = field(default_factory=dict)
    weight: Floats | None = None
    derived: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    offset: Floats | None = None
    cluster: Floats | None = None
    numbers: Floats = field(default_factory=_no_numbers)
    scored: Scored | None = None

    def __len__(self) -> int:
        return len(self.time)

    def subset(self, chosen: Booleans | Integers) -> Rows:
        """Return some of the rows; counts by reason or release are not carried over."""
        return Rows(
            self.entry[chosen],
            self.time[chosen],
            self.cause[chosen],
            self.group[chosen],
            self.stratum[chosen],
            self.design[chosen],
            self.patient[chosen],
            patients=len(np.unique(self.patient[chosen])),
            weight=None if self.weight is None else self.weight[chosen],
            offset=None if self.offset is None else self.offset[chosen],
            cluster=None if self.cluster is None else self.cluster[chosen],
            numbers=self.numbers[chosen] if self.numbers.size else self.numbers,
            scored=None if self.scored is None else self.scored.subset(chosen),
        )
