"""The guard's counts, on rows counted by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from site_agent.contract.analyses.guard_sums import CARRIERS, CHANGED, DIFFERING, ENROLLED, STEPS
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.sums import Ask, Sum
from tests.site_agent.contract.analyses.by_hand import rows

# Two rows of patient 0, one each of 1, 2 and 3.
FIVE = rows(
    [5, 9, 5, 7, 9],
    [0, 1, 1, 0, 1],
    stratum=[0, 0, 0, 1, 1],
    x=[[0, 0, 0.5], [1, 0, 0], [0, 1, 3], [0, 0, 0], [1, 0, 1]],
    patient=[0, 0, 1, 2, 3],
)
NOBODY = replace(rows([], []), design=np.zeros((0, 3)))
BINARY = [[0.0, 1.0]]
ASK = {"strata": 2, "groups": 1, "columns": 3, "categories": [[0, 2]], "values": BINARY * 3}
ONE = {"strata": 1, "groups": 1, "columns": 1, "categories": [], "values": BINARY}


def counted(entry: Sum, given: Rows, frame: Frame | None = None, **fixed: Any) -> dict[str, Any]:
    """The arrays of a sum as lists; each as long as its lane says."""
    ask = Ask(entry.name, frame or Frame("patients"), fixed, {})
    arrays = entry.compute(given, ask)
    assert {lane.name: lane.shape for lane in entry.lanes(ask)} == {
        name: values.shape for name, values in arrays.items()
    }
    return {name: values.tolist() for name, values in arrays.items()}


def test_enrolled() -> None:
    """Four patients, one hospital."""
    assert counted(ENROLLED, FIVE) == {"patients": [4], "sites": [1]}


def test_nobody_enrolled() -> None:
    """A hospital without patients is none that has any."""
    assert counted(ENROLLED, NOBODY) == {"patients": [0], "sites": [0]}


def test_changed() -> None:
    """Two patients since one release, none since another, all since one that it knows not."""
    known = replace(FIVE, changed={"s/1": 2, "s/2": 0})
    found = counted(CHANGED, known, earlier=["s/1", "s/2", "other/1"])
    assert found == {"patients": [2, 0, 4], "sites": [1, 0, 1]}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("patients", [4]),
        ("deaths", [2, 1]),
        ("in_stratum", [2, 2]),
        ("in_group", [4]),
        ("in_cell", [2, 2]),
        ("not_zero", [2, 1, 3]),
        ("zero", [3, 3, 2]),
        ("not_binary", [0, 0, 2]),
        ("reference", [2]),
        ("sites", [1]),
        ("stratum_sites", [1, 1]),
        ("group_sites", [1]),
        ("cell_sites", [1, 1]),
        ("not_zero_sites", [1, 1, 1]),
        ("zero_sites", [1, 1, 1]),
        ("reference_sites", [1]),
    ],
)
def test_carriers(name: str, expected: list[int]) -> None:
    """Patient 0 has both values of the first column; the reference is where the first two are 0."""
    assert counted(CARRIERS, FIVE, **ASK)[name] == expected


def test_deaths_of_one_patient_count_once() -> None:
    """A patient with two events is one patient with the event."""
    twice = rows([3, 5], [1, 1], x=[[0], [0]], patient=[0, 0])
    assert counted(CARRIERS, twice, **ONE)["deaths"] == [1]


def test_competing_events_are_no_deaths() -> None:
    """Only cause 1 counts."""
    found = counted(CARRIERS, rows([3, 5], [2, 1], x=[[0], [0]]), **ONE)
    assert found["deaths"] == [1]


def test_a_column_coded_1_and_2() -> None:
    """Two patients have the first value, one the second, one a third."""
    coded = rows([3, 5, 7, 9], [0] * 4, x=[[1], [1], [2], [0]])
    found = counted(CARRIERS, coded, **{**ONE, "values": [[1.0, 2.0]]})
    assert (found["zero"], found["not_zero"], found["not_binary"]) == ([2], [2], [1])


def test_carriers_of_nobody() -> None:
    """A hospital without rows adds zeros."""
    found = counted(CARRIERS, NOBODY, **ASK)
    assert {name: sum(values) for name, values in found.items()} == dict.fromkeys(found, 0)


def test_cells_of_strata_and_groups() -> None:
    """Stratum by stratum: of the first two patients are in the first group, one in the second."""
    given = rows([3, 5, 7, 9], [1] * 4, group=[0, 0, 1, 1], stratum=[0, 0, 0, 1], x=[[0]] * 4)
    found = counted(CARRIERS, given, **{**ONE, "strata": 2, "groups": 2})
    assert (found["in_cell"], found["cell_sites"]) == ([2, 1, 0, 1], [1, 1, 0, 1])


def test_steps() -> None:
    """Of two rows of one patient that leave in one step one counts."""
    leaving = rows([7, 7, 14, 14, 28], [0, 1, 1, 0, 0], patient=[0, 0, 0, 1, 2])
    frame = Frame("patients", grid=(7, 14, 28))
    assert counted(STEPS, leaving, frame, truncated=False) == {"leaving": [1, 2, 1]}


def test_steps_of_entry() -> None:
    """Who enters before the first point enters at 0."""
    late = rows([14, 28, 28], [1, 1, 1], entry=[0, 7, 0])
    found = counted(STEPS, late, Frame("patients", grid=(7, 14, 28)), truncated=True)
    assert found == {"leaving": [0, 1, 2], "entering": [2, 1, 0, 0]}


def test_differing() -> None:
    """Patient 0 belongs to the third selection with one of its two rows."""
    member = [[1, 1, 1], [1, 1, 0], [1, 1, 1], [1, 0, 1], [1, 1, 1]]
    given = replace(FIVE, member=np.array(member, dtype=bool))
    found = counted(DIFFERING, given, pairs=[[0, 1], [0, 2], [1, 2], [2, 2]])
    assert found == {"patients": [1, 1, 2, 0], "sites": [1, 1, 1, 0]}
