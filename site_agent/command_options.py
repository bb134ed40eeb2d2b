"""What the agent's commands share: the kinds of their options, and the agent that they are of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click

from site_agent.site import Site, open_site

FILE: Final = click.Path(path_type=Path, readable=False)
JSON: Final = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")


def site_here(config: Path) -> Site:
    """Return the agent that `config` and the environment set up."""
    return open_site(config, os.environ)
