"""Lines of command as the programs themselves read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import click

from flows.commands import cli as coordinator
from site_agent.cli import cli as site_agent

PROGRAMS: Final = {"coordinator": coordinator, "site-agent": site_agent}


def understood(words: Sequence[str]) -> str:
    """Return the name of the command that takes these words; nothing is run.

    click.UsageError if there is no such command, option or argument.
    """
    name, rest = words[0].rpartition("/")[2], list(words[1:])
    command: click.Command = PROGRAMS[name]
    context = command.make_context(name, rest, ignore_unknown_options=False)
    while isinstance(command, click.Group):
        left = [*context._protected_args, *context.args]
        child, found, left = command.resolve_command(context, left)
        assert found is not None and child is not None
        command, name = found, f"{name} {child}"
        context = command.make_context(child, left, parent=context)
    return name
