"""`python -m coordinator`: the commands that need no Prefect."""

from coordinator.cli import main

main()
