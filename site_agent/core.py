"""A site's side of the protocol, without network, clock or randomness of its own.

Bytes in, bytes out: the same code answers in one process and over HTTP. The core replays the
conductor on the totals, works out each question itself, and answers only that one. What it
sends is written down before it is returned; the same message again gets the same bytes. After
a restart the coordinator's messages are given to it again from OPEN on: every step is computed
anew, and what was sent before is taken from the vault.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from site_agent.answering import Answering, RowSource
from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Entropy, Identity
from site_agent.contract.lifecycle import SITE_RELEASE, SITE_ROUND, advance
from site_agent.contract.messages import (
    Burn,
    Close,
    Message,
    Open,
    Readies,
    Ready,
    Receipt,
    Round,
    Share,
    Shares,
)
from site_agent.contract.party import Roster
from site_agent.contract.securesum import masks, transcript
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Ask
from site_agent.contract.version import SOFTWARE
from site_agent.ledger import Ledger
from site_agent.permission import Permission
from site_agent.vault import Vault

SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class SiteData:
    """A hospital's data as read at one moment: a digest of the files, and rows by frame."""

    digest: str
    rows: RowSource


@dataclass(slots=True)
class _Release:
    """The release that is under way."""

    opened: Open
    message: Message
    rows: RowSource
    state: str
    round_state: str = ""
    readies: bytes = b""
    answering: Answering | None = None

    @property
    def name(self) -> str:
        """Return the name under which the vault keeps the release."""
        return release_name(self.opened.study, self.opened.release)

    def under_way(self) -> Answering:
        """Return the answering state; Refused before READIES."""
        if self.answering is None:
            raise Refused("no_keys", "a message of a round before the READY messages of all sites")
        return self.answering


def release_name(study: str, number: int) -> str:
    """Return the name under which a vault keeps a release of the study with this hash."""
    return f"{study[:16]}-{number}"


