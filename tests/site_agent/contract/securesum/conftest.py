"""Test vectors of the secure sum: made once by `slow.py`, kept as JSON.

    python -m tests.site_agent.contract.securesum.conftest

writes them anew, should the protocol be given another version.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.site_agent.contract.securesum import slow

PATH = Path(__file__).with_name("vectors.json")
NAMES = ("alder", "beech", "cedar")
NUMBERS: dict[str, list[float]] = {
    "sealed": [0, 1, -1, 2**1152 + 3, -(2**1152), 2**64 - 1],
    "real": [0.0, 1.0, -1.0, 0.1, -1e-30, 2.0**-75, -(2.0**-128), 3.5e-39, 1e30, -123456.789],
    "count": [0.0, 1.0, 7.0, 2.0**53, 1048575.0],
    "tally": [0.0, 1.0, 7.0, 2.0**28, 1048575.0],
}
TIES = {"half": 2.0**-129, "one and a half": 3 * 2.0**-129, "two and a half": 5 * 2.0**-129}


def _key(label: str) -> bytes:
    return hashlib.sha256(label.encode()).digest()


SEEDS = {name: _key(f"seed {name}") for name in NAMES}


def _written(number: float) -> str:
    """A number in hexadecimal digits, exactly."""
    return number.hex() if isinstance(number, float) else hex(number)


def _masked() -> dict[str, Any]:
    private = {name: _key(f"ephemeral {name}") for name in NAMES}
    public = {name: slow.public_key(key) for name, key in private.items()}
    start, asked = _key("start"), _key("asked")
    secrets = {
        name: {
            other: slow.pair_secret(
                private[name], public[other], start, slow.preshared(SEEDS, name, other)
            )
            for other in NAMES
            if other != name
        }
        for name in NAMES
    }
    first = secrets[NAMES[0]][NAMES[1]]
    parts = {name: slow.part(seed, start) for name, seed in SEEDS.items()}
    return {
        "private": {name: key.hex() for name, key in private.items()},
        "public": {name: key.hex() for name, key in public.items()},
        "seeds": {name: seed.hex() for name, seed in SEEDS.items()},
        "start": start.hex(),
        "asked": asked.hex(),
        "preshared": slow.preshared(SEEDS, NAMES[0], NAMES[1]).hex(),
        "pair_secret": first.hex(),
        "parts": {name: part.hex() for name, part in parts.items()},
        "commitments": {name: slow.commitment(part) for name, part in parts.items()},
        "part_encrypted": slow.encrypted(
            first, b"quorum/1/part-to", NAMES[0], NAMES[1], parts[NAMES[0]]
        ).hex(),
        "secret": slow.common_secret(parts, start).hex(),
        "stream": slow.stream(first, (NAMES[0], NAMES[1]), asked, "open", 80).hex(),
        "shares": {
            section: {
                name: slow.share(NUMBERS, name, secrets[name], asked, section).hex()
                for name in NAMES
            }
            for section in ("open", "closed")
        },
    }


def make() -> dict[str, Any]:
    """All vectors, by the slow computation."""
    return {
        "numbers": {
            encoding: [
                [_written(value), slow.to_bytes([slow.encode(value, encoding)], encoding).hex()]
                for value in values
            ]
            for encoding, values in NUMBERS.items()
        },
        "ties": {
            name: [value.hex(), slow.to_bytes([slow.encode(value, "real")], "real").hex()]
            for name, value in TIES.items()
        },
        "masked": _masked(),
        "transcript": slow.transcript([b"quorum/1/ready", b"open", b"ready 1", b""]).hex(),
    }


@pytest.fixture(scope="session")
def vectors() -> dict[str, Any]:
    """The vectors as they are kept."""
    document: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return document


if __name__ == "__main__":
    PATH.write_text(json.dumps(make(), indent=1) + "\n", encoding="utf-8")
