"""Fixed-point lanes against Python's whole numbers and exact fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.errors import Refused
from site_agent.contract.securesum import fixedpoint
from site_agent.contract.securesum.fixedpoint import (
    COUNT,
    REAL,
    SEALED,
    TALLY,
    Encoding,
    Limbs,
)
from tests.site_agent.contract.securesum import slow

LARGEST = 2.0**126
SMALLEST_EXACT = 2.0**-75

reals = st.one_of(
    st.floats(-1e37, 1e37),
    st.floats(-1e-20, 1e-20),
    st.builds(lambda m, e: m * 2.0**e, st.integers(-(2**53) + 1, 2**53 - 1), st.integers(-200, 70)),
)
words = st.integers(0, 2**256 - 1)


def limbs(*values: int, encoding: str = "real") -> Limbs:
    """Whole numbers as limbs, one row each."""
    width, _ = slow.BITS[encoding]
    data = slow.to_bytes([value % 2**width for value in values], encoding)
    return np.frombuffer(data, dtype="<u8").reshape(len(values), -1).astype(np.uint64)


def whole(rows: Limbs, encoding: str = "real") -> list[int]:
    """Limbs as whole numbers."""
    return slow.from_bytes(np.ascontiguousarray(rows, dtype="<u8").tobytes(), encoding)


def encoded(number: float, encoding: Encoding = REAL, parties: int = 1) -> int:
    """One number as the whole number that stands for it, with its sign."""
    rows = fixedpoint.encode(np.array([number]), encoding, parties)
    return slow.signed(whole(rows, encoding.name)[0], encoding.name)


def refused(number: float, encoding: Encoding = REAL, parties: int = 1) -> str:
    """The code with which a number is refused; "encoded" if it is not."""
    try:
        encoded(number, encoding, parties)
    except Refused as error:
        return error.code
    return "encoded"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.0, 0),
        (-0.0, 0),
        (1.0, 2**128),
        (-1.5, -3 * 2**127),
        (2.0**-128, 1),
        (-(2.0**-128), -1),
        (5e-324, 0),
    ],
)
def test_numbers_by_hand(number: float, expected: int) -> None:
    """A number stands as its multiple of 2^-128."""
    assert encoded(number) == expected


@pytest.mark.parametrize(
    ("units", "expected"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-3.5, -4)]
)
def test_ties_to_even(units: float, expected: int) -> None:
    """What lies halfway between two multiples of 2^-128 goes to the even one."""
    assert encoded(units * 2.0**-128) == expected


@given(reals)
def test_encode_is_the_nearest_whole_number(number: float) -> None:
    """rint(x 2^128), as exact fractions give it."""
    assert encoded(number) == round(Fraction(number) * 2**128)


@given(st.integers(-(2**62) + 1024, 2**62 - 1024))
def test_counts_are_themselves(count: int) -> None:
    """A whole number in a count lane stands for itself."""
    assert encoded(float(count), COUNT) == int(float(count))


@given(st.lists(st.integers(0, 2**30 - 1)), st.lists(st.integers(0, 2**30 - 1)))
def test_tallies_add_up_without_running_over(one: list[int], other: list[int]) -> None:
    """Two tallies to a word, those of two sites up to the bound: their sums, each for itself."""
    size = min(len(one), len(other))
    halves = [np.array(given[:size], dtype=np.float64) // 2 for given in (one, other)]
    total = fixedpoint.add(*(fixedpoint.encode(half, TALLY, 2) for half in halves))
    assert total.shape == (-(-size // 2), 1)
    assert fixedpoint.decode(total, TALLY)[:size].tolist() == (halves[0] + halves[1]).tolist()


@given(reals)
def test_decode_takes_encode_back(number: float) -> None:
    """Every double of at least 2^-75 comes back bit by bit; a smaller one within 2^-129."""
    back = fixedpoint.decode(fixedpoint.encode(np.array([number]), REAL, 1), REAL)[0]
    allowed = 0.0 if abs(number) >= SMALLEST_EXACT else 2.0**-129
    assert abs(Fraction(float(back)) - Fraction(number)) <= allowed


def test_the_smallest_exact_number() -> None:
    """2^-75 and the next double above it are exact, with all 53 bits."""
    numbers = np.array([SMALLEST_EXACT, np.nextafter(SMALLEST_EXACT, 1)])
    assert fixedpoint.decode(fixedpoint.encode(numbers, REAL, 1), REAL).tolist() == numbers.tolist()


def test_where_a_bit_is_lost() -> None:
    """The double just below 2^-76 has a bit worth 2^-129, which is rounded to even: to 2^-76."""
    below = float(np.nextafter(2.0**-76, 0))
    assert encoded(below) == 2**52


@given(words)
def test_decode_rounds_once(word: int) -> None:
    """Any word decodes to the double nearest to it, as division of whole numbers gives it."""
    assert fixedpoint.decode(limbs(word), REAL)[0] == slow.decode(word, "real")


@given(st.integers(0, 2**64 - 1))
def test_decode_of_counts_rounds_once(word: int) -> None:
    """The same for a lane of one limb."""
    assert fixedpoint.decode(limbs(word, encoding="count"), COUNT)[0] == slow.decode(word, "count")


@given(st.integers(53, 254), st.integers(0, 2**53 - 1), st.sampled_from([-1, 0, 1]))
def test_decode_near_ties(top: int, mantissa: int, off: int) -> None:
    """Just below, at and just above the middle of two doubles, the sticky bit decides."""
    word = ((2**53 + mantissa) << (top - 53)) + (1 << max(top - 54, 0)) + off
    word %= 2**255
    assert fixedpoint.decode(limbs(word), REAL)[0] == slow.decode(word, "real")


@given(st.lists(st.tuples(words, words), min_size=1, max_size=5))
def test_add_is_addition_modulo_2_to_the_256(pairs: list[tuple[int, int]]) -> None:
    """Rows are added each for itself, carries included."""
    left, right = (limbs(*(pair[side] for pair in pairs)) for side in (0, 1))
    assert whole(fixedpoint.add(left, right)) == [(a + b) % 2**256 for a, b in pairs]


@pytest.mark.parametrize("left", [2**256 - 1, 2**192 - 1, 2**64 - 1, 2**256 - 2**64])
@pytest.mark.parametrize("right", [1, 2**64, 2**256 - 1, 2**64 - 1])
def test_carries_run_through_all_limbs(left: int, right: int) -> None:
    """A carry into a limb that is full goes on to the next."""
    assert whole(fixedpoint.add(limbs(left), limbs(right))) == [(left + right) % 2**256]


@given(st.lists(words, max_size=30))
def test_the_accumulator_is_addition_modulo_2_to_the_256(terms: list[int]) -> None:
    """Any number of terms adds up, carries settled once at the end."""
    accumulated = fixedpoint.Accumulator(1, REAL)
    for term in terms:
        accumulated.add(limbs(term))
    assert whole(accumulated.total()) == [sum(terms) % 2**256]


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30))
def test_the_accumulator_of_counts(terms: list[int]) -> None:
    """The same for lanes of one limb."""
    accumulated = fixedpoint.Accumulator(1, COUNT)
    for term in terms:
        accumulated.add(limbs(term, encoding="count"))
    assert whole(accumulated.total(), "count") == [sum(terms) % 2**64]


@given(st.lists(st.tuples(words, st.booleans()), max_size=250))
def test_the_accumulator_takes_off(terms: list[tuple[int, bool]]) -> None:
    """Added and taken off in any order, also more often than carries can be counted."""
    accumulated = fixedpoint.Accumulator(1, REAL)
    for term, added in terms:
        (accumulated.add if added else accumulated.subtract)(limbs(term))
    expected = sum(term if added else -term for term, added in terms)
    assert whole(accumulated.total()) == [expected % 2**256]


@pytest.mark.parametrize("term", [1, 2**64, 2**256 - 1])
def test_more_terms_than_a_carry_counts(term: int) -> None:
    """Three hundred times the largest word run over three hundred times."""
    accumulated = fixedpoint.Accumulator(1, REAL)
    for _ in range(300):
        accumulated.subtract(limbs(term))
    assert whole(accumulated.total()) == [-300 * term % 2**256]


def test_numbers_of_several_blocks() -> None:
    """More numbers than are encoded at a time are each encoded and decoded for itself."""
    numbers = np.linspace(-3, 5, 2 * fixedpoint.BLOCK + 5) ** 3
    rows = fixedpoint.encode(numbers, REAL, 1)
    assert fixedpoint.decode(rows, REAL).tolist() == numbers.tolist()


@given(words)
def test_negate(word: int) -> None:
    """-q modulo 2^256."""
    assert whole(fixedpoint.negate(limbs(word))) == [-word % 2**256]


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=20))
def test_a_sum_is_exact_and_rounded_once(numbers: list[float]) -> None:
    """Encoded, added, decoded: the exact sum, to the nearest double."""
    total = limbs(0)
    for row in fixedpoint.encode(np.array(numbers), REAL, len(numbers)):
        total = fixedpoint.add(total, row[None, :])
    exact = sum(round(Fraction(number) * 2**128) for number in numbers)
    assert fixedpoint.decode(total, REAL)[0] == exact / 2**128


@pytest.mark.parametrize("parties", [1, 2, 5, 200])
def test_the_largest_number_is_refused(parties: int) -> None:
    """2^126 / S is refused, and so is its negative."""
    bound = LARGEST / parties
    assert {refused(sign * bound, REAL, parties) for sign in (-1, 1)} == {"overflow"}


@pytest.mark.parametrize("parties", [1, 2, 5, 200])
def test_just_below_the_largest(parties: int) -> None:
    """The next double below 2^126 / S is exact, at either sign."""
    number = float(np.nextafter(LARGEST / parties, 0))
    assert {encoded(sign * number, REAL, parties) * sign for sign in (-1, 1)} == {
        int(Fraction(number) * 2**128)
    }


@pytest.mark.parametrize("parties", [1, 2, 5, 200])
def test_the_largest_numbers_can_be_added(parties: int) -> None:
    """As many numbers as there are sites, each just below the bound, do not overflow."""
    number = float(np.nextafter(LARGEST / parties, 0))
    total = limbs(0)
    for _ in range(parties):
        total = fixedpoint.add(total, fixedpoint.encode(np.array([number]), REAL, parties))
    assert fixedpoint.decode(total, REAL)[0] == float(Fraction(number) * parties)


@pytest.mark.parametrize("encoding", [REAL, COUNT, TALLY])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e308, -1e308])
def test_what_is_not_finite_is_refused(number: float, encoding: Encoding) -> None:
    """NaN, infinities and numbers far too large do not enter a sum."""
    assert refused(number, encoding) == "overflow"


@pytest.mark.parametrize("number", [0.5, -0.25, 1.0 + 2.0**-52, 1e-300])
def test_a_fraction_in_a_count_lane_is_refused(number: float) -> None:
    """Counts are whole numbers."""
    assert {refused(number, COUNT), refused(number, TALLY)} == {"overflow"}


def test_the_largest_and_the_smallest_tally() -> None:
    """2^30 / S rows are too many for one cell of a histogram, and fewer than none are no tally."""
    numbers = (2.0**28, 2.0**28 - 1, 0.0, -1.0)
    expected = ["overflow", "encoded", "encoded", "overflow"]
    assert [refused(number, TALLY, 4) for number in numbers] == expected


def test_the_largest_count() -> None:
    """2^62 / S patients are too many; one double fewer is not."""
    assert [refused(2.0**62 / 4, COUNT, 4), refused(np.nextafter(2.0**60, 0), COUNT, 4)] == [
        "overflow",
        "encoded",
    ]


def test_no_refusal_tells_the_number() -> None:
    """The message names the bound, not what a hospital's sum was."""
    with pytest.raises(Refused) as refusal:
        encoded(1.2345e300)
    assert "1.2345" not in str(refusal.value)


