"""A Cox model of a million patients over ten hospitals, beside R and others on the pooled table.

    PYTHONPATH=. python benchmarks/cox_million.py [--rows N] [--repeats N]

One study with one model: ten covariates, pooled baseline, open risk sets, in one process, every
message, mask, signature and file as between machines, as many hospitals at a time as there are
cores. All figures come from one run on one machine, the programs in turn; the ratio of the
shortest times is what counts.

    fit      from the first sum of the model to the closed release: what coxph() does
    rounds   with the guard's rounds, and the record of who took part for later releases
    whole    with keys, and reading and checking the Parquet files of all hospitals
    coxph    R's coxph() on the pooled table in memory; nothing where Rscript or the package
             survival is not installed

A machine with other work is told by `cpu`: the processor's time of fit and of coxph(), whose ratio
does not tell how many cores took part. lifelines and statsmodels fit a part of the rows (each
wants a minute or more for all of them).
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from lifelines import CoxPHFitter
from statsmodels.duration.hazard_regression import PHReg

from coordinator.simulate import Surroundings, simulate
from site_agent.contract.analyses.cox_results import CoxFit

SITES: Final = 10
NUMBERS: Final = 5  # covariates that are numbers; as many others are conditions
LOG_HAZARDS: Final = (0.3, -0.2, 0.1, 0.0, 0.05, 0.4, -0.3, 0.2, 0.0, 0.1)
HORIZON: Final = 2000  # days: nearly each has a death
PART: Final = 20  # the other libraries fit one row of so many
TIES: Final = ("breslow", "efron")
NAMES: Final = tuple(f"x{number}" for number in range(1, len(LOG_HAZARDS) + 1))
HEAD: Final = (
    f"{'seconds':8} {'fit':>6} {'rounds':>6} {'whole':>6} {'coxph':>6} | "
    f"{'fit/coxph':>9} {'rounds/coxph':>12} {'cpu/cpu':>7} | {'coefficients apart':>18}"
)

IN_R: Final = """
suppressMessages(library(survival))
given <- commandArgs(TRUE)
n <- as.integer(given[2])
values <- matrix(readBin(given[1], "double", n * {columns}), n)
colnames(values) <- c("time", "status", {names})
table <- as.data.frame(values)
took <- system.time(fit <- coxph(Surv(time, status) ~ ., data = table, ties = given[3]))
cat(took[["elapsed"]], took[["user.self"]] + took[["sys.self"]], sprintf("%.17g", coef(fit)))
"""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a program took, in seconds of the clock and of the processor, and what it found."""

    fit_s: float
    cpu_s: float
    estimates: tuple[float, ...]
    rounds_s: float = 0.0
    whole_s: float = 0.0


def patients(rows: int) -> pd.DataFrame:
    """Return the pooled table: exponential times in whole days, about two of three die."""
    random = np.random.default_rng(20261128)
    covariates = random.normal(size=(rows, len(NAMES))).round(3)
    covariates[:, NUMBERS:] = covariates[:, NUMBERS:] > 0.5
    death = random.exponential(1200, rows) / np.exp(covariates @ np.array(LOG_HAZARDS))
    end = np.minimum(random.uniform(0, 3000, rows), HORIZON)
    table = pd.DataFrame(covariates, columns=NAMES)
    table.insert(0, "status", (death <= end).astype(np.int64))
    table.insert(0, "time", np.ceil(np.minimum(death, end)).clip(1, HORIZON).astype(np.int64))
    return table


def write_sites(table: pd.DataFrame, folder: Path) -> None:
    """Write the rows as ten hospitals' Parquet files, row by row in turn."""
    for site in range(SITES):
        own = table.iloc[site::SITES].copy()
        own.insert(0, "patient", [f"P{number:07d}" for number in own.index])
        for name in NAMES[NUMBERS:]:
            own[name] = own[name].astype(np.int64)
        (folder / f"hospital-{site}").mkdir(parents=True)
        own.to_parquet(folder / f"hospital-{site}" / "patients.parquet", index=False)


def study_text(ties: str) -> str:
    """Return the study file."""
    columns = [f"{name}: {{type: number, range: [-10, 10]}}" for name in NAMES[:NUMBERS]]
    columns += [f"{name}: {{type: integer, range: [0, 1]}}" for name in NAMES[NUMBERS:]]
    lines = "\n".join(f"      {line}" for line in columns)
    return f"""\
quorum: 1
study: million
title: A million patients
time: {{unit: day, resolution: 1, horizon: {HORIZON}}}
tables:
  patients:
    key: patient
    columns:
      time: {{type: day, range: [0, {HORIZON}]}}
      status: {{type: category, codes: {{0: alive, 1: dead}}}}
{lines}
endpoints:
  survival:
    time: time
    event: {{death: status == "dead"}}
analyses:
  model: {{kind: cox, endpoint: survival, covariates: [{", ".join(NAMES)}],
           ties: {ties}, baseline: pooled, risk_sets: open}}
disclosure:
  classes: [A, B, C]
  compute: {{sites: 10, patients: 100, others: 100}}
  show: {{cell: 5}}
"""


