from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.cli import cli, run
from tests.deploy.commands import understood
from tests.docs.guides import path, steps
from tests.docs.pages import DOCS, ROOT, fences, page, rows, section

HEADING = "From a REDCap export to an approved and running agent"
# By hand: a comment of the study begins as a heading does.
EXPLAINED = page("guides/statistician.md").split("\n## ")[2]
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


def test_the_study_is_quoted_whole_and_in_order() -> None:
    """The blocks of the explained study, one behind the other, are its file."""
    file = (ROOT / "studies/anakinra/study.yaml").read_text(encoding="utf-8")
    assert "".join(fences(EXPLAINED, "yaml")) == file


def test_every_block_of_the_study_is_explained() -> None:
    """Behind each block of the explained study stands a text."""
    behind = re.split(r"^```yaml\n.*?^```$", EXPLAINED, flags=re.DOTALL | re.MULTILINE)[1:]
    assert [text for text in behind if not re.search(r"^\w|^`", text, re.MULTILINE)] == []


def test_the_study_is_tried_as_the_guide_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Making up the patients and checking them prints what stands on the page."""
    tried = section(page("guides/statistician.md"), "Trying it on made-up patients")
    make, check = fences(tried, "sh")[0].splitlines()
    (tmp_path / "studies").symlink_to(ROOT / "studies")
    monkeypatch.chdir(tmp_path)
    subprocess.run([sys.executable, *shlex.split(make)[1:]], check=True)
    assert run(cli, shlex.split(check)[1:]) == 0
    printed = capfd.readouterr()
    assert printed.err + printed.out == fences(tried, "")[0]
