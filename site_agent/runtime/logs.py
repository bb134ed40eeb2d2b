"""Lines of a process's log: for people, or one JSON object a line for a collector of logs."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Final

import click

from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.clock import utc_now
from site_agent.runtime.settings import Setting

TEXT: Final = "text"
JSON: Final = "json"
FORMAT: Final = Setting(
    "log.format",
    "text",
    TEXT,
    "Lines of the log (of agent or exchange): text, or json, an object a line with time, process "
    "and message, for a collector of logs.",
)


def log(form: str, process: str) -> Callable[[str], None]:
    """Return what writes a line to stderr; ConfigurationError for a form that is none."""
    if form not in (TEXT, JSON):
        raise ConfigurationError(f"{FORMAT.key} is '{form}', expected {TEXT} or {JSON}")

    def say(line: str) -> None:
        said = {"time": utc_now(), "process": process, "message": line}
        text = json.dumps(said, ensure_ascii=False) if form == JSON else f"{said['time']} {line}"
        click.echo(text, err=True)

    return say


class Lines(logging.Handler):
    """Passes what a library or module logs on as lines of the process's log."""

    def __init__(self, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on a record's text; never a traceback, whose text might hold a value."""
        self._say(record.getMessage())
