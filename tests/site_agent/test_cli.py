"""The hospital's commands: results on stdout, messages on stderr, one exit code for each end."""

from __future__ import annotations

import functools
import io
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from site_agent import cli as module
from site_agent.agent import Agent
from site_agent.cli import cli, main
from site_agent.contract.identity import fingerprint
from site_agent.ledger import Ledger
from site_agent.pulse import health
from site_agent.runtime.http import patiently
from site_agent.site import Site
from tests.coordinator.exchange.office import STUDY_HASH, Office
from tests.protocol import CENTER, identity, patients
from tests.site_agent.hospital import NAME, Way, furnished, invitation, problem, without_room

ROOT = Path(__file__).parents[2]
HASH = STUDY_HASH[:16]
COMMANDS = sorted(cli.commands)
REFUSED = httpx.ConnectError("[Errno 111] Connection refused")
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, stdout and stderr."""

    code: int
    out: str
    err: str


@dataclass
class Terminal:
    """A hospital's agent whose way out leads to an exchange in this process."""

    site: Site
    way: Way
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def call(self, *arguments: str, says: str = "") -> Ended:
        """A command, with what is typed when it asks."""
        self.patch.setattr(sys, "stdin", io.StringIO(says))
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(self.site.settings.file), *arguments])
        out, err = self.capture.readouterr()
        return Ended(int(ended.value.code or 0), out, err)

    def entries(self) -> list[dict[str, Any]]:
        """What the ledger says."""
        return self.site.ledger().entries

    def approve(self, until: str = "2999-12-31T23:59:59Z") -> None:
        """An approval, by another process."""
        self.site.ledger().append("approved", study=STUDY_HASH, until=until)

    def told(self) -> list[dict[str, Any]]:
        """What the exchange was told of approvals."""
        return [json.loads(body) for body in self.way.bodies("PUT /v1/studies")]


@pytest.fixture
def terminal(
    office: Office,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    """A hospital with data and study, whose steward has not approved it."""
    way, site = Way(office), furnished(tmp_path / "hospital")

    def exchange(site: Site) -> Any:
        found = way.exchange()
        found._identity = site.identity()
        return found

    monkeypatch.setattr(Site, "exchange", exchange)
    quick = functools.partial(patiently, sleep=lambda _: None)
    monkeypatch.setattr(module, "patiently", quick)
    for name in [name for name in os.environ if name.startswith("QUORUM_")]:
        monkeypatch.delenv(name)
    return Terminal(site, way, capsys, monkeypatch)


# What all commands have in common


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(terminal: Terminal, command: str) -> None:
    """Help is a result, and needs no settings."""
    terminal.site.settings.file.unlink()
    found = terminal.call(command, "--help")
    assert (found.code, found.out.startswith("Usage: "), found.err) == (0, True, "")


def test_the_version(terminal: Terminal) -> None:
    """The version is a result."""
    assert terminal.call("--version").out.startswith("site-agent, version ")


@pytest.mark.parametrize("arguments", [[], ["chekc"], ["check"], ["check", "x", "--yes"]])
def test_a_command_that_is_called_wrongly(terminal: Terminal, arguments: list[str]) -> None:
    """No command, an unknown one, a missing argument, an unknown option: exit code 2."""
    found = terminal.call(*arguments)
    assert (found.code, found.out) == (2, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["approve", "protocol", "--yes"],
        ["check", "protocol"],
        ["config", "show"],
        ["enrol"],
        ["ledger", "show"],
        ["ledger", "verify"],
        ["preview", "protocol"],
        ["review", "protocol"],
        ["revoke", "protocol"],
        ["run"],
        ["status"],
        ["studies"],
    ],
    ids=" ".join,
)
def test_a_command_without_settings(terminal: Terminal, arguments: list[str]) -> None:
    """Where there are no settings, every command says how to write them: exit code 78."""
    terminal.site.settings.file.unlink()
    found = terminal.call(*arguments)
    assert (found.code, "site-agent init INVITATION" in found.err) == (78, True)


def test_settings_that_do_not_fit(terminal: Terminal) -> None:
    """A typing error in the settings is answered with the nearest name: exit code 78."""
    with terminal.site.settings.file.open("a", encoding="utf-8") as file:
        file.write("tiemout_s = 5\n")
    found = terminal.call("status")
    assert (found.code, "did you mean 'exchange.timeout_s'?" in found.err) == (78, True)


