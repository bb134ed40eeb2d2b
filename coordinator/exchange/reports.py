"""Drafts and what becomes of them: a person releases or rejects each, once, with a reason.

A draft is there for good, with its files as the center signed them; until a person decides, the
center may add the report's PDF, which takes longer to make than the rest. A hospital gets the
report of a release that a person has released.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coordinator.exchange.auth import Caller
from coordinator.exchange.log import LoggedRelease
from coordinator.exchange.roles import has
from coordinator.exchange.shelf import Decision, Draft
from coordinator.exchange.store import Store, Transaction
from coordinator.exchange.studies import visible
from site_agent.contract import archive
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused
from site_agent.contract.party import Member
from site_agent.contract.problems import Problem
from site_agent.contract.reports import (
    FILE,
    OF_REPORT,
    PDF,
    REPORTS,
    Statement,
    absent,
    altered,
    parse_statement,
    read_statement,
)

RELEASED: Final = "released"
REJECTED: Final = "rejected"
DRAFT: Final = "draft"
DECISIONS: Final = (RELEASED, REJECTED)
LONGEST_REASON: Final = 2000
CLOSED: Final = "closed"


@dataclass(frozen=True, slots=True)
class Report:
    """A draft and what was decided of it; `sizes` of its files by name, bytes."""

    release: LoggedRelease
    study: str
    statement: Statement
    statement_sha256: str
    at: int
    decision: Decision | None
    sizes: Mapping[str, int]

    @property
    def state(self) -> str:
        """Return draft, released or rejected."""
        return DRAFT if self.decision is None else self.decision.decision

    @property
    def changed(self) -> bool:
        """Return whether the statement is another one than the person decided upon."""
        return self.decision is not None and self.decision.statement != self.statement_sha256

    def document(self) -> dict[str, Any]:
        """Return what the addresses for parties say of it."""
        said = self.decision
        return {
            "open": self.release.open,
            "study": self.release.study,
            "name": self.study,
            "number": self.release.number,
            "state": self.state,
            "at": self.at,
            "decided": None if said is None else said.at,
            "person": None if said is None else said.person,
            "reason": None if said is None else said.reason,
            "files": dict(self.statement.files),
        }


def put_draft(store: Store, center: Member, opened: str, body: bytes, now: float) -> bool:
    """Keep the files of a closed release; return whether they are new.

    Problem("draft") if they are not what the center signed, or of another release;
    ("unknown_release", "release_under_way"); ("conflict") if other ones are there, but for a PDF
    that comes to a draft.
    """
    contents, said = _read_files(center, body)

    def work(tx: Transaction) -> bool:
        release = tx.log.release(opened)
        if release is None:
            raise _unknown_release()
        if release.state != CLOSED:
            raise Problem("release_under_way", f"release {release.number} is not closed")
        if (said.study, said.release, said.open) != (release.study, release.number, opened):
            raise Problem("draft", "the files are signed as those of another release")
        found = tx.shelf.draft(opened)
        if found is None:
            tx.shelf.put(Draft(opened, contents[FILE], int(now)), contents)
            return True
        if found.statement == contents[FILE]:
            return False
        if tx.shelf.decision(opened) is None and _only_adds_pdf(_statement(found.statement), said):
            tx.shelf.add(opened, contents, (PDF, OF_REPORT, FILE))
            return True
        raise Problem(
            "conflict", f"other files of release {release.number} are there already; they stay"
        )

    return store.write("put draft", work)


def _only_adds_pdf(before: Statement, said: Statement) -> bool:
    """Return whether all files are the same but for a PDF and the statement that names it."""
    new = {name for name, digest in said.files.items() if before.files.get(name) != digest}
    return set(before.files) == set(said.files) - {PDF} and new == {PDF, OF_REPORT}


def _read_files(center: Member, body: bytes) -> tuple[dict[str, bytes], Statement]:
    try:
        contents = archive.unpack(body)
        if FILE not in contents:
            raise Problem("draft", f"{FILE} is not among the files")
        said = read_statement(contents[FILE], center)
    except Refused as refused:
        raise Problem("draft", str(refused)) from None
    wrong = [*altered(said, contents), *absent(said, contents)]
    if wrong:
        raise Problem("draft", f"not as they were signed: {', '.join(wrong[:5])}")
    return contents, said


def decide(
    store: Store, opened: str, *, by: str, role: str, decision: str, reason: str, now: float
) -> Report:
    """Release or reject a draft in the name of `by`; the same decision again changes nothing.

    Problem("person") if their role may not, ("malformed") without a reason, ("unknown_report"),
    ("conflict") if it was decided otherwise.
    """
    if not has(role, "statistician"):
        raise Problem("person", f"'{by}' is a {role}; a statistician releases")
    why = "\n".join(line.rstrip() for line in reason.strip().splitlines())
    if decision not in DECISIONS:
        raise Problem("malformed", f"decision: expected {' or '.join(DECISIONS)}")
    if not 0 < len(why) <= LONGEST_REASON or not all(c.isprintable() or c == "\n" for c in why):
        raise Problem(
            "malformed", f"reason: expected 1 to {LONGEST_REASON} characters that can be printed"
        )

    def work(tx: Transaction) -> Report:
        found = _report(tx, opened)
        if found is None:
            raise unknown_report()
        if found.decision is None:
            tx.shelf.decide(Decision(opened, decision, by, why, int(now), found.statement_sha256))
        elif (found.state, found.decision.person) != (decision, by):
            raise Problem(
                "conflict",
                f"release {found.release.number} was {found.state} by {found.decision.person}; "
                f"that stays",
            )
        decided = _report(tx, opened)
        assert decided is not None
        return decided

    return store.write("decide", work)


def report(store: Store, opened: str) -> Report:
    """Return the draft of a release and what was decided of it; Problem("unknown_report")."""
    found = store.read("read draft", lambda tx: _report(tx, opened))
    if found is None:
        raise unknown_report()
    return found


def reports(store: Store, study: str = "") -> list[Report]:
    """Return all drafts, or those of studies with this name: the newest study and release first."""

    def work(tx: Transaction) -> list[Report]:
        return [
            found
            for one in reversed(tx.directory.studies())
            if study in ("", one.name)
            for found in _of_study(tx, one.hash)
        ]

    return store.read("list drafts", work)


def _of_study(tx: Transaction, study: str) -> Iterator[Report]:
    for release in tx.log.releases(study):
        found = _report(tx, release.open) if release.state == CLOSED else None
        if found is not None:
            yield found


def _report(tx: Transaction, opened: str) -> Report | None:
    release, draft = tx.log.release(opened), tx.shelf.draft(opened)
    if release is None or draft is None:
        return None
    name = next(one.name for one in tx.directory.studies() if one.hash == release.study)
    return Report(
        release,
        name,
        _statement(draft.statement),
        sha256(draft.statement),
        draft.at,
        tx.shelf.decision(opened),
        tx.shelf.sizes(opened),
    )


def file(store: Store, opened: str, name: str) -> bytes:
    """Return one file of a draft as it was signed; Problem("unknown_report").

    Problem("internal") if it is not what was signed: somebody changed the database.
    """

    def work(tx: Transaction) -> tuple[Report | None, bytes | None]:
        return _report(tx, opened), tx.shelf.file(opened, name)

    found, body = store.read("read file", work)
    if found is None or body is None:
        raise unknown_report()
    _refuse_changed(found, {name: body})
    return body


def packed(store: Store, opened: str, names: Sequence[str] = (), folder: str = "") -> bytes:
    """Return files of a draft in an archive, all if none is named; Problem as `file`."""

    def work(tx: Transaction) -> tuple[Report | None, dict[str, bytes | None]]:
        found = _report(tx, opened)
        there = [] if found is None else [n for n in found.sizes if not names or n in names]
        return found, {name: tx.shelf.file(opened, name) for name in there}

    found, bodies = store.read("read files", work)
    if found is None:
        raise unknown_report()
    contents = {name: body for name, body in bodies.items() if body is not None}
    _refuse_changed(found, contents)
    return archive.pack(contents, folder)


def altered_files(store: Store, opened: str) -> list[str]:
    """Return the names of a draft's files that are not what was signed, or decided upon."""

    def work(tx: Transaction) -> list[str]:
        found = _report(tx, opened)
        if found is None:
            raise unknown_report()
        bodies = {name: tx.shelf.file(opened, name) or b"" for name in found.sizes}
        return [*_altered(found, bodies), *absent(found.statement, bodies)]

    return store.read("check files", work)


