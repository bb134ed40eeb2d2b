"""Sealed risk sets give the numbers of open ones, in as many rounds: both example studies."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest

from site_agent.contract.conductor import Conductor
from site_agent.contract.rows import FrameBuilder
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from studies.anakinra import generate as anakinra
from studies.lung import export as lung
from tests.pooling import _answers, _builder

ROOT = Path(__file__).parents[2]
MADE = {"lung": lung.write_sites, "anakinra": anakinra.write_sites}


@cache
def study(name: str, risk_sets: str) -> Study:
    """The study with its pooled models alone, their risk sets sealed or open."""
    text = (ROOT / "studies" / name / "study.yaml").read_text(encoding="utf-8")
    found = read_study(text, name, development=True)
    models = {
        label: replace(analysis, options={**analysis.options, "risk_sets": risk_sets})
        for label, analysis in found.analyses.items()
        if analysis.options.get("baseline") == "pooled"
    }
    return replace(found, analyses=models)


def attributes(site: Path) -> dict[str, str]:
    """What is fixed for a hospital, as the file beside its tables says."""
    described = site / "site.toml"
    return tomllib.loads(described.read_text()) if described.exists() else {}


def builders(name: str, wanted: Study) -> list[FrameBuilder]:
    """The rows of every hospital."""
    with TemporaryDirectory() as folder:
        MADE[name](Path(folder))
        return [
            _builder(
                wanted,
                site.name,
                {p.stem: pd.read_parquet(p) for p in site.glob("*.parquet")},
                attributes(site),
            )
            for site in sorted(Path(folder).iterdir())
            if site.is_dir()
        ]


@cache
def pooled(name: str, risk_sets: str) -> tuple[dict[str, Any], int]:
    """The results of all models, and in how many rounds they came."""
    wanted = study(name, risk_sets)
    sites, conductor = builders(name, wanted), Conductor(wanted)
    while conductor.outcome is None:
        conductor.advance(_answers(conductor.asks, sites))
    results = conductor.outcome.results
    return {label: result.document() for label, result in results.items()}, conductor.number


def numbers(value: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield every number of a document with its place."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, f"{place}.{name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from numbers(inner, f"{place}.{number}")
    elif isinstance(value, int | float):
        yield place, float(value)


@pytest.mark.parametrize("name", MADE)
def test_sealed_is_open(name: str) -> None:
    """Every number of every pooled model, to 1e-12 of its size."""
    sealed, opened = (dict(numbers(pooled(name, form)[0])) for form in ("sealed", "open"))
    assert (len(sealed) > 20, sealed) == (True, pytest.approx(opened, rel=1e-12, abs=1e-12))


@pytest.mark.parametrize("name", MADE)
def test_sealing_takes_no_round_more(name: str) -> None:
    """The three sums of a death open in one round, as the risk sets do."""
    assert pooled(name, "sealed")[1] == pooled(name, "open")[1]