# init and enrol


@pytest.fixture
def fresh(terminal: Terminal, tmp_path: Path) -> tuple[Terminal, Path, Path]:
    """A machine without an agent: the place of its settings, and an invitation."""
    invited = tmp_path / "invitation.json"
    invited.write_bytes(invitation())
    config = tmp_path / "fresh" / "agent.toml"
    return terminal, config, invited


def test_init_says_what_it_wrote_and_what_comes_next(fresh: tuple[Terminal, Path, Path]) -> None:
    """The result names settings and key, both fingerprints, and the next command."""
    terminal, config, invited = fresh
    (config.parent / "data").mkdir(parents=True, exist_ok=True)
    found = terminal.call("--config", str(config), "init", str(invited))
    key = config.parent / "state" / "key"
    lines = found.out.splitlines()
    assert (found.code, found.err, lines[0], lines[1], lines[3], lines[4]) == (
        *(0, "", f"{config}: settings of 'alder'; look through them"),
        f"key          {key}: make a backup that only you can read",
        f"fingerprint  {fingerprint(identity(CENTER).member())} (center; compare by telephone)",
        "next         site-agent enrol",
    )


def test_init_again_tells_what_was_kept(fresh: tuple[Terminal, Path, Path]) -> None:
    """A folder that is given to settings that exist is not passed over in silence."""
    terminal, config, invited = fresh
    (config.parent / "data").mkdir(parents=True, exist_ok=True)
    terminal.call("--config", str(config), "init", str(invited))
    found = terminal.call("--config", str(config), "init", str(invited), "--data", "/srv/data")
    expected = f"{config} is kept, and does not say data.folder = /srv/data; edit it if it should\n"
    assert (found.code, found.err) == (0, expected)


def test_init_with_data_that_are_not_there(fresh: tuple[Terminal, Path, Path]) -> None:
    """A folder that is missing is told at once, and can still be made."""
    terminal, config, invited = fresh
    found = terminal.call("--config", str(config), "init", str(invited), "--data", "/no/data")
    expected = "data         /no/data is not there yet; it has to be before a release\n"
    assert (found.code, found.err) == (0, expected)


def test_init_without_an_invitation(fresh: tuple[Terminal, Path, Path]) -> None:
    """A missing invitation is told by its path: exit code 78."""
    terminal, config, _ = fresh
    found = terminal.call("--config", str(config), "init", "nowhere.json")
    assert (found.code, found.err) == (78, "error: there is no invitation at nowhere.json\n")


def test_enrol(terminal: Terminal) -> None:
    """An enrolment says the fingerprint that is compared by telephone."""
    (terminal.site.state / "invitation.json").write_bytes(invitation())
    found = terminal.call("enrol")
    own = fingerprint(identity(NAME).member())
    assert (found.code, f"'alder' is enrolled, fingerprint {own}" in found.out) == (0, True)


def test_enrol_with_an_invitation_of_another(terminal: Terminal) -> None:
    """An enrolment that the exchange declines ends with its words: exit code 77."""
    terminal.site.key.write_bytes(identity("stranger").secret())
    (terminal.site.state / "invitation.json").write_bytes(invitation())
    found = terminal.call("enrol")
    assert (found.code, "the exchange http://exchange declines" in found.err) == (77, True)


def test_enrol_at_a_login_page(terminal: Terminal) -> None:
    """A login page in the place of the exchange is told as such: exit code 69."""
    (terminal.site.state / "invitation.json").write_bytes(invitation())
    terminal.way.said["GET /v1/"] = httpx.Response(200, html="<html>login</html>")
    found = terminal.call("enrol")
    assert (found.code, "a login page of the network answers instead" in found.err) == (69, True)


# studies


def test_studies_are_listed_with_their_standing(terminal: Terminal) -> None:
    """A study is listed with name, hash, and where it stands here."""
    assert terminal.call("studies").out == f"protocol  {HASH}  not approved\n"


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2999-12-31T23:59:59Z", "approved until 2999-12-31T23:59:59Z"),
        ("2026-01-01T00:00:00Z", "approval ended at 2026-01-01T00:00:00Z"),
    ],
)
def test_studies_tell_the_end_of_an_approval(terminal: Terminal, until: str, expected: str) -> None:
    """An approval is listed with its end, also when that has come."""
    terminal.approve(until)
    assert terminal.call("studies").out == f"protocol  {HASH}  {expected}\n"


