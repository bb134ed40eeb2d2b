"""What the pages say and do: the words, the records and the refusals of the commands."""

from __future__ import annotations

import html
import re
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from site_agent import preview as previews
from site_agent.cli import main
from site_agent.console.server import Server
from site_agent.console.session import Session
from site_agent.contract.errors import ConfigurationError
from site_agent.preview_words import in_words
from site_agent.review import review
from site_agent.shelf import Shelf
from tests.coordinator.exchange.office import STUDY_HASH
from tests.protocol import patients
from tests.site_agent.console.conftest import Hospital
from tests.site_agent.console.serving import Got, Served, served
from tests.site_agent.hospital import NAME, OTHER_TEXT, furnished, keep, problem

STUDY = f"studies/{STUDY_HASH}"
UNTIL = "2999-12-31T23:59:59Z"
REFUSED = httpx.ConnectError("[Errno 111] Connection refused")


def approve(console: Served, **fields: str) -> Got:
    """Send the form of an approval, with other fields if they are given."""
    told = {"hash": STUDY_HASH, "until": "2999-12-31", "confirmed": "yes"}
    return console.post(f"{STUDY}/approve", told | fields)


def spoken(page: Got) -> str:
    """What a page says, as a terminal would: code between backticks, in small letters."""
    return html.unescape(re.sub("</?code>", "`", page.text)).lower()


def revoke(console: Served, **fields: str) -> Got:
    """Send the form of a revocation, with other fields if they are given."""
    return console.post(f"{STUDY}/revoke", {"hash": STUDY_HASH, "confirmed": "yes"} | fields)


def command(hospital: Hospital, *arguments: str) -> None:
    """Do the same by a command."""
    with pytest.raises(SystemExit):
        main(["--config", str(hospital.site.settings.file), *arguments])


