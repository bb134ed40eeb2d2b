from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from typing import Final

import pytest

from site_agent.contract.errors import Declined
from site_agent.contract.problems import KINDS
from site_agent.runtime.http import passing
from site_agent.site import SETTINGS
from tests.deploy.commands import understood
from tests.docs.pages import ROOT, codes, fences, page, rows, section
from tests.docs.tables import rows_under, settings

PAGE: Final = page("agent.md")
HINDERED: Final = section(PAGE, "What hinders a release")
LOG: Final = rows(section(PAGE, "What the log says"))
COMMANDS: Final = [
    line
    for block in fences(PAGE, "sh")
    for line in block.splitlines()
    if line.startswith("site-agent ")
]


def calls(*names: str, files: str = "*.py") -> Iterator[ast.Call]:
    """Every call of a function or method of these names in the agent's source."""
    for path in sorted((ROOT / "site_agent").rglob(files)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = getattr(node, "func", None)
            called = getattr(named, "attr", getattr(named, "id", ""))
            if isinstance(node, ast.Call) and called in names:
                yield node


def constants(position: int, *names: str) -> set[str]:
    """The texts at a position of the arguments of these calls."""
    found = [call.args[position] for call in calls(*names) if len(call.args) > position]
    return {str(node.value) for node in found if isinstance(node, ast.Constant)}


def of_the_agent(name: str) -> tuple[str, ...]:
    """The value of a constant of the agent's loop, read from its source."""
    text = (ROOT / "site_agent" / "agent.py").read_text(encoding="utf-8")
    found = re.search(rf"^{name}: Final = (\(.*?\))", text, re.MULTILINE | re.DOTALL)
    assert found is not None, name
    value: tuple[str, ...] = ast.literal_eval(found[1])
    return value


def told(table: int) -> list[str]:
    """The codes in the first cells of one of the three tables of what hinders."""
    text = re.split(r"^\| -+ \|.*$", HINDERED, flags=re.MULTILINE)[table]
    lines = text.strip().split("\n\n")[0].splitlines()
    return [code for line in lines for code in codes(line.split(" | ")[0])]


def test_every_setting_is_on_the_page() -> None:
    """The table has each setting with default, unit and meaning, and no other."""
    head = ("setting", "default", "unit", "meaning")
    assert rows_under(section(PAGE, "Settings"), head) == settings(SETTINGS)


def test_every_code_of_this_machine_is_on_the_page() -> None:
    """The first table has each code that agent and worker give of their own."""
    own = constants(0, "_hindered") | constants(1, "_hinder")
    assert sorted(told(1)) == sorted(own)


def test_every_refusal_is_on_the_page() -> None:
    """The second table has each code with which a site refuses, once."""
    assert sorted(told(2)) == sorted(constants(0, "Refused"))


def test_every_answer_of_the_exchange_is_on_the_page() -> None:
    """The third table has each problem that hinders a release and nothing else."""
    everywhere = ("clock", *of_the_agent("LOST"), *of_the_agent("ENDED"))
    hindering = {c for c in KINDS if c not in everywhere and not passing(Declined(c, ""))}
    assert sorted(told(3)) == sorted(hindering)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    """A command of the page is one that the agent takes."""
    assert line.startswith(understood(shlex.split(line)))


def test_every_line_of_the_log_is_on_the_page() -> None:
    """The lines of the page have the words of what agent and service say, in any order."""
    shown = [re.sub(r"\W+", " ", row[0]) for row in LOG]
    said = [*calls("say", files="agent.py"), *calls("say", files="service.py")]
    spoken = [_fixed(call.args[0]) for call in said]
    assert [words for words in spoken if not any(_within(words, line) for line in shown)] == []


def _fixed(node: ast.expr) -> list[str]:
    """The pieces of a text that stand in the source."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    texts = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
    return [" ".join(re.findall(r"\w+", text)) for text in texts if re.search(r"\w", text)]


def _within(words: list[str], line: str) -> bool:
    return all(word in line for word in words)


@pytest.mark.parametrize("name", ["key", "ledger.jsonl", "center.json", "running", "computing"])
def test_the_files_are_those_of_the_source(name: str) -> None:
    """The page names each file of the state, as the source does."""
    source = "".join(p.read_text("utf-8") for p in (ROOT / "site_agent").glob("*.py"))
    assert f'"{name}"' in source and f"`state/{name}`" in section(PAGE, "Where things are")


def test_every_warning_is_on_the_page() -> None:
    """The table of warnings has each rule under which a check warns."""
    folder = ROOT / "site_agent" / "checking"
    source = "".join((folder / name).read_text("utf-8") for name in ("orders.py", "examine.py"))
    rules = r'(?:Disorder\(\S+, |Finding\(place, )"([a-z ]+)"'
    told = [code for row in rows(section(PAGE, "Checking the data")) for code in codes(row[0])]
    assert sorted(told) == sorted(set(re.findall(rules, source)))