def test_studies_as_json(terminal: Terminal) -> None:
    """For programs, the list has the same words."""
    (entry,) = json.loads(terminal.call("studies", "--json").out)
    assert (entry["hash"], entry["standing"]) == (STUDY_HASH, "not approved")


def test_a_study_that_was_not_taken(terminal: Terminal) -> None:
    """A study that is not what it says is listed with its problem."""
    (terminal.site.state / "studies" / f"{STUDY_HASH}.yaml").unlink()
    terminal.way.said[f"GET /v1/studies/{STUDY_HASH}"] = httpx.Response(200, text="quorum: 1")
    found = terminal.call("studies")
    assert (found.code, "\n  not taken: study" in found.out) == (0, True)


def test_no_studies(terminal: Terminal) -> None:
    """Where the center has no study yet, that is said."""
    terminal.way.said["GET /v1/studies"] = httpx.Response(200, json={"studies": []})
    assert terminal.call("studies").out == "the center has no study for this hospital yet\n"


def test_studies_while_the_exchange_is_down(terminal: Terminal) -> None:
    """An exchange that is down is asked four times: exit code 69."""
    terminal.way.broken = REFUSED
    found = terminal.call("studies")
    assert (
        found.code,
        found.out,
        len(terminal.way.requests),
        "check exchange.url" in found.err,
    ) == (
        *(69, "", 4),
        True,
    )


def test_studies_while_the_exchange_comes_back(terminal: Terminal) -> None:
    """A store of the exchange that answers again after a while is waited for."""
    answers = iter([problem(503, "store"), problem(503, "store")])

    class Said(dict[str, httpx.Response]):
        def get(self, key: str, default: Any = None) -> Any:
            return next(answers, None)

    terminal.way.said = Said()
    assert terminal.call("studies").code == 0


def test_a_clock_that_is_a_day_off(terminal: Terminal) -> None:
    """A wrong clock is told with both times and with what to do: exit code 78."""
    terminal.patch.setattr(
        Site, "exchange", lambda _: _late(terminal.way, int(terminal.way.office.now) - DAY_S)
    )
    found = terminal.call("studies")
    assert (found.code, "is 1 day behind; set it, or have it set by NTP" in found.err) == (78, True)


def _late(way: Way, at: int) -> Any:
    found = way.exchange()
    found._clock = lambda: at
    return found


def test_a_key_that_is_not_the_enrolled_one(terminal: Terminal) -> None:
    """A key other than the enrolled one is told as such: exit code 78."""
    terminal.site.key.write_bytes(identity("stranger").secret())
    found = terminal.call("studies")
    assert (found.code, "enrol again if the key is a new one" in found.err) == (78, True)


def test_a_key_that_others_can_read(terminal: Terminal) -> None:
    """A key with open rights is not used: exit code 78."""
    terminal.site.key.chmod(0o644)
    found = terminal.call("studies")
    assert (found.code, f"chmod 600 {terminal.site.key}" in found.err) == (78, True)


# check and review


def test_check(terminal: Terminal) -> None:
    """Data that fit are told with their rows."""
    expected = "the data fit the study protocol: rows 1 in patients\n"
    assert terminal.call("check", "protocol") == Ended(0, expected, "")


def test_check_as_json(terminal: Terminal) -> None:
    """For programs, the result names the rows by table."""
    assert json.loads(terminal.call("check", "protocol", "--json").out)["rows"] == {"patients": 1}


def test_check_of_data_that_do_not_fit(terminal: Terminal) -> None:
    """The report has every finding, without a value: exit code 1."""
    path = terminal.site.data("protocol") / "patients.parquet"
    patients(NAME).assign(days=99).to_parquet(path, index=False)
    found = terminal.call("check", "protocol")
    assert (found.code, "column days: out of range" in found.out, "99" in found.out) == (
        *(1, True),
        False,
    )


