"""Backup of the coordinating center: its settings, key, studies, results, and the exchange's store.

The store is copied as it is at one moment, whichever database it is in, and may be put back into
another kind. The history of Prefect's runs is left out: nothing depends on it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from coordinator.exchange.copies import copy_store
from coordinator.home import CENTER, Home, open_home
from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.backup import Backup, put_back, unpacked, write_backup
from site_agent.runtime.clock import utc_now

STORE: Final = "exchange-store.db"
SINGLE: Final = ("center.toml", "key")
FOLDERS: Final = ("studies", "results")


def back_up(home: Home, file: Path) -> Backup:
    """Write a backup of the center, which may run; return what it says of itself.

    ConfigurationError if the file is there, or the store's database cannot be used.
    """
    made = utc_now()
    with tempfile.TemporaryDirectory(dir=home.folder, prefix=".backup-") as folder:
        # The store first: a folder of results is there before the store names its draft.
        store = Path(folder) / STORE
        rows = copy_store(home.database, f"sqlite:///{store}")
        files: dict[str, Path | bytes] = {STORE: store}
        files |= {name: home.folder / name for name in SINGLE if (home.folder / name).exists()}
        for name in FOLDERS:
            files |= {
                path.relative_to(home.folder).as_posix(): path
                for path in sorted((home.folder / name).rglob("*"))
                if path.is_file() and not path.name.endswith(".part")
            }
        about = {"rows": rows, "studies": home.studies()}
        return write_backup(file, files, of=CENTER, name=CENTER, made=made, about=about)


def restore(file: Path, folder: Path, environment: Mapping[str, str]) -> tuple[Backup, Home]:
    """Put a backup back into `folder`, the center's home, and into the database of its settings.

    Return what the backup says of itself, and the center. ConfigurationError if the folder or the
    database holds anything, or if the backup is none, one of an agent, or damaged.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(
            f"{folder} is not empty; a backup is put back into a new place only, so that nothing "
            f"newer is lost. Move what is there away, or name another place with --home"
        )
    with unpacked(file, CENTER, folder) as (backup, beside):
        store = beside / STORE
        copy_store(f"sqlite:///{store}", open_home(beside, environment).database)
        for path in beside.glob(f"{STORE}*"):
            path.unlink()
        put_back(beside, folder)
    return backup, open_home(folder, environment)
