"""Drafts at the exchange, and what persons decided of them, as the center's commands see them.

A refresh ends with a draft: the center signs the hashes of all files and leaves them at the
exchange. What stands there is what counts; the folder on this machine is compared with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.drafts import aside, release_folder
from coordinator.home import Home
from coordinator.release import Release
from site_agent.contract import archive
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import ConfigurationError, NotReady
from site_agent.contract.identity import Identity
from site_agent.contract.reports import (
    FILE,
    OF_REPORT,
    REPORTS,
    Statement,
    absent,
    altered,
    hashes,
    read_statement,
)
from site_agent.runtime.clock import utc_of
from site_agent.runtime.files import write_at_once
from site_agent.runtime.http import BINARY, Exchange


@dataclass(frozen=True, slots=True)
class Entry:
    """A finished release: its state and how it became so, and what of its folder is altered.

    study: the hash of the study, of which there may be revisions. decided and at: instants in
    UTC. altered: names of files that are not what the exchange has; None where there is no folder.
    """

    open: str
    study: str
    number: int
    state: str
    at: str
    decided: str
    person: str
    reason: str
    altered: tuple[str, ...] | None


def leave_draft(exchange: Exchange, center: Identity, release: Release, folder: Path) -> None:
    """Sign the files of a finished release and leave them at the exchange, as its draft.

    The same ones again change nothing; a PDF may be added while nobody has decided.
    """
    contents = _signed(_contents(folder), center, release)
    exchange.call("PUT", f"/v1/reports/{release.digest}", archive.pack(contents), BINARY)
    # Only what the exchange took is kept: the folder never says other than it.
    for name in (OF_REPORT, FILE):
        write_at_once(folder / name, contents[name])


def _signed(contents: Mapping[str, bytes], center: Identity, release: Release) -> dict[str, bytes]:
    """Return files with the statements on them: on the report by itself, then on all of them."""
    signed = {name: data for name, data in contents.items() if name not in (FILE, OF_REPORT)}
    report = {name: data for name, data in signed.items() if name in REPORTS}
    signed[OF_REPORT] = _statement(release, report).write(center)
    signed[FILE] = _statement(release, signed).write(center)
    return signed


def _statement(release: Release, contents: Mapping[str, bytes]) -> Statement:
    return Statement(release.study.hash, release.number, release.digest, hashes(contents))


@dataclass(frozen=True, slots=True)
class Left:
    """What the exchange has of a finished release: names of its files, and what was decided."""

    files: frozenset[str]
    state: str

    @property
    def is_draft(self) -> bool:
        """Return whether nobody has decided yet."""
        return self.state == "draft"


def left(exchange: Exchange, study: str, opened: str) -> Left | None:
    """Return what the exchange has of a release, None if its report was not left there."""
    listed = exchange.read("/v1/reports", name=study)["reports"]
    found = (Left(frozenset(one["files"]), one["state"]) for one in listed if one["open"] == opened)
    return next(found, None)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }


def entries(home: Home, name: str) -> list[Entry]:
    """Return the finished releases of a study and of those that it revises, the newest first."""
    home.added(name)
    with home.exchange() as exchange:
        listed = exchange.read("/v1/reports", name=name)["reports"]
    return [_entry(home, found) for found in listed]


def _entry(home: Home, found: dict[str, Any]) -> Entry:
    return Entry(
        open=found["open"],
        study=found["study"],
        number=found["number"],
        state=found["state"],
        at=utc_of(found["at"]),
        decided="" if found["decided"] is None else utc_of(found["decided"]),
        person=found["person"] or "",
        reason=found["reason"] or "",
        altered=_altered(home, found),
    )


def _altered(home: Home, found: dict[str, Any]) -> tuple[str, ...] | None:
    """Return which files of a release's folder are not what the exchange has; None without one."""
    folder = release_folder(_place(home, found), found["number"])
    if not folder.is_dir():
        return None
    contents = _contents(folder)
    said = Statement(found["study"], found["number"], found["open"], found["files"])
    return tuple(sorted([*altered(said, contents), *absent(said, contents)]))


def _place(home: Home, found: dict[str, Any]) -> Path:
    """Return the folder of a study's releases; those of a study that was revised lie apart."""
    out = home.results(found["name"])
    if not home.is_frozen(found["name"]) or home.frozen(found["name"]).hash == found["study"]:
        return out
    return aside(out, found["study"])


def entry(home: Home, name: str, number: int) -> Entry:
    """Return a finished release of the frozen study; NotReady if the exchange has none of it."""
    study = home.frozen(name)
    found = [e for e in entries(home, name) if (e.study, e.number) == (study.hash, number)]
    if not found:
        raise NotReady(
            f"the exchange has no draft of release {number} of {name}; `coordinator results "
            f"{name}` lists what there is, `coordinator refresh {name}` makes and finishes drafts"
        )
    return found[0]


def decide(
    home: Home, found: Entry, *, person: str, password: str, decision: str, reason: str
) -> None:
    """Release or reject a draft in a person's name; Declined if they may not.

    ConfigurationError if its folder was altered: what was looked at is then not what is released.
    """
    refuse_altered(found)
    said = {"person": person, "password": password, "decision": decision, "reason": reason}
    with home.exchange() as exchange:
        exchange.write("POST", f"/v1/reports/{found.open}/decision", said)


def refuse_altered(found: Entry) -> None:
    """Raise ConfigurationError if the folder of a release is not what the exchange has."""
    if found.altered:
        raise ConfigurationError(
            f"in the folder of release {found.number} these files are not what the center signed: "
            f"{', '.join(found.altered)}. The exchange has them as they were: `coordinator results "
            f"STUDY {found.number} --zip FILE` writes them"
        )


def write_zip(home: Home, name: str, found: Entry, path: Path) -> str:
    """Write the files of a release as the exchange has them into an archive; return its hash."""
    with home.exchange() as exchange:
        contents = archive.unpack(exchange.call("GET", f"/v1/reports/{found.open}").body)
    read_statement(contents[FILE], home.identity().member())
    data = archive.pack(contents, f"{name}-release-{found.number}")
    path.write_bytes(data)
    return sha256(data)
