"""Signs of life of an agent that runs, as files: nothing has to listen for anybody to see them.

state/pulse.json    for `site-agent health`, which supervisors of containers call
metrics.file        for Prometheus, by the textfile collector of its node exporter

Neither holds anything about patients: instants, codes, and how many messages were answered.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from site_agent.approvals import approvals
from site_agent.contract.errors import ConfigurationError, NotReady
from site_agent.contract.version import VERSION
from site_agent.ledger import Ledger
from site_agent.runtime.clock import unix_of
from site_agent.runtime.command import of_the_system
from site_agent.runtime.files import overwrite, write_at_once
from site_agent.site import Site

EVERY_S: Final = 5.0
SILENT_S: Final = 180  # the longest poll, twice, and the longest pause between two tries
READABLE: Final = 0o644
SUFFIX: Final = ".prom"  # what a collector reads, and no name of the agent's own files


@dataclass(frozen=True, slots=True)
class Beat:
    """What an agent is at.

    answering: the release whose message it answers just now, "" at rest. reached: whether the
    exchange answered the last time. hindered: the codes of what does not go on here. answered:
    messages since the start.
    """

    answering: str = ""
    reached: bool = False
    hindered: tuple[str, ...] = ()
    answered: int = 0


class Pulse:
    """Writes what an agent is at: at once what is news, and the rest every few seconds.

    A file that cannot be written is told to the log, once, and ends nothing.
    """

    def __init__(
        self,
        site: Site,
        ledger: Ledger,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = pulse_file(site)
        named = site.settings["metrics.file"]
        self._metrics = site.settings.path("metrics.file") if named else None
        if self._metrics is not None and self._metrics.suffix != SUFFIX:
            raise ConfigurationError(f"metrics.file is '{named}', expected a file {SUFFIX}")
        self._ledger = ledger
        self._say = say
        self._clock = clock
        self._trouble = ""
        self._reached_at = 0.0
        self._written: tuple[float, Beat] | None = None

    def beat(self, beat: Beat) -> None:
        """Take what the agent is at."""
        now = self._clock()
        if beat.reached:
            self._reached_at = now
        if self._written is not None:
            at, last = self._written
            if _same(last, beat) and 0 <= now - at < EVERY_S:
                return
        self._written = now, beat
        said = {"at": now, "reached_at": self._reached_at, **asdict(beat)}
        try:
            overwrite(self._file, json.dumps(said).encode())
            if self._metrics is not None:
                write_at_once(self._metrics, self._text(said).encode(), READABLE)
        except (OSError, ValueError) as error:  # ValueError: a path that no file can have
            what = of_the_system(error) if isinstance(error, OSError) else "check the path"
            trouble = f"no sign of life can be written: {what}"
            if trouble != self._trouble:
                self._say(trouble)
            self._trouble = trouble
        else:
            self._trouble = ""

    def _text(self, said: Mapping[str, Any]) -> str:
        """Return the metrics in the text format of Prometheus."""
        ends = {
            study[:16]: unix_of(approval.until)
            for study, approval in approvals(self._ledger.entries).items()
            if approval.state == "approved" and approval.until
        }
        hindered = Counter(said["hindered"])
        families: dict[str, tuple[str, Mapping[str, float]]] = {
            "info": ("Version that runs.", {f'version="{VERSION}"': 1}),
            "last_beat_timestamp_seconds": ("Last sign of life.", {"": said["at"]}),
            "exchange_reached_timestamp_seconds": (
                "When the exchange answered last; 0 for never.",
                {"": said["reached_at"]},
            ),
            "answering": ("Whether a message is being answered.", {"": bool(said["answering"])}),
            "answered_messages": ("Messages answered since the start.", {"": said["answered"]}),
            "hindered_releases": (
                "Releases that do not go on here, by code.",
                {f'code="{code}"': count for code, count in sorted(hindered.items())},
            ),
            "ledger_entries": ("Entries of the ledger.", {"": len(self._ledger.entries)}),
            "approval_end_timestamp_seconds": (
                "When an approval ends, by the study's hash.",
                {f'study="{study}"': float(end) for study, end in sorted(ends.items())},
            ),
        }
        lines = []
        for name, (words, values) in families.items():
            full = f"quorum_agent_{name}"
            lines += [f"# HELP {full} {words}", f"# TYPE {full} gauge"]
            for labels, value in values.items():
                lines.append(
                    f"{full}{{{labels}}} {value:.17g}" if labels else f"{full} {value:.17g}"
                )
        return "\n".join(lines) + "\n"


def _same(one: Beat, other: Beat) -> bool:
    """Return whether there is no news between two beats."""
    return replace(one, answered=other.answered) == other


def pulse_file(site: Site) -> Path:
    """Return the file with an agent's last sign of life."""
    return site.state / "pulse.json"


def _last(site: Site) -> dict[str, Any] | None:
    """Return the last sign of life of the agent that runs; None if it gave none yet."""
    try:
        said = json.loads(pulse_file(site).read_text(encoding="utf-8"))
        codes = sorted({str(code) for code in said["hindered"]})
        return {**said, "hindered": codes}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def hindrances(site: Site) -> list[str]:
    """Return the codes of what does not go on here, as the running agent told last."""
    said = _last(site) if site.runs() else None
    return [] if said is None else list(said["hindered"])


def health(site: Site, now: float) -> dict[str, str]:
    """Return how the running agent is, line by line; NotReady if there is none, or it is stuck.

    An agent that answers a message is well however long it takes. That the exchange is not
    reached is told, and is no illness of the agent.
    """
    if not site.runs():
        raise NotReady("no agent runs on this state; start it (`site-agent run`)")
    said = _last(site) or {}
    at = said.get("at")
    if not isinstance(at, int | float):
        raise NotReady("the agent runs and has given no sign of life yet")
    ago = max(0.0, now - at)
    if ago > SILENT_S and not said["answering"]:
        raise NotReady(
            f"the agent's last sign of life is {ago:.0f} s old, expected one within {SILENT_S} s; "
            f"start it again, and report what its log says"
        )
    reached = said["reached_at"]
    since = f"answered {max(0.0, now - reached):.0f} s ago" if reached else "not reached yet"
    return {
        "agent": f"answers release {said['answering']}" if said["answering"] else "waits",
        "alive": f"{ago:.0f} s ago",
        "exchange": since,
        "hindered": ", ".join(said["hindered"]) or "nothing",
    }
