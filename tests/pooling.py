"""Runs a study over several sites in one process, without masks and messages.

The data go through the real data layer and every sum through the fixed-point lanes, so that what
comes out is what a release gives; the protocol has its own tests.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from site_agent.contract.conductor import Conductor, Outcome, entry
from site_agent.contract.rows import FrameBuilder
from site_agent.contract.securesum import vector
from site_agent.contract.securesum.sealing import Sealer
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.contract.sums import Answer, Ask
from site_agent.data.tables import check_frames, read_snapshot

SECRET = b"the secret of the sites, 32 byte"
Sites = Mapping[str, Mapping[str, pd.DataFrame]]


def pool(study_text: str, sites: Sites, *, development: bool = True) -> Outcome:
    """Return the outcome of one release; `sites` maps site to table to rows."""
    return pool_by_round(study_text, sites, development=development)[0]


def pool_by_round(
    study_text: str, sites: Sites, *, development: bool = True
) -> tuple[Outcome, list[tuple[Ask, ...]]]:
    """Return the outcome of one release, and what was asked in each of its rounds."""
    rounds = []
    study = read_study(study_text, "test", development=development)
    builders = [_builder(study, site, tables) for site, tables in sites.items()]
    conductor = Conductor(study)
    while conductor.outcome is None:
        rounds.append(conductor.asks)
        conductor.advance(_answers(conductor.asks, builders))
    return conductor.outcome, rounds


def _builder(
    study: Study,
    site: str,
    tables: Mapping[str, pd.DataFrame],
    attributes: Mapping[str, str] | None = None,
) -> FrameBuilder:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table, rows in tables.items():
            rows.to_parquet(folder / f"{table}.parquet", index=False)
        snapshot = read_snapshot(study, folder, site, attributes or {})
    builder = FrameBuilder(study, snapshot.tables)
    check_frames(study, builder, site)
    return builder


def _answers(asks: Sequence[Ask], builders: Sequence[FrameBuilder]) -> list[Answer]:
    layout = vector.Layout(tuple(entry(ask).lanes(ask) for ask in asks))
    total = vector.from_bytes(layout, bytes(layout.byte_length))
    for number, builder in enumerate(builders):
        fuzz = number.to_bytes(32, "big")
        sealer = Sealer(secret=SECRET, transcript=bytes(32), fuzz=fuzz, leader=number == 0)
        arrays = [entry(ask).share(builder.rows(ask.frame), ask, sealer) for ask in asks]
        total = vector.plus(total, vector.encode(layout, arrays, len(builders)))
    answers = []
    for ask, totals in zip(asks, vector.open_total(layout, total, len(builders)), strict=True):
        reduce = entry(ask).reduce
        answers.append(Answer(totals if reduce is None else reduce(totals, ask), ask.floats))
    return answers


def split(frame: pd.DataFrame, sites: int, seed: int, patient: str = "id") -> list[pd.DataFrame]:
    """Return the rows spread over sites of very unequal size; a patient's rows stay together.

    With three sites or more, the last one has no patients.
    """
    random = np.random.default_rng(seed)
    patients = frame[patient].unique()
    filled = sites - 1 if sites >= 3 else sites
    chances = random.dirichlet(np.full(filled, 0.7))
    site_of = dict(zip(patients, random.choice(filled, len(patients), p=chances), strict=True))
    site = frame[patient].map(site_of)
    return [frame[site == number] for number in range(sites)]
