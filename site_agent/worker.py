"""The process that computes: it reads data and answers messages, and ends when it is idle.

Before its first message it holds libraries alone: no key, no file of the hospital is open. It
has no network: it gets a message and gives back bytes, or why it does not.
"""

from __future__ import annotations

import errno
import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

from site_agent.contract import messages
from site_agent.contract.errors import ConfigurationError, DataError, LedgerError, Refused
from site_agent.contract.messages import Burn, Close, Open
from site_agent.core import SiteCore
from site_agent.data.source import read_data
from site_agent.ledger import Ledger
from site_agent.pipes import read_frame, write_frame
from site_agent.runtime.command import internal, of_the_system, run
from site_agent.runtime.locks import locked
from site_agent.shelf import Shelf
from site_agent.site import Site, open_site

# How a message was answered, as the header of a frame says it.
REPLY: Final = "reply"
NOTHING: Final = "nothing"
HINDERED: Final = "hindered"
SHORT_OF_MEMORY: Final = (
    "the memory is not enough for the data or a message; make work.memory_mib larger, or 0"
)

Outcome = tuple[dict[str, Any], bytes]


@dataclass
class Worker:
    """The cores of one hospital, one for each study, made when a message first needs them."""

    site: Site
    ledger: Ledger = field(init=False)
    cores: dict[str, SiteCore] = field(default_factory=dict)
    over: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.ledger = self.site.ledger()

    def answer(self, study: str, wire: bytes) -> Outcome:
        """Answer a message: bytes for the exchange, nothing, or a code and words."""
        try:
            reply = self._answer(study, wire)
        except Refused as refused:
            return _hindered(refused.code, str(refused))
        except DataError as error:
            return _hindered("unfit_data", str(error))
        except ConfigurationError as error:
            return _hindered("configuration", str(error))
        except LedgerError as error:
            return _hindered("ledger", str(error))
        except MemoryError:
            return _hindered("memory", SHORT_OF_MEMORY)
        except OSError as error:
            if error.errno == errno.ENOMEM:
                return _hindered("memory", SHORT_OF_MEMORY)
            return _hindered("disk", of_the_system(error))
        except Exception as error:
            return _hindered("internal", internal(error))
        return ({"outcome": NOTHING}, b"") if reply is None else ({"outcome": REPLY}, reply)

    def _answer(self, study: str, wire: bytes) -> bytes | None:
        try:
            message, core = messages.read(wire), self._core(study)
        except Refused as refused:  # before there is a core that writes it down
            self.ledger.append_refusal(refused)
            raise
        release = _of(message)
        if message.kind == Open.TYPE and _is_over(core, message.content):
            self.over.add(message.digest())
        if {message.digest(), release} & self.over and message.kind not in (Close.TYPE, Burn.TYPE):
            return None  # of a release that has ended here; only its end is answered again
        return core.take(message)

    def _core(self, name: str) -> SiteCore:
        if name not in self.cores:
            shelf = Shelf(self.site)
            if name not in shelf.hashes():
                raise Refused(
                    "not_approved",
                    "the study of a release is not here; fetch it with `site-agent studies`, then "
                    "review and approve it",
                )
            study = shelf.study(name)
            folder, site = self.site.data(study.name), self.site
            pinned = study.roster.sites[site.name].attributes if study.roster else {}
            self.cores[name] = SiteCore(
                study,
                site.keys.pinned_by(study),
                lambda: read_data(study, folder, site.name, pinned),
                ledger=self.ledger,
                vault=site.vault(),
                entropy=os.urandom,
                folder=lambda name: str(site.data(name)),
            )
        return self.cores[name]


def _is_over(core: SiteCore, content: Any) -> bool:
    """Return whether an OPEN is of a release that was closed or burned here."""
    number = content.get("release") if isinstance(content, dict) else None
    return isinstance(number, int) and core.is_over(number)


def _of(message: messages.Message) -> str:
    """Return the release that a message says it belongs to; "" if it says nothing."""
    content = message.content
    return str(content.get("open", "")) if isinstance(content, dict) else ""


def _hindered(code: str, text: str) -> Outcome:
    return {"outcome": HINDERED, "code": code, "text": text}, b""


def serve(worker: Worker, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer frames until the other side is gone."""
    while True:
        try:
            header, body = read_frame(requests)
        except EOFError:
            return
        write_frame(answers, *worker.answer(header["study"], body))


def _bound_memory(mebibytes: int) -> None:
    if mebibytes:
        size = mebibytes << 20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def start(file: Path) -> None:
    """Run on this process's pipes; whatever prints goes to stderr."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if not requests.peek(1):
        return  # the agent has ended, and there never was a message
    site = open_site(file, os.environ)
    _bound_memory(site.settings["work.memory_mib"])
    # An orphan of an agent that was killed may still compute: it ends first.
    with locked(site.state / "computing", wait=True):
        try:
            serve(Worker(site), requests, answers)
        except BrokenPipeError:
            return  # the agent has ended; what was computed is on disk
        except (OSError, MemoryError) as error:
            if isinstance(error, MemoryError) or error.errno == errno.ENOMEM:
                raise ConfigurationError(SHORT_OF_MEMORY) from None
            raise


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def worker(file: Path) -> None:
    """Answer the messages of an agent, which FILE sets up, until it ends."""
    start(file)


if __name__ == "__main__":
    sys.exit(run(worker, sys.argv[1:]))
