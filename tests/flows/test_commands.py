"""The center's commands as a statistician meets them: output, messages, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.driver import Driver, begin
from coordinator.home import Home, open_home
from coordinator.refresh import Refresh
from flows.commands import main
from flows.turns import turn
from site_agent.contract.errors import NotReady
from tests.coordinator.hospitals import SHORT, Center, Served, home_of
from tests.protocol import SITES

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An exchange with five hospitals that are enrolled, for all tests of this module."""
    folder = tmp_path_factory.mktemp("desk")
    with Served(f"sqlite:///{folder / 'exchange.db'}") as served:
        served.furnished()
        (folder / "study.yaml").write_text(SHORT, encoding="utf-8")
        served.home(folder / "center")
        yield served


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """A command: its exit code, stdout and stderr."""

    def command(home: Path, *words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["--home", str(home), *(str(word) for word in words)])
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return command


@pytest.fixture
def center(desk: Served, tmp_path: Path, run: Run) -> Path:
    """A center's folder with a study that was added."""
    home = desk.home(tmp_path / "center")
    (tmp_path / "study.yaml").write_text(SHORT, encoding="utf-8")
    run(home.folder, "study", "add", tmp_path / "study.yaml")
    return home.folder


@pytest.fixture
def frozen(center: Path, run: Run) -> Path:
    """The same, frozen."""
    run(center, "study", "freeze", "protocol")
    return center


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A center's folder whose exchange does not answer."""
    monkeypatch.setattr("site_agent.runtime.http.FIRST_PAUSE_S", 0.001)
    home = home_of(tmp_path / "unreachable").folder
    (home / "studies" / "protocol").mkdir(parents=True)
    (home / "studies" / "protocol" / "study.yaml").write_text(SHORT, encoding="utf-8")
    return home


# Studies


def test_study_add(desk: Served, tmp_path: Path, run: Run) -> None:
    """It is told what to do next."""
    (tmp_path / "study.yaml").write_text(SHORT, encoding="utf-8")
    home = desk.home(tmp_path / "center").folder
    assert run(home, "study", "add", tmp_path / "study.yaml") == (
        0,
        "protocol: Five hospitals with made-up patients\n"
        "next: invite its hospitals, then `coordinator study freeze protocol`\n",
        "",
    )


def test_study_add_of_no_file(tmp_path: Path, run: Run) -> None:
    """A path that leads nowhere is a setting to mend."""
    code, _, err = run(tmp_path / "center", "study", "add", tmp_path / "stduy.yaml")
    assert (code, "stduy.yaml does not exist" in err) == (78, True)


def test_study_freeze(center: Path, run: Run) -> None:
    """The number of hospitals, the hash, and what to do next."""
    code, out, _ = run(center, "study", "freeze", "protocol")
    assert (code, out.startswith("protocol: 5 sites, hash "), "stewards" in out) == (0, True, True)


def test_study_freeze_of_an_unknown_study(center: Path, run: Run) -> None:
    """The nearest one is named."""
    code, _, err = run(center, "study", "freeze", "protocl")
    assert (code, "did you mean 'protocol'?" in err) == (78, True)


def test_study_freeze_with_too_few(center: Path, run: Run) -> None:
    """Waiting for more mends it."""
    without = [word for site in SITES[:3] for word in ("--without", site)]
    code, _, err = run(center, "study", "freeze", "protocol", *without)
    assert (code, "2 hospitals would be in the study protocol; it needs at least 3" in err) == (
        75,
        True,
    )


def test_study_freeze_over_cards_needs_places(center: Path, run: Run) -> None:
    """--enrolments goes with --center and --out."""
    code, _, err = run(center, "study", "freeze", "protocol", "--enrolments", center)
    assert (code, "--enrolments needs --center and --out" in err) == (2, True)


# Hospitals


def test_site_invite(center: Path, tmp_path: Path, run: Run) -> None:
    """One file a hospital; what to do with it is told."""
    code, out, _ = run(center, "site", "invite", "fir", "gorse", "--out", tmp_path / "letters")
    written = sorted(path.name for path in (tmp_path / "letters").iterdir())
    expected = ["invitation-fir.json", "invitation-gorse.json"]
    assert (code, written, "site-agent init" in out) == (0, expected, True)


def test_site_invite_of_a_bad_name(center: Path, tmp_path: Path, run: Run) -> None:
    """What a name may be is told."""
    code, _, err = run(center, "site", "invite", "Fir!", "--out", tmp_path)
    assert (code, "'Fir!' cannot be a hospital's name: expected" in err) == (78, True)


def test_site_list(center: Path, run: Run) -> None:
    """A line a hospital, with its fingerprint."""
    code, out, _ = run(center, "site", "list")
    lines = [line.split()[:2] for line in out.splitlines() if "enrolled" in line]
    assert (code, lines) == (0, [[site, "enrolled"] for site in SITES])


def test_site_list_as_json(center: Path, run: Run) -> None:
    """The same for programs."""
    _, out, _ = run(center, "site", "list", "--json")
    assert {"name", "state", "fingerprint", "seen", "online", "software"} == set(json.loads(out)[0])