def test_check_as_a_page(terminal: Terminal, tmp_path: Path) -> None:
    """The page has the report, and only its owner may read it."""
    assert terminal.call("check", "protocol", "--html", str(tmp_path / "check.html")).code == 0
    page = tmp_path / "check.html"
    assert ("The data fit the study." in page.read_text("utf-8"), page.stat().st_mode & 0o777) == (
        *(True, 0o600),
    )


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_keys_are_for_a_terminal(terminal: Terminal, more: list[str]) -> None:
    """Patients are named on a terminal, not into a pipe or a file: exit code 2."""
    found = terminal.call("check", "protocol", "--show-keys", *more)
    assert (found.code, "--show-keys writes to a terminal" in found.err) == (2, True)


def test_keys_on_a_terminal(tmp_path: Path) -> None:
    """On a terminal, a finding names its patients."""
    site = furnished(tmp_path / "hospital")
    path = site.data("protocol") / "patients.parquet"
    patients(NAME).assign(days=99).to_parquet(path, index=False)
    ours, theirs = pty.openpty()
    words = ["--config", str(site.settings.file), "check", "protocol", "--show-keys"]
    line = [sys.executable, "-m", "site_agent", *words]
    subprocess.run(line, stdout=theirs, stderr=subprocess.DEVNULL, env=environment(), check=False)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert str(patients(NAME)["patient"].iloc[0]) in shown


def test_check_sends_nothing(terminal: Terminal) -> None:
    """Checking does not go out."""
    terminal.call("check", "protocol")
    assert terminal.way.requests == []


def test_check_of_a_study_that_is_not_here(terminal: Terminal) -> None:
    """A typing error in the name is answered with the nearest: exit code 78."""
    found = terminal.call("check", "protocl")
    assert (found.code, "did you mean 'protocol'?" in found.err) == (78, True)


def test_review(terminal: Terminal) -> None:
    """A review says in words what the study computes."""
    found = terminal.call("review", "protocol")
    assert (found.code, "Five hospitals with made-up patients" in found.out) == (0, True)


def test_review_as_json(terminal: Terminal) -> None:
    """For programs, a review is a document."""
    assert isinstance(json.loads(terminal.call("review", "protocol", "--json").out), dict)


# preview


def test_preview(terminal: Terminal) -> None:
    """Before approval, the numbers of this hospital are the result, and nothing else is told."""
    found = terminal.call("preview", "protocol")
    assert (found.code, found.err, found.out.startswith("WHAT WOULD LEAVE ALDER FOR PROTOCOL")) == (
        *(0, ""),
        True,
    )


def test_preview_sends_and_writes_nothing(terminal: Terminal) -> None:
    """No request went out, and the ledger is empty."""
    terminal.call("preview", "protocol", "--full")
    assert (terminal.way.requests, terminal.entries()) == ([], [])


@pytest.mark.parametrize(("more", "full"), [([], False), (["--full"], True)])
def test_preview_as_json(terminal: Terminal, more: list[str], full: bool) -> None:
    """For programs, a preview is a document; in full it has every number."""
    found = json.loads(terminal.call("preview", "protocol", "--json", *more).out)
    counts = found["rounds"][2]["sums"][0]["arrays"][0]
    assert (found["full"], "numbers" in counts) == (full, full)


def test_preview_of_data_that_do_not_fit(terminal: Terminal) -> None:
    """Findings are told, without a value: exit code 1."""
    path = terminal.site.data("protocol") / "patients.parquet"
    patients(NAME).assign(days=99).to_parquet(path, index=False)
    found = terminal.call("preview", "protocol")
    assert (found.code, found.out, "99" in found.err) == (1, "", False)


def test_figures(terminal: Terminal, tmp_path: Path) -> None:
    """A page that only its owner may read; nothing is sent, and nothing noted."""
    out = tmp_path / "figures.html"
    found = terminal.call("figures", "protocol", "--out", str(out))
    assert (found.code, out.stat().st_mode & 0o777) == (0, 0o600)
    assert (terminal.way.requests, terminal.entries()) == ([], [])


def test_figures_without_the_package(terminal: Terminal) -> None:
    """An agent that was installed without the extra says which one is missing."""
    terminal.patch.setitem(sys.modules, "site_agent.local.page", None)
    found = terminal.call("figures", "protocol")
    assert (found.code, "extra 'figures'" in found.err) == (78, True)