def _altered(found: Report, contents: Mapping[str, bytes]) -> list[str]:
    wrong = altered(found.statement, contents)
    other = FILE in contents and sha256(contents[FILE]) != found.statement_sha256
    return [*wrong, FILE] if other or found.changed else wrong


def _refuse_changed(found: Report, contents: Mapping[str, bytes]) -> None:
    wrong = _altered(found, contents)
    if wrong:
        raise Problem(
            "internal",
            f"in the store of the exchange these files of release {found.release.number} are not "
            f"what the center signed, or what was {found.state}: {', '.join(wrong)}; restore the "
            f"store from its backup",
        )


def listed(store: Store, caller: Caller, study: str = "") -> dict[str, Any]:
    """Return the reports that a party may fetch, the newest first.

    The center sees drafts too; a site what was released of studies that pin a key of it.
    """
    found = [one for one in reports(store, study) if _shown(store, one, caller)]
    return {"reports": [_told(one, caller) for one in found]}


def _told(found: Report, caller: Caller) -> dict[str, Any]:
    """Return what a party is told of a report: a site no reason, and no file but the report."""
    document = found.document()
    if not caller.is_center:
        for name in ("person", "reason"):
            del document[name]
        document["files"] = {n: d for n, d in document["files"].items() if n in REPORTS}
    return document


def _shown(store: Store, found: Report, caller: Caller) -> bool:
    if caller.is_center:
        return True
    keys = store.read("pinned keys", lambda tx: tx.directory.pinned_keys(found.release.study))
    return found.state == RELEASED and visible(keys, caller)


def fetched(store: Store, opened: str, caller: Caller) -> bytes:
    """Return the archive of a report for a party; for a site the report and its statement."""
    if not _shown(store, report(store, opened), caller):
        raise unknown_report()
    return packed(store, opened, () if caller.is_center else (*REPORTS, OF_REPORT))


def unknown_report() -> Problem:
    """Return the problem of a report that is not here, or not yet, or not for who asks."""
    return Problem(
        "unknown_report",
        "no such release, or its report is not released; a person at the center releases it "
        "(`coordinator release STUDY NUMBER --reason ...`)",
    )


def _unknown_release() -> Problem:
    return Problem("unknown_release", "no release with this OPEN is here")


def _statement(data: bytes) -> Statement:
    try:
        return parse_statement(data)[0]
    except Refused as refused:
        raise Problem("internal", f"in the store of the exchange: {refused}") from None