# Status


def test_status_of_nothing(tmp_path: Path, run: Run) -> None:
    """A new center says how to begin."""
    code, out, _ = run(tmp_path / "center", "status")
    assert (code, out) == (0, "no study was added yet: coordinator study add FILE\n")


def test_status_of_an_unfrozen_study(center: Path, run: Run) -> None:
    """What to do next."""
    code, out, _ = run(center, "status")
    assert (code, out.startswith("protocol: the study protocol is not frozen yet")) == (0, True)


def test_status_of_a_frozen_study(frozen: Path, run: Run) -> None:
    """A line a hospital, and the release."""
    _, out, _ = run(frozen, "status", "protocol")
    lines = out.splitlines()
    assert (len(lines), lines[1].split(), lines[-1]) == (
        8,
        ["site", "approval", "agent", "hindered", "by"],
        "no release yet",
    )


def test_status_as_json(frozen: Path, run: Run) -> None:
    """One entry a study."""
    _, out, _ = run(frozen, "status", "--json")
    assert [(entry["study"], len(entry["sites"])) for entry in json.loads(out)] == [("protocol", 5)]


def test_status_of_an_unknown_study(frozen: Path, run: Run) -> None:
    """The nearest one is named."""
    code, _, err = run(frozen, "status", "protcol")
    assert (code, "did you mean 'protocol'?" in err) == (78, True)


# Results, burn and refresh before there is anything


def test_results_of_no_release(frozen: Path, run: Run) -> None:
    """Which command gives some."""
    code, _, err = run(frozen, "results", "protocol")
    expected = "error: the study protocol has no release yet: coordinator refresh protocol\n"
    assert (code, err) == (75, expected)


def test_results_of_no_number(frozen: Path, run: Run) -> None:
    """A release has a number."""
    code, _, err = run(frozen, "results", "protocol", "last")
    assert (code, "'last' is not a valid integer" in err) == (2, True)


def test_burn_of_nothing(frozen: Path, run: Run) -> None:
    """There is nothing to give up."""
    code, _, err = run(frozen, "burn", "protocol", "--yes")
    assert (code, "no release of protocol is under way" in err) == (78, True)


def test_refresh_of_an_unfrozen_study(center: Path, run: Run) -> None:
    """Which command freezes it."""
    code, _, err = run(center, "refresh", "protocol")
    assert (code, "`coordinator study freeze protocol`" in err) == (75, True)


def test_refresh_without_a_prefect_server(frozen: Path, run: Run) -> None:
    """What is to be started is told."""
    code, _, err = run(frozen, "refresh", "protocol")
    assert (code, err) == (
        69,
        "error: no Prefect server answers at http://127.0.0.1:1; start it with `coordinator up`\n",
    )


def test_cancel_without_a_prefect_server(frozen: Path, run: Run) -> None:
    """As for a refresh."""
    code, _, err = run(frozen, "cancel", "protocol")
    assert (code, "start it with `coordinator up`" in err) == (69, True)


def test_a_second_refresh_is_not_ordered(frozen: Path, run: Run) -> None:
    """It would wait behind the first one; who has the turn is told, and how to stop it."""
    with turn(open_home(frozen, {}), "protocol", "run-1"):
        code, _, err = run(frozen, "refresh", "protocol")
    words = ("a refresh of protocol is running already (flow run run-1)", "coordinator cancel")
    assert (code, [word in err for word in words]) == (75, [True, True])


def test_a_schedule_with_a_zone_that_nobody_knows(frozen: Path, tmp_path: Path, run: Run) -> None:
    """It has the form of one; the file is not taken."""
    file = tmp_path / "study.yaml"
    file.write_text(SHORT + 'schedule: "0 6 * * 1 Europe/Pariss"\n', encoding="utf-8")
    found = [run(frozen, "study", word, file) for word in ("check", "add")]
    assert [(code, "no time zone 'Europe/Pariss'" in err) for code, _, err in found] == [
        (78, True),
        (78, True),
    ]


def test_check_shows_the_schedule(frozen: Path, tmp_path: Path, run: Run) -> None:
    """With its time zone, also where the file has none."""
    file = tmp_path / "study.yaml"
    file.write_text(SHORT + 'schedule: "0 6 * * MON"\n', encoding="utf-8")
    assert "\nschedule 0 6 * * mon UTC\n" in run(frozen, "study", "check", file)[1]


def test_the_status_has_the_schedule(frozen: Path, tmp_path: Path, run: Run) -> None:
    """While nothing serves it, what is to be started."""
    file = tmp_path / "study.yaml"
    file.write_text(SHORT + 'schedule: "0 6 * * 1"\n', encoding="utf-8")
    run(frozen, "study", "add", file)
    last = run(frozen, "status", "protocol")[1].splitlines()[-1]
    assert last == (
        "schedule 0 6 * * 1 UTC: no Prefect server answers at http://127.0.0.1:1; start it with "
        "`coordinator up`"
    )


