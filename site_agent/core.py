"""A site's side of the protocol, without network, clock or randomness of its own.

Bytes in, bytes out: the same code answers in one process and over HTTP. The core replays the
conductor on the totals, works out each question itself, and answers only that one. What it
sends is written down before it is returned; the same message again gets the same bytes. After
a restart the coordinator's messages are given to it again from OPEN on: every step is computed
anew, and what was sent before is taken from the vault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from site_agent.answering import Answering, RowSource
from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.catalogue import seals
from site_agent.contract.earlier import respects
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Entropy, Identity
from site_agent.contract.lifecycle import SITE_RELEASE, SITE_ROUND, advance
from site_agent.contract.messages import (
    Burn,
    Close,
    Message,
    Open,
    Part,
    Parts,
    Readies,
    Ready,
    Receipt,
    Round,
    Share,
    Shares,
    Split,
)
from site_agent.contract.party import Roster
from site_agent.contract.securesum import pairing, transcript
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Ask
from site_agent.contract.version import SOFTWARE
from site_agent.handshake import (
    Offer,
    common_secret,
    pair_secrets,
    read_readies,
    write_part,
)
from site_agent.ledger import Ledger
from site_agent.memory import Memory, Present
from site_agent.permission import Permission
from site_agent.records import FOLDER, Records
from site_agent.vault import Vault


@dataclass(frozen=True, slots=True)
class SiteData:
    """A hospital's data as read at one moment: a digest of the files, and rows by frame.

    identifiers: of the patients, in the order of the numbers that `Rows.patient` holds.
    """

    digest: str
    rows: RowSource
    identifiers: tuple[str, ...] = ()


@dataclass(slots=True)
class _Release:
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

    `data()` reads and checks the hospital's tables; `entropy(n)` gives n random bytes;
    `folder(name)` is where the data of the study of a name lie. Raises Refused("not_in_roster")
    if the study does not pin this identity's key.
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
        folder: Callable[[str], str] = lambda _: "",
    ) -> None:
        self._study = study
        self._identity = identity
        self._data = data
        self._ledger = ledger
        self._vault = vault
        self._entropy = entropy
        self._release: _Release | None = None
        self._roster = _pinned(study, identity)
        self._permission = Permission(study, identity.name, ledger, folder)
        records = Records(ledger.path.parent / FOLDER, entropy)
        self._memory = Memory(study, identity.name, ledger, records, folder)

    def approve(self) -> None:
        """Write an approval of this study that does not end into the ledger."""
        self._permission.note("approved")

    def revoke(self) -> None:
        """Write the end of the approval into the ledger; from now on nothing is answered."""
        self._permission.note("revoked")

    def is_over(self, number: int) -> bool:
        """Return whether release `number` was closed or burned here."""
        return self._permission.over(number)

    def burn(self, number: int, code: str = "") -> None:
        """Give up release `number` for good: it is never answered again; `code` says why.

        It need not be open: one whose data have changed cannot be opened any more.
        """
        named = {"study": self._study.hash, "release": number}
        begun = self._ledger.find("ready", **named)
        if not begun or self._permission.over(number):
            raise Refused("not_open", f"release {number} has not begun here, or is over")
        roster = {name: begun[-1][name] for name in ("attempt", "roster")}
        state = "answering" if self._ledger.find("share", **named) else "ready"
        advance(SITE_RELEASE, state, "burn")
        self._ledger.append("burned", **named, **roster, **self._memory.said_when_burned(code))
        self._memory.forget(number)
        self._forget(number)

    def receive(self, wire: bytes) -> bytes | None:
        """Answer one message of the coordinator; Refused if it must not be answered.

        A refusal is written into the ledger and leaves what was agreed before as it was.
        """
        handlers: Mapping[str, Callable[[Message], bytes | None]] = {
            Open.TYPE: self._open,
            Readies.TYPE: self._readies,
            Parts.TYPE: self._parts,
            Round.TYPE: self._round,
            Split.TYPE: self._split,
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
        self._permission.refuse_unapproved(sent=True)
        return self._release

    # OPEN -> READY

    def _open(self, message: Message) -> bytes:
        opened = message.says(Open, self._roster.center)
        name = release_name(self._study.hash, opened.release)
        sent = self._vault.get(name, f"ready-{message.digest()}") is not None
        self._permission.refuse_open(opened, sent=sent)
        data = self._data()
        state = advance(SITE_RELEASE, "unknown", "open")
        release = _Release(
            opened, message, self._memory.present(data.rows, data.identifiers), state
        )
        kept = self._vault.get(release.name, f"ready-{message.digest()}")
        wire = self._ready(release, data) if kept is None else self._again(release, data, kept)
        if self._release is None or self._release.message.digest() != message.digest():
            self._release = release  # the same OPEN again leaves a release where it was
        return wire

    def _ready(self, release: _Release, data: SiteData) -> bytes:
        offer, digest = Offer.create(self._entropy), release.message.digest()
        others = [self._roster.sites[site] for site in self._others(release)]
        earlier = self._memory.earlier(release.opened.release)
        marks = self._memory.marks(release.opened)
        self._vault.put(release.name, f"secret-{digest}", offer.to_bytes())
        self._note("ready", release, open=digest, **self._memory.said_when_ready())
        wire = messages.write(
            self._identity,
            Ready(
                open=digest,
                ephemeral=offer.public,
                snapshot=offer.snapshot(data.digest),
                ledger_head=self._ledger.head,
                ledger_length=len(self._ledger.entries),
                software=SOFTWARE,
                earlier=earlier,
                witness=marks,
            ),
            pairing.sealed_halves(offer.seed, self._identity.name, others, digest),
        )
        self._vault.put(release.name, f"ready-{digest}", wire)
        return wire

    def _others(self, release: _Release) -> list[str]:
        return [site for site in release.opened.roster if site != self._identity.name]

    def _again(self, release: _Release, data: SiteData, kept: bytes) -> bytes:
        """Return the READY of before, if the data are still those that it stands for."""
        ready = messages.read(kept).says(Ready, self._identity.member())
        if ready.snapshot != self._offer(release).snapshot(data.digest):
            raise Refused(
                "data_changed",
                "the data have changed since this release was opened, and a release runs on one "
                "snapshot. Burn this release and open the next one on the data as they are",
            )
        return kept

    def _offer(self, release: _Release) -> Offer:
        """Return this site's secrets of a release; Refused("lost") if they are gone."""
        kept = self._vault.get(release.name, f"secret-{release.message.digest()}")
        if kept is None:
            raise Refused("lost", "the ephemeral key of this release is lost; burn the release")
        return Offer.from_bytes(kept)

    # READIES -> PART

    def _readies(self, message: Message) -> bytes | None:
        content = message.says(Readies, self._roster.center)
        release = self._current(content.open)
        if release.answering is not None:
            if message.digest() == sha256(release.readies):
                return self._part(release)  # a repeat: what came since stays
            if release.answering.asked >= 0:
                raise Refused("second_readies", "other READY messages than the release began with")
        roster = release.opened.roster
        if len(message.parts) != len(roster):
            raise Refused("missing_ready", _too_few(message, "READY messages", roster))
        wires = _by_site(message, roster)
        own = self._vault.get(release.name, f"ready-{content.open}")
        if wires[self._identity.name] != own:
            raise Refused("swapped_key", "the READY in this site's name is not the one it sent")
        readies = read_readies(self._roster.sites, wires, content.open)
        start = transcript.opening(release.message.wire, list(wires.values()))
        offer = self._offer(release)
        secrets = pair_secrets(self._identity, offer, readies, content.open, start)
        earlier, ledgers = self._memory.witnessed(self._roster.sites, readies)
        if ledgers:
            self._note("witnessed", release, open=content.open, ledgers=ledgers)
        release.present.earlier = earlier
        release.state = advance(SITE_RELEASE, release.state, "readies")
        release.readies = message.header + message.signature
        release.start, release.secret = start, None
        release.answering = Answering(
            self._study,
            self._identity.name,
            release.opened,
            release.present.rows,
            secrets,
            start,
            fuzz=offer.seed,
            earlier=respects(self._study, earlier),
        )
        return self._part(release)

    def _holders(self, release: _Release) -> tuple[str, ...]:
        """Return the sites that share a secret in this release; none if nothing is sealed."""
        if not seals(self._study):
            return ()
        return pairing.holders(release.opened.roster, self._study.at_center)

    def _part(self, release: _Release) -> bytes | None:
        """Return PART, the same bytes for the same READIES; None if this site sends none."""
        sites = self._holders(release)
        if self._identity.name not in sites:
            return None
        secrets = release.under_way().secrets
        others = {site: secrets[site] for site in sites if site != self._identity.name}
        return write_part(
            self._identity, self._offer(release), others, release.message.digest(), release.start
        )

    # PARTS

    def _parts(self, message: Message) -> None:
        content = message.says(Parts, self._roster.center)
        release = self._current(content.open)
        answering, sites = release.under_way(), self._holders(release)
        if not sites:
            raise Refused("malformed", "PARTS of a study in which nothing is sealed")
        if len(message.parts) != len(sites):
            raise Refused("missing_part", _too_few(message, "PART messages", sites))
        wires = _by_site(message, sites)
        bound = transcript.parting(release.start, list(wires.values()))
        if answering.asked >= 0 or release.secret is not None:
            if bound != release.secret:
                raise Refused("second_parts", "other PART messages than the release began with")
            return
        parts = {}
        for site, wire in wires.items():
            parts[site] = messages.read(wire)
            if parts[site].says(Part, self._roster.sites[site]).open != content.open:
                raise Refused("other_release", f"the PART of '{site}' is of another release")
        if self._identity.name in sites:
            if wires[self._identity.name] != self._part(release):
                raise Refused("swapped_key", "the PART in this site's name is not the one it sent")
            answering.common = common_secret(
                self._identity.name,
                self._offer(release),
                answering.secrets,
                parts,
                release.start,
            )
        release.state = advance(SITE_RELEASE, release.state, "parts")
        release.secret = answering.bound = bound

    # ROUND -> SHARE

    def _round(self, message: Message) -> bytes | None:
        content = message.says(Round, self._roster.center)
        release = self._current(content.open)
        answering = release.under_way()
        if self._holders(release) and release.secret is None:
            raise Refused("no_keys", "a round before the PART messages of all sites")
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
        release.held = content, asks, bound
        if answering.awaits_split(asks):
            return None  # of the hospital at the center, whose numbers this site is to add
        return self._held(release)

    # SPLIT -> SHARE

    def _split(self, message: Message) -> bytes | None:
        """Answer the round that was held back until the center's hospital has split its sums."""
        said = message.says(Split, self._roster.center)
        release = self._current(said.open)
        answering = release.under_way()
        if said.number <= answering.asked or not release.held:
            return None
        content, asks, bound = release.held
        if not answering.awaits_split(asks):
            return None  # of two other sites
        share = messages.read(message.part(0))
        given = share.says(Share, self._roster.sites[self._study.at_center])
        if (given.open, given.number, given.transcript) != (
            *(said.open, said.number),
            content.transcript,
        ):
            raise Refused("other_question", "the split is of another question than the round")
        answering.take_split(asks, bound, share)
        return self._held(release)

    def _held(self, release: _Release) -> bytes:
        """Return the share of the round that is held, and go on from it."""
        assert release.held is not None
        content, asks, bound = release.held
        answering = release.under_way()
        wire = self._answer(release, content, asks, bound)
        answering.answered(asks, bound)
        release.held = None
        release.round_state = advance(SITE_ROUND, "asked", "share")
        release.state = advance(SITE_RELEASE, release.state, "share")
        return wire

    def _answer(
        self, release: _Release, content: Round, asks: tuple[Ask, ...], bound: bytes
    ) -> bytes:
        """Return the share of a round; written into vault and ledger before it is returned."""
        before = self._shares_of(release, content.number)
        self._permission.refuse_unapproved(sent=bool(before))
        parts = release.under_way().share(asks, bound, self._roster.center)
        if before:
            return self._sent(release, content)
        self._memory.keep(release.opened.release, release.present)
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
        self._permission.refuse_unapproved(sent=True)
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
            self.burn(begun[-1]["release"], content.code)

    def _forget(self, number: int) -> None:
        """Erase the keys and shares of a release that is over."""
        self._vault.erase(release_name(self._study.hash, number))
        if self._release is not None and self._release.opened.release == number:
            self._release = None


def _too_few(message: Message, what: str, sites: Sequence[str]) -> str:
    return f"{len(message.parts)} {what} for {len(sites)} sites"


def _by_site(message: Message, sites: Sequence[str]) -> dict[str, bytes]:
    """Return the messages of all `sites` that one of the center's holds, in order."""
    return {site: message.part(index) for index, site in enumerate(sites)}


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
