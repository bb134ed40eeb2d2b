"""How much weight lies below and to the left: sums over points (a, b) with a < A and b < B.

Points are sorted by a and cut into blocks of 1, 2, 4, ... that are each sorted by b (a merge sort,
kept at every level). Those with a < A are the first r points, and r in binary says which blocks
make them up, one a level at most: m questions about n points take O((n + m) log n log n) (Bentley
1980, multidimensional divide and conquer).
"""

from __future__ import annotations

import numpy as np

from site_agent.contract.frames import Floats, Integers


def weight_below(
    points: tuple[Integers, Integers], weights: Floats, corners: tuple[Integers, Integers]
) -> Floats:
    """Return, for each corner (A, B), the sum of the weights of points with a < A and b < B.

    points: (n,) whole numbers a and b from 0; corners: (m,) each.
    """
    order = np.argsort(points[0], kind="stable")
    b, weight = points[1][order], weights[order]
    first = np.searchsorted(points[0][order], corners[0], side="left")
    width = int(max(b.max(initial=0), corners[1].max(initial=0))) + 1
    total = np.zeros(len(first))
    for level in range(len(b).bit_length()):
        whole = (first >> level) & 1 == 1
        if whole.any():
            block = ((first[whole] >> level) - 1) if level else first[whole] - 1
            total[whole] += _in_blocks(level, b, weight, (block, corners[1][whole]), width)
    return total


def _in_blocks(
    level: int, b: Integers, weight: Floats, asked: tuple[Integers, Integers], width: int
) -> Floats:
    """Return the weight of the points with b < B in blocks of 2^level, one block a question."""
    keys = (np.arange(len(b)) >> level) * width + b
    order = np.argsort(keys, kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(weight[order])])
    keys = keys[order]
    start = np.searchsorted(keys, asked[0] * width, side="left")
    end = np.searchsorted(keys, asked[0] * width + asked[1], side="left")
    return np.asarray(sums[end] - sums[start])