# approve and revoke


def test_approve_with_yes(terminal: Terminal) -> None:
    """With --yes nothing is asked; the approval is in the ledger with the end of its last day."""
    terminal.call("approve", "protocol", "--until", "2999-12-31", "--yes")
    found = [(e["event"], e["study"], e["until"]) for e in terminal.entries()]
    assert found == [("approved", STUDY_HASH, "2999-12-31T23:59:59Z")]


def test_approve_says_what_it_did(terminal: Terminal) -> None:
    """The result says what is approved until when."""
    found = terminal.call("approve", "protocol", "--until", "2999-12-31", "--yes")
    expected = f"protocol ({HASH}) is approved until 2999-12-31T23:59:59Z; this is in the ledger\n"
    assert found == Ended(0, expected, "")


def test_approve_tells_the_center(terminal: Terminal) -> None:
    """The exchange learns of the approval at once."""
    terminal.call("approve", "protocol", "--until", "2999-12-31", "--yes")
    assert [(one["state"], one["until"]) for one in terminal.told()] == [("approved", 32503679999)]


def test_approve_lasts_a_year_if_nothing_is_said(terminal: Terminal) -> None:
    """Without --until, an approval ends after 365 days."""
    terminal.call("approve", "protocol", "--yes")
    end = datetime.fromisoformat(terminal.entries()[0]["until"])
    expected = datetime.now(UTC) + timedelta(days=365)
    assert abs(end - expected) < timedelta(minutes=1)


def test_approve_asks(terminal: Terminal) -> None:
    """Without --yes the steward is asked, on stderr, for which study and hospital until when."""
    found = terminal.call("approve", "protocol", "--until", "2999-12-31", says="y\n")
    asked = f"Approve protocol ({HASH}) for 'alder' until 2999-12-31T23:59:59Z?"
    assert (found.code, found.err.startswith(asked), len(terminal.entries())) == (0, True, 1)


@pytest.mark.parametrize("says", ["n\n", "\n", ""], ids=["no", "nothing", "nobody there"])
def test_approve_takes_only_a_yes(terminal: Terminal, says: str) -> None:
    """Whatever else is answered, nothing is approved: exit code 130."""
    found = terminal.call("approve", "protocol", says=says)
    assert (found.code, "nothing was changed" in found.err, terminal.entries()) == (130, True, [])


def test_approve_until_a_day_that_is_over(terminal: Terminal) -> None:
    """An end in the past approves nothing: exit code 78."""
    found = terminal.call("approve", "protocol", "--until", "2020-02-29", "--yes")
    expected = "error: the last day 2020-02-29 is over; expected a day to come\n"
    assert (found.code, found.err, terminal.entries()) == (78, expected, [])


def test_approve_until_today(terminal: Terminal) -> None:
    """Today counts whole."""
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    terminal.call("approve", "protocol", "--until", today, "--yes")
    assert terminal.entries()[0]["until"] == f"{today}T23:59:59Z"


def test_approve_until_what_is_no_day(terminal: Terminal) -> None:
    """A day that is none is a wrong call: exit code 2."""
    assert terminal.call("approve", "protocol", "--until", "soon", "--yes").code == 2


@pytest.mark.parametrize("wrong", ["exchange down", "store", "no address"])
def test_approve_while_the_center_cannot_be_told(terminal: Terminal, wrong: str) -> None:
    """The approval is in the ledger, and the agent tells it later: exit code 0."""
    if wrong == "exchange down":
        terminal.way.broken = REFUSED
    elif wrong == "no address":
        terminal.patch.undo()
        terminal.patch.setenv("QUORUM_EXCHANGE__URL", "")
    else:
        terminal.way.said[f"PUT /v1/studies/{STUDY_HASH}/approval"] = problem(503, "store")
    found = terminal.call("approve", "protocol", "--yes")
    assert (found.code, found.err.split(":")[0], len(terminal.entries())) == (
        *(0, "the center learns of it when the agent reaches it"),
        1,
    )


