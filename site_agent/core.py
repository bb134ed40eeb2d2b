"""A site's side of the protocol, without network, clock or randomness of its own.

Bytes in, bytes out: the same code answers in one process and over HTTP. The core replays the
conductor on the totals, works out each question itself, and answers only that one. What it
sends is written down before it is returned; the same message again gets the same bytes. After
a restart the coordinator's messages are given to it again from OPEN on: every step is computed
anew, and what was sent before is taken from the vault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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
    Parts,
    Readies,
    Receipt,
    Round,
    Share,
    Shares,
    Split,
)
from site_agent.contract.party import Roster
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Ask
from site_agent.earlier import FIRST
from site_agent.keying import Keying
from site_agent.ledger import Ledger
from site_agent.memory import Memory
from site_agent.permission import Permission
from site_agent.records import FOLDER, Records
from site_agent.under_way import SiteData, UnderWay, release_name
from site_agent.vault import Vault


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
        self._release: UnderWay | None = None
        self._roster = _pinned(study, identity)
        self._permission = Permission(study, identity.name, ledger, folder)
        records = Records(ledger.path.parent / FOLDER, entropy)
        self._memory = Memory(study, identity.name, ledger, records, folder)
        self._keying = Keying(
            study,
            identity,
            self._roster,
            ledger=ledger,
            vault=vault,
            memory=self._memory,
            entropy=entropy,
            note=self._note,
        )

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
        try:
            message = messages.read(wire)
        except Refused as refused:
            self._ledger.append_refusal(refused)
            raise
        return self.take(message)

    def take(self, message: Message) -> bytes | None:
        """Answer a message that was read, as `receive` does."""
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
            handler = handlers.get(message.kind)
            if handler is None:
                raise Refused("malformed", f"a {message.kind} message is not for a site")
            return handler(message)
        except Refused as refused:
            self._ledger.append_refusal(refused)
            raise

    def _note(self, event: str, release: UnderWay, **details: Any) -> None:
        opened = release.opened
        self._ledger.append(
            event,
            study=opened.study,
            release=opened.release,
            attempt=opened.attempt,
            roster=list(opened.roster),
            **details,
        )

    def _current(self, open_digest: str) -> UnderWay:
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
        release = UnderWay(
            opened, message, self._memory.present(data.rows, data.identifiers), state
        )
        kept = self._vault.get(release.name, f"ready-{message.digest()}")
        if kept is None:
            wire = self._keying.ready(release, data)
        else:
            wire = self._keying.again(release, data, kept)
        if self._release is None or self._release.message.digest() != message.digest():
            self._release = release  # the same OPEN again leaves a release where it was
        return wire

    # READIES -> PART, PARTS

    def _readies(self, message: Message) -> bytes | None:
        content = message.says(Readies, self._roster.center)
        return self._keying.readies(message, self._current(content.open))

    def _parts(self, message: Message) -> None:
        content = message.says(Parts, self._roster.center)
        self._keying.parts(message, self._current(content.open))

    # ROUND -> SHARE

    def _round(self, message: Message) -> bytes | None:
        content = message.says(Round, self._roster.center)
        release = self._current(content.open)
        answering = release.keyed()
        if self._keying.holders(release) and release.secret is None:
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
        answering = release.keyed()
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

    def _held(self, release: UnderWay) -> bytes:
        """Return the share of the round that is held, and go on from it."""
        assert release.held is not None
        content, asks, bound = release.held
        answering = release.keyed()
        wire = self._answer(release, content, asks, bound)
        answering.answered(asks, bound)
        release.held = None
        release.round_state = advance(SITE_ROUND, "asked", "share")
        release.state = advance(SITE_RELEASE, release.state, "share")
        return wire

    def _answer(
        self, release: UnderWay, content: Round, asks: tuple[Ask, ...], bound: bytes
    ) -> bytes:
        """Return the share of a round; written into vault and ledger before it is returned."""
        before = self._shares_of(release, content.number)
        self._permission.refuse_unapproved(sent=bool(before))
        if content.number > FIRST:
            self._memory.refuse_overtaken(release.opened.release, release.present)
        parts = release.keyed().share(asks, bound, self._roster.center)
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
        if content.number > FIRST:  # two releases may have come so far, each without the other
            self._memory.refuse_overtaken(release.opened.release, release.present)
        return wire

    def _shares_of(self, release: UnderWay, number: int) -> list[dict[str, Any]]:
        opened = release.opened
        return self._ledger.find("share", study=opened.study, release=opened.release, round=number)

    def _sent(self, release: UnderWay, content: Round) -> bytes:
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
        answering = release.keyed()
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
        answering = release.keyed()
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
