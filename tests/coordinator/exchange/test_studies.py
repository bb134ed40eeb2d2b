"""The shelf of frozen studies, and what sites say of them."""

from __future__ import annotations

from typing import Any

import pytest

from site_agent.contract.identity import Identity
from tests.coordinator.exchange.office import (
    NOW,
    STUDY_HASH,
    Office,
    code,
    detail,
    frozen_file,
)
from tests.protocol import CENTER, SITES, STUDY, entropy

OTHER_TEXT, OTHER = frozen_file(STUDY.replace("study: protocol", "study: small"), SITES[:3])
AT = f"/v1/studies/{STUDY_HASH}"
NEW_KEY = Identity.create("alder", entropy("the new key of alder"))


def approve(office: Office, by: str = "alder", *, at: int, state: str = "approved") -> str:
    body = {"state": state, "until": None, "at": at}
    return code(office.ask(by, "PUT", f"{AT}/approval", body))


def listed(office: Office, by: str) -> list[dict[str, Any]]:
    studies: list[dict[str, Any]] = office.ask(by, "GET", "/v1/studies").json()["studies"]
    return studies


def test_a_study_is_put_once(office: Office) -> None:
    """A frozen study is taken, and the same again is fine."""
    assert [office.put_study().status_code for _ in range(2)] == [201, 200]


def test_the_first_file_of_a_study_stays(furnished: Office) -> None:
    """Another file with the same content and hash does not replace the first one."""
    text = frozen_file()[0]
    furnished.put_study(text + "\n# a remark\n")
    assert furnished.ask("alder", "GET", AT).text == text


def test_the_file_comes_back_byte_for_byte(furnished: Office) -> None:
    """The file is what was put, as text in UTF-8."""
    answer = furnished.ask("beech", "GET", AT)
    expected = (frozen_file()[0].encode(), "text/plain; charset=utf-8")
    assert (answer.content, answer.headers["Content-Type"]) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (STUDY, "not frozen"),
        (OTHER_TEXT, "the address another one"),
        ("study: [", "problem"),
        ("", "problem"),
        (frozen_file()[0].replace("range: [0, 12]", "range: [0, 11]"), "changed after freezing"),
    ],
)
def test_studies_that_cannot_be_taken(office: Office, text: str, said: str) -> None:
    """A study that is wrong, not frozen, or of another hash is refused with the reason."""
    answer = office.put_study(text)
    assert (code(answer), said in detail(answer)) == ("study", True)


def test_a_study_that_is_no_text(office: Office) -> None:
    """A file that is not UTF-8 is no study."""
    assert code(office.ask(CENTER, "PUT", AT, b"\xff")) == "study"


def test_a_study_of_another_center(sqlite: str) -> None:
    """A study that pins another center's keys is refused."""
    with Office(sqlite, center="elm") as office:
        answer = office.ask("elm", "PUT", AT, frozen_file()[0].encode())
    assert "another center" in detail(answer)


def test_a_title_that_cannot_be_printed(office: Office) -> None:
    """A title with a control character, which no terminal should show, is refused."""
    text = STUDY.replace("title: Five hospitals with made-up patients", 'title: "a\\0b"')
    file, study = frozen_file(text)
    assert "printed" in detail(office.put_study(file, study.hash))


def test_a_site_name_under_which_nobody_can_enrol(office: Office) -> None:
    """A study with a site that could not sign a request is refused."""
    text, study = frozen_file(STUDY, (*SITES, "Great Oak"))
    assert "Great Oak" in detail(office.put_study(text, study.hash))


def test_the_center_lists_all_studies(furnished: Office) -> None:
    """A study is listed with its sites, in the order in which studies came."""
    furnished.now += 1
    furnished.put_study(OTHER_TEXT, OTHER.hash)
    assert listed(furnished, CENTER) == [
        {
            "hash": STUDY_HASH,
            "name": "protocol",
            "title": "Five hospitals with made-up patients",
            "added": NOW,
            "sites": list(SITES),
            "approvals": {},
        },
        {
            "hash": OTHER.hash,
            "name": "small",
            "title": "Five hospitals with made-up patients",
            "added": NOW + 1,
            "sites": list(SITES[:3]),
            "approvals": {},
        },
    ]


