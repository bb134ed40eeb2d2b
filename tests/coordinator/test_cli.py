"""The commands as a person meets them: output, messages, exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from coordinator.cli import cli, run
from coordinator.results import REPORTS
from site_agent.ledger import Ledger
from tests.studytext import varied

SITES = ("east", "north", "south", "west")
# Twenty patients have too few values for a model of one covariate: the guard would withhold it.
TWENTY = varied(
    (
        "it is the primary result}\n",
        "it is the primary result}\n"
        "    - {analysis: model, because: twenty patients are all there are}\n"
        "    - {analysis: screen, because: twenty patients are all there are}\n",
    )
)


def frames(site: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return five made-up patients of a site, and their grades."""
    ids = [f"s{site}p{k}" for k in range(5)]
    patients = pd.DataFrame(
        {
            "patient": ids,
            "age": [float(30 + 11 * k + 3 * site) for k in range(5)],
            "sex": [1 + (k + site) % 2 for k in range(5)],
            "kps": pd.array([90, 80, 70, 60 + 10 * (site % 2), 50], dtype="Int64"),
            "smoker": pd.array([True, False, True, False, None], dtype="boolean"),
            "start_day": [1, 2, 3, 1, 2],
            "relapse_day": pd.array([None, None, 20 + site, None, None], dtype="Int64"),
            "death_day": pd.array([None, 10 + site, None, 33 - site, 12], dtype="Int64"),
            "last_seen_day": [60 + site, 10 + site, 90, 33 - site, 12],
        }
    )
    grades = pd.DataFrame({"patient": ids, "day": [1] * 5, "crs": [site % 3, 1, 2, 3, 1]})
    return patients, grades


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a study and the data of four sites."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "study.yaml").write_text(TWENTY, encoding="utf-8")
    for number, site in enumerate(SITES):
        home = folder / "sites" / site
        home.mkdir(parents=True)
        for name, frame in zip(("patients", "grades"), frames(number), strict=True):
            frame.to_parquet(home / f"{name}.parquet")
        country = "US" if number < 2 else "Spain"
        (home / "site.toml").write_text(f'country = "{country}"\n', encoding="utf-8")
    return folder


@pytest.fixture
def work(template: Path, tmp_path: Path) -> Path:
    """Return a copy of the template that a test may change."""
    shutil.copytree(template, tmp_path / "work")
    return tmp_path / "work"


def command(*words: str | Path) -> int:
    return run(cli, [str(word) for word in words])


def simulate(work: Path, *more: str, study: str = "study.yaml") -> int:
    return command(
        "simulate", work / study, "--sites", work / "sites", "--out", work / "out", *more
    )


def test_simulate_writes_results_report_and_manifest(work: Path) -> None:
    """A release leaves every analysis, a report, a log and a manifest."""
    code = simulate(work)
    names = {path.name for path in (work / "out" / "release-1").iterdir()}
    wanted = {"curve.json", "curve.curve.csv", "curve.curve.parquet", "model.terms.csv"}
    wanted |= {"manifest.json", "log.jsonl", *REPORTS}
    assert (code, wanted - names) == (0, set())


def test_the_manifest_lists_the_hash_of_every_file(work: Path) -> None:
    """Every file of a release stands in it: results, log and report; the PDF has the report's."""
    simulate(work)
    folder = work / "out" / "release-1"
    manifest = json.loads((folder / "manifest.json").read_text())
    listed = set(manifest["files"])
    assert set(manifest["reports"]) == {"report.html"}
    assert listed == {p.name for p in folder.iterdir()} - {"manifest.json", *REPORTS}


def test_the_same_data_give_the_same_result_bytes(work: Path) -> None:
    """Keys and masks differ from run to run, results do not."""
    simulate(work)
    shutil.move(work / "out", work / "first")
    simulate(work)
    first, second = (work / name / "release-1" for name in ("first", "out"))
    same = [p.name for p in first.iterdir() if p.suffix in (".csv", ".parquet", ".json")]
    same.remove("manifest.json")
    assert [n for n in same if (first / n).read_bytes() != (second / n).read_bytes()] == []


