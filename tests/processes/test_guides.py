"""The guides of a hospital, typed line by line against a real exchange."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from coordinator.center import add_study, freeze_study, invite_site
from coordinator.home import Home, open_home
from site_agent.runtime.http import answers
from site_agent.setup import enrol, set_up
from tests.docs.guides import (
    APPROVING,
    DATA_MANAGER,
    INSTALLING,
    STEWARD,
    Step,
    steps,
    without_chance,
)
from tests.docs.pages import section
from tests.processes.running import ROOT, Process, environment, free_port, until
from tests.processes.world import AGENT, PYTHON

EXAMPLE: Final = ROOT / "studies" / "redcap"
OTHERS: Final = ("south", "east", "west", "center-hospital")
FOLDERS: Final = ("/srv/quorum", "/var/lib/quorum-agent")
AFTERWARDS: Final = (section(STEWARD, "4. Afterwards"), section(STEWARD, "5. End it"))
GUIDES: Final = (*INSTALLING, DATA_MANAGER, *APPROVING, *AFTERWARDS)
# What the data manager changes in the draft, one list each time the editor is opened.
EDITS: Final = [
    [(r"days_only:  .*", "days_only: true"), (r"  3:   # open.*", "missing: [3]")],
    [(r"(last_contact.*\n(?:.*\n){2} +)# take: last.*", r"\1take: largest")],
]


@dataclass
class Hospital:
    """A machine of a hospital in a folder: its paths lie below, and one agent runs."""

    folder: Path
    home: Home
    agent: Process
    opened: int = 0

    def there(self, text: str) -> str:
        """The text with the folders of the guides in place of those of the test."""
        return text.replace(str(self.folder), "")

    def typed(self, line: str) -> str | None:
        """Do what a line says; what it printed, or None if only root can do it."""
        if line.startswith("site-agent "):
            return self._run(line)
        if line.startswith("systemctl enable"):
            freeze_study(self.home, "redcap")  # the center has compared the fingerprints
            self.agent.start()
        elif line.startswith("nano "):
            self._edit(self._here / line.split()[1])
        elif line.startswith("cp "):
            for name in line.split()[1:-1]:
                shutil.copy(EXAMPLE / name, self._here)
        return None

    @property
    def _here(self) -> Path:
        return self.folder / "srv/quorum/import"

    def _run(self, line: str) -> str:
        for folder in FOLDERS:
            line = line.replace(folder, f"{self.folder}{folder}")
        config = str(self.folder / "var/lib/quorum-agent/agent.toml")
        program = f"site-agent() {{ {PYTHON} -c '{AGENT}' --config {config} \"$@\"; }}"
        done = subprocess.run(
            ["bash", "-c", f"{program}\n{line}"],
            input="y\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._here,
            env=environment(),
            timeout=120,
            check=False,
        )
        assert "Traceback" not in done.stdout, done.stdout
        return self.there(done.stdout)

    def _edit(self, file: Path) -> None:
        text = file.read_text(encoding="utf-8")
        for pattern, put in EDITS[self.opened]:
            text, changed = re.subn(pattern, put, text)
            assert changed == 1, pattern
        file.write_text(text, encoding="utf-8")
        self.opened += 1


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hospital]:
    """A machine with the folders that IT makes, and a center with four other hospitals."""
    folder = tmp_path_factory.mktemp("guides")
    port, center, here = free_port(), folder / "center", folder / "srv/quorum/import"
    for path in (center, here, folder / "srv/quorum/data", folder / "var/lib/quorum-agent"):
        path.mkdir(parents=True)
    (center / "center.toml").write_text(f'[exchange]\nlisten = "127.0.0.1:{port}"\n', "utf-8")
    command = [PYTHON, "-m", "coordinator", "--home", str(center), "exchange"]
    exchange = Process("exchange", command, folder / "exchange.log")
    config = folder / "var/lib/quorum-agent/agent.toml"
    command = [PYTHON, "-c", AGENT, "--config", str(config), "run"]
    agent = Process("agent", command, folder / "agent.log")
    try:
        exchange.start()
        until(lambda: answers(f"http://127.0.0.1:{port}/readyz"), "the exchange answers")
        home = open_home(center, os.environ)
        add_study(home, EXAMPLE / "study.yaml")
        invite_site(home, "north", here / "invitation-north.json")
        for name in OTHERS:
            invitation = folder / f"invitation-{name}.json"
            invite_site(home, name, invitation)
            enrol(set_up(folder / name / "agent.toml", invitation, None, ()))
        yield Hospital(folder, home, agent)
    finally:
        agent.stop()
        exchange.stop()


@pytest.fixture(scope="module")
def typed(hospital: Hospital) -> list[tuple[Step, str]]:
    """Every command of the agent in the guides, in order, and what it printed."""
    done = [(step, hospital.typed(step.command)) for text in GUIDES for step in steps(text)]
    return [(step, printed) for step, printed in done if printed is not None]


def test_the_guides_show_what_is_printed(typed: list[tuple[Step, str]]) -> None:
    """Each output on a page is that of the command above it, but for keys, hashes and instants."""
    shown = [(step.command, step.shown) for step, _ in typed if step.shown is not None]
    printed = [
        # The answer to the question is typed: it stands on the terminal, not in the output.
        (step.command, text.replace("[y/N]: ", "[y/N]: y\n"))
        for step, text in typed
        if step.shown is not None
    ]
    assert [(c, without_chance(t)) for c, t in shown] == [
        (c, without_chance(t)) for c, t in printed
    ]


def test_no_other_command_fails(typed: list[tuple[Step, str]]) -> None:
    """What a guide shows no output of ends without an error."""
    assert [s.command for s, text in typed if s.shown is None and text.startswith("error")] == []


def test_the_mapping_becomes_that_of_the_example(
    typed: list[tuple[Step, str]], hospital: Hospital, tmp_path: Path
) -> None:
    """With both edits of the guide the tables are those of the completed mapping."""
    config = str(hospital.folder / "var/lib/quorum-agent/agent.toml")
    words = ["import", "redcap", str(EXAMPLE / "mapping.yaml"), "--out", str(tmp_path)]
    command = [PYTHON, "-c", AGENT, "--config", config, *words]
    subprocess.run(command, env=environment(), check=True, capture_output=True, timeout=120)
    made = hospital.folder / "srv/quorum/data"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert typed and {name: (made / name).read_bytes() for name in names} == {
        name: (tmp_path / name).read_bytes() for name in names
    }


def test_the_running_agent_takes_the_approval(
    typed: list[tuple[Step, str]], hospital: Hospital
) -> None:
    """The service that IT started before there was a study still runs at the end."""
    assert typed and hospital.agent.runs
