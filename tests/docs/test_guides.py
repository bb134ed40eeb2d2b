from __future__ import annotations

import re
import shlex

import pytest

from tests.deploy.commands import understood
from tests.docs.guides import path, steps
from tests.docs.pages import DOCS, page, rows, section

HEADING = "From a REDCap export to an approved and running agent"
PAGES = sorted(path.name for path in (DOCS / "guides").glob("*.md"))
COMMANDS = [
    step.command
    for name in PAGES
    for step in steps(page(f"guides/{name}"))
    if step.command.partition(" ")[0].rpartition("/")[2] in ("site-agent", "coordinator")
]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    """A command of a guide is one that the program takes."""
    words = shlex.split(line)
    assert [words[0].rpartition("/")[2], *words[1:]][0] == understood(words).split()[0]


def test_the_table_has_the_commands_of_the_guides() -> None:
    """The path from an export to a running agent lists what the guides say, in their order."""
    listed = [
        (who, command.strip("`").replace("\\|", "|"))
        for _, who, command in rows(section(page("guides/README.md"), HEADING))
    ]
    assert listed == path()


def test_the_path_is_as_long_as_the_page_says() -> None:
    """The number on the page is the number of commands, and it is below thirty."""
    said = re.search(r"^(\d+) commands", section(page("guides/README.md"), HEADING), re.MULTILINE)
    assert said is not None and len(path()) == int(said[1]) < 30
