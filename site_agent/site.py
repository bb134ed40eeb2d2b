"""A hospital's agent as it is set up: its settings, key, ledger, and the files it keeps.

agent.toml      settings (SETTINGS says each)
state/key       the private key, mode 600; rotation.py has what lies beside it for a time
state/center.json       the coordinating center's public keys, from the invitation
state/ledger.jsonl      everything that was answered, refused, approved
state/vault/            ephemeral keys and shares of releases under way
state/studies/<hash>.yaml   frozen studies as they were fetched
state/running           locked by the one agent that runs
state/pulse.json        its last sign of life
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from site_agent.contract.enrolment import read_card
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.identity import Identity
from site_agent.contract.party import Member
from site_agent.ledger import Ledger
from site_agent.rotation import Keys
from site_agent.runtime.clock import utc_now
from site_agent.runtime.locks import is_locked, locked
from site_agent.runtime.logs import FORMAT
from site_agent.runtime.settings import Setting, Settings, read_settings
from site_agent.vault import Vault

if TYPE_CHECKING:  # the process that computes has no network, and does not load what it needs
    from site_agent.runtime.http import Connection, Exchange

SETTINGS: Final = (
    Setting("site.name", "text", "", "Name of this hospital, as on its invitation."),
    Setting(
        "site.attributes",
        "texts",
        {},
        "What is fixed for this hospital and declared in studies, such as its country.",
    ),
    Setting("exchange.url", "url", "", "Address of the exchange of the coordinating center."),
    Setting(
        "exchange.ca_file",
        "path",
        "",
        "Certificates (PEM) to trust beside the system's, for networks whose proxy opens TLS.",
    ),
    Setting(
        "exchange.proxy",
        "text",
        "",
        "Proxy for the way out, http://user:password@host:port. Empty: that of the environment "
        "(HTTPS_PROXY), or none.",
        secret=True,
    ),
    Setting("exchange.timeout_s", "number", 30.0, "Longest wait for an answer, seconds.", least=1),
    Setting(
        "exchange.poll_s",
        "integer",
        25,
        "How long the exchange may hold a request open until there is a message, seconds. "
        "Shorter where a proxy cuts connections.",
        least=1,
    ),
    Setting(
        "exchange.again_s",
        "number",
        900.0,
        "An agent that has nothing to do reads its messages from the first one again after so "
        "many seconds, in case the exchange was set back to an older store.",
        least=1,
    ),
    Setting("data.folder", "path", "data", "Folder with the Parquet files. Only ever read."),
    Setting(
        "data.studies",
        "texts",
        {},
        "Folders of studies whose files are not in data.folder, by the study's name.",
    ),
    Setting("state.folder", "path", "state", "Folder for key, ledger and what is kept."),
    Setting(
        "work.idle_s",
        "number",
        60.0,
        "The process that computes ends after so many seconds without a message, and its memory "
        "is free again.",
        least=1,
    ),
    Setting(
        "work.standby",
        "flag",
        True,
        "Whether a process that computes stands ready between releases, without data: a release "
        "begins sooner, and about 110 MiB stay in use.",
    ),
    Setting(
        "work.memory_mib",
        "integer",
        0,
        "Largest memory of the process that computes, MiB of address space; 0: no limit.",
    ),
    FORMAT,
    Setting(
        "metrics.file",
        "path",
        "",
        "File (.prom) that the running agent writes for the textfile collector of Prometheus' node "
        "exporter. Empty: none.",
    ),
)
HEAD: Final = """\
Settings of a hospital's agent. A line with a setting that is commented out shows its default.
Each can also be given as a variable: exchange.url is QUORUM_EXCHANGE__URL.
Relative paths begin at the folder of this file."""


@dataclass(frozen=True, slots=True)
class Site:
    """One hospital's agent on this machine."""

    settings: Settings
    clock: Callable[[], str] = utc_now

    @property
    def name(self) -> str:
        """Return the hospital's name; ConfigurationError if it is not set."""
        return str(self._set("site.name"))

    def _set(self, key: str) -> Any:
        if not self.settings[key]:
            raise ConfigurationError(
                f"{self.settings.file}: {key} is not set; give it there, or write the file anew "
                f"with `site-agent init INVITATION`"
            )
        return self.settings[key]

    @property
    def state(self) -> Path:
        """Return the folder of what the agent keeps; only its owner may look into it."""
        folder = self.settings.path("state.folder")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    @property
    def attributes(self) -> Mapping[str, str]:
        """Return what is fixed for this hospital."""
        found: Mapping[str, str] = self.settings["site.attributes"]
        return found

    @property
    def keys(self) -> Keys:
        """Return this hospital's keys, old and new."""
        return Keys(self.state, self.name, self.attributes)

    @property
    def key(self) -> Path:
        """Return the place of the private key."""
        return self.keys.path

    def identity(self) -> Identity:
        """Return this hospital's keys."""
        return self.keys.present()

    def ledger(self) -> Ledger:
        """Return the ledger, verified."""
        return Ledger(self.state / "ledger.jsonl", self.clock)

    def vault(self) -> Vault:
        """Return the vault."""
        return Vault(self.state / "vault")

    def center(self) -> Member:
        """Return the coordinating center's public half, as the invitation gave it."""
        path = self.state / "center.json"
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise ConfigurationError(
                f"{path} is missing or damaged; write it anew with `site-agent init INVITATION`"
            ) from None
        return read_card(document, path.name)

    def connection(self) -> Connection:
        """Return how to reach the exchange."""
        from site_agent.runtime.http import Connection

        settings = self.settings
        ca_file = settings.path("exchange.ca_file") if settings["exchange.ca_file"] else None
        proxy, timeout_s = settings["exchange.proxy"], settings["exchange.timeout_s"]
        return Connection(self._set("exchange.url"), ca_file, proxy, timeout_s)

    def exchange(self) -> Exchange:
        """Return the exchange as this hospital sees it."""
        from site_agent.runtime.http import Exchange

        return Exchange(self.connection(), self.identity())

    def data(self, study: str) -> Path:
        """Return the folder with the Parquet files for the study of this name."""
        folders: Mapping[str, str] = self.settings["data.studies"]
        if study in folders:
            return (self.settings.file.parent / folders[study]).absolute()
        return self.settings.path("data.folder")

    def running(self) -> AbstractContextManager[int]:
        """Be the one agent that runs on this state; ConfigurationError if another one does."""

        def taken() -> ConfigurationError:
            return ConfigurationError(
                f"an agent is running already on {self.state}; stop it first (two agents of "
                f"one hospital would answer twice)"
            )

        return locked(self.state / "running", taken=taken)

    def runs(self) -> bool:
        """Return whether an agent runs on this state."""
        return is_locked(self.state / "running")


def open_site(
    file: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> Site:
    """Return the agent that `file` sets up; ConfigurationError if there is no such file."""
    if not file.exists():
        raise ConfigurationError(
            f"there are no settings at {file}; write them with `site-agent init INVITATION`, or "
            f"say with --config where they are"
        )
    return Site(read_settings(SETTINGS, file, environment, flags))