def by_quorum(ties: str, place: Path) -> Fitted:
    """Run a whole release into a new folder."""
    study = place / f"{ties}.yaml"
    study.write_text(study_text(ties), encoding="utf-8")
    moments: list[tuple[float, float]] = []
    around = Surroundings(progress=lambda _: moments.append(now()))
    with tempfile.TemporaryDirectory(dir=place) as out:
        begun = now()
        done = simulate(study, place / "sites", Path(out), surroundings=around)
        ended = now()
    assert done.release.outcome is not None
    fit = done.release.outcome.results["model"]
    assert isinstance(fit, CoxFit), fit
    _, guard, _, first, *_ = moments  # sites, then a moment for each round, two of the guard
    return Fitted(
        fit_s=ended[0] - first[0],
        cpu_s=ended[1] - first[1],
        estimates=tuple(term.estimate for term in fit.terms),
        rounds_s=ended[0] - guard[0],
        whole_s=ended[0] - begun[0],
    )


def now() -> tuple[float, float]:
    """Return the time of the clock and of the processor, in seconds."""
    return time.perf_counter(), time.process_time()


def by_r(ties: str, place: Path, table: pd.DataFrame) -> Fitted:
    """Run coxph() in a process of its own; only coxph() is timed."""
    script, data = place / "fit.R", place / "pooled.bin"
    if not data.exists():
        data.write_bytes(np.asfortranarray(table.to_numpy(np.float64)).tobytes(order="F"))
    names = ", ".join(f'"{name}"' for name in NAMES)
    script.write_text(IN_R.format(columns=table.shape[1], names=names), encoding="utf-8")
    command = ["Rscript", str(script), str(data), str(len(table)), ties]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    took, cpu, *estimates = (float(number) for number in said)
    return Fitted(took, cpu, tuple(estimates))


def has_r() -> bool:
    """Return whether R and its package survival are here."""
    if shutil.which("Rscript") is None:
        return False
    asked = ["Rscript", "-e", 'quit(status = !requireNamespace("survival", quietly = TRUE))']
    return subprocess.run(asked, check=False, capture_output=True).returncode == 0


def by_others(table: pd.DataFrame) -> list[tuple[str, float]]:
    """Return how long other libraries take for one row of PART, in seconds for each."""
    some = table.iloc[::PART]
    model = PHReg(some["time"], some[list(NAMES)], status=some["status"], ties="efron")
    return [
        ("lifelines, Efron", seconds(lambda: CoxPHFitter().fit(some, "time", "status"))),
        ("statsmodels' PHReg, Efron", seconds(model.fit)),
    ]


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one run."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def main() -> None:
    """Run and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="patients in all")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each program")
    options = parser.parse_args()
    table, r_is_here = patients(options.rows), has_r()
    print(f"Cox model of {options.rows} patients, {len(NAMES)} covariates, {SITES} hospitals")
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_sites(table, place / "sites")
        for ties in TIES:
            ours, theirs = [], []
            for _ in range(options.repeats):
                ours.append(by_quorum(ties, place))
                theirs += [by_r(ties, place, table)] if r_is_here else []
            print(line(ties, ours, theirs))
    if not r_is_here:
        print("Rscript with the package survival is not here, so there is no coxph() beside it.")
    for name, took in by_others(table):
        print(f"{name + f' ({options.rows // PART} rows)':44} {took:9.2f}")


def line(ties: str, ours: list[Fitted], theirs: list[Fitted]) -> str:
    """Return a row of the table: the shortest times, their ratios, the largest difference."""
    fit, rounds = min(own.fit_s for own in ours), min(own.rounds_s for own in ours)
    text = f"{ties:8} {fit:6.2f} {rounds:6.2f} {min(own.whole_s for own in ours):6.2f}"
    if not theirs:
        return text
    coxph = min(other.fit_s for other in theirs)
    cpu = min(own.cpu_s for own in ours) / min(other.cpu_s for other in theirs)
    pairs = zip(ours[0].estimates, theirs[0].estimates, strict=True)
    apart = max(abs(own - other) for own, other in pairs)
    ratios = f"{fit / coxph:9.2f} {rounds / coxph:12.2f} {cpu:7.2f}"
    return f"{text} {coxph:6.2f} | {ratios} | {apart:18.1e}"


if __name__ == "__main__":
    main()
