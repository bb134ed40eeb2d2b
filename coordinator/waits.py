"""For whom a release waits, and since when; which reminders were sent.

The exchange knows who is waited for. Since when, and what was sent, stands in a note beside the
study's files: the flow runner looks every few seconds and keeps it. Lost, waiting counts from
the next look on, and a reminder may come twice.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from coordinator.driver import Standing
from coordinator.home import Home
from site_agent.runtime.files import write_at_once

FILE: Final = "waits.json"
FIRST_PAUSE_S: Final = 30.0
LONGEST_PAUSE_S: Final = 3600.0


@dataclass
class Waits:
    """The waiting of one release. Instants in Unix seconds.

    since: by hospital. sent: by reminder. failed: by reminder, how often, and when to try again.
    """

    open: str = ""
    phase: str = ""
    round: int | None = None
    since: dict[str, float] = field(default_factory=dict)
    sent: dict[str, float] = field(default_factory=dict)
    failed: dict[str, tuple[int, float]] = field(default_factory=dict)

    def see(self, standing: Standing, now: float) -> None:
        """Take in where the release is now."""
        if self.open != standing.open:
            self.sent, self.failed = {}, {}
        if (self.open, self.phase, self.round) != (standing.open, standing.phase, standing.round):
            self.since = {}
        began = standing.opened if standing.phase == "opening" else now
        self.open, self.phase, self.round = standing.open, standing.phase, standing.round
        self.since = {site: self.since.get(site, began) for site in standing.waiting}

    def is_due(self, key: str, now: float) -> bool:
        """Return whether a reminder is still to be sent, and not put off."""
        return key not in self.sent and now >= self.failed.get(key, (0, 0.0))[1]

    def note_sent(self, key: str, now: float) -> None:
        """Note that a reminder was sent."""
        self.failed.pop(key, None)
        self.sent[key] = now

    def note_failed(self, key: str, now: float) -> None:
        """Note that a reminder could not be sent, and when it is tried again."""
        attempts = self.failed.get(key, (0, 0.0))[0]
        pause_s = min(FIRST_PAUSE_S * 2.0 ** min(attempts, 20), LONGEST_PAUSE_S)
        self.failed[key] = (attempts + 1, now + pause_s)


def read_waits(home: Home, study: str) -> Waits:
    """Return what is noted of a study; nothing if the note is gone or damaged."""
    try:
        return Waits(**json.loads(_path(home, study).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return Waits()


def keep_waits(home: Home, study: str, waits: Waits) -> None:
    """Write the note, whole or not at all."""
    write_at_once(_path(home, study), json.dumps(asdict(waits)).encode("utf-8"))


def waiting_since(home: Home, study: str, standing: Standing, now: float) -> dict[str, float]:
    """Return since when each hospital is waited for; of one not noted yet, from now on."""
    waits = read_waits(home, study)
    waits.see(standing, now)
    return waits.since


def _path(home: Home, study: str) -> Path:
    return home.study_folder(study) / FILE
