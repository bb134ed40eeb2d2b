"""Each release survives a kill -9 of any process at a random moment, with the same bytes.

`make kills` runs it, 100 times unless KILLS says otherwise; SEED gives the same kills again.
Every release is ordered with the command; then one of all processes of center and hospitals is
killed, at a moment drawn from the time that a release takes undisturbed and half as much again.
Agents and `coordinator up` are started again, as service managers do; nobody helps otherwise.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pytest

from tests.processes.center import VICTIMS, Center
from tests.processes.running import children

KILLS: Final = int(os.environ.get("KILLS", "100"))
SEED: Final = int(os.environ.get("SEED", "7"))


def kill_agent(center: Center, site: str) -> None:
    """An agent is killed, and started again."""
    center.agents[site].kill()
    center.agents[site].start()


def kill_child(center: Center, site: str) -> None:
    """The process that computes for an agent is killed, if there is one just now."""
    for pid in children(center.agents[site].pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def victims(center: Center) -> dict[str, Callable[[Center], None]]:
    """All that may be killed."""
    found = dict(VICTIMS)
    for site in center.sites:
        found[f"agent of {site}"] = lambda center, site=site: kill_agent(center, site)  # type: ignore[misc]
        found[f"child of {site}"] = lambda center, site=site: kill_child(center, site)  # type: ignore[misc]
    found["flow run"] = kill_flow_run_if_there
    return found


def kill_flow_run_if_there(center: Center) -> None:
    """The process of the flow is killed, if it has begun and not ended."""
    for pid in children(center.part("flows.runner")):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.kills
def test_releases_survive_kills_at_random_moments(center: Center) -> None:
    """As many releases are completed as were ordered, each with the bytes of a single process."""
    draw, found = random.Random(SEED), victims(center)
    number = center.order()
    began = time.monotonic()
    assert center.completed(number) == center.expected
    undisturbed_s = time.monotonic() - began
    wrong, times, killed = list[str](), list[float](), Counter[str]()
    for place in range(1, KILLS + 1):
        name, after_s = draw.choice(sorted(found)), draw.uniform(0, 1.5 * undisturbed_s)
        center.ready()
        number = center.order()
        began = time.monotonic()
        time.sleep(after_s)
        found[name](center)
        killed[name] += 1
        if center.completed(number) != center.expected:
            wrong.append(f"release {number}: {name} after {after_s:.1f} s")
        times.append(time.monotonic() - began)
        sys.stderr.write(f"{place}: {name} killed after {after_s:.1f} s, done {times[-1]:.1f} s\n")
    sys.stderr.write(
        f"undisturbed {undisturbed_s:.1f} s; {KILLS} kills, longest {max(times):.1f} s; "
        f"{dict(sorted(killed.items()))}\n"
    )
    assert wrong == []
