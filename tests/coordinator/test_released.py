"""Drafts and releases as the center's commands see them, over a real exchange."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from coordinator.center import add_study, freeze_study
from coordinator.center_words import results_in_words
from coordinator.cli import cli
from coordinator.home import Home, open_home
from coordinator.refresh import Refresh
from coordinator.released import entries
from site_agent.contract.archive import unpack
from site_agent.contract.reports import FILE, hashes, read_statement
from site_agent.runtime.command import run
from tests.coordinator.exchange.office import PASSWORD
from tests.coordinator.hospitals import SHORT, Center, Served, home_of
from tests.protocol import CENTER, SITES, identity

Command = Callable[..., tuple[int, str]]


PERSONS = {"anna": "statistician", "vera": "viewer"}


def whole(home: Home, center: Center) -> Refresh:
    """A refresh from its beginning to its draft."""
    running = rounds(home, center)
    running.close()
    running.report()
    running.print_report()
    return running


def rounds(home: Home, center: Center) -> Refresh:
    """A refresh whose results are written and whose release is not closed."""
    running = Refresh(home, center.study, center.exchange())
    running.gather()
    number = 0
    while not running.finished:
        running.round(number)
        number += 1
    running.results()
    return running


def begun(office: Served, folder: Path) -> tuple[Home, Center]:
    """A center whose study is approved by five hospitals, and persons who may log in."""
    for site in SITES:
        office.invite(site)
        office.enrol(site)
    home = office.home(folder / "home")
    (folder / "study.yaml").write_text(SHORT, encoding="utf-8")
    add_study(home, folder / "study.yaml")
    freeze_study(home, "protocol")
    found = Center(office, folder, home.frozen("protocol"))
    found.hospitals.approve()
    for name, role in PERSONS.items():
        office.put_person(name, role)
    return home, found


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an exchange and a center whose first release is a draft, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    with Served(f"sqlite:///{folder / 'exchange.db'}") as office:
        whole(*begun(office, folder))
    return folder


@pytest.fixture
def office(prepared: Path, tmp_path: Path) -> Iterator[Served]:
    """An exchange with a draft."""
    shutil.copytree(prepared, tmp_path / "copy")
    with Served(f"sqlite:///{tmp_path / 'copy' / 'exchange.db'}") as served:
        yield served


@pytest.fixture
def home(office: Served, tmp_path: Path) -> Home:
    """The center's folder, which leads to it."""
    home_of(tmp_path / "other", office.listen)
    shutil.copy(tmp_path / "other" / "center.toml", tmp_path / "copy" / "home")
    return open_home(tmp_path / "copy" / "home", {})


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
        for name, role in (("uta", "viewer"), ("otto", "admin"))
    ]
    again = command("person", "add", "uta", "--role", "admin", typed=f"{PASSWORD}\n")
    assert (
        added[0],
        (again[0], "is here already" in again[1]),
        command("person", "role", "uta", "statistician")[0],
        command("person", "password", "vera", typed="another pass phrase\n")[0],
        command("person", "remove", "otto")[0],
        [one["name"] for one in json.loads(command("person", "list", "--json")[1])],
    ) == (
        (0, "uta is added as viewer: reads released reports\n"),
        (78, True),
        *(0, 0, 0),
        ["anna", "uta", "vera"],
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
    viewer = command(*words, "vera", typed=f"{PASSWORD}\n")
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
    office.decide(opened=opened)
    answer = office.ask("alder", "GET", f"/v1/reports/{opened}")
    assert unpack(answer.content)["report.html"] == (folder(home) / "report.html").read_bytes()


def test_what_becomes_of_refreshes(tmp_path: Path) -> None:
    """One that was cut off is finished, a lost report is written again, the next one follows."""
    with Served(f"sqlite:///{tmp_path / 'exchange.db'}") as served:
        home, center = begun(served, tmp_path)
        rounds(home, center).close()
        first = whole(home, center)
        path = folder(home) / "report.html"
        kept = path.read_bytes()
        path.unlink()
        again, back = whole(home, center).number, path.read_bytes()
        served.decide(opened=first.driver.release.digest)
        whole(home, center)
        found = entries(home, "protocol")
        lines = list(results_in_words(found))
    assert (first.number, again, back == kept) == (1, 1, True)
    assert [(one.number, one.state, one.altered) for one in found] == [
        (2, "draft", ()),
        (1, "released", ()),
    ]
    assert [line.split()[:2] for line in lines[1:]] == [["2", "draft"], ["1", "released"]]


def test_the_list_is_json(command: Command) -> None:
    """Everything in it can be printed."""
    told = json.loads(command("results", "protocol", "--json")[1])
    assert [(one["number"], one["state"], one["altered"]) for one in told] == [(1, "draft", [])]


def test_a_rejected_draft(command: Command, home: Home, office: Served) -> None:
    """No hospital gets to see it."""
    words = ("release", "protocol", "1", "--reject", "--person", "anna", "--reason", "wrong unit")
    code, _ = command(*words, typed=f"{PASSWORD}\n")
    found = office.ask("alder", "GET", "/v1/reports").json()["reports"]
    assert (code, found) == (0, [])