def test_refresh_with_a_deadline_of_nothing(frozen: Path, run: Run) -> None:
    """A wait is at least a second."""
    code, _, err = run(frozen, "refresh", "protocol", "--deadline", "0")
    assert (code, "--deadline" in err) == (2, True)


def test_refresh_without_an_unknown_hospital(frozen: Path, run: Run) -> None:
    """A misspelt hospital is told before anything is ordered."""
    code, _, err = run(frozen, "refresh", "protocol", "--without", "lem")
    assert (code, "did you mean 'elm'?" in err) == (78, True)


@pytest.mark.parametrize(
    "words",
    [
        ["status", "protocol"],
        ["site", "list"],
        ["site", "invite", "fir"],
        ["study", "freeze", "protocol"],
    ],
)
def test_an_exchange_that_does_not_answer(
    words: list[str],
    unreachable: Path,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Each command says where it looked, and ends as unreachable."""
    monkeypatch.chdir(tmp_path)
    if words[0] == "status":
        (unreachable / "studies" / "protocol" / "frozen").write_text("x", encoding="utf-8")
        from tests.coordinator.exchange.office import frozen_file

        text, study = frozen_file()
        Home.keep_frozen(home_at(unreachable), text, study)
    code, _, err = run(unreachable, *words)
    assert (code, "http://127.0.0.1:1 cannot be reached" in err) == (69, True)


def home_at(folder: Path) -> Home:
    """The center in a folder."""
    from coordinator.home import open_home

    return open_home(folder, {})


def test_another_centers_exchange(center: Path, run: Run) -> None:
    """A key that the exchange does not know is a setting to mend."""
    (center / "key").unlink()
    code, _, err = run(center, "site", "list")
    assert (code, "declines" in err) == (78, True)


def test_a_bad_setting(center: Path, run: Run) -> None:
    """Setting, source and what was expected are named."""
    (center / "center.toml").write_text("[refresh]\ndeadline_s = 'soon'\n", encoding="utf-8")
    code, _, err = run(center, "status")
    assert (code, "refresh.deadline_s" in err, "expected a number" in err) == (78, True, True)


@pytest.mark.parametrize("words", [["refersh"], ["site", "lits"], ["stauts"]])
def test_a_mistyped_command(words: list[str], tmp_path: Path, run: Run) -> None:
    """The nearest one is named."""
    code, _, err = run(tmp_path, *words)
    assert (code, "Did you mean" in err) == (2, True)


@pytest.mark.parametrize("words", [["up"], ["refresh"], ["site", "invite"], ["burn"], ["results"]])
def test_help_has_an_example(words: list[str], tmp_path: Path, run: Run) -> None:
    """Every command shows how it is used."""
    code, out, _ = run(tmp_path, *words, "--help")
    assert (code, f"Example: coordinator {' '.join(words)}" in out) == (0, True)


# A release


@pytest.fixture
def released(frozen: Path, desk: Served, tmp_path: Path) -> Any:
    """The center's folder and its hospitals, which have approved the study."""
    home = home_at(frozen)
    found = Center(desk, tmp_path, home.frozen("protocol"))
    found.hospitals.approve()
    return found, home


def test_the_commands_of_a_release(released: Any, run: Run) -> None:
    """Status while it waits, results when it is over, burn of the next one."""
    center, home = released
    running = Refresh(home, center.study, center.exchange(), deadline_s=0.001)
    center.hospitals.silent = {"elm"}
    with pytest.raises(NotReady):
        Driver(
            begin(center.study, home.identity(), center.exchange()),
            center.exchange(),
            deadline_s=1,
            clock=lambda: center.wire.waited_s,
        ).gather()
    waits, elm = run(home.folder, "status", "protocol")[1].splitlines()[-2:]
    center.hospitals.silent = set()
    running.gather()
    number = 0
    while not running.finished:
        running.round(number)
        number += 1
    running.results()
    running.close()
    running.report()
    running.print_report()
    code, out, _ = run(home.folder, "results", "protocol", "1")
    manifest = json.loads(run(home.folder, "results", "protocol", "1", "--json")[1])
    other = run(home.folder, "results", "protocol", "7")
    over = run(home.folder, "status", "protocol")[1].splitlines()[-1]
    center.driver(begin(center.study, home.identity(), center.exchange())).open()
    burned = run(home.folder, "burn", "protocol", "--yes")[:2]
    assert (
        waits.endswith(": opening, waiting for elm") and elm.startswith("elm: awaited since "),
        (code, "release-1/report.html" in out),
        manifest["study"],
        (other[0], other[2]),
        over,
        burned,
    ) == (
        True,
        (0, True),
        "protocol",
        (78, "error: the study protocol has no release 7; it has 1\n"),
        "release 1 is closed",
        (0, "release 2 of protocol is burned; the next refresh opens another\n"),
    )


def test_commands_other_than_refresh_load_no_prefect() -> None:
    """`coordinator status` answers at once."""
    program = "import flows.commands, sys; print('prefect' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "False\n"
