"""The guides as steps: each command that a person types, and what it prints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tests.docs.pages import FENCE, page, section

IT: Final = page("guides/hospital-it.md")
DATA_MANAGER: Final = page("guides/data-manager.md")
STEWARD: Final = page("guides/steward.md")
INSTALLING: Final = (
    section(IT, "Installing with systemd"),
    section(IT, "From the invitation to a running agent"),
)
APPROVING: Final = tuple(
    section(STEWARD, heading)
    for heading in ("1. Read", "2. See your own numbers", "3. Approve, or not")
)


@dataclass(frozen=True, slots=True)
class Step:
    """One command; what the page shows of its output, or None if it shows nothing."""

    command: str
    shown: str | None


def steps(text: str) -> list[Step]:
    """Return the commands of a page in order; output belongs to the last one before it."""
    found: list[Step] = []
    for language, block in FENCE.findall(text):
        if language == "sh":
            found += [Step(line, None) for line in block.splitlines()]
        elif not language:
            found[-1] = Step(found[-1].command, block)
    return found


def path() -> list[tuple[str, str]]:
    """Return who types what from the export to a running agent, as the guides have it."""
    parts = (("IT", INSTALLING), ("data manager", (DATA_MANAGER,)), ("steward", APPROVING))
    return [
        (who, step.command)
        for who, texts in parts
        for text in texts
        for step in steps(text)
        if step.command != "rm export.csv"  # once all is done
    ]


def without_chance(printed: str) -> str:
    """Return what was printed without what differs from run to run: keys, hashes, instants."""
    for pattern, name in (
        (r"\b[A-Z2-7]{4}(-[A-Z2-7]{4}){4}\b", "FINGERPRINT"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "INSTANT"),
        (r"\b[0-9a-f]{16,64}\b", "HASH"),
        (r"https?://\S+", "ADDRESS"),
    ):
        printed = re.sub(pattern, name, printed)
    return printed
