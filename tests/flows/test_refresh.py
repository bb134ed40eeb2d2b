"""The refresh flow over a Prefect server: one round a task, kept, and ended in words."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import tags
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import State
from prefect.settings import PREFECT_LOCAL_STORAGE_PATH, temporary_settings

from coordinator.center import add_study, freeze_study
from coordinator.driver import standings
from coordinator.home import Home, open_home
from coordinator.report.markdown import pieces
from coordinator.report.pdf import can_print
from flows.artifacts import of_release
from flows.refresh import refresh
from flows.turns import turn
from tests.coordinator.hospitals import SHORT, Hospitals, Served, answering
from tests.protocol import World, patients, site_data
from tests.site_agent.differing import joined

pytestmark = pytest.mark.usefixtures("prefect_server")

PUBLISHED = """\
published: 1
entries:
  - {analysis: curve, what: median, numbers: ["curves[].median.estimate"], text: "3", source: R}
"""
ROUNDS = [f"round {number}" for number in range(2)]
LAST = ["results", "close", "report", "artifacts", "print"]


class Desk:
    """A center whose study is frozen and approved, and its hospitals."""

    def __init__(self, office: Served, folder: Path) -> None:
        (folder / "study.yaml").write_text(SHORT, encoding="utf-8")
        (folder / "published.yaml").write_text(PUBLISHED, encoding="utf-8")
        (folder / "hospitals").mkdir()
        self.home: Home = office.furnished().home(folder / "center")
        add_study(self.home, folder / "study.yaml")
        study = freeze_study(self.home, "protocol")
        self.hospitals = Hospitals(office, World(folder / "hospitals", study)).approve()

    def refresh(self, study: str = "protocol", **parameters: Any) -> State[Any]:
        """A flow run, whose end is returned."""
        parameters = {"deadline_s": 60.0, **parameters}
        state: State[Any] = refresh(study, return_state=True, **parameters)
        return state

    def waits(self, deadline_s: float = 0.5) -> State[Any]:
        """A flow run that waits in vain; its end."""
        return self.refresh(deadline_s=deadline_s)

    def tasks(self, state: State[Any], expected: int) -> list[tuple[str, str]]:
        """The tasks of a flow run in order, each with how it ended."""
        assert state.state_details.flow_run_id is not None
        chosen = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        until = time.monotonic() + 20
        with get_client(sync_client=True) as client:
            while True:
                runs = client.read_task_runs(flow_run_filter=chosen)
                done = [run for run in runs if run.state and run.state.is_final()]
                if len(done) >= expected or time.monotonic() > until:
                    break
                time.sleep(0.1)
        done.sort(key=lambda run: (run.start_time or run.created, run.created))  # type: ignore[arg-type, return-value]
        return [(run.name, run.state.name if run.state else "") for run in done]

    def digest(self) -> str:
        """The name of the last release."""
        with self.home.exchange() as exchange:
            return standings(exchange, self.home.frozen("protocol").hash)[0].open


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A center and its hospitals, which answer."""
    monkeypatch.setattr("coordinator.driver.POLL_S", 0.1)
    monkeypatch.setattr("site_agent.runtime.http.FIRST_PAUSE_S", 0.001)
    with Served(f"sqlite:///{tmp_path / 'exchange.db'}") as office:
        found = Desk(office, tmp_path)
        monkeypatch.setenv("QUORUM_HOME", str(found.home.folder))
        kept = temporary_settings({PREFECT_LOCAL_STORAGE_PATH: str(tmp_path / "storage")})
        with kept, answering(found.hospitals):
            yield found


def ended(state: State[Any]) -> tuple[str, str, str]:
    """How a flow run ended: type, name and words."""
    return state.type.value, str(state.name), str(state.message)


def test_one_round_is_one_task(desk: Desk) -> None:
    """The tasks have names that people read, and the run tells where the report is."""
    state = desk.refresh()
    report = desk.home.results("protocol") / "release-1" / "report.html"
    names = [name for name, _ in desk.tasks(state, 7)]
    expected = ("COMPLETED", "Completed", f"release 1: {report}")
    assert (ended(state), names, report.exists()) == (expected, ["gather", *ROUNDS, *LAST], True)


def test_published_numbers_are_a_page(desk: Desk) -> None:
    """A study with published numbers has comparison.html beside the report of each release."""
    desk.refresh()
    assert (desk.home.results("protocol") / "release-1" / "comparison.html").exists()


