"""All that a coordinator ever sees in the clear of a release: totals over all hospitals.

The release runs in process, without masks and messages: every hospital's share goes through the
lanes of the vector and is added up, and what `Release._opened` gives is kept, before and after
the reduction (test_holding.py compares with a release of the protocol).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from site_agent.contract.conductor import Conductor, entry
from site_agent.contract.frames import Rows
from site_agent.contract.rows import FrameBuilder
from site_agent.contract.securesum import vector
from site_agent.contract.securesum.sealing import Sealer
from site_agent.contract.study.read import read_study
from site_agent.contract.sums import Answer, Arrays, Ask
from tests.pooling import _builder as builder_of

SECRET: Final = hashlib.sha256(b"the sites' secret").digest()
Sites = Mapping[str, Mapping[str, pd.DataFrame]]
Seal = Callable[[Rows, Ask, Sealer], Arrays]


@dataclass(frozen=True, slots=True)
class Held:
    """One question as the coordinator holds it: the totals as opened, and as reduced.

    hidden: the totals that sealing keeps from the coordinator, for telling whether an attack was
    right. No attack reads them.
    """

    number: int
    ask: Ask
    opened: Arrays
    reduced: Arrays
    hidden: Arrays

    @property
    def beta(self) -> NDArray[np.float64]:
        """The coefficients at which a point of a model's likelihood was asked for."""
        return self.ask.floats["beta"]


@dataclass(frozen=True, slots=True)
class Holding:
    """All questions of a release, in order."""

    held: tuple[Held, ...]

    def of(self, name: str, covariates: Sequence[str] | None = None) -> tuple[Held, ...]:
        """The questions of one sum, of one model's covariates if they are given."""
        wanted = None if covariates is None else tuple(covariates)
        return tuple(
            one
            for one in self.held
            if one.ask.sum == name and wanted in (None, one.ask.frame.covariates)
        )


def hold(study_text: str, sites: Sites, *, seal: Seal | None = None) -> Holding:
    """What the coordinator holds at the end of one release; the guard withholds nothing.

    `seal` seals in the product's place, for instance badly.
    """
    study = read_study(study_text, "test", development=True)
    builders = {site: builder_of(study, site, tables) for site, tables in sites.items()}
    conductor, held = Conductor(study), []
    while conductor.outcome is None:
        transcript = hashlib.sha256(b"round" + conductor.number.to_bytes(4, "big")).digest()
        opened = _opened(conductor.asks, builders, transcript, seal)
        answers = []
        for ask, arrays in zip(conductor.asks, opened, strict=True):
            reduce = entry(ask).reduce
            reduced = arrays if reduce is None else reduce(arrays, ask)
            hidden = _hidden(ask, builders.values())
            held.append(Held(conductor.number, ask, arrays, reduced, hidden))
            answers.append(Answer(reduced, ask.floats))
        conductor.advance(answers)
    return Holding(tuple(held))


def _opened(
    asks: Sequence[Ask],
    builders: Mapping[str, FrameBuilder],
    transcript: bytes,
    seal: Seal | None,
) -> list[Arrays]:
    """The totals of a round as they open to the coordinator."""
    layout = vector.Layout(tuple(entry(ask).lanes(ask) for ask in asks))
    total = vector.from_bytes(layout, bytes(layout.byte_length))
    for number, (site, builder) in enumerate(builders.items()):
        sealer = Sealer(SECRET, transcript, _fuzz_key(site), leader=number == 0)
        arrays = [
            (entry(ask).share if seal is None or not entry(ask).sealed else seal)(
                builder.rows(ask.frame), ask, sealer
            )
            for ask in asks
        ]
        total = vector.plus(total, vector.encode(layout, arrays, len(builders)))
    return vector.open_total(layout, total, len(builders))


def _hidden(ask: Ask, builders: Iterable[FrameBuilder]) -> Arrays:
    """The totals of a sealed ask before blinding."""
    if not entry(ask).sealed:
        return {}
    parts = [entry(ask).compute(builder.rows(ask.frame), ask) for builder in builders]
    return {name: sum(part[name] for part in parts) for name in parts[0]}


def _fuzz_key(site: str) -> bytes:
    return hashlib.sha256(f"fuzz of {site}".encode()).digest()


def risk_set_rows(held: Held) -> Any:
    """S0, S1, S2 at each death time of an open model, (K, 1 + p + p (p + 1) / 2)."""
    return np.asarray(held.opened["risk"], dtype=np.float64)
