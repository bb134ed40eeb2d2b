"""How the last look at a study ended that opened counts only, as `coordinator status` tells of it.

A note beside the study's files and no more: whether a release may go on follows from the exchange's
log and the hospitals' ledgers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from coordinator.home import Home
from site_agent.contract.study.model import Study
from site_agent.runtime.files import write_at_once

FILE: Final = "look.json"
DEFERRED: Final = "deferred"
NOTHING_NEW: Final = "nothing_new"
HOWS: Final = (DEFERRED, NOTHING_NEW)


def note_look(home: Home, study: Study, number: int, how: str, words: str) -> None:
    """Write down how release `number` ended (DEFERRED or NOTHING_NEW), and what to tell of it."""
    said = {"study": study.hash, "release": number, "how": how, "words": words}
    write_at_once(_path(home, study), json.dumps(said).encode("utf-8"))


def look(home: Home, study: Study, number: int) -> dict[str, str]:
    """Return what to tell of release `number`, by how it ended; empty for how it did not."""
    try:
        said = json.loads(_path(home, study).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        said = {}
    this = (said.get("study"), said.get("release")) == (study.hash, number)
    return {how: str(said["words"]) if this and said.get("how") == how else "" for how in HOWS}


def _path(home: Home, study: Study) -> Path:
    return home.study_folder(study.name) / FILE