def test_published_numbers_that_do_not_fit_are_corrected(desk: Desk) -> None:
    """The refresh ends with 78 before the report; the next one goes on with the same release."""
    kept = desk.home.study_folder("protocol") / "published.yaml"
    kept.write_text(PUBLISHED.replace("curve,", "curves,"), encoding="utf-8")
    first = desk.refresh()
    kept.write_text(PUBLISHED, encoding="utf-8")
    second = desk.refresh()
    written = sorted(path.name for path in desk.home.results("protocol").glob("*/*.html"))
    assert (str(first.message)[:4], second.name, written) == (
        "[78]",
        "Completed",
        ["comparison.html", "report.html"],
    )


def test_pages_are_artifacts(desk: Desk) -> None:
    """With the published numbers beside ours."""
    desk.refresh()
    folder = desk.home.results("protocol") / "release-1"
    wanted = {
        piece.key: piece.markdown for piece in pieces(folder, desk.home.published("protocol"))
    }
    found = {key: getattr(Artifact.get(key), "data", None) for key in wanted}
    assert (found, len(found) > 1) == (wanted, True)


def test_a_second_run_finds_the_rounds_done(desk: Desk) -> None:
    """A release that waited is gone on with: what was done is kept under release and round."""
    desk.hospitals.withheld = 1
    first = desk.waits(2)
    desk.hospitals.withheld = None
    second = desk.refresh()
    assert (ended(first)[:2], desk.tasks(second, 7)[1:3], ended(second)[0]) == (
        ("FAILED", "Not ready"),
        [("round 0", "Cached"), ("round 1", "Completed")],
        "COMPLETED",
    )


def test_what_is_kept_of_a_round(desk: Desk) -> None:
    """A pointer into the exchange's log, and none of its numbers."""
    desk.hospitals.withheld = 1
    desk.waits(2)
    path = Path(PREFECT_LOCAL_STORAGE_PATH.value()) / f"{desk.digest()}-round-0"
    kept = json.loads(json.loads(path.read_text(encoding="utf-8"))["result"])
    assert set(kept) == {"release", "round", "sums", "bytes", "totals"}


def test_what_is_kept_must_be_what_the_log_says(desk: Desk) -> None:
    """An exchange that was set back is found out before results are written."""
    desk.hospitals.withheld = 1
    desk.waits(2)
    path = Path(PREFECT_LOCAL_STORAGE_PATH.value()) / f"{desk.digest()}-round-0"
    text = path.read_text(encoding="utf-8")
    kept = json.loads(text)
    pointer = {**json.loads(kept["result"]), "totals": "0" * 64}
    path.write_text(json.dumps({**kept, "result": json.dumps(pointer)}), encoding="utf-8")
    state = desk.refresh()
    assert (ended(state)[:2], "one of the two was set back" in str(state.message)) == (
        ("FAILED", "Refused"),
        True,
    )


def test_nothing_new(desk: Desk) -> None:
    """A second refresh of the same data ends before the second round, in a state of its own."""
    desk.refresh()
    state = desk.refresh()
    names = [name for name, _ in desk.tasks(state, 2)]
    assert (ended(state)[:2], str(state.message)[:24], names) == (
        ("COMPLETED", "Nothing new"),
        "release 1: nothing new, ",
        ["gather", "round 0"],
    )


def test_anyway(desk: Desk) -> None:
    """Who wants a release of the same data gets one."""
    desk.refresh()
    state = desk.refresh(anyway=True)
    assert str(state.message).startswith("release 2: ")


