"""Drafts and releases as the center's commands see them, over a real exchange."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from coordinator.center import add_study, freeze_study
from coordinator.cli import cli
from coordinator.home import Home
from coordinator.refresh import Refresh
from coordinator.released import entries, is_draft
from site_agent.contract.archive import unpack
from site_agent.contract.reports import FILE, hashes, read_statement
from site_agent.runtime.command import run
from tests.coordinator.exchange.office import PASSWORD
from tests.coordinator.hospitals import SHORT, Center, Served
from tests.protocol import CENTER, SITES, identity

Command = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An exchange on which five hospitals are enrolled."""
    folder = tmp_path_factory.mktemp("exchange")
    with Served(f"sqlite:///{folder / 'exchange.db'}") as served:
        for site in SITES:
            served.invite(site)
            served.enrol(site)
        yield served


@pytest.fixture(scope="module")
def center(office: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Center]:
    """A center whose first release is a draft."""
    folder = tmp_path_factory.mktemp("center")
    home = office.home(folder / "home")
    (folder / "study.yaml").write_text(SHORT, encoding="utf-8")
    add_study(home, folder / "study.yaml")
    freeze_study(home, "protocol")
    found = Center(office, folder, home.frozen("protocol"))
    found.hospitals.approve()
    whole(home, found)
    return home, found


def whole(home: Home, center: Center) -> Refresh:
    """A refresh from its beginning to its draft."""
    running = Refresh(home, center.study, center.exchange())
    running.gather()
    number = 0
    while not running.finished:
        running.round(number)
        number += 1
    running.results()
    running.close()
    running.report()
    return running


@pytest.fixture
def home(center: tuple[Home, Center]) -> Home:
    """The center's folder."""
    return center[0]


