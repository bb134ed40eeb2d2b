from __future__ import annotations

import ast
import dataclasses
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from site_agent.contract import messages
from site_agent.contract.conductor import Conductor
from site_agent.contract.messages import Content
from site_agent.contract.securesum.fixedpoint import ENCODINGS
from site_agent.contract.study.read import read_study
from tests.docs.pages import (
    ROOT,
    codes,
    first_cells,
    full_study,
    page,
    rows,
    section,
    written,
)

PAGE = page("protocol.md")
REFUSALS = rows(section(PAGE, "Refusals"))
MESSAGES = rows(section(PAGE, "Messages"))
CODE = ("site_agent", "coordinator", "flows")
SIDES = {"site_agent": "site", "coordinator": "center"}


def raised(folder: str) -> Iterator[tuple[str, Path]]:
    """Each code that the source of a folder refuses with, and where."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused":
                first = node.args[0]
                assert isinstance(first, ast.Constant), f"{path.name}:{node.lineno}"
                yield str(first.value), path


def sides() -> dict[str, set[str]]:
    """Who refuses with each code, as far as the folder tells: the contract serves both."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for folder, side in SIDES.items():
        for code, path in raised(folder):
            found[code] |= {"contract"} if "contract" in path.parts else {side}
    return dict(found)


def test_every_refusal_is_on_the_page() -> None:
    """The table has a row for each code of the source, and for no other."""
    assert sorted(first_cells(section(PAGE, "Refusals"))) == sorted(sides())


def test_refusals_stand_in_the_order_of_the_alphabet() -> None:
    """A code is found where the alphabet has it."""
    told = first_cells(section(PAGE, "Refusals"))
    assert told == sorted(told)


@pytest.mark.parametrize("row", REFUSALS, ids=[row[0] for row in REFUSALS])
def test_a_refusal_says_who_and_what_to_do(row: tuple[str, ...]) -> None:
    """A row has a side that fits the source, a meaning and what to do."""
    told = {"both": {"site", "center"}}.get(row[1], {row[1]})
    known = sides()[row[0].strip("`")] - {"contract"}
    assert known <= told and all(row[2:]) and len(row) == 4


def kinds() -> list[type[Content]]:
    """The messages in the order of their module."""
    found = [item for item in vars(messages).values() if isinstance(item, type)]
    return [item for item in found if issubclass(item, Content) and item.TYPE]


def test_every_message_is_on_the_page() -> None:
    """The table has a row for each message, in the order of a release."""
    assert [row[0].strip("`") for row in MESSAGES] == [kind.TYPE for kind in kinds()]


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.TYPE)
def test_the_fields_of_a_message_are_on_the_page(kind: type[Content]) -> None:
    """A row names the fields of its message, in order."""
    (row,) = [row for row in MESSAGES if row[0] == f"`{kind.TYPE}`"]
    assert codes(row[2]) == [field.name for field in dataclasses.fields(kind)]


def test_the_lanes_are_those_of_the_page() -> None:
    """The table of lanes has the bits of each encoding."""
    told = {row[0]: (int(row[1]), int(row[2])) for row in rows(section(PAGE, "Fixed point"))}
    assert told == {e.name: (e.bits, e.fraction) for e in ENCODINGS.values()}


def test_the_context_of_signatures_is_on_the_page() -> None:
    """The bytes in front of a signed header are those of the page."""
    assert f"`{messages.CONTEXT.decode().rstrip(chr(0))}`, a zero byte" in PAGE


def test_the_conductor_begins_with_the_guard() -> None:
    """The first round of any release asks for the counts of the guard and nothing else."""
    conductor = Conductor(read_study(written(full_study()), "study.yaml"))
    assert [ask.sum for ask in conductor.asks] == ["enrolled"]
