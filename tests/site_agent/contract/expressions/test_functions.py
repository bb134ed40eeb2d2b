from __future__ import annotations

import re
from pathlib import Path

import pytest

from site_agent.contract.expressions import FUNCTIONS, RESERVED, Scope, infer, parse
from site_agent.contract.expressions.parser import MAX_DEPTH, MAX_ITEMS
from site_agent.contract.expressions.tokens import MAX_CHARACTERS
from site_agent.contract.expressions.types import MAX_COLUMNS

PAGE = (Path(__file__).parents[4] / "docs" / "expressions.md").read_text(encoding="utf-8")
SECTIONS = {part.split("`")[1]: part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}
EXAMPLES = [
    line
    for block in re.findall(r"```expression\n(.*?)```", PAGE, flags=re.DOTALL)
    for line in block.splitlines()
]


def test_every_function_has_its_heading() -> None:
    """The page has a heading for each function of the table, and for no other."""
    assert sorted(SECTIONS) == sorted(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_section_opens_with_the_signature(name: str) -> None:
    """A section opens with how the function is written."""
    assert SECTIONS[name].split("\n")[2].startswith(f"`{FUNCTIONS[name].signature}`: ")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_section_has_an_example(name: str) -> None:
    """A section has an example that calls the function."""
    assert f"{name}(" in SECTIONS[name].split("```expression")[1]


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_fit_the_study(scope: Scope, text: str) -> None:
    """Every example of the page has a type over the columns of a study."""
    assert infer(parse(text), scope) is not None


def test_the_reserved_words_are_on_the_page() -> None:
    """The page names every reserved word."""
    assert [word for word in sorted(RESERVED) if f"`{word}`" not in PAGE] == []


def test_the_limits_are_on_the_page() -> None:
    """The page names the limits that hold."""
    assert (
        f"Limits: {MAX_CHARACTERS:,} characters, brackets and operations nested {MAX_DEPTH} deep, "
        f"{MAX_ITEMS} items in a list, {MAX_COLUMNS}\ncolumns in an interaction."
    ) in PAGE


def test_every_function_says_what_it_means() -> None:
    """Each entry of the table has one line of meaning, a sentence."""
    assert [name for name, item in FUNCTIONS.items() if not item.meaning.endswith(".")] == []
