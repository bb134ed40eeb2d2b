"""What can be summed: asks, the lanes they fill, and the catalogue entry of each kind of sum.

An *ask* names a sum, the rows it runs over (a frame) and its public arguments.
Whole and named arguments are part of the question's identity; floating-point arguments
travel with the round, because processors differ in the last bit, and are bound
into the masks byte for byte.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.propensity import weighted
from site_agent.contract.securesum.fixedpoint import Encoding
from site_agent.contract.securesum.sealing import Sealer

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]  # doubles; whole numbers of any size in sealed lanes
Disclosure = Literal["A", "B", "V", "C"]

AGREEMENT: Final = 1e-9  # a site's own replay and the arguments it is sent


@dataclass(frozen=True, slots=True)
class Lane:
    """A named array of a sum: its shape and how its numbers are encoded."""

    name: str
    shape: tuple[int, ...]
    encoding: Encoding

    @property
    def size(self) -> int:
        """Return how many numbers the lane holds."""
        return math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to every site: a sum, the rows it runs over, and public arguments.

    `fixed` is JSON (names, whole numbers, lists of them); `floats` maps names to arrays.
    """

    sum: str
    frame: Frame
    fixed: Mapping[str, Any]
    floats: Mapping[str, Floats]

    def question(self) -> str:
        """Return the digest of what is asked, floating-point arguments left out."""
        shapes = {name: list(np.shape(value)) for name, value in sorted(self.floats.items())}
        return sha256(
            canonical_json(
                {
                    "sum": self.sum,
                    "frame": self.frame.document(),
                    "fixed": dict(self.fixed),
                    "floats": shapes,
                }
            )
        )

    def identity(self) -> str:
        """Return the digest of the whole ask, floating-point arguments byte for byte."""
        return sha256((self.question() + sha256(self.float_bytes())).encode())

    def float_bytes(self) -> bytes:
        """Return the floating-point arguments as little-endian doubles, by name."""
        return b"".join(
            np.ascontiguousarray(self.floats[name], dtype="<f8").tobytes()
            for name in sorted(self.floats)
        )

    def adopt(self, sent: bytes) -> Ask:
        """Return this ask with the floating-point arguments that came with the round.

        Raises Refused("argument") when one differs from this party's own by more
        than 1e-9 of its size (of 1 for small ones), or when their number is another.
        """
        expected = len(self.float_bytes())
        if len(sent) != expected:
            raise Refused(
                "argument",
                f"the round sends {len(sent)} bytes of arguments for {self.sum}, {expected} follow "
                f"from the approved study; nothing was computed",
            )
        floats: dict[str, Floats] = {}
        offset = 0
        for name in sorted(self.floats):
            own = np.asarray(self.floats[name], dtype=np.float64)
            received = np.frombuffer(sent, dtype="<f8", count=own.size, offset=offset)
            offset += received.nbytes
            if not _agree(own.ravel(), received):
                raise Refused(
                    "argument",
                    f"the round sends other values of '{name}' for {self.sum} than follow from "
                    f"the approved study and the totals so far; nothing was computed",
                )
            floats[name] = received.reshape(own.shape).copy()
        return Ask(self.sum, self.frame, self.fixed, floats)


def _agree(own: Floats, received: Floats) -> bool:
    allowed = AGREEMENT * np.maximum(1.0, np.abs(own))
    return bool(np.all(np.abs(own - received) <= allowed))  # NaN compares false


@dataclass(frozen=True, slots=True)
class Answer:
    """The totals of one ask, with the floating-point arguments as they were sent."""

    totals: Arrays
    floats: Arrays


Estimator = Generator[tuple[Ask, ...], tuple[Answer, ...], Any]


@dataclass(frozen=True, slots=True)
class Sum:
    """A catalogue entry: what one kind of sum computes, how it is laid out, what it gives away.

    lanes(ask) gives the arrays that are summed; compute(rows, ask) is a hospital's share
    of them, pure; `reduce`, if there is one, is applied by the coordinator to the totals, and
    only the arrays of reduced_lanes(ask) go on to estimators, log and sites. A sealed sum has
    `seal`: a share blinded with the sites' secret, in place of `compute`, which gives the same
    before blinding; and `split`: the numbers that a site without the secret hands to two others
    in parts. They take rows with their weights; `share`, `own` and `halved` give them these where
    an ask brings the coefficients of a propensity score.
    """

    name: str
    disclosure: Disclosure
    gives: str
    lanes: Callable[[Ask], tuple[Lane, ...]]
    compute: Callable[[Rows, Ask], Arrays]
    reduce: Callable[[Arrays, Ask], Arrays] | None = None
    reduced_lanes: Callable[[Ask], tuple[Lane, ...]] | None = None
    seal: Callable[[Rows, Ask, Sealer], Arrays] | None = None
    split: Callable[[Rows, Ask], Sequence[int]] | None = None

    @property
    def sealed(self) -> bool:
        """Return whether the coordinator sees the totals of this sum blinded only."""
        return self.seal is not None

    def share(self, rows: Rows, ask: Ask, sealer: Sealer | None) -> Arrays:
        """Return a hospital's part of the sum, as it is masked."""
        if self.seal is None:
            return self.own(rows, ask)
        assert sealer is not None
        return self.seal(weighted(rows, ask.frame, ask.floats), ask, sealer)

    def own(self, rows: Rows, ask: Ask) -> Arrays:
        """Return a hospital's part of the sum before blinding."""
        return self.compute(weighted(rows, ask.frame, ask.floats), ask)

    def halved(self, rows: Rows, ask: Ask) -> Sequence[int]:
        """Return the numbers of a sealed sum that two others blind in parts."""
        assert self.split is not None
        return self.split(weighted(rows, ask.frame, ask.floats), ask)

    def answered_lanes(self, ask: Ask) -> tuple[Lane, ...]:
        """Return the arrays that estimators see: the reduced ones where there are such."""
        return self.lanes(ask) if self.reduced_lanes is None else self.reduced_lanes(ask)