def plain(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of a ledger without the instants, on which the chain depends."""
    return [{k: v for k, v in e.items() if k not in ("at", "previous")} for e in entries]


# The first page


def test_the_first_page_tells_how_things_stand(console: Served) -> None:
    """Exchange, agent, ledger, and the study that waits."""
    words = console.get().words
    told = ["Exchange answers", "Agent does not run", "0 entries", "Waiting for your decision"]
    assert [text for text in told if text not in words] == []


def test_the_exchange_is_down(hospital: Hospital, console: Served) -> None:
    """An exchange that cannot be reached is told in words, and the page is there."""
    hospital.way.broken = REFUSED
    console.now[0] += 61
    found = console.get()
    assert (found.status, "Exchange unreachable: " in found.words) == (200, True)


def test_the_exchange_is_not_asked_at_every_page(hospital: Hospital, console: Served) -> None:
    """Within a minute the exchange is asked once."""
    console.get()
    before = len(hospital.way.requests)
    console.get()
    assert len(hospital.way.requests) == before


def test_an_agent_that_runs(hospital: Hospital, console: Served) -> None:
    """An agent that runs is told."""
    with hospital.site.running():
        assert "Agent runs" in console.get().words


def test_where_studies_stand(hospital: Hospital, console: Served) -> None:
    """An approved study and one that waits stand under their headings."""
    keep(hospital.site, OTHER_TEXT)
    approve(console)
    words = console.get().words
    assert (f"approved until {UNTIL}" in words, "Waiting for" in words) == (True, True)


def test_a_study_that_was_altered(hospital: Hospital, console: Served) -> None:
    """A file that is not the study it says is told, and not shown."""
    path = hospital.site.state / "studies" / f"{STUDY_HASH}.yaml"
    path.write_text(path.read_text().replace("protocol", "otherwise"), encoding="utf-8")
    assert "Not usable: " in console.get().words


def test_fetching(hospital: Hospital, console: Served) -> None:
    """A study that is not here is fetched, as the command does."""
    (hospital.site.state / "studies" / f"{STUDY_HASH}.yaml").unlink()
    found = console.post("fetch")
    words = console.get().words
    assert (found.status, "The center has 1 study" in words, STUDY_HASH[:16] in words) == (
        *(303, True),
        True,
    )


def test_fetching_what_is_declined(hospital: Hospital, console: Served) -> None:
    """What the exchange says no to is a sentence on the page."""
    hospital.way.said["GET /v1/studies"] = problem(403, "forbidden", "a word of the exchange")
    found = console.post("fetch")
    assert (found.status, "a word of the exchange" in found.words) == (409, True)


# A study


def test_the_study_is_told_in_the_words_of_the_command(hospital: Hospital, console: Served) -> None:
    """Every line of the review is on the page."""
    text = review(Shelf(hospital.site).find("protocol"), NAME, width=10_000)
    lines = [line.strip().removeprefix("- ") for line in text.splitlines() if line.strip()]
    page = spoken(console.get(STUDY))
    assert [line for line in lines if line.lower() not in page] == []


def test_a_study_that_is_not_here(console: Served) -> None:
    """Another hash is told with what to do."""
    found = console.get(f"studies/{'0' * 64}")
    assert (found.status, "is not here; fetch it" in found.words) == (409, True)


def test_texts_of_a_study_are_escaped(hospital: Hospital, console: Served) -> None:
    """A title that is HTML is shown as it was written."""
    text = OTHER_TEXT.replace("\ntitle: ", "\ntitle: <b onclick=x>bold</b> & ")
    page = console.get(f"studies/{keep(hospital.site, text)}").text
    assert ("&lt;b onclick=x&gt;bold" in page, "<b onclick" in page) == (True, False)


# What would leave


def test_nothing_is_computed_before_it_is_asked_for(
    console: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of the preview asks first."""
    monkeypatch.setattr(previews, "preview", None)
    found = console.get(f"{STUDY}/preview")
    assert (found.status, "Nothing is sent, and nothing is written down" in found.words) == (
        200,
        True,
    )


def test_the_preview_is_told_in_the_words_of_the_command(
    hospital: Hospital, console: Served
) -> None:
    """Every line of the preview is on the page."""
    text = in_words(previews.preview(hospital.site, STUDY_HASH), width=10_000)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    page = spoken(console.post(f"{STUDY}/preview"))
    assert [line for line in lines if line.lower() not in page] == []


def test_the_preview_sends_and_keeps_nothing(hospital: Hospital, console: Served) -> None:
    """A preview leaves no request, no entry and no file."""
    console.get()
    files = sorted(hospital.site.state.rglob("*"))
    before = len(hospital.way.requests)
    console.post(f"{STUDY}/preview")
    assert (len(hospital.way.requests), hospital.entries(), sorted(files)) == (
        *(before, []),
        sorted(hospital.site.state.rglob("*")),
    )


def test_the_preview_of_data_that_do_not_fit(hospital: Hospital, console: Served) -> None:
    """Findings are told as by the command, without a value."""
    path = hospital.site.data("protocol") / "patients.parquet"
    patients(NAME).assign(days=987).to_parquet(path, index=False)
    found = console.post(f"{STUDY}/preview")
    assert (found.status, "the data do not fit the study" in found.words, "987" in found.words) == (
        *(409, True),
        False,
    )


def test_one_preview_at_a_time(hospital: Hospital, console: Served) -> None:
    """While a preview is worked out another one is refused, and a decision is not."""
    with console.server.console.computing:
        found = console.post(f"{STUDY}/preview")
        approve(console)
    said = "Another preview is being worked out" in found.words
    assert (found.status, said, len(hospital.entries())) == (409, True, 1)


def test_a_defect_is_told_without_its_text(
    console: Served, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unforeseen error is a sentence; its text, which may hold a value, is nowhere."""

    def fail(*_: object) -> None:
        raise RuntimeError("the patient's value 4711")

    monkeypatch.setattr(previews, "preview", fail)
    found = console.post(f"{STUDY}/preview")
    said = found.text + "".join(capsys.readouterr())
    assert (found.status, "internal error (RuntimeError at" in said, "4711" in said) == (
        *(500, True),
        False,
    )


# Approving and revoking


def test_an_approval_is_recorded_as_by_the_command(
    hospital: Hospital, console: Served, tmp_path: Path
) -> None:
    """Console and command write the same entries and tell the center the same."""
    other = Hospital(furnished(tmp_path / "other"), hospital.way)
    command(other, "approve", "protocol", "--until", "2999-12-31", "--yes")
    command(other, "revoke", "protocol")
    by_command = hospital.way.bodies("PUT /v1/studies")
    approve(console)
    revoke(console)
    by_console = hospital.way.bodies("PUT /v1/studies")[len(by_command) :]
    assert (plain(hospital.entries()), len(by_console)) == (plain(other.entries()), len(by_command))


def test_an_approval_is_told(console: Served) -> None:
    """Behind the form comes the study's page, which says what was done, once."""
    where = approve(console).headers["Location"]
    told = f"is approved until {UNTIL}; this is in the ledger"
    first, second = console.send("GET", where).words, console.send("GET", where).words
    assert (told in first, told in second) == (True, False)


def test_the_form_shows_what_is_approved(console: Served) -> None:
    """The page has the whole hash, the classes, and the exceptions by name."""
    words = console.get(f"{STUDY}/approve").words
    told = [f"Hash {STUDY_HASH}", "Classes of sums", "Accepted exceptions", f"For {NAME}"]
    assert [text for text in told if text not in words] == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"confirmed": ""}, "The box was not ticked."),
        ({"hash": "0" * 64}, "The form is of another study."),
        ({"until": "soon"}, "The last day is no date"),
        ({"until": ""}, "The last day is no date"),
        ({"until": "2020-02-29"}, "the last day 2020-02-29 is over"),
    ],
)
def test_an_approval_that_is_not_meant(
    hospital: Hospital, console: Served, fields: dict[str, str], said: str
) -> None:
    """What the form lacks is told, and nothing is approved."""
    found = approve(console, **fields)
    assert (said in found.words, hospital.entries()) == (True, [])


