"""The command `coordinator`, or what to install if its libraries are missing."""

from __future__ import annotations

import sys

BAD_CONFIGURATION = 78
INTERRUPTED = 130


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        from flows.commands import main as run
    except ModuleNotFoundError as missing:
        sys.stderr.write(
            f"error: the coordinating center needs libraries that are not installed "
            f"({missing.name}); install them with pip install 'quorum[coordinator]'\n"
        )
        sys.exit(BAD_CONFIGURATION)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