def cut_off_at_its_pdf(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release whose draft is there without its PDF; the folder of all releases."""
    if not can_print():
        pytest.skip("no report is printed here")
    with monkeypatch.context() as patched:
        patched.setattr("coordinator.refresh.print_report", lambda _: "cut off")
        assert desk.refresh().name == "Completed"
    return desk.home.results("protocol")


def printed(folder: Path) -> list[str]:
    """The releases that have a PDF."""
    return sorted(path.parent.name for path in folder.glob("*/report.pdf"))


def test_an_ordered_run_comes_to_the_next_release(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cut the last one off at its PDF costs the next one nothing: both are there."""
    folder = cut_off_at_its_pdf(desk, monkeypatch)
    state = desk.refresh(anyway=True)
    assert (str(state.message)[:10], printed(folder)) == (
        "release 2:",
        ["release-1", "release-2"],
    )


def test_a_run_that_follows_ends_with_the_release(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that goes on for one that crashed with release 1 prints it, and opens nothing."""
    folder = cut_off_at_its_pdf(desk, monkeypatch)
    with tags(of_release(1)):
        state = desk.refresh(anyway=True)
    assert (str(state.message)[:10], printed(folder)) == ("release 1:", ["release-1"])


def test_deferred(desk: Desk) -> None:
    """One patient more: no failure, and with the code of what must happen elsewhere first."""
    desk.refresh()
    change, study = joined(of=["elm"]), desk.hospitals.world.study
    desk.hospitals.world.data = lambda site: site_data(study, site, change(site, patients(site)))
    state = desk.refresh()
    assert (ended(state)[:2], str(state.message)[:31]) == (
        ("COMPLETED", "Deferred"),
        "[75] release 2: deferred until ",
    )


def test_hospitals_are_awaited(desk: Desk) -> None:
    """Who, for what, and what to do, behind the exit code."""
    desk.hospitals.silent = {"elm"}
    assert ended(desk.waits()) == (
        "FAILED",
        "Not ready",
        "[75] release 1 waits for elm to open it. It stays open; refresh again and it goes on, or "
        "give it up with `coordinator burn`",
    )


def test_a_hospital_refuses(desk: Desk) -> None:
    """A state of its own name, and the code of a refusal."""
    desk.hospitals.silent = {"elm"}
    desk.waits()
    desk.hospitals.stand("elm", desk.digest(), "too_few")
    state = desk.refresh()
    expected = "[77] release 1 was refused by elm (too_few), which waiting does not mend"
    assert (ended(state)[:2], str(state.message).startswith(expected)) == (
        ("FAILED", "Refused"),
        True,
    )


def test_without_a_hospital(desk: Desk) -> None:
    """The parameter of the command reaches the release."""
    desk.hospitals.silent = {"cedar"}
    desk.waits()
    state = desk.refresh(without=["cedar"])
    text = (desk.home.results("protocol") / "release-1" / "manifest.json").read_text("utf-8")
    found = json.loads(text)["sites_out"]
    assert (ended(state)[0], found) == ("COMPLETED", {"cedar": "not in the roster"})


def test_a_refresh_that_is_running_already(desk: Desk) -> None:
    """The second one ends at once; waiting mends it."""
    with turn(desk.home, "protocol", "another"):
        state = desk.refresh()
    assert (ended(state)[:2], str(state.message).startswith("[75] a refresh of protocol is")) == (
        ("FAILED", "Not ready"),
        True,
    )


def test_an_unknown_study(desk: Desk) -> None:
    """A run that was ordered by hand with a misspelt name."""
    state = desk.refresh("protcol")
    assert (ended(state)[:2], str(state.message).startswith("[78] no study 'protcol'")) == (
        ("FAILED", "Failed"),
        True,
    )


def test_a_folder_that_cannot_be_written(desk: Desk) -> None:
    """A matter of this machine, not a defect: path and what to check are told."""
    (desk.home.folder / "results").touch()
    state = desk.refresh()
    words = str(state.message)
    assert (ended(state)[1], words[:5], "check path, rights and space" in words) == (
        "Failed",
        "[78] ",
        True,
    )


def test_an_exchange_that_does_not_answer(desk: Desk) -> None:
    """After some patience the run ends as unreachable."""
    (desk.home.folder / "center.toml").write_text('[exchange]\nlisten = "127.0.0.1:1"\n')
    state = desk.refresh()
    assert (ended(state)[1], str(state.message)[:36]) == (
        "Failed",
        "[69] http://127.0.0.1:1 cannot be re",
    )


def test_the_center_is_that_of_the_environment(desk: Desk) -> None:
    """The runner hands its folder on by QUORUM_HOME."""
    assert open_home(Path(os.environ["QUORUM_HOME"]), os.environ).folder == desk.home.folder


def test_a_run_has_the_name_of_its_study(desk: Desk) -> None:
    """So that people find it in a list."""
    state = desk.refresh("protcol")
    with get_client(sync_client=True) as client:
        found = client.read_flow_run(UUID(str(state.state_details.flow_run_id)))
    assert found.name == "protcol"


def test_a_run_has_study_and_release_in_name_and_tags(desk: Desk) -> None:
    """Among runs of several studies the one is found that made a release."""
    state = desk.refresh()
    with get_client(sync_client=True) as client:
        assert state.state_details.flow_run_id is not None
        run = client.read_flow_run(state.state_details.flow_run_id)
    assert (run.name, sorted(run.tags)) == ("protocol release 1", ["protocol", "release-1"])


def test_rounds_are_an_artifact(desk: Desk) -> None:
    """Who is in, and each round with its sums and bytes."""
    desk.refresh()
    page = Artifact.get("protocol-rounds-release-1")
    assert page is not None
    text = str(page.data)
    assert ("nobody is awaited" in text, text.count("\n| ")) == (True, 2 + len(ROUNDS))