def test_approve_again(terminal: Terminal) -> None:
    """An approval is renewed by another one."""
    terminal.approve("2026-01-01T00:00:00Z")
    terminal.call("approve", "protocol", "--until", "2999-12-31", "--yes")
    assert [entry["until"][:4] for entry in terminal.entries()] == ["2026", "2999"]


def test_approve_on_a_full_disk(terminal: Terminal) -> None:
    """A full disk is told with the file: exit code 78, and the ledger is as it was."""
    terminal.approve("2026-01-01T00:00:00Z")
    before = (terminal.site.state / "ledger.jsonl").read_bytes()
    with without_room(len(before) + 10):
        found = terminal.call("approve", "protocol", "--yes")
    after = (terminal.site.state / "ledger.jsonl").read_bytes()
    expected = f"error: {terminal.site.state}/ledger.jsonl: File too large; make room on this disk"
    assert (found.code, found.err.startswith(expected), after == before) == (78, True, True)


def test_approve_after_room_was_made(terminal: Terminal) -> None:
    """The same command works afterwards, and the chain of the ledger holds."""
    terminal.approve("2026-01-01T00:00:00Z")
    with without_room((terminal.site.state / "ledger.jsonl").stat().st_size + 10):
        terminal.call("approve", "protocol", "--yes")
    terminal.call("approve", "protocol", "--yes")
    assert len(terminal.entries()) == 2


def test_revoke(terminal: Terminal) -> None:
    """A revocation is in the ledger, and told."""
    terminal.approve()
    found = terminal.call("revoke", "protocol")
    assert (found.out, terminal.entries()[-1]["event"], terminal.told()[-1]["state"]) == (
        *(f"protocol ({HASH}) is revoked; this is in the ledger\n", "revoked"),
        "revoked",
    )


def test_revoke_while_the_exchange_is_down(terminal: Terminal) -> None:
    """A revocation holds here, whether the center can be told or not."""
    terminal.approve()
    terminal.way.broken = REFUSED
    found = terminal.call("revoke", "protocol")
    assert (found.code, terminal.entries()[-1]["event"]) == (0, "revoked")


def test_revoke_what_is_not_approved(terminal: Terminal) -> None:
    """There is nothing to revoke: exit code 78, and the ledger is as it was."""
    found = terminal.call("revoke", "protocol")
    assert (found.code, "there is nothing to revoke" in found.err, terminal.entries()) == (
        *(78, True),
        [],
    )


# status


def test_status(terminal: Terminal) -> None:
    """A line each: name, fingerprint, address, exchange, agent, studies, releases, ledger."""
    terminal.approve()
    found = terminal.call("status")
    lines = dict(line.split(None, 1) for line in found.out.splitlines())
    head = terminal.site.ledger().head[:16]
    assert (found.code, lines) == (
        0,
        {
            "site": NAME,
            "fingerprint": fingerprint(identity(NAME).member()),
            "url": "http://exchange",
            "exchange": "answers",
            "agent": "does not run; no question is answered (`site-agent run`)",
            "studies": f"{HASH} approved until 2999-12-31T23:59:59Z",
            "releases": "none is kept back",
            "ledger": f"1 entries, head {head}",
        },
    )


def test_status_while_the_agent_runs(terminal: Terminal) -> None:
    """An agent that runs on this state is told."""
    with terminal.site.running():
        found = terminal.call("status", "--json")
    assert json.loads(found.out)["agent"] == "runs"


@pytest.mark.parametrize(
    ("beat", "expected"),
    [
        ('{"hindered": ["unfit_data", "disk", "disk"]}', "disk, unfit_data: see the agent's log"),
        ('{"hindered": []}', None),
        ('{"hindered"', None),
    ],
    ids=["hindered", "well", "damaged"],
)
def test_status_of_what_does_not_go_on(terminal: Terminal, beat: str, expected: str | None) -> None:
    """What the running agent told last is told, and is no matter of the exit code."""
    (terminal.site.state / "pulse.json").write_text(beat)
    with terminal.site.running():
        found = terminal.call("status", "--json")
    assert (found.code, json.loads(found.out).get("hindered")) == (0, expected)
    assert "hindered" not in json.loads(terminal.call("status", "--json").out)


def test_status_while_the_exchange_is_down(terminal: Terminal) -> None:
    """The rest is told all the same: exit code 69."""
    terminal.way.broken = REFUSED
    found = terminal.call("status", "--json")
    assert (found.code, json.loads(found.out)["exchange"][:12]) == (69, "unreachable:")


