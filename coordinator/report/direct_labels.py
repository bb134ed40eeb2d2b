"""Labels beside the ends of curves, moved apart so that none overlaps another.

Given wanted centres w_i in order and heights h_i, the centres x_i minimise
sum (x_i - w_i)^2 subject to x_(i+1) - x_i >= (h_i + h_(i+1)) / 2: isotonic regression of
w_i less the heights above it, solved by pooling adjacent violators (Barlow et al. 1972), then
held within the bounds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

NARROW: Final = frozenset("iljtfrI.,:;'|!()[] ")
BROAD: Final = frozenset("mwMW%@")
ELLIPSIS: Final = "…"


def text_width(text: str, size: float) -> float:
    """Return about how wide `text` is in a sans-serif of this size; never much too narrow."""
    return size * sum(_advance(character) for character in text)


def _advance(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in NARROW:
        return 0.36
    if character in BROAD:
        return 0.95
    return 0.72 if character.isupper() else 0.6


def shortened(text: str, width: float, size: float) -> str:
    """Return `text`, cut with an ellipsis if it is wider than `width`."""
    if text_width(text, size) <= width:
        return text
    kept = text
    while kept and text_width(kept + ELLIPSIS, size) > width:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def wrapped(text: str, width: float, size: float, *, most: int = 2) -> tuple[str, ...]:
    """Return `text` in at most so many lines, broken at spaces, the last one cut."""
    lines: list[str] = []
    words = text.split()
    while words and len(lines) < most - 1:
        line = words.pop(0)
        while words and text_width(f"{line} {words[0]}", size) <= width:
            line = f"{line} {words.pop(0)}"
        lines.append(shortened(line, width, size))
    if words:
        lines.append(shortened(" ".join(words), width, size))
    return tuple(lines)


def apart(
    wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> tuple[float, ...]:
    """Return centres as near to `wanted` as they can be without overlap, in the same order.

    They lie within low and high; high - low must be at least the sum of the heights.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    above = _above([heights[i] for i in order])
    free = [wanted[i] - before for i, before in zip(order, above, strict=True)]
    room = high - low - sum(heights)
    placed = [0.0] * len(wanted)
    for i, position, before in zip(order, _isotonic(free), above, strict=True):
        placed[i] = min(max(position, low), low + max(room, 0.0)) + before
    return tuple(placed)


def _above(heights: Sequence[float]) -> list[float]:
    """Return the height that stands above each centre if all are stacked from 0."""
    total, above = 0.0, []
    for height in heights:
        above.append(total + height / 2)
        total += height
    return above


def _isotonic(values: Sequence[float]) -> list[float]:
    """Return the non-decreasing sequence nearest to `values` by least squares."""
    blocks: list[tuple[float, int]] = []
    for value in values:
        blocks.append((value, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (second, m), (first, n) = blocks.pop(), blocks.pop()
            blocks.append(((first * n + second * m) / (n + m), n + m))
    return [mean for mean, size in blocks for _ in range(size)]
