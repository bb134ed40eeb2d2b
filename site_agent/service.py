"""The agent as a service: the loop with its process that computes, a log on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable

from site_agent.agent import Agent
from site_agent.child import Child
from site_agent.contract.identity import Identity
from site_agent.ledger import Ledger
from site_agent.pulse import Beat, Pulse
from site_agent.runtime.command import end_on_sigterm, outcome
from site_agent.runtime.logs import JSON, log
from site_agent.site import Site


def serve(site: Site) -> None:
    """Run the agent until it is stopped (SIGTERM or Ctrl-C); what was under way goes on later.

    What ends it is a line of the log, too, if the log is read by a program.
    """
    end_on_sigterm()
    say = log(site.settings["log.format"], "agent")
    try:
        _serve(site, say)
    except Exception as error:
        if site.settings["log.format"] != JSON:
            raise
        line, code = outcome(error)
        say(line)
        sys.exit(code)


def _serve(site: Site, say: Callable[[str], None]) -> None:
    with site.running(), site.exchange() as exchange:
        ledger = site.ledger()
        file = site.settings.file.absolute()
        idle_s, standby = (site.settings[f"work.{name}"] for name in ("idle_s", "standby"))
        worker = Child(file, idle_s, standby=standby)
        poll_s, again_s = (site.settings[f"exchange.{name}"] for name in ("poll_s", "again_s"))
        pulse = Pulse(site, ledger, say)
        agent = Agent(
            *(exchange, worker, ledger, poll_s, say),
            again_s=again_s,
            settle=_settling(site, ledger),
            beat=pulse.beat,
        )
        say(f"'{site.name}' runs; exchange {exchange.url}; ledger of {len(ledger.entries)} entries")
        pulse.beat(Beat())  # the first poll may take half a minute
        try:
            worker.rest()
            agent.run()
        except KeyboardInterrupt:
            say("stopped")
        finally:
            worker.end()


def _settling(site: Site, ledger: Ledger) -> Callable[[], Identity | None]:
    """Return what lets old keys go, and returns the keys in use if they have changed since."""
    present, known = site.identity().member(), -1

    def settle() -> Identity | None:
        nonlocal present, known
        ledger.refresh()
        if site.keys.next() is not None and known != len(ledger.entries):
            from site_agent.shelf import pinning  # an agent at rest holds no library for it

            known = len(ledger.entries)
            site.keys.settle(ledger, pinning(site))
        identity = site.identity()
        if identity.member() == present:
            return None
        present = identity.member()
        return identity

    return settle
