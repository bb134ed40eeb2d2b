from __future__ import annotations

from site_agent.contract import errors
from site_agent.contract.errors import AnalysisError, QuorumError
from tests.docs.pages import first_cells, page, rows

PAGE = page("exit-codes.md")
TABLE, CLASSES = PAGE.split("The classes of errors")


def test_every_exit_code_is_on_the_page() -> None:
    """The table has a row for each code, with its name, in ascending order."""
    named = {value: name for name, value in vars(errors).items() if isinstance(value, int)}
    assert [(int(r[0]), r[1].strip("`")) for r in rows(TABLE)] == sorted(named.items())


def tree() -> list[type[QuorumError]]:
    """The classes of the tree; a module's own ones, which no command ends with, aside."""
    return [c for c in QuorumError.__subclasses__() if c.__module__ == errors.__name__]


def test_every_error_is_on_the_page() -> None:
    """The page names each class of error of the tree."""
    assert sorted(first_cells(CLASSES)) == sorted(c.__name__ for c in tree())


def test_every_error_has_its_code() -> None:
    """The page gives each class the code with which it ends a command."""
    told = {row[0].strip("`"): row[1] for row in rows(CLASSES)}
    codes = {c.__name__: str(c.exit_code) for c in tree()}
    assert told == {**codes, AnalysisError.__name__: "none"}
