"""Numbers as the report prints them; full precision stays in the release's files.

Rounding is a part of the disclosure rules: digits beyond a number's own uncertainty say nothing
about the disease, and much about the patients. The rules:

    hazard ratios       two decimals, one from 10 on, none from 100 on; below 0.01 "<0.01"
    standard errors     two significant digits; a coefficient ends at the same decimal
    probabilities       whole per cent in a group of fewer than 100 rows, else one decimal
    shares in tables    as gtsummary: whole per cent, one decimal below 10
    of hidden rows      steps of at least one row: 1 % from 100 rows on, 5 % from 20 on, else 10 %
    chi-squares         three significant digits; log-likelihoods and AIC too
    p-values            as gtsummary: <0.001, three decimals under 0.10, else two, >0.9
"""

from __future__ import annotations

import math
from typing import Final

ABSENT: Final = "–"
NOT_REACHED: Final = "not reached"
MINUS: Final = "−"
COARSE_BELOW: Final = 100  # rows

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


def ratio(value: Value) -> str:
    """Return a hazard ratio: two decimals, one from 10 on, none from 100 on.

    >>> ratio(1.0111), ratio(0.0045), ratio(12.34)
    ('1.01', '<0.01', '12.3')
    """
    if value is None:
        return ABSENT
    if value < 0.005:
        return "<0.01"
    if value >= 1e6:
        return ">1,000,000"
    return f"{value:,.{2 if value < 9.995 else 1 if value < 99.95 else 0}f}"


def with_error(estimate: Value, std_error: Value) -> tuple[str, str]:
    """Return a coefficient and its standard error, both to the error's second digit."""
    if estimate is None or not std_error:
        return significant(estimate, 2), significant(std_error, 2)
    first = math.floor(math.log10(float(f"{abs(std_error):.1e}")))
    return fixed(estimate, max(1 - first, 0)), significant(std_error, 2)


def percent_step(rows: int, *, counted: bool = True) -> float:
    """Return the step in per cent to which probabilities of a group of rows are rounded.

    Where the rows are not shown (`counted` false) it is at least one row, so that no number of
    rows can be told from the fractions that are possible.
    """
    if counted:
        return 1.0 if rows < COARSE_BELOW else 0.1
    return 1.0 if rows >= COARSE_BELOW else 5.0 if rows >= 20 else 10.0


def to_step(value: Value, step: float) -> float | None:
    """Return a probability rounded to a step in per cent.

    >>> to_step(0.43, 5.0)
    0.45
    """
    return None if value is None else round(round(100 * value / step) * step, 1) / 100


def percent(value: Value, step: float = 0.1) -> str:
    """Return a probability in percent to a step, without the sign."""
    rounded = to_step(value, step)
    return ABSENT if rounded is None else fixed(100 * rounded, 1 if step < 1 else 0)


def table_percent(value: Value) -> str:
    """Return a share as gtsummary does: whole per cent, one decimal below 10.

    >>> table_percent(0.536), table_percent(0.0357), table_percent(0), table_percent(0.0002)
    ('54%', '3.6%', '0%', '<0.1%')
    """
    if value is None:
        return ABSENT
    if 0 < value < 0.001:
        return "<0.1%"
    return f"{fixed(100 * value, 1 if 0 < value < 0.0995 else 0)}%"


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