def test_no_numbers() -> None:
    """A lane without numbers is encoded and decoded to nothing."""
    assert fixedpoint.decode(fixedpoint.encode(np.zeros(0), REAL, 3), REAL).tolist() == []


# Wide lanes: whole numbers of any size, modulo 2^1280

wide = st.integers(-(2**1279), 2**1279 - 1)


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, 0),
        (1, 1),
        (-1, 2**1280 - 1),
        (2**1279 - 1, 2**1279 - 1),
        (-(2**1279), 2**1279),
        (2**1280 + 7, 7),
    ],
)
def test_wide_numbers_by_hand(number: int, expected: int) -> None:
    """A whole number stands modulo 2^1280, a negative one as its complement."""
    assert whole(fixedpoint.encode_wide([number], SEALED), "sealed") == [expected]


@given(st.lists(wide, max_size=6))
def test_wide_numbers_come_back(numbers: list[int]) -> None:
    """Whatever fits with its sign is decoded to itself, of any size."""
    assert fixedpoint.decode_wide(fixedpoint.encode_wide(numbers, SEALED)) == numbers


@given(st.lists(st.integers(-(2**2000), 2**2000), max_size=4))
def test_what_does_not_fit_is_taken_modulo_2_to_the_1280(numbers: list[int]) -> None:
    """Numbers beyond the lane lose what is above it, as masks need."""
    expected = [number % 2**1280 for number in numbers]
    assert whole(fixedpoint.encode_wide(numbers, SEALED), "sealed") == expected


@given(st.lists(st.tuples(wide, st.integers(0, 2**1280 - 1)), max_size=4))
def test_wide_numbers_add_up(terms: list[tuple[int, int]]) -> None:
    """Added with carries through all twenty limbs, masks on and off, the sum is exact."""
    accumulated = fixedpoint.Accumulator(1, SEALED)
    for number, mask in terms:
        one, other = (fixedpoint.encode_wide([n], SEALED) for n in (number, mask))
        masked = fixedpoint.add(one, other)
        accumulated.add(fixedpoint.add(masked, fixedpoint.negate(other)))
    total = sum(number for number, _ in terms)
    assert whole(accumulated.total(), "sealed") == [total % 2**1280]


def test_no_wide_numbers() -> None:
    """A sealed lane without numbers has no limbs and decodes to nothing."""
    limbs_of_none = fixedpoint.encode_wide([], SEALED)
    assert (limbs_of_none.shape, fixedpoint.decode_wide(limbs_of_none)) == ((0, 20), [])