def test_the_last_day_of_the_calendar(hospital: Hospital, console: Served) -> None:
    """The last day that there is can be given."""
    approve(console, until="9999-12-31")
    assert hospital.entries()[-1]["until"] == "9999-12-31T23:59:59Z"


def test_what_was_superseded_is_not_approved(hospital: Hospital, console: Served) -> None:
    """A study that a revision replaced has no form, and takes none."""
    hospital.site.ledger().append("superseded", study=STUDY_HASH, by="f" * 64, distrusted=[])
    found = [console.get(f"{STUDY}/approve"), approve(console)]
    said = "has approved the revision ffffffff"
    assert [(one.status, said in one.words) for one in found] == [(409, True), (409, True)]


def test_the_center_cannot_be_told(hospital: Hospital, console: Served) -> None:
    """The approval stands, and the page says that the center learns of it later."""
    hospital.way.broken = REFUSED
    approve(console)
    said = "the center learns of it when the agent reaches it"
    assert (hospital.entries()[-1]["event"], said in console.get(STUDY).words) == ("approved", True)


def test_a_revocation(hospital: Hospital, console: Served) -> None:
    """A revoked study is told so."""
    approve(console)
    revoke(console)
    assert ("is revoked; this is in the ledger" in console.get(STUDY).words) is True


@pytest.mark.parametrize("fields", [{"confirmed": ""}, {"hash": "0" * 64}])
def test_a_revocation_that_is_not_meant(
    hospital: Hospital, console: Served, fields: dict[str, str]
) -> None:
    """What the form lacks is told, and nothing is revoked."""
    approve(console)
    found = revoke(console, **fields)
    assert (found.status, hospital.entries()[-1]["event"]) == (400, "approved")


def test_nothing_to_revoke(hospital: Hospital, console: Served) -> None:
    """What is not approved has neither form nor revocation."""
    found = [console.get(f"{STUDY}/revoke"), revoke(console)]
    assert ([one.status for one in found], hospital.entries()) == ([409, 409], [])


# Ledger and state


