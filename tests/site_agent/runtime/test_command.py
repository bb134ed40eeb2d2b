"""How commands end: exit codes, and what stderr says of errors."""

from __future__ import annotations

import errno
from collections.abc import Callable

import click
import pytest

from site_agent.contract.errors import (
    ConfigurationError,
    DataError,
    Declined,
    Finding,
    LedgerError,
    NotReady,
    QuorumError,
    Refused,
    StudyError,
    Unreachable,
)
from site_agent.runtime.command import of_the_system, run

ENDS: list[tuple[BaseException, int]] = [
    (DataError("alder", [Finding("dose", "range", 1, "out of range")]), 1),
    (Unreachable("nobody answers"), 69),
    (QuorumError("a defect"), 70),
    (LedgerError("altered"), 70),
    (ValueError("a defect"), 70),
    (NotReady("later"), 75),
    (Refused("not_approved", "no"), 77),
    (Declined("forbidden", "no"), 77),
    (Declined("release_under_way", "later"), 75),
    (Declined("store", "later"), 69),
    (Declined("internal", "later"), 69),
    (Declined("unknown_party", "who?"), 78),
    (Declined("signature", "who?"), 78),
    (Declined("clock", "when?"), 78),
    (Declined("not_found", "where?"), 78),
    (ConfigurationError("wrong"), 78),
    (StudyError([]), 78),
    (PermissionError(errno.EACCES, "Permission denied", "/srv/data"), 78),
    (KeyboardInterrupt(), 130),
    (click.Abort(), 130),
]


def command(action: Callable[[], object]) -> click.Command:
    """A command that does something."""

    @click.command()
    @click.option("--word")
    def given(word: str | None) -> None:
        action()

    return given


def ending(error: BaseException) -> int:
    """The exit code of a command in which an error arises."""

    def action() -> None:
        raise error

    return run(command(action), [])


@pytest.mark.parametrize(("error", "code"), ENDS, ids=lambda value: repr(value)[:40])
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    """A command leaves with the code of the error that ended it."""
    assert ending(error) == code


def test_a_command_that_succeeds() -> None:
    """A command without an error leaves with 0."""
    assert run(command(lambda: None), []) == 0


def test_an_unknown_option() -> None:
    """A command that is called wrongly leaves with 2."""
    assert run(command(lambda: None), ["--wrod", "x"]) == 2


def test_an_unknown_option_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error in an option is answered with the nearest name, on stderr."""
    run(command(lambda: None), ["--wrod", "x"])
    assert "Did you mean '--word'?" in capsys.readouterr().err


def test_help_is_a_result(capsys: pytest.CaptureFixture[str]) -> None:
    """Help is printed to stdout and leaves with 0."""
    assert (run(command(lambda: None), ["--help"]), capsys.readouterr().err) == (0, "")


def test_an_error_is_told_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """The message of an error goes to stderr, and nothing to stdout."""
    ending(Unreachable("nobody answers"))
    assert capsys.readouterr() == ("", "error: nobody answers\n")


def test_a_defect_is_told_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """Of an unforeseen error, type and place are told, not its text: it may hold a value."""
    ending(ValueError("canary-alder-0"))
    found = capsys.readouterr().err
    assert ("ValueError at" in found, "test_command.py:" in found, "canary" in found) == (
        *(True, True),
        False,
    )


def test_a_question_answered_with_no(capsys: pytest.CaptureFixture[str]) -> None:
    """Who says no to a question hears that nothing was changed."""
    ending(click.Abort())
    assert capsys.readouterr().err.startswith("not confirmed: nothing was changed")


def test_an_interrupted_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is told as such."""
    ending(KeyboardInterrupt())
    assert capsys.readouterr().err == "\ninterrupted\n"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            OSError(errno.ENOSPC, "No space left on device", "/state/ledger.jsonl"),
            "/state/ledger.jsonl: No space left on device; make room on this disk, then try again",
        ),
        (
            OSError(errno.EACCES, "Permission denied", "/state"),
            "/state: Permission denied; check path, rights and space",
        ),
        (OSError("odd"), "OSError; check path, rights and space"),
    ],
)
def test_what_the_system_could_not_do(error: OSError, expected: str) -> None:
    """A file that cannot be read or written is told with its path, and with what to do."""
    assert of_the_system(error) == expected
