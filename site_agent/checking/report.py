"""What a check found, as numbers and names: findings, warnings, missing values, who drops out.

`keys` of a finding are identifiers of patients. They are in no text and no document; only
`site-agent check --show-keys` shows them, on a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from site_agent.contract.errors import DataError, Finding, QuorumError

MOST_KEYS: Final = 50
COUNTED: Final = re.compile(r"[0-9]+ rows?(?=: )|[0-9]+ rows? (?:has|have)\b")


@dataclass(frozen=True, slots=True)
class Noted:
    """A finding or a warning, with whose rows they are."""

    finding: Finding
    keys: tuple[str, ...] = field(default=(), repr=False)

    def document(self) -> dict[str, Any]:
        """Return place, rule, count and message."""
        found = self.finding
        return {
            "place": found.place,
            "rule": found.rule,
            "count": found.count,
            "message": found.message,
        }


@dataclass(frozen=True, slots=True)
class DropOut:
    """Patients of one analysis: how many its cohort has, and who is left out, by reason.

    out: of some of its frames at least. A patient can have several reasons.
    """

    patients: int = 0
    out: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the counts."""
        return {"patients": self.patients, "out": self.out, "reasons": dict(self.reasons)}


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found. analyses: None where findings came first."""

    study: str
    hash: str
    site: str
    folder: str
    rows: Mapping[str, int]
    snapshot: str
    findings: tuple[Noted, ...]
    warnings: tuple[Noted, ...]
    missing: Mapping[str, Mapping[str, int]]
    analyses: Mapping[str, DropOut] | None

    def document(self) -> dict[str, Any]:
        """Return the report as JSON has it; fields are only added."""
        analyses = self.analyses
        return {
            "study": self.study,
            "hash": self.hash,
            "folder": self.folder,
            "rows": dict(self.rows),
            "snapshot": self.snapshot,
            "findings": [noted.document() for noted in self.findings],
            "warnings": [noted.document() for noted in self.warnings],
            "missing": {table: dict(columns) for table, columns in self.missing.items()},
            "analyses": None
            if analyses is None
            else {name: found.document() for name, found in analyses.items()},
        }


class Unfit(DataError):
    """Data that do not fit, whose findings have been told already."""

    def __init__(self, report: Report) -> None:
        self.site = report.site
        self.findings = tuple(noted.finding for noted in report.findings)
        count = len(self.findings)
        QuorumError.__init__(self, f"{count} finding{'s' * (count != 1)} to mend")


@dataclass(slots=True)
class Collected:
    """What the parts of a folder have shown so far, one entry for each place and rule."""

    noted: dict[tuple[str, str, str], Noted] = field(default_factory=dict)

    def add(self, finding: Finding, keys: tuple[str, ...] = ()) -> None:
        """Add a finding of one part to those of the parts before."""
        stem = COUNTED.sub("", finding.message)
        place = (finding.place, finding.rule, stem)
        before = self.noted.get(place)
        if before is None:
            self.noted[place] = Noted(replace(finding, rows=None), keys)
            return
        count = before.finding.count + finding.count
        message = _recounted(finding.message, count)
        merged = replace(before.finding, count=count, message=message)
        self.noted[place] = Noted(merged, tuple(dict.fromkeys((*before.keys, *keys)))[:MOST_KEYS])

    def all(self) -> tuple[Noted, ...]:
        """Return all entries in the order in which they came."""
        return tuple(self.noted.values())


def _recounted(message: str, count: int) -> str:
    """Return a message about another number of rows, which is more than one."""

    def counted(found: re.Match[str]) -> str:
        return f"{count} rows have" if found[0].endswith(("has", "have")) else f"{count} rows"

    return COUNTED.sub(counted, message, count=1)
