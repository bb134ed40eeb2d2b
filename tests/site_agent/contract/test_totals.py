"""Totals on the wire."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from site_agent.contract.analyses.guard import enrolled_ask
from site_agent.contract.catalogue import SUMS
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame
from site_agent.contract.sums import Ask
from site_agent.contract.totals import read_totals, write_totals
from tests.protocol import frozen

FRAME = Frame("patients", "survival", covariates=("dose",))
DEATHS = Ask("cox_deaths", FRAME, {"strata": 2, "ticks": 3}, {"beta": np.array([0.5, -1.0])})
ASKS = [enrolled_ask(frozen()), DEATHS]
ARRAYS = [
    {"patients": np.array([31.0]), "sites": np.array([5.0])},
    {"deaths": np.array([[0.0, 2.0, 1.0], [4.0, -0.0, 0.5]])},
]
WIRE = struct.pack("<8d", 31, 5, 0, 2, 1, 4, -0.0, 0.5)
REDUCED = Ask(
    "cox_risk_sets",
    FRAME,
    {"columns": 1, "strata": 1, "deaths": [[3, 5]], "ties": [1, 2], "efron": True},
    {},
)


def test_totals_by_hand() -> None:
    """Little-endian doubles, ask by ask, lane by lane, row by row."""
    assert write_totals(ASKS, ARRAYS) == WIRE


def test_totals_come_back() -> None:
    """Reading gives the arrays again, in their shapes."""
    answers = read_totals(ASKS, WIRE)
    found = [{k: v.tolist() for k, v in answer.totals.items()} for answer in answers]
    assert found == [{k: v.tolist() for k, v in own.items()} for own in ARRAYS]


def test_answers_hold_the_arguments() -> None:
    """An answer goes with the arguments that were sent."""
    assert read_totals(ASKS, WIRE)[1].floats["beta"].tolist() == [0.5, -1.0]


def test_of_reduced_sums_the_reduced_arrays_travel() -> None:
    """Of the sums over those at risk only what they are reduced to is sent on."""
    lanes = SUMS[REDUCED.sum].answered_lanes(REDUCED)
    (answer,) = read_totals([REDUCED], bytes(8 * sum(lane.size for lane in lanes)))
    assert ("risk" in answer.totals, {"loglik", "score"} <= set(answer.totals)) == (False, True)


@pytest.mark.parametrize("data", [b"", WIRE[:-1], WIRE + b"\x00", WIRE[8:], WIRE + WIRE])
def test_another_length_is_refused(data: bytes) -> None:
    """Totals too short or too long are not the totals of these asks."""
    with pytest.raises(Refused) as refusal:
        read_totals(ASKS, data)
    assert refusal.value.code == "malformed"


def test_what_was_read_can_be_written_to() -> None:
    """The arrays are copies, not views of the message."""
    assert read_totals(ASKS, WIRE)[0].totals["patients"].flags.writeable
