"""What the exchange answers when it cannot do what it was asked for: a closed list.

As application/problem+json (RFC 9457) with a member `code`. The list is part of the contract,
because both sides act on the codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

MEDIA_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status and its title."""

    status: int
    title: str


KINDS: Final[Mapping[str, Kind]] = {
    "malformed": Kind(400, "the request is not of the right form"),
    "unsigned": Kind(401, "the request is not signed"),
    "unknown_party": Kind(401, "no party of this name is enrolled here"),
    "signature": Kind(401, "the request is not signed with the key of its party"),
    "clock": Kind(401, "the request was made too long ago, or in the future"),
    "forbidden": Kind(403, "this party may not do that"),
    "invitation": Kind(403, "the invitation does not allow this enrolment"),
    "person": Kind(403, "this person may not do that"),
    "not_found": Kind(404, "there is nothing at this address"),
    "unknown_study": Kind(404, "no such study for this party"),
    "unknown_release": Kind(404, "no such release for this party"),
    "unknown_report": Kind(404, "no such report for this party"),
    "method": Kind(405, "the address does not take this method"),
    "conflict": Kind(409, "something else is there already"),
    "release_number": Kind(409, "releases of a study are numbered without a gap"),
    "release_over": Kind(409, "the release is over"),
    "release_under_way": Kind(409, "another release of the study is under way"),
    "too_large": Kind(413, "the body is too large"),
    "draft": Kind(422, "the draft cannot be taken"),
    "study": Kind(422, "the study cannot be taken"),
    "too_many": Kind(429, "too many attempts"),
    "internal": Kind(500, "the exchange has a defect"),
    "store": Kind(503, "the store of the exchange does not answer"),
}


class Problem(Exception):
    """A problem of this list with its particulars in words, none of them a patient's value."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(detail)

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        return KINDS[self.code].status

    def document(self) -> dict[str, Any]:
        """Return the body of the answer."""
        return {
            "type": f"urn:quorum:problem:{self.code}",
            "title": KINDS[self.code].title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }


def read_problem(document: object) -> Problem | None:
    """Return the problem that an answer's body tells of, or None if it is none of the list."""
    code = document.get("code") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(code, str) or code not in KINDS:
        return None
    return Problem(code, str(document.get("detail", "")))
