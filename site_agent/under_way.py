"""A release that is under way at one site, and the data that it runs on."""

from __future__ import annotations

from dataclasses import dataclass

from site_agent.answering import Answering, RowSource
from site_agent.contract.errors import Refused
from site_agent.contract.messages import Message, Open, Round
from site_agent.contract.sums import Ask
from site_agent.memory import Present


@dataclass(frozen=True, slots=True)
class SiteData:
    """A hospital's data as read at one moment: a digest of the files, and rows by frame.

    identifiers: of the patients, in the order of the numbers that `Rows.patient` holds.
    """

    digest: str
    rows: RowSource
    identifiers: tuple[str, ...] = ()


@dataclass(slots=True)
class UnderWay:
    """The release that is under way."""

    opened: Open
    message: Message
    present: Present
    state: str
    round_state: str = ""
    readies: bytes = b""
    start: bytes = b""
    secret: bytes | None = None
    held: tuple[Round, tuple[Ask, ...], bytes] | None = None
    answering: Answering | None = None

    @property
    def name(self) -> str:
        """Return the name under which the vault keeps the release."""
        return release_name(self.opened.study, self.opened.release)

    def keyed(self) -> Answering:
        """Return the answering state; Refused before READIES."""
        if self.answering is None:
            raise Refused("no_keys", "a message of a round before the READY messages of all sites")
        return self.answering


def release_name(study: str, number: int) -> str:
    """Return the name under which a vault keeps a release of the study with this hash."""
    return f"{study[:16]}-{number}"
