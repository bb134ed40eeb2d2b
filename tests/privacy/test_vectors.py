from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from site_agent.contract.errors import Refused
from site_agent.contract.securesum.sealing import (
    BLIND_POINT,
    POINT,
    QUOTIENT,
    WEIGHT_POINT,
    Blinding,
    Opened,
    Stream,
    Sums,
    blindings,
    from_point,
    quotients,
    sealed,
    unblinding,
)
from tests.privacy import vectors
from tests.privacy.vectors import number

KEPT = vectors.kept()
POSITIVE = KEPT["positive"]
each = pytest.mark.parametrize("kept", POSITIVE, ids=lambda kept: f"{kept['columns']} columns")


def own_stream(secret: str) -> Stream:
    """Fuzz under a key as a vector names it."""
    return Stream(bytes.fromhex(secret))


def drawn(kept: Any, **other: Any) -> list[Blinding]:
    """The product's blinding of a vector."""
    told = {name: other.get(name, kept[name]) for name in ("secret", "transcript", "ask")}
    secret, transcript = (bytes.fromhex(told[name]) for name in ("secret", "transcript"))
    stream = blindings(
        secret, transcript, told["ask"], columns=kept["columns"], further=kept["further"]
    )
    return [next(stream) for _ in kept["drawn"]]


def sums_of(row: list[int], p: int) -> Sums:
    """A hospital's numbers of one pseudo-time."""
    second = 1 + p + p * (p + 1) // 2
    return Sums(row[0], row[1 : 1 + p], row[1 + p : second], row[second:])


def shares(kept: Any, blinds: list[list[Blinding]]) -> list[list[Opened]]:
    """The product's share of each hospital, each under blinding of its own."""
    found = []
    for rows, key, own in zip(number(kept["hospitals"]), kept["fuzz"], blinds, strict=True):
        fuzz = own_stream(key)
        found.append(
            [
                sealed(sums_of(row, kept["columns"]), blind, fuzz)
                for row, blind in zip(rows, own, strict=True)
            ]
        )
    return found


def totals(found: list[list[Opened]]) -> list[Opened]:
    """What opens: shares added up, pseudo-time by pseudo-time."""
    return [
        Opened(
            sum(one.c for one in column),
            *(added([getattr(one, name) for one in column]) for name in ("g", "q", "e")),
        )
        for column in zip(*found, strict=True)
    ]


def added(rows: Sequence[Sequence[int]]) -> list[int]:
    """The sum of rows, number by number."""
    return [sum(values) for values in zip(*rows, strict=True)]


def score(kept: Any, opened: list[Opened], bracket: list[int]) -> list[float]:
    """Less the weighted sum of E, as the product takes the blinding off."""
    weights = number(kept["weights"])
    means = [quotients(one).mean for one in opened]
    up = QUOTIENT - BLIND_POINT
    return [
        from_point(
            (own << up) - sum(w * mean[j] for w, mean in zip(weights, means, strict=True)),
            QUOTIENT + WEIGHT_POINT,
        )
        for j, own in enumerate(bracket)
    ]


@each
def test_what_is_drawn(kept: Any) -> None:
    """R, b, B and z of each pseudo-time."""
    found = [vectors.text([one.factor, one.vector, one.square, one.further]) for one in drawn(kept)]
    assert found == kept["drawn"]


@each
def test_what_opens(kept: Any) -> None:
    """c, g, q and e of each pseudo-time, added up over three hospitals."""
    found = totals(shares(kept, [drawn(kept)] * 3))
    opened = {name: vectors.text([getattr(one, name) for one in found]) for name in "cgqe"}
    assert opened == kept["opened"]


@each
def test_what_takes_the_blinding_off(kept: Any) -> None:
    """The weighted sums of b and of b b' - B."""
    weights = number(kept["weights"])
    taken = [unblinding(one) for one in drawn(kept)]
    found = [
        [
            sum(w * one[part][j] for w, one in zip(weights, taken, strict=True))
            for j in range(len(taken[0][part]))
        ]
        for part in (0, 1)
    ]
    assert vectors.text(found) == kept["brackets"][:2]


@each
def test_the_score_without_blinding(kept: Any) -> None:
    """What is left is the same double."""
    found = totals(shares(kept, [drawn(kept)] * 3))
    assert score(kept, found, number(kept["brackets"][0])) == kept["means"]


@each
def test_the_score_is_that_of_the_sums(kept: Any) -> None:
    """Without any sealing, from what the hospitals put in, to a double's last bits."""
    p, pooled = kept["columns"], number(kept["hospitals"])
    weights = [w / 2**WEIGHT_POINT for w in number(kept["weights"])]
    rows = [added(times) for times in zip(*pooled, strict=True)]
    plain = [
        -sum(w * row[1 + j] / row[0] for w, row in zip(weights, rows, strict=True))
        for j in range(p)
    ]
    assert kept["means"] == pytest.approx(plain, rel=1e-12, abs=1e-15)


def another(kept: Any, **other: Any) -> list[list[Blinding]]:
    """Blinding in which the last hospital differs."""
    return [drawn(kept), drawn(kept), drawn(kept, **other)]


def outcome(kept: Any, what: str) -> str:
    """What comes of a vector in which something is done otherwise."""
    own, bracket = [drawn(kept)] * 3, number(kept["brackets"][0])
    other = {
        "another secret at one hospital": {"secret": "00" * 32},
        "another transcript at one hospital": {"transcript": "00" * 32},
        "another ask at one hospital": {"ask": "another"},
    }
    if what in other:
        own = another(kept, **other[what])
    if what.startswith("pseudo-times"):
        own = [own[0], own[1], own[2][::-1]]
    found = shares(kept, own)
    opened = totals(found[:2] if what == "a share left out" else found)
    if what.startswith("nobody"):
        opened = [Opened(0, one.g, one.q, one.e) for one in opened]
    if what.startswith("a hospital that"):
        opened = [Opened(one.c - 2 * abs(one.c), one.g, one.q, one.e) for one in opened]
    times = {"a bracket from nobody": 0, "a bracket twice": 2}.get(what, 1)
    try:
        told = score(kept, opened, [times * v for v in bracket])
    except Refused:
        return "refused"
    if told == kept["means"]:
        return "right"
    return "blinded" if max(abs(v) for v in told) > 2.0**40 else "other"


@pytest.mark.parametrize("kept", KEPT["negative"], ids=lambda kept: f"{kept['of']} {kept['what']}")
def test_what_is_done_otherwise_unseals_nothing(kept: Any) -> None:
    """A refusal, a number that is still blinded, or one of other patients."""
    assert outcome(POSITIVE[kept["of"]], kept["what"]) == kept["expected"]


def test_the_vectors_are_those_of_the_slow_implementation() -> None:
    """The file is what `python -m tests.privacy.vectors` writes."""
    assert vectors.made() == KEPT


def test_an_open_point_has_as_many_bits_as_told() -> None:
    """The slow implementation's units are the product's."""
    assert (vectors.UNIT, 2**BLIND_POINT) == (2**POINT, vectors.slow.GRID)