def test_json_prints_the_manifest(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With --json stdout is one JSON document."""
    simulate(work, "--json")
    assert json.loads(capsys.readouterr().out)["study"] == "small"


def test_a_second_run_is_a_second_release(work: Path) -> None:
    """Keys and ledgers are kept, results are not overwritten."""
    simulate(work)
    assert (simulate(work), (work / "out" / "release-2" / "manifest.json").exists()) == (0, True)


def test_policy_none_runs_on_one_site_and_marks_everything(work: Path) -> None:
    """Without a policy one site will do, and each table says that it is no release."""
    for site in SITES[1:]:
        shutil.rmtree(work / "sites" / site)
    code = simulate(work, "--policy", "none")
    table = pd.read_csv(work / "out" / "release-1" / "curve.curve.csv")
    mark = "NO DISCLOSURE POLICY: for method development, not for release"
    assert (code, set(table["watermark"])) == (0, {mark})


def test_dry_run_checks_and_writes_nothing(work: Path) -> None:
    """--dry-run reads study and data only."""
    assert (simulate(work, "--dry-run"), (work / "out").exists()) == (0, False)


def test_the_frozen_study_runs_again_over_the_same_keys(work: Path) -> None:
    """The file that freezing wrote is a study like any other."""
    simulate(work)
    (work / "frozen.yaml").write_text((work / "out" / "study.frozen.yaml").read_text())
    assert simulate(work, study="frozen.yaml") == 0


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def change_frozen(work: Path) -> None:
    simulate(work)
    text = (work / "out" / "study.frozen.yaml").read_text()
    (work / "study.yaml").write_text(text.replace("age >= 18", "age >= 21"))


def strange_key(work: Path) -> None:
    simulate(work)
    (work / "study.yaml").write_text((work / "out" / "study.frozen.yaml").read_text())
    shutil.copy(work / "out" / "agents" / "north" / "key", work / "out" / "agents" / "east" / "key")


def fewer_sites(work: Path) -> None:
    for site in SITES[2:]:
        shutil.rmtree(work / "sites" / site)


def lost_site(work: Path) -> None:
    simulate(work)
    (work / "study.yaml").write_text((work / "out" / "study.frozen.yaml").read_text())
    shutil.rmtree(work / "sites" / "east")


def damaged_ledger(work: Path) -> None:
    simulate(work)
    path = work / "out" / "agents" / "east" / "ledger.jsonl"
    path.write_text(path.read_text().replace("approved", "approvex", 1))


def corrupt_file(work: Path) -> None:
    path = work / "sites" / "east" / "patients.parquet"
    path.write_bytes(path.read_bytes()[:200])


def bad_level(work: Path) -> None:
    for site in ("east", "west"):
        path = work / "sites" / site / "patients.parquet"
        pd.read_parquet(path).assign(sex=7).to_parquet(path)


def edit(old: str, new: str) -> object:
    return lambda work: (work / "study.yaml").write_text(varied((old, new), text=TWENTY))


BAD_INPUT = {
    "misspelt column": (edit("covariates: [age, sex, kps]", "covariates: [aeg]"), 78, "line 45"),
    "unknown level": (bad_level, 1, "site west: the data do not fit the study"),
    "missing file": (
        lambda work: (work / "sites" / "east" / "grades.parquet").unlink(),
        1,
        "grades.parquet is missing",
    ),
    "corrupt file": (corrupt_file, 1, "is not a readable Parquet file"),
    "changed after freezing": (change_frozen, 78, "changed after freezing"),
    "key not in the roster": (strange_key, 77, "is not in the study's roster"),
    "too few sites": (fewer_sites, 77, "at least 3"),
    "another roster": (lost_site, 77, "earlier releases had other hospitals"),
    "too few patients": (edit("patients: 5", "patients: 50"), 77, "20 patients in 4 hospitals"),
    "no such study": (lambda work: (work / "study.yaml").unlink(), 78, "does not exist"),
    "no such folder": (lambda work: shutil.rmtree(work / "sites"), 78, "does not exist"),
    "attribute": (
        lambda work: (work / "sites" / "east" / "site.toml").write_text('country = "France"\n'),
        78,
        "attribute 'country' is 'France', expected one of US, Spain",
    ),
    "damaged ledger": (damaged_ledger, 70, "was altered or damaged"),
    "damaged key": (
        lambda work: (simulate(work), (work / "out/agents/east/key").write_bytes(b"x")),
        78,
        "the key of east has 1 bytes",
    ),
}


@pytest.mark.parametrize("case", list(BAD_INPUT))
def test_bad_input_has_its_exit_code_and_message(
    case: str, work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of bad input ends with its own code and says what to do."""
    spoil, code, message = BAD_INPUT[case]
    spoil(work)  # type: ignore[operator]
    capsys.readouterr()
    found = simulate(work)
    assert (found, message in said(capsys)) == (code, True)


@pytest.mark.parametrize("case", [name for name in BAD_INPUT if name != "damaged ledger"])
def test_bad_input_leaves_the_ledgers_intact(case: str, work: Path) -> None:
    """After each refusal every site's ledger verifies."""
    spoil, _, _ = BAD_INPUT[case]
    spoil(work)  # type: ignore[operator]
    simulate(work)
    ledgers = sorted((work / "out").glob("agents/*/ledger.jsonl"))
    assert all(Ledger(path, str).head for path in ledgers)


def test_an_analysis_that_cannot_be_computed_ends_alone(work: Path) -> None:
    """A cohort without events ends its model in words; the others are computed."""
    edit(
        "endpoint: trm, covariates: [age, sex, kps]",
        "endpoint: trm, cohort: adults, covariates: [age, sex, kps]",
    )(work)  # type: ignore[operator]
    text = (work / "study.yaml").read_text().replace("adults: age >= 18", "adults: age > 109")
    (work / "study.yaml").write_text(text)
    code = simulate(work)
    failed = json.loads((work / "out" / "release-1" / "manifest.json").read_text())["failed"]
    assert (code, list(failed)) == (0, ["model"])


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["simulat"], 2, "Did you mean 'simulate'?"),
        (["simulate"], 2, "Missing argument"),
        (["study", "chek"], 2, "Did you mean 'check'?"),
        (["report", "nowhere"], 78, "holds no release"),
    ],
)
def test_usage_errors_name_the_nearest(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistyped command is answered with the nearest one."""
    assert (command(*words), message in said(capsys)) == (code, True)


def test_study_check_names_classes(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`study check` says for each analysis what it opens, with its class."""
    command("study", "check", work / "study.yaml")
    assert (
        "class B: how many leave at each time, by cause, in each group of sex"
        in capsys.readouterr().out
    )


def test_freeze_takes_the_cards_of_the_sites(work: Path) -> None:
    """Freezing over the cards that the agents wrote gives the roster of the simulation."""
    simulate(work)
    code = command(
        *("study", "freeze", work / "study.yaml", "--enrolments", work / "out" / "agents"),
        *("--center", work / "out" / "center", "--out", work / "again.yaml"),
    )
    frozen = (work / "out" / "study.frozen.yaml").read_text()
    assert (code, (work / "again.yaml").read_text()) == (0, frozen)


def test_freezing_twice_is_refused(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A frozen study is not frozen again."""
    simulate(work)
    code = command(
        *("study", "freeze", work / "out" / "study.frozen.yaml"),
        *("--enrolments", work / "out" / "agents", "--center", work / "out" / "center"),
        *("--out", work / "again.yaml"),
    )
    assert (code, "is frozen already" in said(capsys)) == (78, True)


def test_a_release_refused_by_the_guard_does_not_block_the_next(work: Path) -> None:
    """Too few patients, then more: the next release runs under another number."""
    simulate(work)
    frozen = (work / "out" / "study.frozen.yaml").read_text()
    (work / "study.yaml").write_text(frozen)
    everybody = {
        site: pd.read_parquet(work / "sites" / site / "patients.parquet") for site in SITES
    }
    for site, patients in everybody.items():
        few = patients.iloc[:1]
        few.to_parquet(work / "sites" / site / "patients.parquet")
        grades = pd.read_parquet(work / "sites" / site / "grades.parquet")
        grades.iloc[:1].to_parquet(work / "sites" / site / "grades.parquet")
    refused = simulate(work)
    for site, patients in everybody.items():
        patients.to_parquet(work / "sites" / site / "patients.parquet")
    assert (refused, simulate(work), (work / "out" / "release-3").exists()) == (77, 0, True)


def test_an_unwritable_folder_is_a_setting_to_mend(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """--out on a file is told as such, not as a defect."""
    (work / "out").write_text("a file")
    assert (simulate(work), "check path, rights and space" in said(capsys)) == (78, True)


def test_a_hidden_site_folder_is_not_left_out_in_silence(
    work: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder with data whose name begins with a dot is refused by name."""
    (work / "sites" / "east").rename(work / "sites" / ".east")
    assert (simulate(work), ".east" in said(capsys)) == (78, True)


def test_an_outlier_is_no_separation(work: Path) -> None:
    """One censored patient of extreme age: the model has a maximum, and it is found."""
    path = work / "sites" / "east" / "patients.parquet"
    patients = pd.read_parquet(path)
    patients.loc[0, "age"] = 5000.0
    patients.to_parquet(path)
    edit("range: [0, 110]", "range: [0, 9999]")(work)  # type: ignore[operator]
    simulate(work)
    model = json.loads((work / "out" / "release-1" / "screen.json").read_text())["result"]
    assert "because" not in model["models"]["age"]


def test_nothing_half_written_is_left(work: Path) -> None:
    """A release takes its name when all of its files are there."""
    simulate(work)
    assert [path.name for path in (work / "out").glob(".release-*")] == []


# The center's folder


def test_the_home_is_a_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Path
) -> None:
    """QUORUM_HOME stands for --home."""
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "elsewhere"))
    code = command("study", "add", work / "study.yaml")
    assert (code, (tmp_path / "elsewhere/studies/small/study.yaml").exists()) == (0, True)


