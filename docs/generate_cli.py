"""Writes docs/cli.md from the commands themselves: `python docs/generate_cli.py`.

With `--check` nothing is written; the exit code is 1 if the file is not what it should be.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import click

PAGE: Final = Path(__file__).with_name("cli.md")
EXAMPLE: Final = "Example: "

HEAD: Final = """\
# Commands

The commands of the coordinating center, `coordinator`, and of a hospital, `site-agent`. This page
is written by `docs/generate_cli.py` from the commands themselves; do not edit it.
[center.md](center.md) and [agent.md](agent.md) tell when to use which.

stdout is the result, stderr progress (on a terminal only) and messages. The codes with which a
command leaves are in [exit-codes.md](exit-codes.md), what is written in [results.md](results.md).
"""


def contexts(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Yield the context of a command and of all below it; each knows its full name."""
    context = click.Context(command, parent, info_name=name, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        for child in sorted(command.commands):
            yield from contexts(command.commands[child], child, context)


def programs() -> dict[str, click.Command]:
    """Return the commands by the name under which they are installed."""
    from flows.commands import cli as coordinator
    from site_agent.cli import cli as site_agent

    return {"coordinator": coordinator, "site-agent": site_agent}


def reference(programs: Mapping[str, click.Command]) -> str:
    """Return the whole page."""
    found = [context for name, program in programs.items() for context in contexts(program, name)]
    return "\n".join([HEAD, *map(_section, found)])


def examples(command: click.Command) -> list[str]:
    """Return the example lines of a command's help."""
    return [p.removeprefix(EXAMPLE) for p in _paragraphs(command) if p.startswith(EXAMPLE)]


def full_name(context: click.Context) -> str:
    """Return a command as it is typed."""
    above = [full_name(context.parent)] if context.parent else []
    return " ".join([*above, str(context.info_name)])


def _section(context: click.Context) -> str:
    command, name = context.command, full_name(context)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    text = [_escaped(p) for p in _paragraphs(command) if not p.startswith(EXAMPLE)]
    blocks = [f"## `{name}`", _fenced(usage), *text, *map(_fenced, examples(command))]
    if isinstance(command, click.Group):
        blocks.append(_subcommands(name, command))
    blocks.append(_options(context))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _paragraphs(command: click.Command) -> list[str]:
    text = (command.help or "").split("\n\n")
    return [" ".join(paragraph.split()) for paragraph in text]


def _escaped(text: str) -> str:
    """Return text in which Markdown sees neither a tag, nor emphasis, nor a new cell."""
    for character in "<*|":
        text = text.replace(character, f"\\{character}")
    return text


def _fenced(line: str) -> str:
    return f"```sh\n{line}\n```"


def _subcommands(name: str, group: click.Group) -> str:
    rows = [
        f"- [`{name} {child}`](#{f'{name} {child}'.replace(' ', '-')}): "
        + _escaped(_paragraphs(command)[0])
        for child, command in sorted(group.commands.items())
    ]
    return "\n".join(rows)


def _options(context: click.Context) -> str:
    rows = [
        (
            ", ".join(f"`{text}`" for text in parameter.opts),
            _value(parameter, context),
            _default(parameter, context),
            _escaped(parameter.help or ""),
        )
        for parameter in context.command.get_params(context)
        if isinstance(parameter, click.Option)
    ]
    lines = ["| option | value | default | |", "| --- | --- | --- | --- |"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _value(option: click.Option, context: click.Context) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return ", ".join(f"`{choice}`" for choice in option.type.choices)
    return f"`{option.make_metavar(context)}`"


def _default(option: click.Option, context: click.Context) -> str:
    if option.required:
        return "required"
    value = option.get_default(context)
    return f"`{value}`" if isinstance(value, str) else ""


def main(arguments: list[str]) -> int:
    """Write the page, or with --check compare it; return the exit code."""
    sys.path.insert(0, str(PAGE.parents[1]))
    text = reference(programs())
    if "--check" in arguments:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == text
        sys.stderr.write("" if same else f"{PAGE.name} is out of date; run {Path(__file__).name}\n")
        return 0 if same else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