def test_a_site_sees_its_own_studies(furnished: Office) -> None:
    """A study is listed for the sites that it pins, and for no other."""
    furnished.put_study(OTHER_TEXT, OTHER.hash)
    seen = {site: [one["name"] for one in listed(furnished, site)] for site in ("cedar", "elm")}
    assert seen == {"cedar": ["protocol", "small"], "elm": ["protocol"]}


def test_a_study_is_unknown_to_others(furnished: Office) -> None:
    """The file of a study is not for a site that it does not pin."""
    furnished.put_study(OTHER_TEXT, OTHER.hash)
    answers = [code(furnished.ask(s, "GET", f"/v1/studies/{OTHER.hash}")) for s in ("cedar", "elm")]
    assert answers == ["200", "unknown_study"]


def test_a_study_that_is_not_here(furnished: Office) -> None:
    """A hash that is not on the shelf is unknown to the center too."""
    assert code(furnished.ask(CENTER, "GET", f"/v1/studies/{'0' * 64}")) == "unknown_study"


def test_an_address_that_is_no_hash(furnished: Office) -> None:
    """A study is called by its whole hash."""
    assert code(furnished.ask(CENTER, "GET", "/v1/studies/protocol")) == "malformed"


def test_a_site_with_a_new_key_sees_no_study_of_its_old_one(furnished: Office) -> None:
    """A study that pins the key of before is not there for the new one."""
    furnished.invite("alder", "another token")
    furnished.enrol(NEW_KEY, "another token")
    answers = [furnished.ask(NEW_KEY, "GET", target) for target in ("/v1/studies", AT)]
    assert (answers[0].json(), code(answers[1])) == ({"studies": []}, "unknown_study")


def test_an_approval_is_listed(furnished: Office) -> None:
    """What a site says of a study is seen by the center."""
    furnished.ask(
        "alder", "PUT", f"{AT}/approval", {"state": "approved", "until": NOW + 9, "at": NOW}
    )
    assert listed(furnished, CENTER)[0]["approvals"] == {
        "alder": {"state": "approved", "until": NOW + 9, "at": NOW}
    }


def test_a_site_sees_its_own_approval_only(furnished: Office) -> None:
    """What the other sites decided is not told to a site."""
    for site in ("alder", "beech"):
        approve(furnished, site, at=NOW)
    assert list(listed(furnished, "beech")[0]["approvals"]) == ["beech"]


@pytest.mark.parametrize(("first", "second"), [(5, 6), (6, 5), (5, 5)])
def test_the_later_decision_holds(furnished: Office, first: int, second: int) -> None:
    """A decision that was made earlier and comes later changes nothing; in one second the last."""
    approve(furnished, at=first)
    approve(furnished, at=second, state="revoked")
    state = listed(furnished, CENTER)[0]["approvals"]["alder"]["state"]
    assert state == ("revoked" if second >= first else "approved")


def test_an_old_approval_is_no_error(furnished: Office) -> None:
    """A decision that comes too late is answered like any other."""
    assert [approve(furnished, at=at) for at in (6, 5)] == ["204", "204"]


def test_approving_the_study_of_others(furnished: Office) -> None:
    """A site that is not pinned cannot approve."""
    furnished.put_study(OTHER_TEXT, OTHER.hash)
    body = {"state": "approved", "until": None, "at": 1}
    answer = furnished.ask("elm", "PUT", f"/v1/studies/{OTHER.hash}/approval", body)
    assert code(answer) == "unknown_study"


@pytest.mark.parametrize(
    "change", [{"state": "maybe"}, {"until": "soon"}, {"at": None}, {"at": 2**60}, {"who": "me"}]
)
def test_approvals_that_are_none(furnished: Office, change: dict[str, Any]) -> None:
    """An approval of another form is malformed."""
    body = {"state": "approved", "until": None, "at": 1, **change}
    assert code(furnished.ask("alder", "PUT", f"{AT}/approval", body)) == "malformed"
