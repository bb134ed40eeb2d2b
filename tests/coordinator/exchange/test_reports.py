"""Drafts at the exchange: kept as the center signed them, released by a person, for good."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from coordinator.exchange.reports import report
from site_agent.contract import archive, reports
from site_agent.contract.problems import Problem
from tests.coordinator.exchange.office import (
    FILES,
    FIRST,
    PASSWORD,
    Office,
    code,
    detail,
    opening,
    packed,
)
from tests.protocol import CENTER, SITES

ADDRESS = f"/v1/reports/{FIRST}"


@pytest.fixture
def closed(furnished: Office) -> Office:
    """A release that is closed, and persons of each role."""
    furnished.post(CENTER, opening())
    return furnished.finished()


@pytest.fixture
def draft(closed: Office) -> Office:
    """Its draft, and persons of each role."""
    closed.put_draft()
    for name, role in {"anna": "statistician", "vera": "viewer", "adam": "admin"}.items():
        closed.put_person(name, role)
    return closed


def listed(office: Office, by: str = CENTER) -> list[dict[str, Any]]:
    """The reports that a party sees."""
    found: list[dict[str, Any]] = office.ask(by, "GET", "/v1/reports").json()["reports"]
    return found


def test_a_draft_is_kept(closed: Office) -> None:
    """With its files, to be looked at by the center alone."""
    codes = [closed.put_draft().status_code for _ in range(2)]
    found = listed(closed)
    told = (found[0]["state"], found[0]["number"], found[0]["files"])
    expected = reports.hashes(archive.unpack(packed()))
    assert (codes, told) == ([201, 200], ("draft", 1, expected))


def test_other_files_do_not_take_its_place(draft: Office) -> None:
    """The first ones stay."""
    answer = draft.put_draft(packed({"report.html": b"other"}))
    found = archive.unpack(draft.ask(CENTER, "GET", ADDRESS).content)
    assert (code(answer), found["report.html"]) == ("conflict", FILES["report.html"])


PRINTED = {**FILES, "report.pdf": b"%PDF-"}


def test_a_pdf_comes_later(draft: Office) -> None:
    """It is added with its statement, once, and all else stays."""
    before = archive.unpack(draft.ask(CENTER, "GET", ADDRESS).content)
    codes = [draft.put_draft(packed(PRINTED)).status_code for _ in range(2)]
    after = archive.unpack(draft.ask(CENTER, "GET", ADDRESS).content)
    new = {name for name in after if after[name] != before.get(name)}
    expected = {"report.pdf", "report.signed.json", "signed.json"}
    assert (codes, new, listed(draft)[0]["files"]) == (
        [201, 200],
        expected,
        reports.hashes(archive.unpack(packed(PRINTED))),
    )


def test_a_pdf_is_not_replaced(draft: Office) -> None:
    """Nor taken away, nor does anything else come with it."""
    draft.put_draft(packed(PRINTED))
    others = [PRINTED | {"report.pdf": b"%PDF-other"}, FILES, PRINTED | {"more.csv": b"1"}]
    assert [code(draft.put_draft(packed(one))) for one in others] == ["conflict"] * 3


def test_a_pdf_too_late(draft: Office) -> None:
    """What a person has decided upon stays as it is."""
    draft.decide("anna")
    assert code(draft.put_draft(packed(PRINTED))) == "conflict"


def test_no_draft_before_the_release_is_closed(opened: Office) -> None:
    """Nor of a release that is not here."""
    codes = [code(opened.put_draft(opened=name)) for name in (FIRST, "0" * 64)]
    assert codes == ["release_under_way", "unknown_release"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"no archive", "packed as this software packs"),
        (archive.pack(FILES), "signed.json is not among the files"),
        (packed(by="alder"), "not signed with the key"),
        (packed(number=2), "as those of another release"),
        (packed(opened="0" * 64), "as those of another release"),
        (
            archive.pack({**archive.unpack(packed()), "report.html": b"altered"}),
            "not as they were signed: report.html",
        ),
        (archive.pack({**archive.unpack(packed()), "more": b""}), "not as they were signed: more"),
    ],
)
def test_files_that_are_not_the_centers(closed: Office, body: bytes, words: str) -> None:
    """Each defect is named, and nothing is kept."""
    answer = closed.put_draft(body)
    assert (code(answer), words in detail(answer), listed(closed)) == ("draft", True, [])


def test_no_hospital_leaves_a_draft(closed: Office) -> None:
    """Only the center does."""
    assert code(closed.ask("alder", "PUT", ADDRESS, packed())) == "forbidden"


def test_a_draft_is_released_with_a_reason(draft: Office) -> None:
    """Who, when, why and what are kept."""
    draft.now += 60
    answer = draft.decide().json()
    decision = report(draft.store, FIRST).decision
    assert decision is not None
    statement = archive.unpack(packed())[reports.FILE]
    assert (answer["state"], answer["person"], answer["reason"], answer["decided"]) == (
        *("released", "anna", "counts as expected"),
        int(draft.now),
    )
    assert decision.statement == reports.hashes({"x": statement})["x"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"person": "vera"}, "person"),
        ({"person": "nobody"}, "person"),
        ({"password": "wrong horse battery staple"}, "person"),
        ({"reason": "  "}, "malformed"),
        ({"reason": "a\x07"}, "malformed"),
        ({"reason": "a" * 2001}, "malformed"),
        ({"decision": "draft"}, "malformed"),
        ({"opened": "0" * 64}, "unknown_report"),
    ],
)
def test_what_releases_nothing(draft: Office, changes: dict[str, str], expected: str) -> None:
    """Neither a viewer, nor a wrong password, nor no reason."""
    answer = draft.decide(**{"person": "anna", **changes})
    assert (code(answer), listed(draft)[0]["state"]) == (expected, "draft")


def test_what_is_decided_stays(draft: Office) -> None:
    """The same again changes nothing; another decision is none."""
    draft.decide(decision="rejected", reason="a hospital is missing")
    codes = [
        code(draft.decide(decision="rejected", reason="another reason")),
        code(draft.decide()),
        code(draft.decide("adam", decision="rejected")),
    ]
    found = listed(draft)[0]
    assert (codes, found["state"], found["reason"]) == (
        ["200", "conflict", "conflict"],
        "rejected",
        "a hospital is missing",
    )


@pytest.mark.parametrize(("decision", "seen"), [(None, 0), ("rejected", 0), ("released", 1)])
def test_hospitals_see_what_is_released(draft: Office, decision: str | None, seen: int) -> None:
    """And nothing else; not even that a draft is there."""
    if decision:
        draft.decide(decision=decision)
    status = draft.ask("alder", "GET", ADDRESS).status_code
    assert (len(listed(draft, "alder")), status) == (seen, 200 if seen else 404)


def test_a_hospital_gets_report_and_statement(draft: Office) -> None:
    """Not the other files, not who released it, nor why."""
    draft.decide()
    found, told = archive.unpack(draft.ask("alder", "GET", ADDRESS).content), listed(draft, "elm")
    keys = {"open", "study", "name", "number", "state", "at", "decided", "files"}
    assert (set(found), set(told[0]), set(told[0]["files"])) == (
        {"report.html", "report.signed.json"},
        keys,
        {"report.html"},
    )


def test_a_hospital_of_no_study_gets_nothing(draft: Office) -> None:
    """A site that is enrolled, and that the study does not pin."""
    draft.decide()
    draft.invite("fir")
    draft.enrol("fir")
    assert (listed(draft, "fir"), code(draft.ask("fir", "GET", ADDRESS))) == ([], "unknown_report")


def test_a_changed_file_is_noticed(draft: Office) -> None:
    """Whoever changes the database cannot change a released report unseen."""
    draft.decide()
    with draft.store.engine.begin() as connection:
        connection.execute(
            text("UPDATE files SET body = :body WHERE name = 'report.html'"), {"body": b"changed"}
        )
    answer = draft.ask(SITES[0], "GET", ADDRESS)
    assert (code(answer), "report.html" in detail(answer)) == ("internal", True)


def test_a_changed_statement_is_noticed(draft: Office) -> None:
    """Files and statement changed together differ from what the person decided upon."""
    draft.decide()
    other = archive.unpack(packed({**FILES, "report.html": b"changed"}))
    with draft.store.engine.begin() as connection:
        connection.execute(text("UPDATE drafts SET statement = :s"), {"s": other["signed.json"]})
        for name in ("report.html", "signed.json"):
            connection.execute(
                text("UPDATE files SET body = :body WHERE name = :name"),
                {"body": other[name], "name": name},
            )
    answer = draft.ask(SITES[0], "GET", ADDRESS)
    assert (code(answer), "signed.json" in detail(answer)) == ("internal", True)


def test_a_statement_that_is_none(draft: Office) -> None:
    """A damaged store is said to be one."""
    with draft.store.engine.begin() as connection:
        connection.execute(text("UPDATE drafts SET statement = :s"), {"s": b"{}"})
    with pytest.raises(Problem, match="in the store of the exchange"):
        report(draft.store, FIRST)


def test_the_password_is_nowhere(draft: Office) -> None:
    """The store holds a hash of it, and an answer nothing."""
    answer = draft.decide()
    with draft.store.engine.begin() as connection:
        rows = str(connection.execute(text("SELECT * FROM persons")).all())
    assert (PASSWORD in rows + answer.text, "scrypt$" in rows) == (False, True)
