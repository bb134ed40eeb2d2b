"""Rounding as the report prints it."""

from __future__ import annotations

import pytest

from coordinator.report import numbers


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.00001, "<0.001"),
        (0.00099999, "<0.001"),
        (0.001, "0.001"),
        (0.0404, "0.040"),
        (0.0994, "0.099"),
        (0.0996, "0.10"),
        (0.1, "0.10"),
        (0.2345, "0.23"),
        (0.9, "0.90"),
        (0.901, ">0.9"),
        (1.0, ">0.9"),
        (None, "–"),
    ],
)
def test_p_values_follow_gtsummary(value: float | None, expected: str) -> None:
    """p is <0.001, has three decimals under 0.10, else two, and ends at >0.9."""
    assert numbers.p_value(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.57544, "0.575"),
        (1.0111, "1.01"),
        (0.9999, "1.00"),
        (9.999, "10.0"),
        (12.34, "12.3"),
        (-0.5526, "−0.553"),
        (0.0, "0"),
        (1.5e7, "1.50e+07"),
        (-2e-5, "−2.00e-05"),
        (None, "–"),
    ],
)
def test_estimates_have_three_digits(value: float | None, expected: str) -> None:
    """Three significant digits are kept, and whole digits are never dropped."""
    assert numbers.significant(value) == expected


def test_whole_digits_of_large_estimates_are_kept() -> None:
    """An estimate of five digits is not rounded to hundreds."""
    assert numbers.significant(12345.6) == "12346"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (310.0, "310"),
        (270.5, "270.5"),
        (1.23456, "1.235"),
        (None, "not reached"),
        (0.0, "0"),
        (5.25, "5.25"),
        (4.2, "4.2"),
    ],
)
def test_times_are_whole_or_short(value: float | None, expected: str) -> None:
    """A whole time has no decimals, and one that is not reached says so."""
    assert numbers.time(value) == expected


def test_a_rounded_zero_has_no_sign() -> None:
    """A small negative number that rounds to zero is not printed as minus zero."""
    assert numbers.fixed(-0.001, 1) == "0.0"


def test_an_estimate_without_limits_stands_alone() -> None:
    """No empty brackets are printed where a limit has no value."""
    assert numbers.with_interval("0.0", "–", "–") == "0.0"


@pytest.mark.parametrize(
    ("value", "expected"), [(999, "999 B"), (1500, "1.5 kB"), (2_500_000, "2.5 MB")]
)
def test_amounts_of_data_have_units(value: int, expected: str) -> None:
    """Bytes are printed in the unit that suits them."""
    assert numbers.bytes_of(value) == expected
