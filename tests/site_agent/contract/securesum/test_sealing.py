"""Sealed quotients: what is divided out of blinded totals is what exact fractions give.

Three hospitals have a part each of S0, S1, S2 at one pseudo-time. What opens is the sum of what
they send; `expected` values are fractions of the totals.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.contract.errors import Refused
from site_agent.contract.securesum import sealing
from site_agent.contract.securesum.sealing import (
    BLIND_POINT,
    FACTOR_BITS,
    FACTOR_LEAST,
    FUZZ_BITS,
    FUZZ_OVER_FACTOR,
    LOG_POINT,
    POINT,
    QUOTIENT,
    Blinding,
    Opened,
    Sealer,
    Stream,
    Sums,
)

SECRET, BOUND, ASK = bytes(range(32)), b"T_r", "ask"
SITES = ("alder", "beech", "cedar")
ONE = 1 << POINT
F = Fraction

# By hand, at one death: three patients at risk with hazards 1, 2, 1/2 and covariates (1, 0),
# (0, 4), (2, -2), one patient a hospital. S0 = 7/2, S1 = (2, 7), S2 = (3, -2, 34).
BY_HAND = [
    Sums(ONE, [ONE, 0], [ONE, 0, 0], [0]),
    Sums(2 * ONE, [0, 8 * ONE], [0, 0, 32 * ONE], [0]),
    Sums(ONE // 2, [ONE, -ONE], [2 * ONE, -2 * ONE, 2 * ONE], [ONE]),
]


def drawn(
    count: int = 1, *, columns: int = 2, further: int = 1, secret: bytes = SECRET, **changed: object
) -> list[Blinding]:
    """The blinding of the first pseudo-times of an ask."""
    named = {"transcript": BOUND, "ask": ASK, **changed}
    found = sealing.blindings(
        secret,
        named["transcript"],
        named["ask"],
        columns=columns,
        further=further,  # type: ignore[arg-type]
    )
    return [next(found) for _ in range(count)]


def fuzz(site: str) -> Stream:
    """A hospital's own noise."""
    return Stream(site.encode().ljust(32), b"fuzz")


def opened(parts: list[Sums], blinding: Blinding) -> Opened:
    """What the coordinator has in the end: the sum of what the hospitals send."""
    sent = [
        sealing.sealed(one, blinding, fuzz(site)) for site, one in zip(SITES, parts, strict=True)
    ]
    return Opened(
        sum(one.c for one in sent),
        [sum(column) for column in zip(*(one.g for one in sent), strict=True)],
        [sum(column) for column in zip(*(one.q for one in sent), strict=True)],
        [sum(column) for column in zip(*(one.e for one in sent), strict=True)],
    )


def unblinded(parts: list[Sums], blinding: Blinding) -> dict[str, list[Fraction]]:
    """E, V, 1/S0 and log S0 after what the sites open has taken the blinding away."""
    found = sealing.quotients(opened(parts, blinding))
    b, square = sealing.unblinding(blinding)
    return {
        "mean": [
            F(h, 1 << QUOTIENT) - F(own, 1 << BLIND_POINT)
            for h, own in zip(found.mean, b, strict=True)
        ],
        "spread": [
            F(one, 1 << 2 * QUOTIENT) + F(own, 1 << 2 * BLIND_POINT)
            for one, own in zip(found.spread, square, strict=True)
        ],
        "ratio": [
            F(one, 1 << QUOTIENT) - F(own, 1 << BLIND_POINT)
            for one, own in zip(found.further, blinding.further, strict=True)
        ],
        "log": [F(found.log - blinding.log_factor, 1 << LOG_POINT)],
    }


def farthest(found: list[Fraction], expected: list[Fraction]) -> float:
    """The largest difference, as a power of two; minus infinity for none at all."""
    largest = max(abs(one - other) for one, other in zip(found, expected, strict=True))
    return math.log2(largest) if largest else -math.inf


# What comes out


def test_the_mean_by_hand() -> None:
    """E = (2, 7) / (7/2)."""
    assert farthest(unblinded(BY_HAND, *drawn())["mean"], [F(4, 7), F(2)]) < -165


def test_the_spread_by_hand() -> None:
    """V = S2/S0 - EE': 6/7 - 16/49, -4/7 - 8/7, 68/7 - 4."""
    expected = [F(6, 7) - F(16, 49), F(-4, 7) - F(8, 7), F(68, 7) - 4]
    assert farthest(unblinded(BY_HAND, *drawn())["spread"], expected) < -85


def test_the_reciprocal_by_hand() -> None:
    """A further column that adds up to 1 gives 1/S0 = 2/7."""
    assert farthest(unblinded(BY_HAND, *drawn())["ratio"], [F(2, 7)]) < -165


