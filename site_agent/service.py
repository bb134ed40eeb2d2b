"""The agent as a service: the loop with its process that computes, a log on stderr."""

from __future__ import annotations

import click

from site_agent.agent import Agent
from site_agent.child import Child
from site_agent.runtime.clock import utc_now
from site_agent.runtime.command import end_on_sigterm
from site_agent.site import Site


def serve(site: Site) -> None:
    """Run the agent until it is stopped (SIGTERM or Ctrl-C); what was under way goes on later."""
    end_on_sigterm()
    with site.running(), site.exchange() as exchange:
        ledger = site.ledger()
        worker = Child(site.settings.file.absolute(), site.settings["work.idle_s"])
        poll_s, again_s = (site.settings[f"exchange.{name}"] for name in ("poll_s", "again_s"))
        agent = Agent(exchange, worker, ledger, poll_s, say, again_s=again_s)
        say(f"'{site.name}' runs; exchange {exchange.url}; ledger of {len(ledger.entries)} entries")
        try:
            agent.run()
        except KeyboardInterrupt:
            say("stopped")
        finally:
            worker.end()


def say(line: str) -> None:
    """Write a line of the log."""
    click.echo(f"{utc_now()} {line}", err=True)
