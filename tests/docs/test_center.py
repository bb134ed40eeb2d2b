from __future__ import annotations

import shlex
from typing import Final

import pytest

from coordinator.home import SETTINGS
from flows.environment import QUIET
from flows.runner import MOST_IN_A_ROW
from site_agent.contract import errors
from tests.deploy.commands import understood
from tests.docs.pages import ROOT, fences, page, rows, section
from tests.docs.tables import rows_under, settings, variables

PAGE: Final = page("center.md")
COMMANDS: Final = [
    line
    for block in fences(PAGE, "sh")
    for line in block.splitlines()
    if line.startswith("coordinator ")
]


def test_every_setting_is_on_the_page() -> None:
    """The table has each setting with default, unit and meaning, and no other."""
    head = ("setting", "default", "unit", "meaning")
    assert rows_under(section(PAGE, "Settings"), head) == settings(SETTINGS)


def test_every_quiet_variable_is_on_the_page() -> None:
    """The table has what keeps Prefect quiet, as the source sets it."""
    assert rows_under(PAGE, ("variable", "value")) == variables(QUIET)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    """A command of the page is one that the center takes."""
    assert line.startswith(understood(shlex.split(line)))


def test_the_exit_codes_are_those_of_the_source() -> None:
    """The codes with which a refresh ends are codes that exist."""
    told = [row[0] for row in rows(section(PAGE, "A study, from file to results"))]
    known = {str(value) for value in vars(errors).values() if isinstance(value, int)}
    assert [code for code in told if code not in known] == []


def test_the_longest_row_of_crashes_is_on_the_page() -> None:
    """The page says after how many crashed runs none follows."""
    assert MOST_IN_A_ROW == 20 and "at most twenty in a row" in section(PAGE, "After a crash")


@pytest.mark.parametrize("name", ["key", "exchange.db", "up.json", "up.lock", "turns", "logs"])
def test_the_files_are_those_of_the_source(name: str) -> None:
    """The page names the files of the home, as the source does."""
    folders = [*(ROOT / "coordinator").glob("*.py"), *(ROOT / "flows").glob("*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in folders)
    assert name in source and f"`{name}" in section(PAGE, "What runs")
