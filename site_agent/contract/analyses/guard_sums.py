"""What the guard asks for: counts of patients and hospitals, never reduced, no covariate.

Patients are counted, not rows: a patient with several rows counts once in each number.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.risk_sets import DEATH
from site_agent.contract.frames import NO_ENTRY, Booleans, Floats, Integers, Rows
from site_agent.contract.securesum.fixedpoint import COUNT
from site_agent.contract.sums import Arrays, Ask, Lane, Sum
from site_agent.contract.time_grid import step_of

HOSPITALS: Final = {
    "sites": "patients",
    "stratum_sites": "in_stratum",
    "group_sites": "in_group",
    "cell_sites": "in_cell",
    "not_zero_sites": "not_zero",
    "zero_sites": "zero",
    "reference_sites": "reference",
}  # of deaths_and_carriers: what counts hospitals, and which patients it counts them by
DENSE: Final = 16  # bytes for each row in which patients are ticked off instead of sorted


def _enrolled_lanes(_: Ask) -> tuple[Lane, ...]:
    return (Lane("patients", (1,), COUNT), Lane("sites", (1,), COUNT))


def _enrolled(rows: Rows, _: Ask) -> Arrays:
    return {
        "patients": np.array([float(rows.patients)]),
        "sites": np.array([float(rows.patients > 0)]),
    }


def _changed_lanes(ask: Ask) -> tuple[Lane, ...]:
    releases = len(ask.fixed["earlier"])
    return (Lane("patients", (releases,), COUNT), Lane("sites", (releases,), COUNT))


def _changed(rows: Rows, ask: Ask) -> Arrays:
    """Return the changed patients by release; all of them where the hospital knows of none."""
    counts = [rows.changed.get(name, rows.patients) for name in ask.fixed["earlier"]]
    patients = np.array(counts, dtype=np.float64)
    return {"patients": patients, "sites": (patients > 0).astype(np.float64)}


def _carrier_lanes(ask: Ask) -> tuple[Lane, ...]:
    columns = ask.fixed["columns"]
    return (
        Lane("patients", (1,), COUNT),
        Lane("deaths", (ask.fixed["strata"],), COUNT),
        Lane("in_stratum", (ask.fixed["strata"],), COUNT),
        Lane("in_group", (ask.fixed["groups"],), COUNT),
        Lane("in_cell", (ask.fixed["strata"] * ask.fixed["groups"],), COUNT),
        Lane("not_zero", (columns,), COUNT),
        Lane("zero", (columns,), COUNT),
        Lane("not_binary", (columns,), COUNT),
        Lane("reference", (len(ask.fixed["categories"]),), COUNT),
        Lane("sites", (1,), COUNT),
        Lane("stratum_sites", (ask.fixed["strata"],), COUNT),
        Lane("group_sites", (ask.fixed["groups"],), COUNT),
        Lane("cell_sites", (ask.fixed["strata"] * ask.fixed["groups"],), COUNT),
        Lane("not_zero_sites", (columns,), COUNT),
        Lane("zero_sites", (columns,), COUNT),
        Lane("reference_sites", (len(ask.fixed["categories"]),), COUNT),
    )


def _carriers(rows: Rows, ask: Ask) -> Arrays:
    """Return patients, and those with a death, by stratum; by group; by both; by column two values.

    A column's `values` are 0 and 1 as a rule: `zero` has the first, `not_zero` any other, and
    `not_binary` neither of the two. `reference`: patients in the reference level of each category,
    where all its columns are 0. `..._sites`: 1 where this hospital has such patients, else 0.
    """
    dies = rows.cause == DEATH
    first, second = np.array(ask.fixed["values"], dtype=np.float64).reshape(-1, 2).T
    zero = rows.design == first
    cell = rows.stratum * ask.fixed["groups"] + rows.group
    outside = [zero[:, start:end].all(axis=1) for start, end in ask.fixed["categories"]]
    counts = {
        "patients": np.array([float(rows.patients)]),
        "deaths": _by_label(rows.stratum[dies], rows.patient[dies], ask.fixed["strata"]),
        "in_stratum": _by_label(rows.stratum, rows.patient, ask.fixed["strata"]),
        "in_group": _by_label(rows.group, rows.patient, ask.fixed["groups"]),
        "in_cell": _by_label(cell, rows.patient, ask.fixed["strata"] * ask.fixed["groups"]),
        "not_zero": _by_column(~zero, rows.patient),
        "zero": _by_column(zero, rows.patient),
        "not_binary": _by_column(~zero & (rows.design != second), rows.patient),
        "reference": _by_column(
            np.stack(outside, axis=1) if outside else zero[:, :0], rows.patient
        ),
    }
    sites = {of: (counts[part] > 0).astype(np.float64) for of, part in HOSPITALS.items()}
    return counts | sites


def _step_lanes(ask: Ask) -> tuple[Lane, ...]:
    steps = len(ask.frame.grid)
    lanes = [Lane("leaving", (steps,), COUNT)]
    if ask.fixed["truncated"]:
        lanes.append(Lane("entering", (steps + 1,), COUNT))
    return tuple(lanes)


def _steps(rows: Rows, ask: Ask) -> Arrays:
    grid = ask.frame.grid
    leaving = step_of(grid, rows.time) - 1
    arrays = {"leaving": _by_label(leaving, rows.patient, len(grid))}
    if ask.fixed["truncated"]:
        inside = rows.entry != NO_ENTRY
        entering = step_of(grid, rows.entry[inside])
        arrays["entering"] = _by_label(entering, rows.patient[inside], len(grid) + 1)
    return arrays


def _differing_lanes(ask: Ask) -> tuple[Lane, ...]:
    pairs = len(ask.fixed["pairs"])
    return (Lane("patients", (pairs,), COUNT), Lane("sites", (pairs,), COUNT))


def _differing(rows: Rows, ask: Ask) -> Arrays:
    """Return, for each pair of selections, the patients with a row in just one of the two."""
    patients = np.zeros(len(ask.fixed["pairs"]))
    for index, (one, other) in enumerate(ask.fixed["pairs"]):
        apart = rows.member[:, one] != rows.member[:, other]
        patients[index] = len(np.unique(rows.patient[apart]))
    return {"patients": patients, "sites": (patients > 0).astype(np.float64)}


def _by_label(label: Integers, patient: Integers, count: int) -> Floats:
    """Return how many distinct patients have each label below `count`, (count,)."""
    size = int(patient.max(initial=0)) + 1
    if size * count <= DENSE * len(label):
        seen = np.zeros((count, size), dtype=bool)
        seen[label, patient] = True
        return np.asarray(seen.sum(axis=1), dtype=np.float64)
    distinct = np.unique(label * size + patient)
    return np.bincount(distinct // size, minlength=count).astype(np.float64)


def _by_column(marked: Booleans, patient: Integers) -> Floats:
    """Return how many distinct patients are marked in each column of (rows, columns)."""
    counts = np.zeros(marked.shape[1])
    seen = np.zeros(int(patient.max(initial=-1)) + 1, dtype=bool)
    for index in range(marked.shape[1]):
        seen[:] = False
        seen[patient[marked[:, index]]] = True
        counts[index] = seen.sum()
    return counts


ENROLLED: Final = Sum(
    name="enrolled",
    disclosure="A",
    gives="how many patients, in how many hospitals that have any",
    lanes=_enrolled_lanes,
    compute=_enrolled,
)
CHANGED: Final = Sum(
    name="changed",
    disclosure="A",
    gives="how many patients, in how many hospitals, differ from each earlier release",
    lanes=_changed_lanes,
    compute=_changed,
)
CARRIERS: Final = Sum(
    name="deaths_and_carriers",
    disclosure="A",
    gives="how many patients of how many hospitals an analysis has, each stratum and group of it, "
    "and how many of them have the event",
    lanes=_carrier_lanes,
    compute=_carriers,
)
STEPS: Final = Sum(
    name="leaving_in_steps",
    disclosure="B",
    gives="how many patients leave, and enter, in each step of a grid of time",
    lanes=_step_lanes,
    compute=_steps,
)
DIFFERING: Final = Sum(
    name="differing_patients",
    disclosure="A",
    gives="by how many patients, in how many hospitals, the rows of two analyses differ",
    lanes=_differing_lanes,
    compute=_differing,
)
