"""What class A gives away about a binary covariate, with the counts of a curve.

    PYTHONPATH=. python benchmarks/inference.py [RUNS]

Made-up patients, deaths and carriers drawn at random, seeds fixed. For each size: how often
score and information at beta = 0 leave one path of the carriers (tests/privacy/inversion.py has
the theory), the same with two more points of the fit, and how many patients are pinned:
everybody who left between the same two deaths carries, or nobody does. Prints the tables of
docs/disclosure.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tests.privacy.inversion import EXACT, Measured, measure

RUNS = 200
CARRIERS = (1, 3, 5, 10, 15, 20)
DEATHS = (5, 8, 12)
ROUNDED = (EXACT, 1e-4, 1e-3, 1e-2)


def row(cells: Iterable[str]) -> None:
    """Print a row of a table."""
    print(f"| {' | '.join(cells)} |")


def told(found: Measured, patients: int) -> str:
    """Return one cell: paths that are unique, patients that are pinned."""
    if not found.tried:
        return "not tried"
    return f"{found.unique:.0%}, {found.pinned:.0f} of {patients}"


def by_carriers_and_deaths(patients: int, runs: int) -> None:
    """Print what carriers and deaths do."""
    print(f"\n{patients} patients; score and information at beta = 0\n")
    row(["carriers", *(f"{deaths} deaths" for deaths in DEATHS)])
    row(["---"] * (1 + len(DEATHS)))
    for carriers in CARRIERS:
        found = [
            measure(patients=patients, carriers=carriers, deaths=deaths, steps=0, runs=runs)
            for deaths in DEATHS
        ]
        row([str(carriers), *(told(one, patients) for one in found)])


def by_precision(runs: int) -> None:
    """Print what rounding and further points of the fit do, 43 patients and 8 deaths."""
    print("\n43 patients, 8 deaths; totals rounded to, and two more points of the fit\n")
    row(["carriers", *("exact" if e == EXACT else f"{e:g}" for e in ROUNDED), "two more points"])
    row(["---"] * (2 + len(ROUNDED)))
    for carriers in (5, 10, 15, 20):
        size = {"patients": 43, "carriers": carriers, "deaths": 8, "runs": runs}
        found = [measure(**size, steps=0, exact=exact) for exact in ROUNDED]
        found.append(measure(**size, steps=2))
        row([str(carriers), *(told(one, 43) for one in found)])


def main() -> None:
    """Print all tables."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    by_carriers_and_deaths(43, runs)
    by_carriers_and_deaths(100, max(runs // 10, 5))
    by_precision(max(runs // 4, 5))


if __name__ == "__main__":
    main()
