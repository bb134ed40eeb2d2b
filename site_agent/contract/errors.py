"""The one tree of errors, and the exit code of each.

    QuorumError                      70  internal
    ├── StudyError                   78  the study file is wrong; lists every issue
    ├── ConfigurationError           78  a key, folder or setting is wrong
    ├── DataError                     1  a hospital's data do not fit the dictionary
    ├── Refused                      77  policy or protocol forbids it; has a reason code
    ├── Unreachable                  69  another party does not answer, or something else does
    ├── Declined                     77  the exchange says no; has a code of problems.py
    ├── NotReady                     75  something must happen elsewhere first
    ├── LifecycleError               70  an event that the present state does not allow
    ├── LedgerError                  70  the ledger on disk is damaged
    └── AnalysisError                --  ends one analysis alone; its text is the result

Every message says what was found, what was expected and what to do, and none holds a
patient's value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # an agent at rest has no numpy
    import numpy as np
    from numpy.typing import NDArray

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
    """One rule that a hospital's data break: counts and names, never a value.

    rows: which rows of the table, where that is known. For who looks at the data on their own
    screen; no text of a finding has them.
    """

    place: str
    rule: str
    count: int
    message: str
    rows: NDArray[np.int64] | None = field(default=None, repr=False, compare=False)

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


class Unreachable(QuorumError):
    """The exchange, or another service, does not answer, or something else answers for it."""

    exit_code = UNREACHABLE


class Declined(QuorumError):
    """The exchange answers that it does not do what it was asked for.

    `code` is one of problems.py. A key or a clock that is wrong is a matter of configuration, a
    release under way one of patience.
    """

    exit_code = REFUSED

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)
        self.exit_code = _DECLINED.get(code, REFUSED)


_DECLINED: Final = {
    "unknown_party": BAD_CONFIGURATION,
    "signature": BAD_CONFIGURATION,
    "clock": BAD_CONFIGURATION,
    "not_found": BAD_CONFIGURATION,
    "release_under_way": NOT_READY,
    "unknown_report": NOT_READY,
    "too_many": NOT_READY,
    "store": UNREACHABLE,
    "internal": UNREACHABLE,
}


class NotReady(QuorumError):
    """Something must happen elsewhere first; try again later."""

    exit_code = NOT_READY


class LifecycleError(QuorumError):
    """An event that the present state of a release or round does not allow."""


class LedgerError(QuorumError):
    """A ledger whose chain of hashes does not hold."""


class AnalysisError(QuorumError):
    """An analysis that cannot be computed; it ends alone and the others go on."""