@pytest.fixture
def command(home: Home, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command; what is typed comes from stdin. Returns its code and what it says."""

    def invoke(*words: str, typed: str = "") -> tuple[int, str]:
        with CliRunner().isolation(input=typed) as (out, err, *_):
            code = run(cli, ["--home", str(home.folder), *words])
            return code, (out.getvalue() + err.getvalue()).decode()

    return invoke


def folder(home: Home, number: int = 1) -> Path:
    """The folder of a release."""
    return home.results("protocol") / f"release-{number}"


# These run in their order: a draft, looked at, released, and followed by another one.


def test_a_refresh_ends_with_a_draft(home: Home) -> None:
    """It is at the exchange, and not released."""
    found = entries(home, "protocol")
    assert [(one.number, one.state, one.altered) for one in found] == [(1, "draft", ())]


def test_the_center_signs_all_files(home: Home) -> None:
    """The statement names each file beside it with its hash."""
    files = {path.name: path.read_bytes() for path in folder(home).iterdir()}
    said = read_statement(files[FILE], identity(CENTER).member())
    assert (said.files, said.release) == (hashes(files), 1)


def test_persons_are_added(command: Command) -> None:
    """The first password is read from stdin where nobody can type."""
    added = [
        command("person", "add", name, "--role", role, typed=f"{PASSWORD}\n")
        for name, role in (("anna", "viewer"), ("vera", "viewer"), ("otto", "admin"))
    ]
    again = command("person", "add", "anna", "--role", "admin", typed=f"{PASSWORD}\n")
    assert (
        added[0],
        (again[0], "is here already" in again[1]),
        command("person", "role", "anna", "statistician")[0],
        command("person", "password", "vera", typed="another pass phrase\n")[0],
        command("person", "remove", "otto")[0],
        [one["name"] for one in json.loads(command("person", "list", "--json")[1])],
    ) == (
        (0, "anna is added as viewer: reads released reports\n"),
        (78, True),
        *(0, 0, 0),
        ["anna", "vera"],
    )


@pytest.mark.parametrize(
    ("words", "typed", "expected"),
    [
        (["person", "add", "An na", "--role", "viewer"], PASSWORD, "cannot be a person's name"),
        (["person", "add", "ernst", "--role", "viewer"], "short", "12 to 200 characters"),
        (["person", "remove", "nobody"], "", "nobody is called 'nobody'"),
        (["person", "role", "nobody", "admin"], "", "nobody is called 'nobody'"),
    ],
)
def test_what_is_no_person(command: Command, words: list[str], typed: str, expected: str) -> None:
    """It is said in words."""
    code, said = command(*words, typed=f"{typed}\n")
    assert (code in (77, 78), expected in said) == (True, True)


def test_the_list_of_a_draft(command: Command) -> None:
    """Number, state, and that its files are as they were signed."""
    code, out = command("results", "protocol")
    assert (code, out.splitlines()[1].split()[:2], "as signed" in out) == (0, ["1", "draft"], True)


def test_a_draft_is_shown(command: Command) -> None:
    """With its results, and how it is released."""
    code, out = command("results", "protocol", "1")
    assert (code, "coordinator release STUDY 1 --reason" in out) == (0, True)


def test_a_viewer_releases_nothing(command: Command) -> None:
    """Nor does anybody without their password."""
    words = ("release", "protocol", "1", "--reason", "fine", "--person")
    viewer = command(*words, "vera", typed="another pass phrase\n")
    wrong = command(*words, "anna", typed="another pass phrase\n")
    assert [
        (code, "is a viewer" in said or "is wrong" in said) for code, said in (viewer, wrong)
    ] == [
        (77, True),
        (77, True),
    ]


def test_an_altered_draft_is_not_released(command: Command, home: Home) -> None:
    """What was looked at is then not what the exchange has; the exit code of `results` says so."""
    path = folder(home) / "report.html"
    kept = path.read_bytes()
    path.write_bytes(kept + b"altered")
    asked = command("release", "protocol", "1", "--reason", "x", "--person", "anna")
    shown, listed = command("results", "protocol", "1"), command("results", "protocol")
    path.write_bytes(kept)
    assert (
        (asked[0], "report.html" in asked[1]),
        (shown[0], "not what the center signed: report.html" in shown[1]),
        (listed[0], "altered" in listed[1]),
    ) == ((78, True), (78, True), (0, True))


def test_a_draft_is_released(command: Command, home: Home) -> None:
    """By a person, with a reason, once."""
    words = ("release", "protocol", "1", "--person", "anna", "--reason")
    done = command(*words, "counts as expected", typed=f"{PASSWORD}\n")
    other = command(*words, "or not", "--reject", typed=f"{PASSWORD}\n")
    found = entries(home, "protocol")[0]
    assert (done, other[0], found.state, found.person, found.reason) == (
        (0, "release 1 of protocol is released by anna\n"),
        77,
        *("released", "anna", "counts as expected"),
    )


def test_a_zip_of_a_release(command: Command, home: Home, tmp_path: Path) -> None:
    """The same bytes each time: all files of the release, in a folder."""
    paths = [tmp_path / name for name in ("a.zip", "b.zip")]
    said = [command("results", "protocol", "1", "--zip", str(path)) for path in paths]
    with zipfile.ZipFile(io.BytesIO(paths[0].read_bytes())) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    expected = {f"protocol-release-1/{p.name}": p.read_bytes() for p in folder(home).iterdir()}
    assert ({code for code, _ in said}, found, paths[0].read_bytes()) == (
        {0},
        expected,
        paths[1].read_bytes(),
    )


def test_hospitals_get_the_report(office: Served, home: Home) -> None:
    """The bytes that the person released."""
    opened = entries(home, "protocol")[0].open
    answer = office.ask("alder", "GET", f"/v1/reports/{opened}")
    assert unpack(answer.content)["report.html"] == (folder(home) / "report.html").read_bytes()


def test_a_report_that_was_lost(home: Home, center: tuple[Home, Center]) -> None:
    """A draft that is there stays as it is: the next refresh writes the file again."""
    path = folder(home) / "report.html"
    kept = path.read_bytes()
    path.unlink()
    running = whole(*center)
    assert (running.number, path.read_bytes()) == (1, kept)


def test_the_next_release_is_listed_first(
    command: Command, home: Home, center: tuple[Home, Center]
) -> None:
    """With its predecessors, in words and as JSON."""
    whole(*center)
    _, out = command("results", "protocol")
    told = json.loads(command("results", "protocol", "--json")[1])
    states = [line.split()[:2] for line in out.splitlines()[1:]]
    assert (states, [one["number"] for one in told]) == (
        [["2", "draft"], ["1", "released"]],
        [2, 1],
    )


def test_a_refresh_that_was_cut_off_before_its_draft(
    home: Home, center: tuple[Home, Center]
) -> None:
    """The next one leaves the draft, and opens no other release."""
    _, found = center
    running = Refresh(home, found.study, found.exchange())
    running.gather()
    number = 0
    while not running.finished:
        running.round(number)
        number += 1
    running.results()
    running.close()
    again = whole(*center)
    assert (again.number, is_draft(found.exchange(), "protocol", again.driver.release.digest)) == (
        3,
        True,
    )


def test_a_rejected_draft(command: Command, home: Home, office: Served) -> None:
    """No hospital gets to see it."""
    words = ("release", "protocol", "3", "--reject", "--person", "anna", "--reason", "wrong unit")
    code, _ = command(*words, typed=f"{PASSWORD}\n")
    found = office.ask("alder", "GET", "/v1/reports").json()["reports"]
    assert (code, [one["number"] for one in found]) == (0, [1])
