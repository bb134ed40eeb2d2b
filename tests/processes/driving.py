"""A refresh in a process of its own, as the flow does it, without Prefect: HOME STUDY."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from coordinator import driver
from coordinator.home import open_home
from coordinator.refresh import Refresh
from site_agent.contract.errors import QuorumError

LOOKS_AFTER_S = 30  # what hinders a hospital on a slow machine is not to end the release


def refreshed(folder: Path, study: str) -> Path:
    """The folder of the release that was finished."""
    driver.POLL_S = LOOKS_AFTER_S  # type: ignore[misc]
    home = open_home(folder, os.environ)
    with home.exchange() as exchange:
        refresh = Refresh(home, home.frozen(study), exchange, progress=tell)
        refresh.gather()
        number = 0
        while not refresh.finished or number < refresh.driver.release.rounds:
            refresh.round(number)
            number += 1
        refresh.results()
        folder = refresh.close()
        refresh.report()
        refresh.print_report()
        return folder


def tell(line: str) -> None:
    """Write a line of the log."""
    sys.stderr.write(f"{line}\n")


def main() -> int:
    """Refresh; print the folder, or why there is none."""
    try:
        sys.stdout.write(f"{refreshed(Path(sys.argv[1]), sys.argv[2])}\n")
    except QuorumError as error:
        tell(f"[{error.exit_code}] {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
