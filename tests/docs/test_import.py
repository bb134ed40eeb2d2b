from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Final

import pytest

from site_agent.cli import main
from tests.deploy.commands import understood
from tests.docs.pages import ROOT, codes, fences, first_cells, page, rows, section
from tests.site_agent.hospital import set_up
from tests.site_agent.importing.hospital_files import EXAMPLE

PAGE: Final = page("import.md")
COMMANDS: Final = [line for block in fences(PAGE, "sh") for line in block.splitlines()]
SHOWN: Final = fences(section(PAGE, "From REDCap, step by step"), "")


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    """A command of the page is one that the agent takes."""
    assert line.startswith(understood(shlex.split(line)))


def test_the_commands_do_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Draft and import of the example print what stands on the page."""
    site = set_up(tmp_path / "hospital", "north")
    shutil.copytree(EXAMPLE, tmp_path / "example")
    monkeypatch.chdir(tmp_path / "example")
    monkeypatch.setitem(os.environ, "QUORUM_CONFIG", str(site.settings.file))
    for line in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(line)[1:])
        assert ended.value.code == 0, capsys.readouterr()
    said = capsys.readouterr().out.replace(str(site.data("redcap")), "/srv/quorum/data")
    assert said == "".join(SHOWN)


def fields() -> set[str]:
    """The fields that the reader of a mapping asks for, by the source."""
    tree = ast.parse((ROOT / "site_agent/importing/mapping.py").read_text("utf-8"))
    asking = ("text", "texts", "choice", "flag", "each", "inner", "items", "node_of", "_complete")
    return {
        str(argument.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in asking
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


def test_every_field_is_on_the_page() -> None:
    """The table names each field of a mapping, and no other."""
    table = section(PAGE, "The mapping, field by field")
    named = {part for cell in first_cells(table) for part in cell.split(".") if part != "<name>"}
    inner = {code for row in rows(table)[:12:1] for code in codes(row[1]) if code in fields()}
    of_place = {"source", "column", "event", "instrument", "is", "days_only"}
    assert named | inner | of_place | {"tables", "columns"} == fields() | of_place


def test_every_rule_is_on_the_page() -> None:
    """The table has each rule under which something is noted."""
    told = {
        code
        for row in rows(section(PAGE, "What is said when something does not fit"))
        for code in codes(row[0])
    }
    source = "".join(p.read_text("utf-8") for p in (ROOT / "site_agent/importing").glob("*.py"))
    calls = [
        node
        for node in ast.walk(
            ast.parse(
                "\n".join(
                    line for line in source.splitlines() if not line.startswith("from __future__")
                )
            )
        )
        if isinstance(node, ast.Call)
    ]
    said = set()
    for call in calls:
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        place = {"unfit": 1, "note": 1, "say": 1, "Finding": 1, "Unreadable": 0}.get(name)
        if place is not None and len(call.args) > place:
            rule = call.args[place]
            if isinstance(rule, ast.Constant) and re.fullmatch(r"[a-z ]+", str(rule.value)):
                said.add(str(rule.value))
    assert said - {"", "rule"} == told