def test_the_home_as_an_option_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Path
) -> None:
    """--home is meant, whatever the environment says."""
    monkeypatch.setenv("QUORUM_HOME", str(tmp_path / "elsewhere"))
    command("--home", tmp_path / "here", "study", "add", work / "study.yaml")
    assert (tmp_path / "elsewhere").exists() is False


def test_a_study_with_issues_is_not_added(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each issue has its line."""
    edit("covariates: [age, sex, kps]", "covariates: [aeg]")(work)  # type: ignore[operator]
    code = command("--home", work / "center", "study", "add", work / "study.yaml")
    assert (code, "line 45" in said(capsys)) == (78, True)


def test_an_address_that_is_none(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`coordinator exchange` names the setting."""
    (work / "center").mkdir()
    (work / "center" / "center.toml").write_text('[exchange]\nlisten = "8470"\n')
    code = command("--home", work / "center", "exchange")
    expected = "exchange.listen is '8470', expected address:port, as 127.0.0.1:8470"
    assert (code, expected in said(capsys)) == (78, True)


def test_a_store_that_is_none(work: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its address may hold a password and is not shown."""
    (work / "center").mkdir()
    (work / "center" / "center.toml").write_text('[exchange]\ndatabase = "mysql://u:secret@h"\n')
    code = command("--home", work / "center", "exchange")
    assert (code, "secret" in said(capsys)) == (78, False)


def test_without_prefect_there_are_no_flows() -> None:
    """`python -m coordinator` has all commands but those that need Prefect."""
    program = (
        "from coordinator.cli import cli; print(sorted({'up', 'refresh'} & set(cli.commands)))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "[]\n"


CADENCE = ["study", "cadence", "--patients", "43", "--accrual-days", "730", "--sites", "9"]


def test_cadence_takes_the_limits_of_a_study() -> None:
    """k and m, and how many patients the first release needs, stand in the study file."""
    found = CliRunner().invoke(cli, [*CADENCE, "--study", "studies/lung/study.yaml", "--json"])
    accrual = json.loads(found.output)["accrual"]
    assert [accrual[name] for name in ("k", "m", "at_least_patients", "at_least_sites")] == [
        *(5, 3),
        *(100, 10),
    ]


def test_cadence_in_words() -> None:
    """A table with the line that was asked for."""
    found = CliRunner().invoke(cli, [*CADENCE, "--k", "4", "--sites-changed", "2"])
    assert any(line.startswith("4 *           2") for line in found.output.splitlines())
