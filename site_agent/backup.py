"""Backup of a hospital's agent: its settings, keys, ledger, records and studies, never its vault.

What is in the vault closes what was sent of a release under way. It is erased when the release
ends; a copy of it would keep it open. So a release that is under way does not survive a restore: it
is burned (`lost`), and the next one goes on.

A backup that is older than the last answer of this hospital forgets what was answered. The other
hospitals remember: they refuse (`rewound`) until the newest ledger is back, or a revision pins a
new key of this hospital. So an old backup cannot be used to answer twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from site_agent.contract.errors import ConfigurationError
from site_agent.ledger import Ledger
from site_agent.runtime.backup import Backup, put_back, unpacked, write_backup
from site_agent.site import Site, open_site

AGENT: Final = "agent"
SETTINGS: Final = "agent.toml"
STATE: Final = "state"
LEDGER: Final = "ledger.jsonl"
# The secrets of releases under way, and the locks of processes.
LEFT_OUT: Final = frozenset({"vault", "running", "computing", "rotating"})


def back_up(site: Site, file: Path) -> Backup:
    """Write a backup of an agent, which may run; return what it says of itself.

    ConfigurationError if the file is there; LedgerError if the ledger is damaged: a backup of that
    is of no use.
    """
    # The ledger first: a record is there before the ledger names it, so none is missing then.
    ledger = site.ledger()
    files: dict[str, Path | bytes] = {SETTINGS: site.settings.file}
    if ledger.path.exists():
        files[f"{STATE}/{LEDGER}"] = _whole_lines(ledger)
    for path in sorted(site.state.rglob("*")):
        place = path.relative_to(site.state)
        kept = place.parts[0] not in LEFT_OUT and not path.name.endswith(".part")
        if path.is_file() and kept and str(place) != LEDGER:
            files[f"{STATE}/{place.as_posix()}"] = path
    made, name = site.clock(), site.name
    about = {"entries": len(ledger.entries), "last": _last(ledger)}
    write_backup(file, files, of=AGENT, name=name, made=made, about=about)
    return Backup(AGENT, name, made, "", about, dict.fromkeys(files, ""))


def _whole_lines(ledger: Ledger) -> bytes:
    """Return the ledger as it was verified, without what came since."""
    lines = ledger.path.read_bytes().split(b"\n")
    return b"".join(line + b"\n" for line in lines[: len(ledger.entries)])


def _last(ledger: Ledger) -> str:
    return str(ledger.entries[-1]["at"]) if ledger.entries else ""


def restore(file: Path, config: Path, environment: Mapping[str, str]) -> tuple[Backup, Site]:
    """Put a backup back where there is no agent; `config`: where its settings are to be.

    Return what the backup says of itself, and the agent. ConfigurationError if there are settings
    or a state already, or if the backup is none, one of a center, or damaged.
    """
    if config.exists():
        raise ConfigurationError(
            f"{config} is there already; a backup is put back into a new place only, so that "
            f"nothing newer is lost. Move it and its state away, or name another place (--config)"
        )
    with unpacked(file, AGENT, _aside(config)) as (backup, folder):
        found = open_site(folder / SETTINGS, environment)
        state = config.absolute().parent / Path(found.settings["state.folder"]).expanduser()
        if state.exists() and any(state.iterdir()):
            raise ConfigurationError(
                f"{state} is not empty; a backup is put back into a new place only, so that no "
                f"newer ledger is lost. Move what is there away"
            )
        _verified(folder / STATE / LEDGER, found)
        state.parent.mkdir(parents=True, exist_ok=True)
        (folder / STATE).mkdir(mode=0o700, exist_ok=True)
        put_back(folder / STATE, state)
        (folder / SETTINGS).rename(config)
    return backup, open_site(config, environment)


def _aside(config: Path) -> Path:
    """Return a place that is not there, beside the settings."""
    return config.absolute().with_name(f"{config.name}-and-state")


def _verified(path: Path, site: Site) -> None:
    if path.exists():
        Ledger(path, site.clock)
