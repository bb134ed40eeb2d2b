from __future__ import annotations

import importlib.util
import shlex
import sys
from types import ModuleType

import click
import pytest

from tests.docs.pages import DOCS, headings, page


def load() -> ModuleType:
    """The script that writes the page."""
    spec = importlib.util.spec_from_file_location("generate_cli", DOCS / "generate_cli.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


GENERATE = load()
PROGRAMS = GENERATE.programs()
CONTEXTS = {
    GENERATE.full_name(context): context
    for name, program in PROGRAMS.items()
    for context in GENERATE.contexts(program, name)
}
EXAMPLES = [(n, line) for n, c in CONTEXTS.items() for line in GENERATE.examples(c.command)]


def test_the_page_is_what_the_commands_say() -> None:
    """docs/cli.md equals the text made from the commands; else run docs/generate_cli.py."""
    assert page("cli.md") == GENERATE.reference(PROGRAMS)


def test_every_command_has_its_heading() -> None:
    """The page has a heading for each command, and for nothing else."""
    assert headings(page("cli.md"))[1:] == list(CONTEXTS)


@pytest.mark.parametrize(("name", "line"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_the_example_is_understood(name: str, line: str) -> None:
    """The example of a command is a line that the command itself takes."""
    words = shlex.split(line)[len(name.split()) :]
    context = CONTEXTS[name]
    parsed = context.command.make_context(name, words, parent=context.parent)
    assert (parsed.command, line.split()[: len(name.split())]) == (context.command, name.split())


def test_every_command_has_an_example() -> None:
    """Each command that does something shows how it is called."""
    shown = {name for name, _ in EXAMPLES}
    leaves = {n for n, c in CONTEXTS.items() if not isinstance(c.command, click.Group)}
    assert leaves - shown == set()
