"""The coordinating center on this machine: its settings, key, studies and results.

center.toml             settings (SETTINGS says each); need not be there
key                     the private key, mode 600
exchange.db             the exchange's store, unless exchange.database says another
prefect/                the Prefect server's store and results
studies/<name>/         study.yaml, published.yaml, frozen-<hash>.yaml
results/<name>/         release-<n>/
up.json                 addresses and processes while `coordinator up` runs
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from site_agent.contract.errors import ConfigurationError, NotReady
from site_agent.contract.identity import Identity
from site_agent.contract.study.fields import nearest
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.runtime.http import Connection, Exchange
from site_agent.runtime.keys import ensure_identity
from site_agent.runtime.logs import FORMAT
from site_agent.runtime.settings import Setting, Settings, read_settings

CENTER: Final = "center"
LARGEST_PORT: Final = 65535
PUBLISHED: Final = "published.yaml"
STUDIES_KEPT: Final = 64
SETTINGS: Final = (
    Setting(
        "exchange.listen",
        "text",
        "127.0.0.1:8470",
        "Address and port on which the exchange listens. Behind a proxy that ends TLS, leave it "
        "on this machine.",
    ),
    Setting(
        "exchange.url",
        "url",
        "",
        "Address under which hospitals reach the exchange, as it stands in invitations. Empty: "
        "http:// and exchange.listen.",
    ),
    Setting(
        "exchange.from_here",
        "url",
        "",
        "Address under which this machine reaches the exchange. Empty: http:// and "
        "exchange.listen.",
    ),
    Setting(
        "exchange.database",
        "text",
        "",
        "Store of the exchange: sqlite:///path or postgresql://user:password@host/name. Empty: "
        "exchange.db in this folder.",
        secret=True,
    ),
    Setting("exchange.largest_message_mib", "integer", 256, "Largest message taken, MiB.", least=1),
    Setting(
        "prefect.listen",
        "text",
        "127.0.0.1:4200",
        "Address and port of the Prefect server. It knows no users: keep it on this machine, or "
        "behind a proxy with a login.",
    ),
    Setting(
        "prefect.database",
        "text",
        "",
        "Store of the Prefect server: postgresql+asyncpg://user:password@host/name. Empty: SQLite "
        "in this folder.",
        secret=True,
    ),
    Setting(
        "refresh.deadline_s",
        "number",
        86400.0,
        "How long a refresh waits for hospitals before it ends as not ready, seconds. The release "
        "stays open, and the next refresh goes on with it.",
        least=1,
    ),
    Setting(
        "refresh.timeout_s",
        "number",
        604800.0,
        "Hard limit of one run of a refresh, seconds: what takes longer is stopped. The release "
        "stays open, and the next refresh goes on with it.",
        least=1,
    ),
    Setting(
        "refresh.after_deadline",
        "text",
        "wait",
        "What happens to a release when hospitals have been waited for that long. wait: it stays "
        "open. continue: it goes on without them, if it is the first one of the study and has "
        "asked nothing yet. burn: it is given up.",
    ),
    Setting(
        "reminders.after_s",
        "number",
        14400.0,
        "How long a hospital may keep a release waiting before it is late and reminded, seconds.",
        least=1,
    ),
    Setting(
        "reminders.webhook",
        "url",
        "",
        "Address to which each reminder is posted as JSON. Empty: none is.",
        secret=True,
    ),
    Setting(
        "reminders.smtp",
        "text",
        "",
        "Server and port for e-mail, as mail.example.org:587. Empty: no e-mail is sent.",
    ),
    Setting(
        "reminders.smtp_security",
        "text",
        "starttls",
        "starttls, tls, or none, which is for a server on this machine.",
    ),
    Setting("reminders.smtp_user", "text", "", "User at the server. Empty: without a login."),
    Setting("reminders.smtp_password", "text", "", "Password at the server.", secret=True),
    Setting("reminders.from", "text", "quorum@localhost", "Address that reminders come from."),
    Setting(
        "reminders.recipients",
        "texts",
        {},
        "Addresses of each hospital by its name, with commas between several.",
    ),
    Setting("reminders.copies", "text", "", "Addresses that get all reminders."),
    Setting("invitation.valid_days", "integer", 14, "How long an invitation is good.", least=1),
    FORMAT,
)
HEAD: Final = """\
Settings of the coordinating center. A line that is commented out shows its default.
Each can also be given as a variable: exchange.url is QUORUM_EXCHANGE__URL."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of the coordinating center."""

    folder: Path
    settings: Settings

    def identity(self) -> Identity:
        """Return the center's keys; they are made when they are first needed."""
        return ensure_identity(self.folder / "key", CENTER, os.urandom)

    @property
    def local_url(self) -> str:
        """Return the exchange's address for this machine."""
        return str(self.settings["exchange.from_here"] or f"http://{self.listen}")

    @property
    def public_url(self) -> str:
        """Return the exchange's address for hospitals."""
        return str(self.settings["exchange.url"] or f"http://{self.listen}")

    @property
    def listen(self) -> str:
        """Return address and port of the exchange."""
        return str(self.settings["exchange.listen"])

    @property
    def database(self) -> str:
        """Return the address of the exchange's store."""
        default = f"sqlite:///{(self.folder / 'exchange.db').absolute()}"
        return str(self.settings["exchange.database"] or default)

    @property
    def prefect_url(self) -> str:
        """Return the address of the Prefect server."""
        return f"http://{self.settings['prefect.listen']}"

    def exchange(self) -> Exchange:
        """Return the exchange as the center sees it."""
        return Exchange(Connection(self.local_url), self.identity())

    def study_folder(self, name: str) -> Path:
        """Return the folder of a study's files."""
        return self.folder / "studies" / name

    def results(self, name: str) -> Path:
        """Return the folder of a study's releases."""
        return self.folder / "results" / name

    def published(self, name: str) -> Path | None:
        """Return the file of published numbers of a study, if there is one."""
        path = self.study_folder(name) / PUBLISHED
        return path if path.exists() else None

    def studies(self) -> list[str]:
        """Return the names of the studies that were added."""
        return sorted(path.parent.name for path in self.folder.glob("studies/*/study.yaml"))

    def added(self, name: str) -> Path:
        """Return the study file of a study that was added."""
        path = self.study_folder(name) / "study.yaml"
        if name not in self.studies():
            raise ConfigurationError(
                f"no study '{name}' was added{nearest(name, self.studies())}; add one with "
                f"`coordinator study add FILE`"
            )
        return path

    def frozen(self, name: str) -> Study:
        """Return the frozen study of this name that was published last."""
        self.added(name)
        if not self.is_frozen(name):
            raise NotReady(
                f"the study {name} is not frozen yet; when its hospitals are enrolled: "
                f"`coordinator study freeze {name}`"
            )
        return _study(self.frozen_file(name, self._pointer(name).read_text("utf-8").strip()))

    def revised(self, study: Study) -> Study | None:
        """Return the frozen study that a study takes the place of, if it was frozen here."""
        path = self.frozen_file(study.name, study.revises)
        if not study.revises or not path.exists():
            return None
        return _study(path)

    def is_frozen(self, name: str) -> bool:
        """Return whether a frozen study of this name is in force."""
        return self._pointer(name).exists()

    def _pointer(self, name: str) -> Path:
        """Return the file that holds the hash of the frozen study in force."""
        return self.study_folder(name) / "frozen"

    def frozen_file(self, name: str, study_hash: str) -> Path:
        """Return the place of a frozen study's file."""
        return self.study_folder(name) / f"frozen-{study_hash}.yaml"

    def keep_frozen(self, text: str, study: Study) -> Path:
        """Keep a frozen study, and that it is the one in force; return its file."""
        path = self.frozen_file(study.name, study.hash)
        path.write_text(text, encoding="utf-8")
        pointer = self._pointer(study.name)
        beside = pointer.with_name(".frozen.part")
        beside.write_text(f"{study.hash}\n", encoding="utf-8")
        beside.rename(pointer)
        return path


def open_home(
    folder: Path, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> Home:
    """Return the center in `folder`, which is made if it is not there."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file; expected the folder of the center")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = read_settings(SETTINGS, folder / "center.toml", environment, flags)
    return Home(folder.absolute(), settings)


def host_and_port(text: str, key: str) -> tuple[str, int]:
    """Return the parts of `host:port`; ConfigurationError naming the setting if it is none."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > LARGEST_PORT:
        raise ConfigurationError(f"{key} is '{text}', expected address:port, as 127.0.0.1:8470")
    return host.strip("[]"), int(port)


def _study(path: Path) -> Study:
    return _read(path.read_text(encoding="utf-8"), path.name)


# Whoever waits for a release asks for its study again and again.
_read = lru_cache(STUDIES_KEPT)(read_study)
