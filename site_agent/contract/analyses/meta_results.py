"""What a meta-analysis reports: fixed and random effects of each coefficient, heterogeneity."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from site_agent.contract.analyses.coefficients import TERM_COLUMNS, Term
from site_agent.contract.analyses.results import Tidy, number, numbers

HETEROGENEITY_COLUMNS = (
    *("term", "sites", "q", "df", "p_value", "i2", "h", "tau2"),
    *("predict_low", "predict_high"),
)
PREDICTED = 3  # hospitals at least, for an interval of t with k - 2 degrees of freedom


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """How much hospitals differ: Cochran's Q, I2, H and tau2 of DerSimonian and Laird."""

    sites: int
    q: float
    df: int
    p_value: float
    i2: float
    h: float
    tau2: float


@dataclass(frozen=True, slots=True)
class Pooled:
    """One coefficient: its effects, or why there is none."""

    term: str
    fixed: Term | None = None
    random: Term | None = None
    heterogeneity: Heterogeneity | None = None
    predict: tuple[float, float] = (math.nan, math.nan)
    withheld: str = ""
    random_withheld: str = ""

    def named(self, term: str) -> Pooled:
        """Return this with the name of its coefficient."""
        return replace(self, term=term)

    def with_random(self, random: Term) -> Pooled:
        """Return this with random effects."""
        return replace(self, random=random)

    def without_random(self, because: str) -> Pooled:
        """Return this with the reason why there are no random effects."""
        return replace(self, random_withheld=because)

    def predicted(self, level: float, quantile: Callable[[float, int], float]) -> Pooled:
        """Return this with the interval in which a further hospital's coefficient lies."""
        spread = self.heterogeneity
        if self.random is None or spread is None or spread.sites < PREDICTED:
            return self
        width = math.sqrt(spread.tau2 + self.random.std_error**2)
        width *= quantile(level, spread.sites - 2)
        middle = self.random.estimate
        return replace(self, predict=(middle - width, middle + width))

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        if self.fixed is None or self.heterogeneity is None:
            return {"term": self.term, "withheld": self.withheld}
        found: dict[str, Any] = {
            "term": self.term,
            "fixed": _effect(self.fixed),
            "heterogeneity": {
                name: value if isinstance(value, int) else number(value)
                for name, value in asdict(self.heterogeneity).items()
            },
        }
        if self.random is not None:
            found |= {"random": _effect(self.random), "predict": numbers(self.predict)}
        if self.random_withheld:
            found["random_withheld"] = self.random_withheld
        return found


def _effect(term: Term) -> dict[str, float | None]:
    row = term.document("hazard_ratio")
    return {name: value for name, value in row.items() if name != "term"}


@dataclass(frozen=True, slots=True)
class MetaAnalysis:
    """All coefficients, with the rows of all hospitals, contributing or not."""

    ties: str
    strata: tuple[str, ...]
    least_events: int
    conf_level: float
    rows: int
    patients: int
    events: int
    left_out: Mapping[str, int]
    terms: tuple[Pooled, ...]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "ties": self.ties,
            "strata": list(self.strata),
            "least_events": self.least_events,
            "conf_level": self.conf_level,
            "rows": self.rows,
            "patients": self.patients,
            "events": self.events,
            "left_out": dict(self.left_out),
            "terms": [term.document() for term in self.terms],
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `effects` and `heterogeneity`; `withheld` where something is."""
        effects = [
            (one.term, model, *effect.cells()[1:])
            for one in self.terms
            for model, effect in (("fixed", one.fixed), ("random", one.random))
            if effect is not None
        ]
        spread = [
            (one.term, *_cells(one.heterogeneity), *numbers(one.predict))
            for one in self.terms
            if one.heterogeneity is not None
        ]
        found = {
            "effects": Tidy(("term", "model", *TERM_COLUMNS[1:]), tuple(effects)),
            "heterogeneity": Tidy(HETEROGENEITY_COLUMNS, tuple(spread)),
        }
        withheld = [(o.term, o.withheld or o.random_withheld) for o in self.terms]
        withheld = [row for row in withheld if row[1]]
        if withheld:
            found["withheld"] = Tidy(("term", "because"), tuple(withheld))
        return found


def _cells(spread: Heterogeneity) -> tuple[float | int | None, ...]:
    values = asdict(spread).values()
    return tuple(value if isinstance(value, int) else number(value) for value in values)
