"""The one tree of errors, and the exit code of each.

    QuorumError                      70  internal
    ├── StudyError                   78  the study file is wrong; lists every issue
    ├── ConfigurationError           78  a key, folder or setting is wrong
    ├── DataError                     1  a hospital's data do not fit the dictionary
    ├── Refused                      77  policy or protocol forbids it; has a reason code
    ├── LifecycleError               70  an event that the present state does not allow
    ├── LedgerError                  70  the ledger on disk is damaged
    └── AnalysisError                --  ends one analysis alone; its text is the result

Every message says what was found, what was expected and what to do, and none holds a
patient's value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

DONE = 0
FINDING = 1
USAGE = 2
UNREACHABLE = 69
INTERNAL = 70
NOT_READY = 75
REFUSED = 77
BAD_CONFIGURATION = 78
INTERRUPTED = 130


class QuorumError(Exception):
    """Root of everything that Quorum raises on purpose."""

    exit_code = INTERNAL


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing wrong in a study file: where it stands and what is wrong."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "study"
        return f"{place}: {self.path}: {self.message}" if self.path else f"{place}: {self.message}"


class StudyError(QuorumError):
    """A study file that cannot be used; `issues` lists everything found."""

    exit_code = BAD_CONFIGURATION

    def __init__(self, issues: Sequence[Issue], source: str = "study") -> None:
        self.issues = tuple(issues)
        self.source = source
        count = len(self.issues)
        head = f"{source}: {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n".join([head, *(f"  {issue}" for issue in self.issues)]))


class ConfigurationError(QuorumError):
    """A key, folder or setting that cannot be used as it is."""

    exit_code = BAD_CONFIGURATION


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a hospital's data break: counts and names, never a value."""

    place: str
    rule: str
    count: int
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class DataError(QuorumError):
    """A hospital's data that do not fit the study's dictionary."""

    exit_code = FINDING

    def __init__(self, site: str, findings: Sequence[Finding]) -> None:
        self.site = site
        self.findings = tuple(findings)
        count = len(self.findings)
        head = f"site {site}: the data do not fit the study ({count} finding{'s' * (count != 1)})"
        super().__init__("\n".join([head, *(f"  {finding}" for finding in self.findings)]))


class Refused(QuorumError):
    """A message or a request that policy or protocol forbids.

    `code` names the reason for programs; the text is for people.
    """

    exit_code = REFUSED

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


class LifecycleError(QuorumError):
    """An event that the present state of a release or round does not allow."""


class LedgerError(QuorumError):
    """A ledger whose chain of hashes does not hold."""


class AnalysisError(QuorumError):
    """An analysis that cannot be computed; it ends alone and the others go on."""
