"""What the secure sum costs: whole releases beside the same estimates without it.

    PYTHONPATH=. python benchmarks/release.py

All figures come from one run on one machine, each the median of several repeats, and are
printed as ratios to the pooled computation by lifelines or to the same study on one
site. Absolute times are for orientation only.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.datasets import load_lung

from coordinator.simulate import simulate
from studies.anakinra import generate as anakinra
from studies.lung import export as lung

ROOT = Path(__file__).parents[1]
REPEATS = 5


def median_s(work: Callable[[], object]) -> float:
    """Return the median wall time of a few runs after one warm-up, in seconds."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def release_of(study: str, sites: Path, *, development: bool = False) -> Callable[[], object]:
    """Return a run of a whole release into a new folder."""

    def run() -> object:
        with tempfile.TemporaryDirectory() as out:
            return simulate(
                ROOT / "studies" / study / "study.yaml", sites, Path(out), development=development
            )

    return run


def one_site(sites: Path, out: Path) -> Path:
    """Return a folder in which all sites' rows are one site's."""
    home = out / "all"
    home.mkdir(parents=True)
    for name in sorted({path.name for path in sites.glob("*/*.parquet")}):
        parts = [pd.read_parquet(path) for path in sorted(sites.glob(f"*/{name}"))]
        pd.concat(parts).to_parquet(home / name)
    for attributes in sorted(sites.glob("*/site.toml"))[:1]:
        (home / "site.toml").write_bytes(attributes.read_bytes())
    return out


def by_lifelines() -> object:
    """Fit the lung study's main curve and model on the pooled table."""
    lung_data = load_lung()
    data = lung_data.dropna(subset=["ph.ecog"])
    curve = KaplanMeierFitter().fit(lung_data["time"], lung_data["status"])
    model = CoxPHFitter().fit(data[["time", "status", "age", "sex", "ph.ecog"]], "time", "status")
    return curve, model


def main() -> None:
    """Run and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        lung.write_sites(place / "lung")
        anakinra.write_sites(place / "anakinra")
        rows = []
        for study in ("lung", "anakinra"):
            pooled = one_site(place / study, place / f"{study}-pooled")
            secure = median_s(release_of(study, place / study))
            alone = median_s(release_of(study, pooled, development=True))
            count = len(list((place / study).glob("*/patients.parquet")))
            rows.append((f"{study}: {count} sites, against one site", secure, alone))
            if study == "lung":
                fitted = median_s(by_lifelines)
                rows.append(
                    ("lung: all analyses, against lifelines' curve and model", secure, fitted)
                )
    print(f"{'release':58} {'s':>7} {'other s':>8} {'ratio':>6}")
    for name, ours, other in rows:
        print(f"{name:58} {ours:7.2f} {other:8.2f} {ours / other:6.1f}")


if __name__ == "__main__":
    main()
