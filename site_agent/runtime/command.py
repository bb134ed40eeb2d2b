"""How a command runs and ends: stdout is the result, stderr progress and messages.

Exit codes: see site_agent/contract/errors.py and docs/exit-codes.md.
"""

from __future__ import annotations

import errno
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

import click

from site_agent.contract.errors import (
    BAD_CONFIGURATION,
    DONE,
    INTERNAL,
    INTERRUPTED,
    USAGE,
    QuorumError,
)

UNCONFIRMED: Final = "not confirmed: nothing was changed (where nobody can answer, give --yes)"


def run(command: click.Command, arguments: list[str] | None) -> int:
    """Run a command; return its exit code after telling on stderr what went wrong."""
    try:
        command.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort) as ended:
        asked = isinstance(ended, click.Abort) and ended.__cause__ is None  # a question, by click
        click.echo(UNCONFIRMED if asked else "interrupted", err=True)
        return INTERRUPTED
    except Exception as error:
        line, code = outcome(error)
        click.echo(line, err=True)
        return code
    return DONE


def outcome(error: Exception) -> tuple[str, int]:
    """Return what is told of an error that ends a command, and the exit code."""
    if isinstance(error, QuorumError):
        return f"error: {error}", error.exit_code
    if isinstance(error, OSError):
        return f"error: {of_the_system(error)}", BAD_CONFIGURATION
    return f"error: {internal(error)}; nothing was released", INTERNAL


def of_the_system(error: OSError) -> str:
    """Return what the system could not do, and with which file."""
    where = f"{error.filename}: " if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{where}{error.strerror}; make room on this disk, then try again"
    return f"{where}{error.strerror or type(error).__name__}; check path, rights and space"


def internal(error: BaseException) -> str:
    """Return where an unforeseen error arose; its text might hold a value of the data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = "; ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:])
    return (
        f"internal error ({type(error).__name__} at {place}). This is a defect of Quorum: "
        f"please report this line"
    )


def progress() -> Callable[[str], None]:
    """Return where progress goes: to stderr on a terminal, nowhere otherwise."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda line: click.echo(f"  {line}", err=True)


def end_on_sigterm() -> None:
    """Have SIGTERM end this process as Ctrl-C does."""

    def end(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
