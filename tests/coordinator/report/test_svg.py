"""SVG as text: escaped, short, the same each time."""

from __future__ import annotations

import pytest

from coordinator.report.svg import band, element, place, staircase


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
    [(1.0, "1"), (1.005, "1"), (-0.001, "0"), (3.14159, "3.14"), (0.5, "0.5")],
)
def test_coordinates_are_short(value: float, expected: str) -> None:
    """Two decimals at most, no zeros at the end, no minus zero."""
    assert place(value) == expected


def test_a_step_function_goes_across_and_then_up() -> None:
    """The curve keeps its value until the next time."""
    assert staircase([(0, 10), (5, 8), (9, 2)]) == "M0 10H5V8H9V2"


def test_a_band_goes_forth_above_and_back_below() -> None:
    """The path between two step functions is closed."""
    assert band([(0, 5, 1), (4, 6, 2)], 9) == "M0 1H4V2H9V6H4V5H0Z"