def test_the_logarithm_by_hand() -> None:
    """log S0 = log(7/2)."""
    exact = F(Context(prec=80).ln(Decimal(7) / Decimal(2)))
    assert farthest(unblinded(BY_HAND, *drawn())["log"], [exact]) < -190


whole = st.integers(-(2**166), 2**166)  # covariates and their products up to 2^38
positive = st.integers(2**108, 2**168)  # hazards from 2^-20 to 2^40
hospitals = st.lists(
    st.builds(
        Sums,
        positive,
        st.lists(whole, min_size=2, max_size=2),
        st.lists(whole, min_size=3, max_size=3),
        st.lists(whole, min_size=1, max_size=1),
    ),
    min_size=3,
    max_size=3,
)


@settings(deadline=None)
@given(hospitals, st.binary(min_size=32, max_size=32))
def test_any_totals_come_out(parts: list[Sums], secret: bytes) -> None:
    """Means, variances and further ratios of any sums, within 2^-60 of the exact fraction."""
    s0 = sum(one.zeroth for one in parts)
    s1 = [sum(one.first[i] for one in parts) for i in range(2)]
    s2 = [sum(one.second[k] for one in parts) for k in range(3)]
    mean = [F(one, s0) for one in s1]
    pairs = [(0, 0), (0, 1), (1, 1)]
    found = unblinded(parts, *drawn(secret=secret))
    expected = [
        *mean,
        *(F(one, s0) - mean[i] * mean[j] for (i, j), one in zip(pairs, s2, strict=True)),
        F(sum(one.further[0] for one in parts), s0),
    ]
    assert farthest([*found["mean"], *found["spread"], *found["ratio"]], expected) < -60


