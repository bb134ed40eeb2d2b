"""Numbers cut in two: together they are the numbers, alone they are noise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.errors import Refused
from site_agent.contract.securesum import splitting
from tests.site_agent.contract.securesum import slow

SEED, BOUND = bytes(range(32)), b"T_r"
whole = st.lists(st.integers(-(2**200), 2**200), max_size=8)


def both(numbers: list[int], seed: bytes = SEED, bound: bytes = BOUND) -> list[list[int]]:
    """The two parts as whole numbers modulo 2^1280."""
    return [slow.from_bytes(part, "sealed") for part in splitting.halves(numbers, seed, bound)]


@given(whole, st.binary(min_size=32, max_size=32))
def test_the_parts_add_up(numbers: list[int], seed: bytes) -> None:
    """Modulo 2^1280 the sum of both is what was split, negative numbers too."""
    one, other = both(numbers, seed)
    assert [(a + b) % 2**1280 for a, b in zip(one, other, strict=True)] == [
        number % 2**1280 for number in numbers
    ]


def test_one_part_does_not_depend_on_the_numbers() -> None:
    """The first part is the key stream alone."""
    assert both([1, 2, 3])[0] == both([-4, 5, 2**190])[0]


def test_each_part_fills_the_lane() -> None:
    """Of small numbers either part looks like any number of 1280 bits: no byte is rare."""
    data = b"".join(splitting.halves([0] * 400, SEED, BOUND))
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    statistic = float(((counts - counts.mean()) ** 2 / counts.mean()).sum())
    assert abs(statistic - 255) < 5 * np.sqrt(2 * 255)


@pytest.mark.parametrize(("seed", "bound"), [(SEED[::-1], BOUND), (SEED, b"T_q")])
def test_another_cut_each_time(seed: bytes, bound: bytes) -> None:
    """Another release, or another round of it, cuts elsewhere."""
    assert set(both([1, 2], seed, bound)[0]) & set(both([1, 2])[0]) == set()


def test_a_part_is_read_ask_by_ask() -> None:
    """The numbers of each sealed ask in order; an ask of none has none."""
    first, second = splitting.halves([1, 2, 3, 4, 5], SEED, BOUND)
    read = [splitting.numbers_of(part, [2, 0, 3]) for part in (first, second)]
    together = [
        [(a + b) % 2**1280 for a, b in zip(*asks, strict=True)] for asks in zip(*read, strict=True)
    ]
    assert together == [[1, 2], [], [3, 4, 5]]


@pytest.mark.parametrize("length", [0, 159, 161, 320])
def test_a_part_of_another_length(length: int) -> None:
    """More or fewer bytes than the asks' numbers are refused."""
    with pytest.raises(Refused) as refused:
        splitting.numbers_of(bytes(length), [1])
    assert (refused.value.code, str(refused.value)) == (
        "malformed",
        f"a split of {length} bytes, expected 160",
    )


def test_nothing_is_split_in_two() -> None:
    """No numbers give two parts of no bytes."""
    assert splitting.halves([], SEED, BOUND) == (b"", b"")
