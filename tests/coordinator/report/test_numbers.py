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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.57544, "0.58"),
        (0.0, "<0.01"),
        (0.0049, "<0.01"),
        (9.994, "9.99"),
        (9.996, "10.0"),
        (99.96, "100"),
        (15974.2, "15,974"),
        (2e6, ">1,000,000"),
        (None, "–"),
    ],
)
def test_hazard_ratios_have_two_decimals(value: float | None, expected: str) -> None:
    """From 10 on one decimal, from 100 on none; what rounds to nought is below 0.01."""
    assert numbers.ratio(value) == expected


@pytest.mark.parametrize(
    ("estimate", "error", "expected"),
    [
        (0.011067, 0.009267, ("0.0111", "0.0093")),
        (-0.5526, 0.1677, ("−0.55", "0.17")),
        (357.1, 16.2, ("357", "16")),
        (0.5, 0.0996, ("0.50", "0.10")),
        (1.23456, None, ("1.2", "–")),
        (None, None, ("–", "–")),
    ],
)
def test_a_coefficient_ends_where_its_error_does(
    estimate: float | None, error: float | None, expected: tuple[str, str]
) -> None:
    """Two digits of the standard error, and the estimate to the same decimal."""
    assert numbers.with_error(estimate, error) == expected


@pytest.mark.parametrize(
    ("rows", "counted", "expected"),
    [
        (99, True, "43"),
        (100, True, "43.4"),
        (100, False, "43"),
        (99, False, "45"),
        (19, False, "40"),
    ],
)
def test_probabilities_are_rounded_by_the_size_of_the_group(
    rows: int, counted: bool, expected: str
) -> None:
    """Whole per cent below 100 rows; where rows are hidden, at least a row a step."""
    assert numbers.percent(0.434, numbers.percent_step(rows, counted=counted)) == expected


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