class SiteCore:
    """One site's core for one frozen study.

    `data()` reads and checks the hospital's tables; `entropy(n)` gives n random bytes. Raises
    Refused("not_in_roster") if the study does not pin this identity's key.
    """

    def __init__(
        self,
        study: Study,
        identity: Identity,
        data: Callable[[], SiteData],
        *,
        ledger: Ledger,
        vault: Vault,
        entropy: Entropy,
    ) -> None:
        self._study = study
        self._identity = identity
        self._data = data
        self._ledger = ledger
        self._vault = vault
        self._entropy = entropy
        self._release: _Release | None = None
        self._roster = _pinned(study, identity)
        self._permission = Permission(study, identity.name, ledger)

    def approve(self) -> None:
        """Write an approval of this study that does not end into the ledger."""
        self._permission.note("approved")

    def revoke(self) -> None:
        """Write the end of the approval into the ledger; from now on nothing is answered."""
        self._permission.note("revoked")

    def is_over(self, number: int) -> bool:
        """Return whether release `number` was closed or burned here."""
        return self._permission.over(number)

    def burn(self, number: int) -> None:
        """Give up release `number` for good: it is never answered again.

        It need not be open: one whose data have changed cannot be opened any more.
        """
        named = {"study": self._study.hash, "release": number}
        begun = self._ledger.find("ready", **named)
        if not begun or self._permission.over(number):
            raise Refused("not_open", f"release {number} has not begun here, or is over")
        roster = {name: begun[-1][name] for name in ("attempt", "roster")}
        state = "answering" if self._ledger.find("share", **named) else "ready"
        advance(SITE_RELEASE, state, "burn")
        self._ledger.append("burned", **named, **roster)
        self._forget(number)

    def receive(self, wire: bytes) -> bytes | None:
        """Answer one message of the coordinator; Refused if it must not be answered.

        A refusal is written into the ledger and leaves what was agreed before as it was.
        """
        handlers: Mapping[str, Callable[[Message], bytes | None]] = {
            Open.TYPE: self._open,
            Readies.TYPE: self._readies,
            Round.TYPE: self._round,
            Shares.TYPE: self._shares,
            Close.TYPE: self._close,
            Burn.TYPE: self._burn,
        }
        try:
            message = messages.read(wire)
            handler = handlers.get(message.kind)
            if handler is None:
                raise Refused("malformed", f"a {message.kind} message is not for a site")
            return handler(message)
        except Refused as refused:
            self._ledger.append_refusal(refused)
            raise

    def _note(self, event: str, release: _Release, **details: Any) -> None:
        opened = release.opened
        self._ledger.append(
            event,
            study=opened.study,
            release=opened.release,
            attempt=opened.attempt,
            roster=list(opened.roster),
            **details,
        )

    def _current(self, open_digest: str) -> _Release:
        if self._release is None or self._release.message.digest() != open_digest:
            raise Refused("not_open", "the message is of a release that is not open here")
        self._permission.refuse_unapproved()
        return self._release

    # OPEN -> READY

    def _open(self, message: Message) -> bytes:
        opened = message.says(Open, self._roster.center)
        self._permission.refuse_open(opened)
        data = self._data()
        state = advance(SITE_RELEASE, "unknown", "open")
        release = _Release(opened, message, data.rows, state)
        kept = self._vault.get(release.name, f"ready-{message.digest()}")
        wire = self._ready(release, data) if kept is None else self._again(release, data, kept)
        if self._release is None or self._release.message.digest() != message.digest():
            self._release = release  # the same OPEN again leaves a release where it was
        return wire

    def _ready(self, release: _Release, data: SiteData) -> bytes:
        salt, secret = self._entropy(SALT_BYTES), self._entropy(masks.KEY_BYTES)
        public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        digest = release.message.digest()
        wire = messages.write(
            self._identity,
            Ready(
                open=digest,
                ephemeral=base64.b64encode(public).decode(),
                snapshot=sha256(salt + data.digest.encode()),
                ledger_head=self._ledger.head,
                ledger_length=len(self._ledger.entries),
                software=SOFTWARE,
            ),
        )
        self._vault.put(release.name, f"secret-{digest}", salt + secret)
        self._note("ready", release, open=digest)
        self._vault.put(release.name, f"ready-{digest}", wire)
        return wire

    def _again(self, release: _Release, data: SiteData, kept: bytes) -> bytes:
        """Return the READY of before, if the data are still those that it stands for."""
        salt, _ = self._secret(release)
        ready = messages.read(kept).says(Ready, self._identity.member())
        if ready.snapshot != sha256(salt + data.digest.encode()):
            raise Refused(
                "data_changed",
                "the data have changed since this release was opened, and a release runs on one "
                "snapshot. Burn this release and open the next one on the data as they are",
            )
        return kept

    def _secret(self, release: _Release) -> tuple[bytes, bytes]:
        """Return the salt and the ephemeral key of a release; Refused("lost") if they are gone."""
        kept = self._vault.get(release.name, f"secret-{release.message.digest()}")
        if kept is None:
            raise Refused("lost", "the ephemeral key of this release is lost; burn the release")
        return kept[:SALT_BYTES], kept[SALT_BYTES:]

    # READIES

    def _readies(self, message: Message) -> None:
        content = message.says(Readies, self._roster.center)
        release = self._current(content.open)
        if release.answering is not None and release.answering.asked >= 0:
            if message.digest() != sha256(release.readies):
                raise Refused("second_readies", "other READY messages than the release began with")
            return
        roster = release.opened.roster
        if len(message.parts) != len(roster):
            raise Refused(
                "missing_ready",
                f"{len(message.parts)} READY messages for a roster of {len(roster)} sites",
            )
        wires = [message.part(index) for index in range(len(roster))]
        own = self._vault.get(release.name, f"ready-{content.open}")
        if wires[roster.index(self._identity.name)] != own:
            raise Refused("swapped_key", "the READY in this site's name is not the one it sent")
        ephemerals = self._ephemerals(roster, wires, content.open)
        start = transcript.opening(release.message.wire, wires)
        secrets = self._pair_secrets(release, ephemerals, start)
        release.state = advance(SITE_RELEASE, release.state, "readies")
        release.readies = message.header + message.signature
        release.answering = Answering(
            self._study, self._identity.name, release.opened, release.rows, secrets, start
        )

    def _ephemerals(
        self, roster: tuple[str, ...], wires: list[bytes], open_digest: str
    ) -> dict[str, bytes]:
        """Return the sites' ephemeral keys, each signed with the key that the study pins."""
        found = {}
        for site, wire in zip(roster, wires, strict=True):
            ready = messages.read(wire).says(Ready, self._roster.sites[site])
            if ready.open != open_digest:
                raise Refused("other_release", f"the READY of '{site}' is of another release")
            try:
                found[site] = base64.b64decode(ready.ephemeral, validate=True)
            except ValueError:
                raise Refused("key", f"the ephemeral key of '{site}' is not base64") from None
        return found

    def _pair_secrets(
        self, release: _Release, ephemerals: Mapping[str, bytes], start: bytes
    ) -> dict[str, bytes]:
        _, secret = self._secret(release)
        own = X25519PrivateKey.from_private_bytes(secret)
        return {
            site: masks.pair_secret(own, ephemeral, start)
            for site, ephemeral in ephemerals.items()
            if site != self._identity.name
        }

    # ROUND -> SHARE

    def _round(self, message: Message) -> bytes:
        content = message.says(Round, self._roster.center)
        release = self._current(content.open)
        answering = release.under_way()
        if content.number <= answering.asked:
            return self._sent(release, content)
        if content.number != answering.asked + 1:
            raise Refused(
                "wrong_round",
                f"round {content.number} after round {answering.asked}; give the ones between",
            )
        totals = message.part(0)
        if content.number > 0:
            answering.take_totals(totals)
            release.round_state = advance(SITE_ROUND, release.round_state, "total")
        arguments = [message.part(index) for index in range(1, len(message.parts))]
        asks, bound = answering.bind(totals, arguments)
        if bound.hex() != content.transcript:
            raise Refused(
                "transcript", f"round {content.number} stands on messages this site has not seen"
            )
        wire = self._answer(release, content, asks, bound)
        answering.answered(asks, bound)
        release.round_state = advance(SITE_ROUND, "asked", "share")
        release.state = advance(SITE_RELEASE, release.state, "share")
        return wire

    def _answer(
        self, release: _Release, content: Round, asks: tuple[Ask, ...], bound: bytes
    ) -> bytes:
        """Return the share of a round; written into vault and ledger before it is returned."""
        before = self._shares_of(release, content.number)
        parts = release.under_way().share(asks, bound, self._roster.center)
        if before:
            return self._sent(release, content)
        wire = messages.write(
            self._identity, Share(content.open, content.number, content.transcript), parts
        )
        self._vault.put(release.name, f"share-{content.number}", wire)
        self._note(
            "share",
            release,
            round=content.number,
            question=content.transcript,
            sums=[{"sum": ask.sum, "frame": ask.frame.document()} for ask in asks],
            bytes=len(wire),
            sha256=sha256(wire),
        )
        return wire

    def _shares_of(self, release: _Release, number: int) -> list[dict[str, Any]]:
        opened = release.opened
        return self._ledger.find("share", study=opened.study, release=opened.release, round=number)

    def _sent(self, release: _Release, content: Round) -> bytes:
        """Return the share that was sent before; another question in its round is refused."""
        if any(
            e["question"] != content.transcript for e in self._shares_of(release, content.number)
        ):
            raise Refused(
                "second_question",
                f"round {content.number} has been answered; a second question in it is refused",
            )
        wire = self._vault.get(release.name, f"share-{content.number}")
        if wire is None:
            raise Refused("lost", "the share of this round is lost; burn the release")
        return wire

    # SHARES

    def _shares(self, message: Message) -> None:
        content = message.says(Shares, self._roster.center)
        release = self._current(content.open)
        answering = release.under_way()
        if content.number < answering.asked:
            return  # of a round whose totals were taken: seen before, and of no effect
        if content.number > answering.asked:
            raise Refused("wrong_round", f"shares of round {content.number}, not {answering.asked}")
        roster = release.opened.roster
        if len(message.parts) != len(roster):
            raise Refused(
                "missing_share", f"{len(message.parts)} shares for a roster of {len(roster)} sites"
            )
        opened = []
        for index, site in enumerate(roster):
            share = messages.read(message.part(index))
            said = share.says(Share, self._roster.sites[site])
            if (said.open, said.number, said.transcript) != (
                *(content.open, content.number),
                answering.bound.hex(),
            ):
                raise Refused("other_question", f"the share of '{site}' answers another question")
            opened.append(share.part(0))
        answering.audit(opened)
        release.round_state = advance(SITE_ROUND, release.round_state, "audit")
        release.state = advance(SITE_RELEASE, release.state, "audit")

    # CLOSE -> RECEIPT

    def _close(self, message: Message) -> bytes:
        content = message.says(Close, self._roster.center)
        self._permission.refuse_unapproved()
        if not self._closed_by(message):
            self._finish(content, message)
        (closed,) = self._closed_by(message)
        self._forget(closed["release"])
        head = self._ledger.head_after(closed["number"])
        return messages.write(self._identity, Receipt(content.open, content.result, head))

    def _closed_by(self, message: Message) -> list[dict[str, Any]]:
        return self._ledger.find("closed", study=self._study.hash, message=message.digest())

    def _finish(self, content: Close, message: Message) -> None:
        """Write down that the release is over, if its last question has been answered."""
        release = self._current(content.open)
        answering = release.under_way()
        if content.rounds == answering.asked + 1:
            answering.take_totals(message.part(0))
        if not answering.conductor.finished or content.rounds != answering.asked + 1:
            raise Refused("not_finished", "the release is to close before its last question")
        outcome = answering.conductor.outcome
        if outcome is None or content.result != outcome.digest():
            raise Refused(
                "other_result",
                "the results that the center closes over are not those that follow from the totals",
            )
        state = advance(SITE_RELEASE, release.state, "close")
        self._note(
            "closed",
            release,
            rounds=content.rounds,
            result=content.result,
            message=message.digest(),
        )
        release.state = state  # not before it is on disk: the same CLOSE comes again if it is full

    # BURN

    def _burn(self, message: Message) -> None:
        """Burn the release that the center gives up; approval is not asked for, keys are erased."""
        content = message.says(Burn, self._roster.center)
        begun = self._ledger.find("ready", study=self._study.hash, open=content.open)
        if begun and not self._permission.over(begun[-1]["release"]):
            self.burn(begun[-1]["release"])

    def _forget(self, number: int) -> None:
        """Erase the keys and shares of a release that is over."""
        self._vault.erase(release_name(self._study.hash, number))
        if self._release is not None and self._release.opened.release == number:
            self._release = None


def _pinned(study: Study, identity: Identity) -> Roster:
    """Return the roster; Refused unless it pins this identity's keys."""
    if study.roster is None:
        raise Refused("not_frozen", "the study has no roster; freeze it before it is run")
    pinned, own = study.roster.sites.get(identity.name), identity.member()
    keys = (own.signing_key, own.encryption_key)
    if pinned is None or (pinned.signing_key, pinned.encryption_key) != keys:
        raise Refused(
            "not_in_roster",
            f"the key of site '{identity.name}' is not in the study's roster of "
            f"{len(study.roster.sites)} sites: the study was frozen without this site, or with "
            f"another key of it. Use the key it enrolled with, or enrol again and freeze anew",
        )
    return study.roster