@settings(deadline=None)
@given(hospitals)
def test_how_patients_are_spread_does_not_matter(parts: list[Sums]) -> None:
    """One hospital with all patients gives the same doubles, whatever the fuzz."""
    together = parts[0].plus(parts[1].flat()).plus(parts[2].flat())
    nobody = Sums(0, [0, 0], [0, 0, 0], [0])
    found = [
        [float(value) for value in unblinded(each, *drawn())["mean"]]
        for each in (parts, [together, nobody, nobody])
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("c", [0, -1, -(2**400)])
def test_a_risk_set_that_is_not_positive(c: int) -> None:
    """No risk set has such a sum: nothing is divided."""
    with pytest.raises(Refused, match="not positive"):
        sealing.quotients(Opened(c, [1], [1]))


def test_the_widest_numbers_fit_a_lane() -> None:
    """With sums of 2^100, B c is widest; 63 bits of 1280 are left for sign and hospitals."""
    largest = Blinding(
        (1 << 556) - 1,
        ((1 << sealing.BLIND_BITS - 1) - 1,) * 2,
        ((1 << sealing.SQUARE_BITS - 1) - 1,) * 3,
        (),
    )
    huge = 1 << POINT + 100
    sent = sealing.sealed(Sums(huge, [huge] * 2, [huge] * 3), largest, fuzz("alder"))
    assert max(value.bit_length() for value in [sent.c, *sent.g, *sent.q]) == 1216


# Blinding


def test_all_sites_draw_the_same() -> None:
    """Who has the secret, the transcript and the ask has the blinding."""
    assert drawn(5) == drawn(5)


OTHERS = {
    "secret": {"secret": SECRET[::-1]},
    "round": {"transcript": b"T_q"},
    "ask": {"ask": "another"},
    "byte that moves": {"transcript": b"T_", "ask": "rask"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_one_for_each(name: str) -> None:
    """Another secret, round or ask: not one factor, vector or matrix of before is drawn again."""
    one, other = numbers_of(drawn(20)), numbers_of(drawn(20, **OTHERS[name]))  # type: ignore[arg-type]
    assert one & other == set()


def test_a_fresh_one_for_each_pseudo_time() -> None:
    """Within an ask nothing is drawn twice."""
    assert len(numbers_of(drawn(50))) == 50 * (1 + 2 + 3 + 1)


def numbers_of(blindings: list[Blinding]) -> set[int]:
    """All numbers that were drawn."""
    return {
        number
        for one in blindings
        for number in (one.factor, *one.vector, *one.square, *one.further)
    }


def test_the_factor_is_between_its_bounds() -> None:
    """log2 R lies from 300 to 556, near the middle for most: a mean of four uniforms."""
    exponents = [one.factor.bit_length() - 1 for one in drawn(400)]
    near = sum(1 for exponent in exponents if abs(exponent - 428) < 64)
    assert (min(exponents) >= FACTOR_LEAST, max(exponents) < 556, near > 320) == (True,) * 3


def test_the_least_and_the_largest_factor() -> None:
    """Four uniforms of nothing give 2^300; of ones, the last number below 2^556."""

    class Made(Stream):
        def __init__(self, byte: int) -> None:
            self.byte = byte

        def take(self, count: int) -> bytes:
            return bytes([self.byte]) * count

    found = [sealing.draw_factor(Made(byte)) for byte in (0, 255)]
    assert found == [1 << 300, (1 << 556) - 1]


def test_the_mantissa_fills_the_factor() -> None:
    """All bits below the leading one are random, down to the last: no factor is a round number."""
    ends = [one.factor % 2**20 for one in drawn(50)]
    assert (len(set(ends)), FACTOR_BITS > 556) == (50, True)


@pytest.mark.parametrize(
    ("name", "bits"),
    [("vector", sealing.BLIND_BITS), ("square", sealing.SQUARE_BITS), ("further", 352)],
)
def test_vectors_and_matrices_have_a_sign(name: str, bits: int) -> None:
    """b, B and z are whole numbers from -2^(bits - 1) up, of either sign and nearly as large."""
    found = [number for one in drawn(100) for number in getattr(one, name)]
    half = 1 << (bits - 1)
    inside = all(-half <= number < half for number in found)
    spread = min(found) < -0.9 * half and max(found) > 0.9 * half
    assert (inside, spread) == (True, True)


# Fuzz


def noise(parts: Sums, blinding: Blinding, site: str) -> tuple[int, list[int]]:
    """u; and v, w and the v of e: what a hospital has added to what it should send."""
    sent = sealing.sealed(parts, blinding, fuzz(site))
    r, b = blinding.factor, blinding.vector
    u = sent.c - r * parts.zeroth
    v = [
        value - (r * own << BLIND_POINT) - one * sent.c
        for value, own, one in zip(sent.g, parts.first, b, strict=True)
    ]
    w = [
        value
        - (r * own << BLIND_POINT)
        - r * (b[i] * parts.first[j] + parts.first[i] * b[j])
        - square * sent.c
        for value, own, square, (i, j) in zip(
            sent.q, parts.second, blinding.square, [(0, 0), (0, 1), (1, 1)], strict=True
        )
    ]
    e = [
        value - (r * own << BLIND_POINT) - one * sent.c
        for value, own, one in zip(sent.e, parts.further, blinding.further, strict=True)
    ]
    return u, [*v, *w, *e]


@settings(deadline=None)
@given(hospitals, st.sampled_from(SITES))
def test_fuzz_keeps_its_bounds(parts: list[Sums], site: str) -> None:
    """0 <= u < 2^232, and v, w from 0 to below R 2^230: they scale with R."""
    (blinding,) = drawn()
    u, others = noise(parts[0], blinding, site)
    within = all(0 <= one < blinding.factor << FUZZ_OVER_FACTOR for one in others)
    assert (0 <= u < 1 << FUZZ_BITS, within) == (True, True)


def test_fuzz_reaches_its_bounds() -> None:
    """Of a hundred pseudo-times some have fuzz of nearly the whole width: nothing opens exactly."""
    found = [noise(BY_HAND[0], one, "alder") for one in drawn(100)]
    scale = [one.factor.bit_length() - 1 + FUZZ_OVER_FACTOR for one in drawn(100)]
    largest = (
        max(u for u, _ in found).bit_length(),
        max(
            other.bit_length() - bits
            for (_, others), bits in zip(found, scale, strict=True)
            for other in others
        ),
    )
    assert largest == (FUZZ_BITS, 0)


def test_every_hospital_has_its_own_fuzz() -> None:
    """Two hospitals with the same patients send different numbers."""
    (blinding,) = drawn()
    assert noise(BY_HAND[0], blinding, "alder") != noise(BY_HAND[0], blinding, "beech")


# What a site brings along


def sealer(site: str = "alder", **changed: object) -> Sealer:
    """What one site brings to a round."""
    given_: dict[str, object] = {
        "secret": SECRET,
        "transcript": BOUND,
        "fuzz": site.encode().ljust(32),
        "leader": False,
    }
    return Sealer(**{**given_, **changed})  # type: ignore[arg-type]


def test_a_sealer_draws_what_all_draw() -> None:
    """By secret, transcript and ask."""
    found = sealer().blindings(ASK, columns=2, further=1)
    assert found is not None and next(found) == drawn()[0]


def test_without_the_secret_there_is_no_blinding() -> None:
    """The hospital whose center has the totals cannot draw it."""
    assert sealer(secret=None).blindings(ASK, columns=2, further=1) is None


@pytest.mark.parametrize(
    ("changed", "ask"), [({"transcript": b"T_q"}, ASK), ({}, "another"), ({"fuzz": bytes(32)}, ASK)]
)
def test_fresh_fuzz_for_each_round_and_ask(changed: dict[str, object], ask: str) -> None:
    """The noise of one question is not that of another."""
    assert sealer(**changed).stream(ask).take(32) != sealer().stream(ASK).take(32)


def test_no_fuzz_is_a_blinding() -> None:
    """The same bytes as secret and as own key give other streams."""
    own = sealer(fuzz=SECRET)
    assert own.stream(ASK).take(64) != Stream(SECRET, b"quorum/1/blinding", BOUND, b"ask").take(64)


# Streams, sums, points


def test_a_stream_goes_on_where_it_was() -> None:
    """Taken in pieces or at once, the bytes are the same."""
    one, other = fuzz("alder"), fuzz("alder")
    assert one.take(5) + one.take(40) == other.take(45)


@given(st.integers(1, 100), st.integers(0, 5))
def test_numbers_of_a_stream(bits: int, count: int) -> None:
    """Each number is the upper bits of whole bytes, little-endian."""
    size = -(-bits // 8)
    data = fuzz("alder").take(size * count)
    expected = [
        int.from_bytes(data[k * size : (k + 1) * size], "little") >> (8 * size - bits)
        for k in range(count)
    ]
    assert fuzz("alder").numbers(bits, count) == expected


def test_sums_flat_and_back() -> None:
    """In order S0, S1, S2, Z; added to other numbers in that order."""
    one = Sums(1, (2, 3), (4, 5, 6), (7,))
    found = one.plus([10, 20, 30, 40, 50, 60, 70])
    assert (one.flat(), found.flat()) == (
        [1, 2, 3, 4, 5, 6, 7],
        [11, 22, 33, 44, 55, 66, 77],
    )


def test_sums_of_another_shape() -> None:
    """Numbers too few are an error, not a shorter sum."""
    with pytest.raises(ValueError, match="shorter"):
        Sums(1, (2,), (3,)).plus([1, 2])


@pytest.mark.parametrize(
    ("value", "point", "expected"),
    [
        (0.0, 5, 0),
        (1.0, 128, 1 << 128),
        (-1.5, 1, -3),
        (0.75, 1, 2),
        (0.25, 1, 1),
        (-0.25, 1, 0),
        (0.2, 0, 0),
        (5e-324, 1074, 1),
        (1e300, 0, int(1e300)),
    ],
)
def test_to_point_by_hand(value: float, point: int, expected: int) -> None:
    """The nearest multiple of 2^-point, halves upwards."""
    assert sealing.to_point(value, point) == expected


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 700))
def test_to_point_is_the_nearest_whole_number(value: float, point: int) -> None:
    """floor(value 2^point + 1/2), by exact fractions, for doubles of any size."""
    assert sealing.to_point(value, point) == math.floor(F(value) * 2**point + F(1, 2))


@given(st.integers(-(2**900), 2**900), st.integers(0, 700))
def test_from_point_rounds_once(number: int, point: int) -> None:
    """The double that is nearest to the fraction."""
    assert sealing.from_point(number, point) == float(F(number, 1 << point))


@given(st.floats(-1e30, 1e30), st.integers(1074, 1500))
def test_there_and_back(value: float, point: int) -> None:
    """With all its bits kept a double comes back as it was."""
    assert sealing.from_point(sealing.to_point(value, point), point) == value


EXACT = Context(prec=140)


def exactly(number: int) -> int:
    """log(number) at LOG_POINT by Python's decimal numbers."""
    return int(EXACT.multiply(EXACT.ln(Decimal(number)), Decimal(1 << LOG_POINT)))


def test_the_logarithm_of_one() -> None:
    """log 1 is nothing, exactly; log 2 is the constant."""
    assert [sealing.log_of(1), sealing.log_of(2), sealing.log_of(4)] == [
        0,
        sealing.LOG_2,
        2 * sealing.LOG_2,
    ]


@given(st.integers(1, 2**900))
def test_the_logarithm_of_any_number(number: int) -> None:
    """Right to 2^-256, against decimal numbers of 140 digits."""
    assert abs(sealing.log_of(number) - exactly(number)) < 1 << (LOG_POINT - 256)


@given(st.lists(st.integers(2**299, 2**900), min_size=2, max_size=5))
def test_logarithms_grow(numbers: list[int]) -> None:
    """A larger number has no smaller logarithm, near powers of two as elsewhere."""
    found = [sealing.log_of(number) for number in sorted(numbers)]
    assert all(one <= other + 2**16 for one, other in pairwise(found))
