"""The files of deploy/, read for what they say."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
SIDES: Final = ("hospital", "center")
UNITS: Final = {
    "hospital": DEPLOY / "hospital" / "quorum-agent.service",
    "center": DEPLOY / "center" / "quorum-center.service",
}


def compose(side: str) -> dict[str, Any]:
    """Return a compose file, anchors resolved, variables not."""
    text = (DEPLOY / side / "compose.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def instructions(side: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, lines joined: name and arguments."""
    text = (DEPLOY / side / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line.strip()]
    return [(name, rest) for name, rest in pairs]


def copied(side: str) -> Iterator[str]:
    """Yield what a Dockerfile copies from the repository."""
    for name, rest in instructions(side):
        if name == "COPY" and not rest.startswith("--from="):
            yield from shlex.split(rest)[:-1]


def entry(side: str) -> list[str]:
    """Return the entry point of a Dockerfile."""
    (found,) = [json.loads(rest) for name, rest in instructions(side) if name == "ENTRYPOINT"]
    return list(found)


def command(side: str, service: str) -> list[str]:
    """Return what a service of a compose file runs."""
    said = compose(side)["services"][service]
    return [*said.get("entrypoint", entry(side)), *said["command"]]


def unit(side: str) -> dict[str, list[str]]:
    """Return the values of a systemd unit, by key; a key may have several."""
    found: dict[str, list[str]] = {}
    for line in UNITS[side].read_text(encoding="utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def shown(side: str, program: str) -> list[str]:
    """Return the lines of a compose file's head that call a command of ours in a container."""
    text = (DEPLOY / side / "compose.yaml").read_text(encoding="utf-8")
    return re.findall(rf"docker compose run --rm {program} (.+)", text)
