"""`python -m site_agent`: the hospital's commands."""

from site_agent.cli import main

main()