def test_the_ledger_newest_first(hospital: Hospital, console: Served) -> None:
    """The first page has the newest entries, the last one the oldest."""
    ledger = hospital.site.ledger()
    for number in range(120):
        ledger.append("refused", code="test", reason=f"reason {number}")
    pages = [console.get(f"ledger?page={number}").words for number in (1, 2, 3)]
    found = [
        [number for number in (0, 19, 20, 69, 70, 119) if f"reason {number};" in page]
        for page in pages
    ]
    assert found == [[70, 119], [20, 69], [0, 19]]


def test_the_ledger_tells_its_head(hospital: Hospital, console: Served) -> None:
    """The page says that the chain was verified, up to which head."""
    approve(console)
    words = console.get("ledger").words
    assert (hospital.site.ledger().head in words, "the chain was verified" in words) == (True, True)


@pytest.mark.parametrize("below", ["", STUDY, "ledger", "state"])
def test_a_ledger_that_was_altered(hospital: Hospital, console: Served, below: str) -> None:
    """Where the chain does not hold, each page says so, and what to do."""
    (hospital.site.state / "ledger.jsonl").write_bytes(b"{}\n")
    found = console.get(below)
    assert (found.status, "Restore it from its backup" in found.words) == (500, True)


def test_the_state(hospital: Hospital, console: Served) -> None:
    """The page has what the command has."""
    words = console.get("state").words
    told = [f"Site {NAME}", "Fingerprint", "Exchange answers", "Agent does not run", "Releases"]
    assert [text for text in told if text not in words] == []


def test_the_state_while_the_exchange_is_down(hospital: Hospital, console: Served) -> None:
    """What is wrong stands on the page, with the rest."""
    hospital.way.broken = REFUSED
    found = console.get("state")
    assert (found.status, "check exchange.url" in found.words) == (200, True)


# The session


def test_the_end(console: Served) -> None:
    """The button takes the cookie back and ends the session."""
    found = console.post("end")
    gone = "Max-Age=0" in found.headers["Set-Cookie"]
    assert (gone, console.session.ended.wait(5), console.get().status) == (True, True, 403)


def test_a_session_that_is_not_used(console: Served) -> None:
    """A session is idle after its time, and any page begins the time again."""
    console.now[0] = 1799.0
    before = console.session.idle()
    console.get()
    console.now[0] = 3000.0
    used = console.session.idle()
    console.now[0] = 3600.0
    assert (before, used, console.session.idle()) == (False, False, True)


def test_who_was_not_let_in_keeps_no_session_alive(console: Served) -> None:
    """Requests that are refused are no use of the session."""
    console.now[0] = 1799.0
    console.get(Cookie=None)
    console.now[0] = 1800.0
    assert console.session.idle() is True


def test_work_is_no_idleness(console: Served) -> None:
    """While something is computed the session is not idle."""
    with console.session.at_work():
        console.now[0] = 9999.0
        assert console.session.idle() is False


def test_nothing_is_logged(console: Served, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither pages nor refusals write a line."""
    console.get(STUDY)
    console.get("nowhere")
    approve(console)
    console.send("BREW", "/")
    assert capfd.readouterr() == ("", "")


def test_a_browser_that_goes_away(console: Served, capfd: pytest.CaptureFixture[str]) -> None:
    """A connection that breaks writes no line, and the next one is answered."""
    with socket.create_connection(console.server.server_address) as way:
        way.sendall(b"GET / HTTP/1.1\r\nHost: ")
    assert (console.get().status, capfd.readouterr()) == (200, ("", ""))


def test_two_consoles_share_nothing(hospital: Hospital, console: Served) -> None:
    """The cookie of one console is none of another's, at another port."""
    other = Session(lambda size: b"\x09" * size, lambda: 0.0, 1.0)
    other.use_link(other.link.rpartition("/")[2])
    assert other.is_open_for(console.cookie.partition("=")[2]) is False


def test_a_port_that_is_taken(hospital: Hospital, console: Served) -> None:
    """A port that another program has is told with what to do."""
    with pytest.raises(ConfigurationError, match="give another one with --port"):
        Server(console.server.console, console.server.server_address[1])


def test_a_console_that_was_left_leaves_its_port(hospital: Hospital) -> None:
    """Behind the end the port is free again."""
    with served(hospital.site) as found:
        address = found.server.server_address
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