@pytest.mark.parametrize(
    ("declined", "code"),
    [("unknown_party", 75), ("signature", 78), ("clock", 78), ("store", 69), ("forbidden", 77)],
)
def test_status_if_the_exchange_declines(terminal: Terminal, declined: str, code: int) -> None:
    """Not enrolled yet is a matter of time, a wrong key or clock one of configuration."""
    terminal.way.said["GET /v1/studies"] = problem(401, declined)
    found = terminal.call("status")
    assert (found.code, "answers, but: " in found.out) == (code, True)


def test_status_of_a_damaged_ledger(terminal: Terminal) -> None:
    """A ledger that was altered is told with what to do: exit code 70."""
    (terminal.site.state / "ledger.jsonl").write_bytes(b"{}\n")
    found = terminal.call("status")
    assert (found.code, "Restore it from its backup" in found.err) == (70, True)


# ledger


def test_an_empty_ledger(terminal: Terminal) -> None:
    """An empty ledger is told as such."""
    found = terminal.call("ledger", "show")
    assert found.out == "the ledger is empty: nothing was approved, answered or refused\n"


def test_a_ledger_in_words(terminal: Terminal) -> None:
    """Each entry has its line."""
    Ledger(terminal.site.state / "ledger.jsonl", lambda: "2026-01-01T00:00:00Z").append(
        "approved", study=STUDY_HASH, until="2026-12-31T23:59:59Z"
    )
    assert terminal.call("ledger", "show").out == (
        f"    1  2026-01-01T00:00:00Z  the steward approved study protocol ({HASH}) until "
        f"2026-12-31T23:59:59Z; nothing left\n"
    )


def test_a_ledger_as_json(terminal: Terminal) -> None:
    """For programs, the entries are as they are in the file."""
    terminal.approve()
    assert json.loads(terminal.call("ledger", "show", "--json").out) == terminal.entries()


def test_a_ledger_is_verified(terminal: Terminal) -> None:
    """Length and head are the result."""
    terminal.approve()
    path, head = terminal.site.state / "ledger.jsonl", terminal.site.ledger().head
    expected = f"{path}: 1 entries, each follows from the one before\nhead {head}\n"
    assert terminal.call("ledger", "verify") == Ended(0, expected, "")


# config


def test_config_shows_values_and_sources(terminal: Terminal) -> None:
    """Each setting is shown with its value and where that comes from."""
    terminal.patch.setenv("QUORUM_EXCHANGE__POLL_S", "5")
    lines = terminal.call("config", "show").out.splitlines()
    file = terminal.site.settings.file
    assert [lines[0], lines[6], lines[5]] == [
        f"site.name = alder    ({file})",
        "exchange.poll_s = 5    (QUORUM_EXCHANGE__POLL_S)",
        "exchange.timeout_s = 30.0    (default)",
    ]


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_config_masks_secrets(terminal: Terminal, form: list[str]) -> None:
    """The proxy's password is not shown."""
    terminal.patch.setenv("QUORUM_EXCHANGE__PROXY", "http://agent:hush@proxy:3128")
    found = terminal.call("config", "show", *form).out
    assert ("hush" in found, "****" in found) == (False, True)


# run


