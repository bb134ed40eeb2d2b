"""What the anakinra study derives from the cohort's columns is what the paper counts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from site_agent.contract.expressions.types import Boolean, Category, Value
from site_agent.contract.study.read import read_study
from site_agent.data.tables import read_snapshot
from studies.anakinra import generate, published

STUDY = Path(__file__).parents[2] / "studies" / "anakinra" / "study.yaml"


@pytest.fixture(scope="module")
def derived(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The columns of the patients as each hospital reads and derives them, of all hospitals."""
    folder = tmp_path_factory.mktemp("derived")
    generate.write_sites(folder)
    found = [_at(folder, site) for site in generate.SITE_SIZE]
    return pd.DataFrame({name: [x for at in found for x in at[name]] for name in found[0]})


@cache
def study_text() -> str:
    return STUDY.read_text(encoding="utf-8")


def _at(folder: Path, site: str) -> dict[str, list[object]]:
    study = read_study(study_text(), "anakinra")
    country = {"country": generate.COUNTRY[site[:2]]}
    rows = read_snapshot(study, folder / site, site, country).tables.rows["patients"]
    return {name: _words(value) for name, value in rows.columns.items()}


def _words(value: Value) -> list[object]:
    """Return a column with the levels of a category as words, None where it is missing."""
    if isinstance(value.kind, Category):
        found: list[object] = [value.kind.levels[code] for code in value.data]
    else:
        found = list(value.data.tolist())
    if isinstance(value.kind, Boolean):
        found = ["yes" if truth else "no" for truth in found]
    return [None if gone else x for x, gone in zip(found, value.missing, strict=True)]


def counts(frame: pd.DataFrame, column: str) -> dict[str, int]:
    return {str(level): int(n) for level, n in frame[column].value_counts().items()}


def test_timing_of_the_peak(derived: pd.DataFrame) -> None:
    """Anakinra starts at the peak in 30, after it in 7, before it in 6."""
    assert dict(published.TOTALS["peak_timing"]) == counts(derived, "peak_timing")


@pytest.mark.parametrize("name", published.DURATIONS)
def test_durations(derived: pd.DataFrame, name: str) -> None:
    """CRS and ICANS last a median of 4 days (3 to 18) and of 6 (1 to 38)."""
    days = derived[name].dropna()
    assert published.DURATIONS[name] == (days.median(), days.min(), days.max())


def test_durations_of_those_who_had_any(derived: pd.DataFrame) -> None:
    """CRS is counted in 40 and ICANS in 41 patients."""
    assert [int(derived[name].notna().sum()) for name in published.DURATIONS] == [40, 41]


@pytest.mark.parametrize("name", ["peak_crs", "peak_icans"])
def test_peaks(derived: pd.DataFrame, name: str) -> None:
    """Peak grades have the printed quartiles in both groups."""
    groups = [derived.loc[derived["dose_group"] == group, name] for group in ("high", "low")]
    found = [tuple(np.quantile(values, [0.25, 0.5, 0.75]).tolist()) for values in groups]
    assert found == [published.TABLE_2[name][group].quartiles for group in ("high", "low")]


def test_country(derived: pd.DataFrame) -> None:
    """The country of the hospital is a column of the patients: 7 of 18 and 21 of 25 high-dose."""
    high = derived[derived["dose_group"] == "high"]
    assert counts(high, "country") == {"US": 21, "Spain": 7}


def test_fates(derived: pd.DataFrame) -> None:
    """Fifteen died: 6 of progression, 5 of infection, 4 of ICANS."""
    expected = {"alive": 28, **published.TOTALS["death_cause"]}
    assert expected == counts(derived, "fate")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("responded", {"yes": 31, "no": 9}),
        ("responded_of_all", {"yes": 31, "no": 12}),
        ("complete", {"yes": 21, "no": 19}),
        ("complete_of_all", {"yes": 21, "no": 22}),
        ("further_therapy", {"yes": 12, "no": 31}),
        ("anakinra_changed", {"yes": 3, "no": 40}),
    ],
)
def test_counts_of_all(derived: pd.DataFrame, name: str, expected: dict[str, int]) -> None:
    """31 of 40 evaluable respond, 21 of 43 completely; 12 have more therapy; 3 a change."""
    assert expected == counts(derived, name)
