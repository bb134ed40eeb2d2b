"""The vector of a round: where each number stands, and the check lane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.errors import Refused
from site_agent.contract.securesum import vector
from site_agent.contract.securesum.fixedpoint import COUNT, REAL, SEALED, TALLY
from site_agent.contract.securesum.vector import Layout
from site_agent.contract.sums import Arrays, Lane
from tests.site_agent.contract.securesum import slow

PATIENTS = Lane("patients", (1,), COUNT)
SCORE = Lane("score", (2,), REAL)
GRID = Lane("grid", (2, 3), COUNT)
CELLS = Lane("cells", (3,), TALLY)
OTHERS = Lane("others", (1, 2), TALLY)
LAYOUT = Layout(((PATIENTS, SCORE, CELLS), (GRID, OTHERS)))
ARRAYS: list[Arrays] = [
    {"patients": np.array([7.0]), "score": np.array([0.5, -2.0]), "cells": np.array([8.0, 0, 9])},
    {"grid": np.arange(6.0).reshape(2, 3), "others": np.array([[1.0, 2.0]])},
]


def refused(layout: Layout, total: bytes, parties: int) -> str:
    """The code with which a total is refused; "opened" if it is not."""
    try:
        vector.open_total(layout, vector.from_bytes(layout, total), parties)
    except Refused as error:
        return error.code
    return "opened"


def test_the_length_follows_from_the_lanes() -> None:
    """Three wide numbers, the check lane among them, seven narrow ones, and five in three words."""
    assert LAYOUT.byte_length == 3 * 32 + 7 * 8 + 3 * 8


def test_the_layout_by_hand() -> None:
    """Wide lanes first, the check lane in front, narrow ones behind, ask by ask, then tallies.

    The tallies of two asks stand behind one another, so one word has the last of the first ask and
    the first of the second.
    """
    expected = slow.to_bytes([slow.encode(x, "real") for x in (1.0, 0.5, -2.0)], "real")
    expected += slow.to_bytes([7, 0, 1, 2, 3, 4, 5], "count")
    expected += slow.to_bytes([8, 9 + 2**32, 2], "tally")
    assert vector.to_bytes(vector.encode(LAYOUT, ARRAYS, 3)) == expected


def test_an_empty_layout_is_the_check_lane() -> None:
    """A vector without asks holds the number one."""
    expected = slow.to_bytes([2**128], "real")
    assert vector.to_bytes(vector.encode(Layout(()), [], 3)) == expected


@given(st.binary(min_size=LAYOUT.byte_length, max_size=LAYOUT.byte_length))
def test_bytes_come_back(data: bytes) -> None:
    """Any bytes of the right length are a vector, and the vector is those bytes."""
    assert vector.to_bytes(vector.from_bytes(LAYOUT, data)) == data


@pytest.mark.parametrize("length", [0, 1, LAYOUT.byte_length - 1, LAYOUT.byte_length + 1])
def test_another_length_is_refused(length: int) -> None:
    """Bytes too few or too many are no vector."""
    assert refused(LAYOUT, bytes(length), 1) == "malformed"


def test_totals_come_back_ask_by_ask() -> None:
    """What two sites put in opens as twice the arrays, in their shapes."""
    one = vector.encode(LAYOUT, ARRAYS, 2)
    opened = vector.open_total(LAYOUT, vector.plus(one, one), 2)
    expected = [{name: (2 * array).tolist() for name, array in own.items()} for own in ARRAYS]
    assert [{k: v.tolist() for k, v in own.items()} for own in opened] == expected


@pytest.mark.parametrize("parties", [1, 3, 2**20])
def test_the_check_lane_counts_the_sites(parties: int) -> None:
    """A total of two sites is refused as that of another number."""
    one = vector.encode(LAYOUT, ARRAYS, 2)
    assert refused(LAYOUT, vector.to_bytes(vector.plus(one, one)), parties) == "check_lane"


@pytest.mark.parametrize("bit", [0, 1, 63, 64, 127, 128, 129, 200, 255])
def test_every_bit_of_the_check_lane_counts(bit: int) -> None:
    """The check lane is compared as a whole number, its bits after the point too."""
    data = bytearray(vector.to_bytes(vector.encode(LAYOUT, ARRAYS, 1)))
    data[bit // 8] ^= 1 << bit % 8
    assert refused(LAYOUT, bytes(data), 1) == "check_lane"


def test_a_lane_of_another_shape_is_an_error_of_the_catalogue() -> None:
    """An array that is not of its lane's shape is never stretched to fit."""
    arrays: list[Arrays] = [{**ARRAYS[0], "score": np.array([1.0])}, ARRAYS[1]]
    with pytest.raises(ValueError, match=r"lane score: shape \(1,\), the catalogue says \(2,\)"):
        vector.encode(LAYOUT, arrays, 3)


def test_a_lane_without_numbers() -> None:
    """A lane of no rows takes no room and comes back with its shape."""
    layout = Layout(((Lane("tied", (0, 3), REAL),),))
    data = vector.to_bytes(vector.encode(layout, [{"tied": np.zeros((0, 3))}], 1))
    (opened,) = vector.open_total(layout, vector.from_bytes(layout, data), 1)
    assert (len(data), opened["tied"].shape) == (32, (0, 3))


# Sealed lanes

RISKS = Lane("c", (2, 2), SEALED)
WITH_SEALED = Layout(((PATIENTS, RISKS), (SCORE,)))
WIDE = [[2**1000, -1], [0, -(2**1200)]]
SEALED_ARRAYS: list[Arrays] = [
    {"patients": np.array([7.0]), "c": np.array(WIDE, dtype=object)},
    {"score": np.array([0.5, -2.0])},
]


def test_sealed_lanes_stand_in_front() -> None:
    """The widest first, then the check lane and the doubles, then the counts."""
    expected = slow.to_bytes([2**1000, 2**1280 - 1, 0, 2**1280 - 2**1200], "sealed")
    expected += slow.to_bytes([slow.encode(x, "real") for x in (1.0, 0.5, -2.0)], "real")
    expected += slow.to_bytes([7], "count")
    assert vector.to_bytes(vector.encode(WITH_SEALED, SEALED_ARRAYS, 3)) == expected


def test_sealed_totals_are_whole_numbers() -> None:
    """What three sites put in opens as three times the numbers, of any size, in their shape."""
    one = vector.encode(WITH_SEALED, SEALED_ARRAYS, 3)
    opened, _ = vector.open_total(WITH_SEALED, vector.total(WITH_SEALED, [one] * 3), 3)
    assert opened["c"].tolist() == [[3 * number for number in row] for row in WIDE]


def test_a_sealed_lane_of_another_shape() -> None:
    """As with doubles, an array that is not of its lane's shape is an error."""
    arrays: list[Arrays] = [
        {**SEALED_ARRAYS[0], "c": np.array([1], dtype=object)},
        SEALED_ARRAYS[1],
    ]
    with pytest.raises(ValueError, match="lane c: shape"):
        vector.encode(WITH_SEALED, arrays, 3)


def test_a_sealed_lane_without_numbers() -> None:
    """A sealed lane of no columns takes no room and comes back with its shape."""
    layout = Layout(((Lane("e", (3, 0), SEALED),),))
    data = vector.to_bytes(vector.encode(layout, [{"e": np.zeros((3, 0), dtype=object)}], 1))
    (opened,) = vector.open_total(layout, vector.from_bytes(layout, data), 1)
    assert (len(data), opened["e"].shape) == (32, (3, 0))
