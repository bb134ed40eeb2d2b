"""Writes the sample settings of this folder from the tables of settings in the code.

`python deploy/samples.py` writes them; `--check` leaves with 1 if they are not as it would.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from coordinator import home
from site_agent import site
from site_agent.runtime.settings import sample

FOLDER: Final = Path(__file__).parent
HOST: Final = "https://quorum.example.org"
HOSPITAL: Final = {"site.name": "north", "exchange.url": HOST, "data.folder": "/srv/quorum/data"}
CENTER: Final = {"exchange.url": HOST}


def samples() -> dict[Path, str]:
    """Return the text of each sample, by its file."""
    return {
        FOLDER / "hospital" / "agent.toml": sample(site.SETTINGS, site.HEAD, HOSPITAL),
        FOLDER / "center" / "center.toml": sample(home.SETTINGS, home.HEAD, CENTER),
    }


def main(arguments: list[str]) -> int:
    """Write the samples, or check them."""
    stale = [p for p, text in samples().items() if not p.exists() or p.read_text("utf-8") != text]
    if arguments == ["--check"]:
        for path in stale:
            click.echo(f"{path} is not what the code writes; run deploy/samples.py", err=True)
        return bool(stale)
    for path in stale:
        path.write_text(samples()[path], encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
