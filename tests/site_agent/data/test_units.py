"""Units as factors."""

from __future__ import annotations

import pytest

from site_agent.data.units import factor, unit_in


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("ng/mL", "ug/L", 1.0),
        ("µg/L", "ug/L", 1.0),
        ("mcg/L", "ng/ml", 1.0),
        ("g/dL", "g/L", 10.0),
        ("mg/L", "mg/dL", 0.1),
        ("mg", "ug", 1000.0),
        ("lb", "kg", 0.45359237),
        ("months", "days", 30.4375),
        ("10^9/L", "G/L", 1.0),
        ("10^3/uL", "G/L", 1.0),
        ("mg/kg/day", "mg/kg/day", 1.0),
        ("mg dexamethasone", "g", 0.001),
        ("IU/L", "U/L", 1.0),
        ("mmol/L", "mg/dL", None),
        ("furlong", "m", None),
        ("mg", "mg/L", None),
    ],
)
def test_factors(source: str, target: str, expected: float | None) -> None:
    """By hand; None where no factor alone converts."""
    assert factor(source, target) == expected


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("Albumin (g/dL)", "g/dL"),
        ("Ferritin, ng/mL", "ng/mL"),
        ("Day (0 is infusion) of weight [kg]", "kg"),
        ("Albumin", ""),
        ("Sex (at birth)", ""),
    ],
)
def test_units_in_labels(label: str, expected: str) -> None:
    """In brackets, or behind the last comma."""
    assert unit_in(label) == expected
