"""Backup of a hospital's agent: its settings, keys, ledger, records and studies, never its vault.

What is in the vault closes what was sent of a release under way. It is erased when the release
ends; a copy of it would keep it open. So a release that is under way does not survive a restore: it
is burned (`lost`), and the next one goes on.

A backup that is older than the last answer of this hospital forgets what was answered. Under the
same keys the other hospitals remember, and refuse (`rewound`) until the newest ledger is back.
Under new keys they cannot. So the ledger says that it was restored, and under which keys, and the
agent then refuses (`lost`) whatever it would be compared with and does not know the end of. All
approvals end: one that was revoked since does not come back, and the steward approves again.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from site_agent.approvals import approvals
from site_agent.contract.errors import ConfigurationError
from site_agent.earlier import RESTORED
from site_agent.ledger import Ledger
from site_agent.rotation import Keys
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
    about = {"entries": len(ledger.entries), "last": _last(ledger)}
    return write_backup(file, files, of=AGENT, name=site.name, made=site.clock(), about=about)


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
    with unpacked(file, AGENT, config.absolute().parent) as (backup, folder):
        found = open_site(folder / SETTINGS, environment)
        state = config.absolute().parent / Path(found.settings["state.folder"]).expanduser()
        if state.exists() and any(state.iterdir()):
            raise ConfigurationError(
                f"{state} is not empty; a backup is put back into a new place only, so that no "
                f"newer ledger is lost. Move what is there away"
            )
        (folder / STATE).mkdir(mode=0o700, exist_ok=True)
        _note_restored(found, folder / STATE, backup)
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_back(folder / STATE, state)
        shutil.move(folder / SETTINGS, config)
    return backup, open_site(config, environment)


def _note_restored(site: Site, state: Path, backup: Backup) -> None:
    """Write into a ledger that it was restored, and end all approvals; LedgerError if damaged."""
    ledger = Ledger(state / LEDGER, site.clock)
    own = Keys(state, backup.name, {})
    keys = [own.present(), *filter(None, [own.next()])] if own.path.exists() else []
    note_restored(ledger, backup.made, [identity.member().signing_key for identity in keys])


def note_restored(ledger: Ledger, made: str, keys: Sequence[str]) -> None:
    """Write into a ledger that it was restored from a backup with these signing keys."""
    for study, approval in approvals(ledger.entries).items():
        if approval.state == "approved":
            ledger.append("revoked", study=study)
    ledger.append(RESTORED, made=made, keys=list(keys))
