"""Numbers as the report prints them; full precision stays in the release's files.

Estimates have three significant digits, probabilities one decimal of a percent. p-values
are printed as gtsummary does: <0.001, three decimals under 0.10, else two, >0.9.
"""

from __future__ import annotations

import math
from typing import Final

ABSENT: Final = "–"
NOT_REACHED: Final = "not reached"
MINUS: Final = "−"

Value = float | int | None


def _signed(text: str) -> str:
    negative = text.startswith("-") and any(digit in text for digit in "123456789")
    return MINUS + text[1:] if negative else text.removeprefix("-")


def fixed(value: Value, decimals: int) -> str:
    """Return `value` with so many decimals and a true minus sign."""
    return ABSENT if value is None else _signed(f"{value:.{decimals}f}")


def significant(value: Value, digits: int = 3) -> str:
    """Return `value` with so many significant digits, whole digits never dropped.

    Beyond 1e6 and below 1e-4 the exponent is written: 1.23e-05.
    """
    if value is None:
        return ABSENT
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e6:
        return _signed(f"{value:.{digits - 1}e}")
    rounded = abs(float(f"{value:.{digits - 1}e}"))
    return fixed(value, max(digits - 1 - math.floor(math.log10(rounded)), 0))


def percent(value: Value) -> str:
    """Return a probability in percent with one decimal, without the sign."""
    return ABSENT if value is None else fixed(100 * value, 1)


def time(value: Value) -> str:
    """Return a time in units, zeros at the end left away; "not reached" for None."""
    if value is None:
        return NOT_REACHED
    if float(value).is_integer():
        return f"{value:.0f}"
    text = significant(value, 4)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def count(value: Value) -> str:
    """Return a count with thousands separated by commas."""
    return ABSENT if value is None else f"{round(value):,}"


def interval(low: str, high: str) -> str:
    """Return "low to high" from formatted limits; absent if both are."""
    return ABSENT if low == high == ABSENT else f"{low} to {high}"


def with_interval(estimate: str, low: str, high: str) -> str:
    """Return "estimate (low to high)"; the estimate alone if it has no limits."""
    limits = interval(low, high)
    return estimate if limits == ABSENT else f"{estimate} ({limits})"


def p_value(value: Value) -> str:
    """Return a p-value: <0.001, three decimals under 0.10, two above, >0.9."""
    if value is None:
        return ABSENT
    if value < 0.001:
        return "<0.001"
    if value > 0.9:
        return ">0.9"
    return f"{value:.3f}" if round(value, 3) < 0.1 else f"{value:.2f}"


def share(value: float) -> str:
    """Return a proportion that a study names, in percent as it was written: "25 %"."""
    return f"{100 * value:.10g} %"


def level(value: float) -> str:
    """Return a confidence level as in "95 % CI"."""
    return f"{share(value)} CI"


def bytes_of(value: int) -> str:
    """Return an amount of data in B, kB or MB."""
    if value < 1_000:
        return f"{value} B"
    if value < 1_000_000:
        return f"{value / 1e3:.1f} kB"
    return f"{value / 1e6:.1f} MB"
