"""What is wrong with a source: file, rows and column by name, never what stands there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.errors import DataError, Finding, QuorumError

SHOWN: Final = 5
Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


class UnfitSource(DataError):
    """Sources that cannot be imported as they are, or not by this mapping."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.site = ""
        self.findings = tuple(findings)
        count = len(self.findings)
        head = f"nothing was imported ({count} finding{'s' * (count != 1)})"
        lines = [head, *(f"  {finding}" for finding in self.findings)]
        QuorumError.__init__(self, "\n".join(lines))


def unfit(place: str, rule: str, message: str, count: int = 1) -> UnfitSource:
    """Return the error of one finding, behind which nothing else can be read."""
    return UnfitSource([Finding(place, rule, count, message)])


@dataclass(slots=True)
class Faults:
    """Collects findings while sources are read."""

    findings: list[Finding] = field(default_factory=list)
    _unfit: dict[str, list[Integers]] = field(default_factory=dict)

    def say(self, place: str, rule: str, message: str) -> None:
        """Note what is wrong with a whole file or column."""
        self.findings.append(Finding(place, rule, 1, message))

    def note(self, place: str, rule: str, rows: Integers, message: str) -> None:
        """Note the rows of a file that break a rule; none is nothing to note.

        rows: numbers of rows in the file, the header being row 1.
        """
        if len(rows):
            if rule != "missing":
                self._unfit.setdefault(place, []).append(rows)
            found = Finding(place, rule, len(rows), f"{in_words(rows)}: {message}")
            if found not in self.findings:
                self.findings.append(found)

    def unfit_rows(self, place: str) -> Integers:
        """Return the rows of a place that were noted because of what stands there."""
        return np.concatenate([np.zeros(0, dtype=np.int64), *self._unfit.get(place, ())])

    def stop(self) -> None:
        """Raise UnfitSource if anything was noted."""
        if self.findings:
            raise UnfitSource(self.findings)


def in_words(rows: Integers) -> str:
    """Return the numbers of rows in words: the first few, and how many more."""
    first = [str(row) for row in sorted(set(rows.tolist()))]
    shown, more = first[:SHOWN], len(first) - SHOWN
    if more > 0:
        return f"rows {', '.join(shown)} and {more} more"
    if len(shown) == 1:
        return f"row {shown[0]}"
    return f"rows {', '.join(shown[:-1])} and {shown[-1]}"
