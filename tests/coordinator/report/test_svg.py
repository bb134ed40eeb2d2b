"""SVG as text: escaped, short, the same each time."""

from __future__ import annotations

import pytest

from coordinator.report.svg import band, element, place, staircase, straight, straight_band


def test_text_and_attributes_are_escaped() -> None:
    """A name with markup in it stays text, in content and in attributes."""
    drawn = element("text", "<b>", class_='"x', x=1.0)
    assert drawn == '<text class="&#34;x" x="1">&lt;b&gt;</text>'


def test_an_attribute_with_a_dash_is_named_with_a_low_line() -> None:
    """Attribute names of SVG can be written as names of Python."""
    assert element("rect", stroke_width=2, viewBox="0 0") == (
        '<rect stroke-width="2" viewBox="0 0"></rect>'
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, "1"), (1.2, "1"), (-0.001, "0"), (3.14159, "3"), (0.5, "0.5"), (7.3, "7.5")],
)
def test_coordinates_are_half_pixels(value: float, expected: str) -> None:
    """Whole or half, no zeros at the end, no minus zero."""
    assert place(value) == expected


def test_what_is_no_coordinate_keeps_its_decimals() -> None:
    """A shade of 0.16 is not rounded to nothing."""
    assert element("rect", fill_opacity=0.16, x=0.16) == '<rect fill-opacity="0.16" x="0"></rect>'


def test_a_step_function_goes_across_and_then_up() -> None:
    """The curve keeps its value until the next time."""
    assert staircase([(0, 10), (5, 8), (9, 2)]) == "M0 10H5V8H9V2"


def test_a_band_goes_forth_above_and_back_below() -> None:
    """The path between two step functions is closed."""
    assert band([(0, 5, 1), (4, 6, 2)], 9) == "M0 1H4V2H9V6H4V5H0Z"


def test_a_straight_line_goes_from_point_to_point() -> None:
    """Nothing is said of what lies between."""
    assert straight([(0, 10), (5, 8), (9, 2)]) == "M0 10L5 8L9 2"


def test_a_straight_band_is_closed() -> None:
    """Forth above, back below."""
    assert straight_band([(0, 5, 1), (4, 6, 2)]) == "M0 1L4 2L4 6L0 5Z"