@pytest.fixture
def _signals() -> Iterator[None]:
    """What this process does on SIGTERM stays as it is."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_signals")
def test_run_twice(terminal: Terminal) -> None:
    """A second agent of one hospital does not run: exit code 78."""
    with terminal.site.running():
        found = terminal.call("run")
    assert (found.code, "an agent is running already" in found.err) == (78, True)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("lost", ["unknown_party", "signature"])
def test_run_with_a_key_that_is_not_known(terminal: Terminal, lost: str) -> None:
    """An agent whose key the exchange does not know ends: exit code 78."""
    terminal.way.said["GET /v1/mail"] = problem(401, lost, "enrol first")
    found = terminal.call("run")
    assert (found.code, "declines: enrol first" in found.err) == (78, True)


@pytest.mark.usefixtures("_signals")
def test_run_with_a_damaged_ledger(terminal: Terminal) -> None:
    """An agent with a damaged ledger does not run: exit code 70."""
    (terminal.site.state / "ledger.jsonl").write_bytes(b"{}\n")
    assert terminal.call("run").code == 70


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("damaged", [False, True])
def test_what_ends_an_agent_is_a_line_of_a_json_log(terminal: Terminal, damaged: bool) -> None:
    """A collector reads the reason as it reads each other line; the exit code is the same."""
    terminal.patch.setenv("QUORUM_LOG__FORMAT", "json")
    terminal.way.said["GET /v1/mail"] = problem(401, "signature", "enrol first")
    if damaged:
        (terminal.site.state / "ledger.jsonl").write_bytes(b"{}\n")
    found = terminal.call("run")
    last = [json.loads(line) for line in found.err.splitlines()][-1]
    assert (found.code, last["process"]) == (70 if damaged else 78, "agent")
    assert last["message"].startswith("error: ")


@pytest.mark.usefixtures("_signals")
def test_run_gives_a_sign_of_life_at_once(terminal: Terminal) -> None:
    """Before the first poll, which may take half a minute, its health is told."""
    told: list[dict[str, str]] = []
    terminal.patch.setattr(Agent, "run", lambda _: told.append(health(terminal.site, time.time())))
    assert terminal.call("run").code == 0
    assert [(one["agent"], one["exchange"]) for one in told] == [("waits", "not reached yet")]


def environment() -> dict[str, str]:
    """The environment of a process that is not to have settings of this machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QUORUM_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def test_run_until_it_is_stopped(tmp_path: Path) -> None:
    """While nobody answers it tries again; stopped with SIGTERM, it leaves with 0."""
    site = furnished(tmp_path / "hospital")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    program = "from site_agent.cli import main; main()"
    command = [sys.executable, "-c", program, "--config", str(site.settings.file), "run"]
    own = {**environment(), "QUORUM_EXCHANGE__URL": url}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=own) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline(), process.stderr.readline()]
        process.terminate()
        lines.append(process.stderr.readline())
    assert (process.returncode, [line[21:].split("(")[0].rstrip() for line in lines]) == (
        0,
        [
            f"'alder' runs; exchange {url}; ledger of 0 entries",
            f"{url} cannot be reached",
            "stopped",
        ],
    )


def run_python(program: str, *arguments: str) -> str:
    """What a program prints in a process of its own."""
    found = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=True,
    )
    return found.stdout.strip()


WAITING = """
import sys
from pathlib import Path
import site_agent.cli, site_agent.service, site_agent.site
site = site_agent.site.open_site(Path(sys.argv[1]), {})
exchange, ledger = site.exchange(), site.ledger()
names = {name.partition(".")[0] for name in sys.modules}
heavy = {"numpy", "pyarrow", "scipy", "pandas", "python_calamine", "pyreadstat"}
print(sorted(names & heavy))
rss = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
print(int(rss.split()[1]) // 1024)
"""


@pytest.fixture(scope="module")
def waiting(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The libraries of an agent at rest, and its memory in MiB."""
    site = furnished(tmp_path_factory.mktemp("waiting") / "hospital")
    return run_python(WAITING, str(site.settings.file)).splitlines()


def test_an_agent_at_rest_has_no_library_that_computes(waiting: list[str]) -> None:
    """Only the process that computes loads numpy and pyarrow."""
    assert waiting[0] == "[]"


def test_an_agent_at_rest_is_small(waiting: list[str]) -> None:
    """An agent at rest takes less than 80 MiB."""
    assert int(waiting[1]) < 80


EVERYTHING = """
import importlib, pkgutil, sys
import site_agent
for found in pkgutil.walk_packages(site_agent.__path__, "site_agent."):
    if not found.name.endswith("__main__") and ".local." not in found.name:
        importlib.import_module(found.name)
names = {name.partition(".")[0] for name in sys.modules}
print(sorted(names & {"coordinator", "flows", "prefect", "fastapi", "sqlalchemy", "pandas"}))
"""


def test_the_agent_loads_nothing_of_the_center() -> None:
    """No module of the agent, nor what it loads, is of the center or of what only it needs.

    What a hospital draws for itself is apart, and has an extra of its own.
    """
    assert run_python(EVERYTHING) == "[]"
