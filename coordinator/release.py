"""A release as the coordinating center drives it, without network, clock or randomness.

Messages in, messages out. The log of (asks, arguments, totals) is the checkpoint: a release is
continued by replaying it. What the coordinator sees in the clear is the totals over
all sites, after the masks have cancelled.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from site_agent.contract import messages
from site_agent.contract.analyses.guard_sums import CHANGED
from site_agent.contract.catalogue import seals
from site_agent.contract.conductor import Conductor, Outcome, entry, sections
from site_agent.contract.earlier import check_names, earlier_releases, respects
from site_agent.contract.errors import LifecycleError, Refused
from site_agent.contract.identity import Identity
from site_agent.contract.lifecycle import CENTER_RELEASE, advance
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
from site_agent.contract.party import Member, Roster
from site_agent.contract.securesum import transcript, vector
from site_agent.contract.securesum.pairing import holders
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays, Ask
from site_agent.contract.totals import read_totals, write_totals

OPEN_AND_CLOSED: Final = 2  # parts of a SHARE; what is behind them is split for other sites


@dataclass(frozen=True, slots=True)
class LoggedRound:
    """One round of the log: what was asked with which arguments, and the totals."""

    number: int
    asks: tuple[dict[str, Any], ...]
    arguments: tuple[bytes, ...]
    totals: bytes
    share_digests: tuple[str, ...]
    bytes_received: int


@dataclass(slots=True)
class Release:
    """One release of a frozen study over a roster of its sites."""

    study: Study
    identity: Identity
    number: int
    attempt: int
    sites: tuple[str, ...]
    conductor: Conductor = field(init=False)
    log: list[LoggedRound] = field(default_factory=list)
    state: str = "opening"
    _open: bytes = b""
    _open_digest: str = ""
    _bound: bytes = b""
    _totals: bytes = b""
    _result: str = ""
    _asks: tuple[Ask, ...] = ()
    _readies: dict[str, bytes] = field(default_factory=dict)
    _parts: dict[str, bytes] = field(default_factory=dict)
    _shares: dict[str, Message] = field(default_factory=dict)
    _receipts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.conductor = Conductor(self.study)
        content = Open(self.study.hash, self.number, self.attempt, self.sites)
        self._open = messages.write(self.identity, content)
        self._open_digest = messages.read(self._open).digest()

    @property
    def _roster(self) -> Roster:
        assert self.study.roster is not None
        return self.study.roster

    @property
    def outcome(self) -> Outcome | None:
        """Return the results, once the last round is done."""
        return self.conductor.outcome

    def waiting_for(self) -> list[str]:
        """Return the sites whose message is awaited in the present state."""
        came: dict[str, Container[str]] = {
            "opening": self._readies,
            "parting": self._parts,
            "asking": self._shares,
            "closing": self._receipts,
        }
        expected = self.holders if self.state == "parting" else self.sites
        return [site for site in expected if site not in came.get(self.state, self.sites)]

    @property
    def digest(self) -> str:
        """Return the digest of OPEN, which names the release in all other messages."""
        return self._open_digest

    @property
    def rounds(self) -> int:
        """Return how many rounds are done."""
        return len(self.log)

    def open_message(self) -> bytes:
        """Return OPEN."""
        return self._open

    def _member(self, message: Message) -> Member:
        if message.sender not in self.sites:
            raise Refused("unknown_site", f"a message from '{message.sender}', not in the roster")
        return self._roster.sites[message.sender]

    def take_ready(self, wire: bytes) -> None:
        """Take a site's READY; the last one moves the release on, one that came before nothing."""
        message = messages.read(wire)
        ready = message.says(Ready, self._member(message))
        if ready.open != self._open_digest:
            raise Refused("other_release", f"the READY of '{message.sender}' is of another release")
        if self._readies.get(message.sender, wire) != wire:
            raise Refused("second_ready", f"'{message.sender}' sent two READY messages")
        if message.sender in self._readies:
            return
        check_names(ready.earlier)
        self._readies[message.sender] = wire
        self.state = advance(CENTER_RELEASE, self.state, "ready")
        if not self.waiting_for():
            wires = [self._readies[site] for site in self.sites]
            self._bound = transcript.opening(self._open, wires)
            self.conductor = Conductor(self.study, respects(self.study, self.earlier))
            event = "secret" if self.holders else "all_ready"
            self.state = advance(CENTER_RELEASE, self.state, event)

    def readies_message(self) -> bytes:
        """Return READIES."""
        wires = [self._readies[site] for site in self.sites]
        return messages.write(self.identity, Readies(self._open_digest), wires)

    @property
    def earlier(self) -> tuple[str, ...]:
        """Return the names of the releases with which the guard compares."""
        return earlier_releases(
            messages.read(wire).says(Ready, self._roster.sites[site])
            for site, wire in self._readies.items()
        )

    @property
    def changed(self) -> dict[str, int]:
        """Return how many patients differ from each earlier release, by release and respect.

        Known between the guard's first question and the next one; nothing at other times.
        """
        if self.state != "keyed" or self.rounds != 1:
            return {}
        answers = zip(self._asks, read_totals(self._asks, self._totals), strict=True)
        return {
            name: int(patients)
            for ask, answer in answers
            if ask.sum == CHANGED.name
            for name, patients in zip(ask.fixed["earlier"], answer.totals["patients"], strict=True)
        }

    @property
    def holders(self) -> tuple[str, ...]:
        """Return the sites that share a secret; none if nothing is sealed."""
        return holders(self.sites, self.study.at_center) if seals(self.study) else ()

    def take_part(self, wire: bytes) -> None:
        """Take a site's PART; the last one moves the release on, one that came before nothing."""
        message = messages.read(wire)
        part = message.says(Part, self._member(message))
        if part.open != self._open_digest:
            raise Refused("other_release", f"the PART of '{message.sender}' is of another release")
        if message.sender not in self.holders:
            raise Refused("sender", f"'{message.sender}' has no part of the sites' secret")
        if self._parts.get(message.sender, wire) != wire:
            raise Refused("two_parts", f"'{message.sender}' sent two PART messages")
        if message.sender in self._parts:
            return
        self._parts[message.sender] = wire
        self.state = advance(CENTER_RELEASE, self.state, "part")
        if not self.waiting_for():
            wires = [self._parts[site] for site in self.holders]
            self._bound = transcript.parting(self._bound, wires)
            self.state = advance(CENTER_RELEASE, self.state, "all_parts")

    def parts_message(self) -> bytes:
        """Return PARTS."""
        wires = [self._parts[site] for site in self.holders]
        return messages.write(self.identity, Parts(self._open_digest), wires)

    def split_message(self) -> bytes | None:
        """Return SPLIT, once the hospital at the center has answered a round with sealed sums."""
        share = self._shares.get(self.study.at_center)
        if self.state != "asking" or share is None or len(share.parts) <= OPEN_AND_CLOSED:
            return None
        content = Split(self._open_digest, share.content["number"])
        wire = messages.withhold(share, *range(OPEN_AND_CLOSED))
        return messages.write(self.identity, content, [wire])

    def ask(self, arguments: Sequence[bytes] | None = None) -> bytes:
        """Return ROUND for the conductor's present asks.

        A release that is replayed goes on from the `arguments` of the log: another processor
        may give others in the last bit.
        """
        self.state = advance(CENTER_RELEASE, self.state, "ask")
        self._asks, self._shares = self.conductor.asks, {}
        if arguments is not None:
            self._asks = self.conductor.adopt(arguments)
        number = self.conductor.number
        self._bound = transcript.asking(self._bound, number, self._asks, self._totals)
        content = Round(self._open_digest, number, self._bound.hex())
        parts = [self._totals, *(ask.float_bytes() for ask in self._asks)]
        return messages.write(self.identity, content, parts)

    def take_share(self, wire: bytes) -> None:
        """Take a site's SHARE of the present round; the same one again changes nothing."""
        message = messages.read(wire)
        share = message.says(Share, self._member(message))
        said = (share.open, share.number, share.transcript)
        if said != (self._open_digest, self.conductor.number, self._bound.hex()):
            raise Refused("other_question", f"the share of '{message.sender}' is of another round")
        if self._shares.get(message.sender, message).wire != wire:
            raise Refused("second_share", f"'{message.sender}' sent two shares for one question")
        if message.sender in self._shares:
            return
        self._shares[message.sender] = message
        self.state = advance(CENTER_RELEASE, self.state, "share")

    def shares_message(self) -> bytes:
        """Return SHARES: the open vectors of all sites, for every site to add up."""
        wires = [
            messages.withhold(share, *range(1, len(share.parts)))
            for share in (self._shares[site] for site in self.sites)
        ]
        return messages.write(
            self.identity, Shares(self._open_digest, self.conductor.number), wires
        )

    def total(self, logged: bytes | None = None) -> None:
        """Add up the shares of all sites, reduce, log, and advance the conductor.

        A release that is replayed takes the totals from the log. Raises Refused("check_lane") if
        the masks do not cancel.
        """
        if self.waiting_for():
            raise Refused("missing_share", f"no share yet from {', '.join(self.waiting_for())}")
        self._totals = self._added_up() if logged is None else logged
        self.log.append(self._logged())
        self.state = advance(CENTER_RELEASE, self.state, "total")
        self.conductor.advance(read_totals(self._asks, self._totals))

    def _added_up(self) -> bytes:
        """Return the totals of the round, as they stand in the log."""
        totals = self._opened()
        for index, ask in enumerate(self._asks):
            reduce = entry(ask).reduce
            if reduce is not None:
                totals[index] = reduce(totals[index], ask)
        return write_totals(self._asks, totals)

    def _opened(self) -> list[Arrays]:
        """Return the totals of all asks of the round, as summed, before reductions."""
        totals: list[Arrays] = [{} for _ in self._asks]
        for section, chosen in sections(self._asks).items():
            if not chosen:
                continue
            lanes = tuple(entry(self._asks[i]).lanes(self._asks[i]) for i in chosen)
            layout = vector.Layout(lanes)
            shares = (self._section(section, site) for site in self.sites)
            total = vector.total(layout, (vector.from_bytes(layout, share) for share in shares))
            opened = vector.open_total(layout, total, len(self.sites))
            for index, arrays in zip(chosen, opened, strict=True):
                totals[index] = arrays
        return totals

    def _section(self, section: str, site: str) -> bytes:
        message = self._shares[site]
        if section == "open":
            return message.part(0)
        return self.identity.unseal(message.part(1), transcript.sealing(self._bound, site))

    def _logged(self) -> LoggedRound:
        asks = self._asks
        return LoggedRound(
            number=self.conductor.number,
            asks=tuple(
                {"sum": a.sum, "frame": a.frame.document(), "fixed": dict(a.fixed)} for a in asks
            ),
            arguments=tuple(ask.float_bytes() for ask in asks),
            totals=self._totals,
            share_digests=tuple(self._shares[site].digest() for site in self.sites),
            bytes_received=sum(len(message.wire) for message in self._shares.values()),
        )

    def close(self) -> bytes:
        """Return CLOSE over the results; LifecycleError while rounds are left."""
        if self.outcome is None:
            raise LifecycleError("'close' while rounds are left: expected ask")
        self.state = advance(CENTER_RELEASE, self.state, "close")
        self._result = self.outcome.digest()
        content = Close(self._open_digest, self.conductor.number + 1, self._result)
        return messages.write(self.identity, content, [self._totals])

    def burn(self, code: str = "") -> bytes:
        """Return BURN: the release is given up for good; `code` is that of the refusal, if any."""
        self.state = advance(CENTER_RELEASE, self.state, "burn")
        return messages.write(self.identity, Burn(self._open_digest, code))

    def take_receipt(self, wire: bytes) -> None:
        """Take a site's RECEIPT of this result; the last one closes the release."""
        message = messages.read(wire)
        receipt = message.says(Receipt, self._member(message))
        if (receipt.open, receipt.result) != (self._open_digest, self._result):
            raise Refused("other_result", f"the receipt of '{message.sender}' is of another result")
        if message.sender in self._receipts:
            return
        self._receipts[message.sender] = receipt.ledger_head
        self.state = advance(CENTER_RELEASE, self.state, "receipt")
        if not self.waiting_for():
            self.state = advance(CENTER_RELEASE, self.state, "all_receipts")

    def ledger_heads(self) -> dict[str, str]:
        """Return the head of each site's ledger, as its receipt states it."""
        return dict(sorted(self._receipts.items()))

    def snapshots(self) -> dict[str, str]:
        """Return each site's commitment to its data."""
        found: dict[str, str] = {}
        for site, wire in self._readies.items():
            ready = messages.read(wire).says(Ready, self._roster.sites[site])
            found[site] = ready.snapshot
        return dict(sorted(found.items()))
