"""What several of the center's commands have alike."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import click

from coordinator.home import Home, open_home

FILE: Final = click.Path(path_type=Path, readable=False)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def home_here(folder: Path) -> Home:
    """Return the center in a folder, with the settings of this environment."""
    return open_home(folder, os.environ)


def typed_password(asked: str, *, twice: bool = False) -> str:
    """Return a password that is typed without being shown, or the first line of stdin."""
    if sys.stdin.isatty():
        found: str = click.prompt(asked, hide_input=True, confirmation_prompt=twice, err=True)
        return found
    return sys.stdin.readline().rstrip("\r\n")
