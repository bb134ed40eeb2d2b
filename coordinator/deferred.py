"""The last release of a study that was deferred, as `coordinator status` tells of it.

A note beside the study's files and no more: whether a release may go on follows from the exchange's
log and the hospitals' ledgers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from coordinator.home import Home
from site_agent.contract.study.model import Study

FILE: Final = "deferred.json"


def note_deferred(home: Home, study: Study, number: int, why: str) -> None:
    """Write down why release `number` was deferred, and until when."""
    said = {"study": study.hash, "release": number, "why": why}
    path = _path(home, study)
    beside = path.with_name(f".{FILE}.part")
    beside.write_text(json.dumps(said), encoding="utf-8")
    beside.rename(path)


def deferred(home: Home, study: Study, number: int) -> str:
    """Return why release `number` was deferred; the empty text if it was not."""
    try:
        said = json.loads(_path(home, study).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return ""
    if (said.get("study"), said.get("release")) != (study.hash, number):
        return ""
    return str(said.get("why", ""))


def _path(home: Home, study: Study) -> Path:
    return home.study_folder(study.name) / FILE
