"""Forged ROUND and CLOSE: questions, arguments, totals, results."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from site_agent.contract.catalogue import SUMS
from site_agent.contract.conductor import sections
from site_agent.contract.messages import (
    LARGEST_NUMBER,
    Close,
    Round,
)
from tests.attacks import bound
from tests.campaign.scene import Scene, Wire


def asked(**change: Callable[[Scene], Any]) -> Wire:
    """The ROUND that is due with other fields."""

    def wire(scene: Scene) -> bytes:
        content = {**scene.due.content, **{n: drawn(scene) for n, drawn in change.items()}}
        return scene.sign(Round(**content), scene.wires())

    return wire


def a_later_number(scene: Scene) -> int:
    return min(scene.number + scene.rng.choice([1, 2, 7, 1000, 2**30]), LARGEST_NUMBER)


def used_round(scene: Scene) -> bytes:
    """A round that was answered, with another question."""
    number = scene.rng.randrange(scene.number)
    return scene.sign(Round(scene.opened, number, scene.hex()), scene.wires())


def next_round(scene: Scene) -> bytes:
    """In the place of SHARES the ROUND behind them, over totals that nobody could check."""
    totals = scene.rng.randbytes(8 * scene.rng.randrange(20))
    return scene.sign(Round(scene.opened, scene.number + 1, scene.hex()), [totals])


def steered(change: Callable[[Scene, float], float]) -> Wire:
    """The ROUND that is due with one floating-point argument changed, under its transcript."""

    def wire(scene: Scene) -> bytes:
        parts = scene.wires()
        filled = [at for at in range(1, len(parts)) if parts[at]]
        if not filled:
            return arguments_cut(scene)
        at = scene.rng.choice(filled)
        place = 8 * scene.rng.randrange(len(parts[at]) // 8)
        (value,) = struct.unpack("<d", parts[at][place : place + 8])
        changed = struct.pack("<d", change(scene, value))
        parts[at] = parts[at][:place] + changed + parts[at][place + 8 :]
        return bound(scene.play, parts)

    return wire


def a_little(scene: Scene, value: float) -> float:
    """Off by more than processors differ."""
    size = 10 ** scene.rng.uniform(-7, 0) * max(1.0, abs(value))
    return value + scene.rng.choice([-1, 1]) * size


def far_away(scene: Scene, value: float) -> float:
    """So far out that one patient's risk would be all of the sum."""
    return value + scene.rng.choice([-1, 1]) * 10 ** scene.rng.uniform(1, 300)


def no_number(scene: Scene, _: float) -> float:
    return scene.rng.choice([float("nan"), float("inf"), -float("inf")])


def arguments_cut(scene: Scene) -> bytes:
    """Arguments of another length."""
    parts = scene.wires()
    at = scene.rng.randrange(1, len(parts))
    more = scene.rng.randbytes(scene.rng.choice([1, 7, 8, 80]))
    parts[at] = parts[at][:-8] if parts[at] and scene.rng.random() < 0.5 else parts[at] + more
    return scene.sign(Round(**scene.due.content), parts)


def another_ask(scene: Scene) -> bytes:
    """Arguments for one question more, or one less."""
    parts = scene.wires()
    fewer = scene.rng.random() < 0.5 and len(parts) > 1
    changed = parts[:-1] if fewer else [*parts, scene.rng.randbytes(8)]
    return scene.sign(Round(**scene.due.content), changed)


def false_totals(change: Callable[[Scene, float], float]) -> Wire:
    """The message that is due with one total of an open sum changed."""

    def wire(scene: Scene) -> bytes:
        totals = np.frombuffer(scene.wires()[0]).copy()
        at = scene.rng.choice(_open_places(scene))
        totals[at] = change(scene, float(totals[at]))
        return _over(scene, totals.tobytes())

    return wire


def _over(scene: Scene, totals: bytes) -> bytes:
    """The ROUND or CLOSE that is due over other totals, under the transcript that follows."""
    parts = [totals, *scene.wires()[1:]]
    if scene.due.kind == Close.TYPE:
        return scene.sign(Close(**scene.due.content), parts)
    return bound(scene.play, parts)


def _open_places(scene: Scene) -> list[int]:
    """Where the totals of open sums stand among those of the round that was answered last."""
    release = scene.play.cores[scene.victim]._release
    assert release is not None and release.answering is not None
    asks = release.answering.asks
    places: list[int] = []
    offset = 0
    for number, ask in enumerate(asks):
        size = sum(lane.size for lane in SUMS[ask.sum].answered_lanes(ask))
        if number in sections(asks)["open"]:
            places += range(offset, offset + size)
        offset += size
    return places


def a_count_more(scene: Scene, value: float) -> float:
    return value + scene.rng.choice([-1.0, 1.0, 2.0, 1e6])


def another_number(scene: Scene, _: float) -> float:
    return scene.rng.choice([float("nan"), float("inf"), -1e308, scene.rng.uniform(-50, 50) + 0.1])


def totals_cut(scene: Scene) -> bytes:
    totals = scene.wires()[0]
    cut = totals[: -scene.rng.choice([1, 8])] if totals else b""
    return _over_raw(
        scene, scene.rng.choice([cut, totals + scene.rng.randbytes(8), totals * 2 + b"\0"])
    )


def _over_raw(scene: Scene, totals: bytes) -> bytes:
    kind = Close if scene.due.kind == Close.TYPE else Round
    return scene.sign(kind(**scene.due.content), [totals, *scene.wires()[1:]])


def closing(**change: Callable[[Scene], Any]) -> Wire:
    """The CLOSE that is due with other fields; before it is due, one that is made up."""

    def wire(scene: Scene) -> bytes:
        content: dict[str, Any] = {
            "open": scene.opened,
            "rounds": scene.number,
            "result": scene.hex(),
        }
        if scene.due.kind == Close.TYPE:
            content = dict(scene.due.content)
        content |= {name: drawn(scene) for name, drawn in change.items()}
        return scene.sign(Close(**content), scene.wires()[:1] or [b""])

    return wire


def other_rounds(scene: Scene) -> int:
    found = int(scene.due.content["rounds"])
    return max(0, found + scene.rng.choice([-3, -1, 1, 5, 1000]))
