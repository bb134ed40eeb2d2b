"""Test vectors of sealing: made by the slow implementation, kept as JSON, held against the product.

    python -m tests.privacy.vectors

writes vectors/sealing.json anew. Numbers of any size are texts in decimal. A positive vector has a
secret, what each hospital puts in, and all that is drawn and opens; a negative one names what one
hospital does otherwise, and what then comes of it: `refused` (c is not positive) or `blinded` (the
blinding does not come off, and the score is no number that any covariates have).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.privacy import slow
from tests.privacy.slow import UNIT, Blind, Draw, Weights

FILE: Final = Path(__file__).parent / "vectors" / "sealing.json"
SHAPES: Final = ((1, 1, 0), (1, 3, 0), (2, 2, 0), (3, 4, 1), (5, 2, 1))  # p, times, further
NEGATIVE: Final = {
    "another secret at one hospital": "blinded",
    "another transcript at one hospital": "blinded",
    "another ask at one hospital": "blinded",
    "pseudo-times exchanged at one hospital": "blinded",
    "a bracket from nobody": "blinded",
    "a bracket twice": "blinded",
    "a share left out": "other",
    "nobody at risk, no fuzz": "refused",
    "a hospital that subtracts all": "refused",
}


def key(name: str) -> bytes:
    """A key that follows from a name."""
    return hashlib.sha256(name.encode()).digest()


def text(value: Any) -> Any:
    """Whole numbers as text, at any depth."""
    if isinstance(value, list | tuple):
        return [text(one) for one in value]
    return str(value) if isinstance(value, int) else value


def number(value: Any) -> Any:
    """Text as whole numbers, at any depth."""
    return [number(one) for one in value] if isinstance(value, list) else int(value)


def hospitals(seed: int, p: int, times: int, further: int) -> list[list[list[int]]]:
    """What three hospitals put in: by hospital and pseudo-time S0, S1, S2, Z in a row.

    Whole numbers throughout (four patients a hospital, who leave one by one), so that no
    processor's exponential comes in.
    """
    found = []
    for site in range(3):
        draw = Draw(key(f"patients {seed} {site}"))
        risks = [2**126 + draw.number(70) * 2**57 for _ in range(4)]
        x = [[draw.signed(12) for _ in range(p)] for _ in range(4)]
        found.append([_row(risks[k % 4 :], x[k % 4 :], p, further) for k in range(times)])
    for row in found[0]:
        row[len(row) - further :] = [UNIT] * further
    return found


def _row(risks: list[int], x: list[list[int]], p: int, further: int) -> list[int]:
    """S0, S1, S2 of patients with risks r and covariates x, and room for Z."""
    first = [sum(r * own[j] for r, own in zip(risks, x, strict=True)) for j in range(p)]
    second = [
        sum(r * own[i] * own[j] for r, own in zip(risks, x, strict=True)) for i, j in slow.pairs(p)
    ]
    return [sum(risks), *first, *second, *[0] * further]


def positive(seed: int, p: int, times: int, further: int) -> dict[str, Any]:
    """One vector: all that goes in, is drawn and opens."""
    secret, transcript, ask = key(f"secret {seed}"), key(f"transcript {seed}"), f"ask {seed}"
    stream = slow.blinds(secret, transcript, ask, p=p, further=further)
    drawn = [next(stream) for _ in range(times)]
    sums = hospitals(seed, p, times, further)
    fuzz = [key(f"fuzz {seed} {site}") for site in range(len(sums))]
    opened = added([share(rows, p, drawn, Draw(one)) for rows, one in zip(sums, fuzz, strict=True)])
    each = [2**64 + k * 2**60 for k in range(times)]
    weights = Weights(each, [each], [each], [each])
    score, information, ratio = slow.brackets(drawn, weights, p)
    totals = {**opened, "score": score, "information": information, "ratio": ratio}
    point = slow.point(totals, weights, p)
    return {
        "columns": p,
        "further": further,
        "secret": secret.hex(),
        "transcript": transcript.hex(),
        "ask": ask,
        "fuzz": [one.hex() for one in fuzz],
        "hospitals": text(sums),
        "weights": text(weights.score[0]),
        "drawn": [[text(v) for v in (one.R, one.b, one.B, one.z)] for one in drawn],
        "opened": {name: text(value) for name, value in opened.items()},
        "brackets": text([score[0], information[0], ratio[0]]),
        "means": [float(one) for one in point.score[0]],
        "spreads": [float(one) for one in point.information[0]],
        "ratios": [float(one) for one in point.ratio[0]],
    }


def share(rows: Sequence[Sequence[int]], p: int, drawn: Sequence[Blind], fuzz: Draw) -> Any:
    """One hospital's c, g, q, e of each pseudo-time."""
    return [slow.sealed(row, p, blind, fuzz) for row, blind in zip(rows, drawn, strict=True)]


def added(shares: Sequence[Any]) -> dict[str, Any]:
    """The totals of all shares by name."""
    times = range(len(shares[0]))
    return {
        name: [
            sum(one[k][at] for one in shares)
            if name == "c"
            else [sum(column) for column in zip(*(one[k][at] for one in shares), strict=True)]
            for k in times
        ]
        for at, name in enumerate("cgqe")
    }


def made() -> dict[str, Any]:
    """All vectors."""
    return {
        "positive": [positive(seed, *shape) for seed, shape in enumerate(SHAPES)],
        "negative": [
            {"of": of, "what": what, "expected": expected}
            for of in (1, 3)
            for what, expected in NEGATIVE.items()
        ],
    }


def kept() -> Mapping[str, Any]:
    """The vectors as they are kept."""
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")
