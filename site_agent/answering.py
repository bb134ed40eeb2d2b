"""A release under way at one site: which question comes next, and the masked answer to it.

No files, no clock, no randomness: a release that is replayed gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from site_agent.contract.analyses.guard import refuse_exposed
from site_agent.contract.analyses.guard_sums import ENROLLED
from site_agent.contract.conductor import Conductor, entry, sections
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.identity import seal
from site_agent.contract.messages import Message, Open
from site_agent.contract.party import Member
from site_agent.contract.securesum import masks, transcript, vector
from site_agent.contract.securesum.pairing import SPLIT, decrypt, encrypt, holders
from site_agent.contract.securesum.sealing import Sealer
from site_agent.contract.securesum.splitting import HELPERS, halves, numbers_of
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays, Ask
from site_agent.contract.totals import read_totals

RowSource = Callable[[Frame], Rows]


@dataclass(slots=True)
class Answering:
    """One site's state within a release: the replayed conductor and what is bound so far.

    asked: number of the last round that was answered, -1 before the first. log: asks and totals
    of the rounds before it. fuzz: bytes that nobody else knows. common: the sites' secret, if
    this site holds it. given: what it adds for the hospital at the center in this round. taken:
    the totals of `asked` that the conductor was given. own: what this site put into `asked`;
    computed: into the share worked out last, sent or not. earlier: the releases with which
    the guard compares.
    """

    study: Study
    site: str
    opened: Open
    rows: RowSource
    secrets: Mapping[str, bytes]
    bound: bytes
    fuzz: bytes
    earlier: tuple[str, ...] = ()
    common: bytes | None = None
    given: dict[str, list[int]] = field(default_factory=dict)
    conductor: Conductor = field(init=False)
    asked: int = -1
    asks: tuple[Ask, ...] = ()
    own: list[Arrays] = field(default_factory=list)
    computed: list[Arrays] = field(default_factory=list)
    audited: dict[int, Arrays] | None = None
    taken: bytes = b""
    log: list[tuple[tuple[Ask, ...], bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.conductor = Conductor(self.study, self.earlier)

    def take_totals(self, data: bytes) -> None:
        """Take the totals of the round answered last.

        Others may come as long as nothing was answered on them; the next share binds them.
        Totals of open sums must be the ones that this site found by adding up the shares
        itself. After the guard's round the site checks that it is hidden among enough others.
        """
        if self.conductor.number != self.asked or self.conductor.finished:
            if data == self.taken:
                return
            self._go_back()
        if self.audited is None and sections(self.asks)["open"]:
            raise Refused(
                "not_audited",
                f"totals of round {self.asked} before its shares; every hospital adds up the "
                f"signed shares itself before it answers further",
            )
        answers = read_totals(self.asks, data)
        for index, arrays in (self.audited or {}).items():
            for name, found in arrays.items():
                if not np.array_equal(found, answers[index].totals[name]):
                    raise Refused(
                        "false_totals",
                        f"the totals of round {self.asked} are not the sum of the signed shares",
                    )
        for ask, answer, own in zip(self.asks, answers, self.own, strict=True):
            if ask.sum == ENROLLED.name:
                refuse_exposed(self.study, answer.totals, own)
        self.conductor.advance(answers)
        self.taken = data

    def _go_back(self) -> None:
        """Put the conductor back to the round answered last, before any totals of it."""
        self.conductor = Conductor(self.study, self.earlier)
        for asks, totals in self.log:
            self.conductor.advance(read_totals(asks, totals))

    def bind(self, totals: bytes, arguments: Sequence[bytes]) -> tuple[tuple[Ask, ...], bytes]:
        """Return the asks of the next round with their arguments as sent, and T_r."""
        if self.conductor.finished:
            raise Refused("finished", "the study has no further question; the release is to close")
        if len(arguments) != len(self.conductor.asks):
            raise Refused(
                "argument",
                f"arguments for {len(arguments)} asks, {len(self.conductor.asks)} follow from "
                f"the approved study",
            )
        asks = self.conductor.adopt(arguments)
        return asks, transcript.asking(self.bound, self.conductor.number, asks, totals)

    @property
    def _holders(self) -> tuple[str, ...]:
        return holders(self.opened.roster, self.study.at_center)

    @property
    def _helpers(self) -> tuple[str, ...]:
        """Return the two sites that add what the hospital at the center splits, if it is here."""
        return self._holders[:HELPERS] if self.study.at_center in self.opened.roster else ()

    def awaits_split(self, asks: tuple[Ask, ...]) -> bool:
        """Return whether this site must add another's numbers before it can answer."""
        return self.site in self._helpers and any(entry(ask).sealed for ask in asks)

    def take_split(self, asks: tuple[Ask, ...], bound: bytes, share: Message) -> None:
        """Take this site's part of what the hospital at the center has split."""
        at_center = self.study.at_center
        sealed = [ask for ask in asks if entry(ask).sealed]
        counts = [len(self._numbers(ask)) for ask in sealed]
        kept = share.part(2 + self._helpers.index(self.site))
        part = decrypt(self.secrets[at_center], SPLIT + bound, at_center, self.site, kept)
        self.given = {
            ask.identity(): numbers
            for ask, numbers in zip(sealed, numbers_of(part, counts), strict=True)
        }

    def _numbers(self, ask: Ask) -> Sequence[int]:
        return entry(ask).halved(self.rows(ask.frame), ask)

    def _halves(self, asks: tuple[Ask, ...], bound: bytes) -> tuple[bytes, ...]:
        """Return what the hospital at the center adds to its share for two other sites."""
        sealed = [ask for ask in asks if entry(ask).sealed]
        if self.site != self.study.at_center or not sealed:
            return ()
        numbers = [number for ask in sealed for number in self._numbers(ask)]
        return tuple(
            encrypt(self.secrets[helper], SPLIT + bound, self.site, helper, part)
            for helper, part in zip(self._helpers, halves(numbers, self.fuzz, bound), strict=True)
        )

    def _sealer(self, bound: bytes) -> Sealer:
        leader = self.site == self._holders[0]
        return Sealer(self.common, bound, self.fuzz, leader, self.given)

    def share(self, asks: tuple[Ask, ...], bound: bytes, center: Member) -> tuple[bytes, ...]:
        """Return the masked vectors of a round: the open one, and the one sealed to the center."""
        sealer = self._sealer(bound)
        arrays = [entry(ask).share(self.rows(ask.frame), ask, sealer) for ask in asks]
        self.computed = arrays
        parts = {}
        for section, chosen in sections(asks).items():
            if not chosen:
                parts[section] = b""
                continue
            layout = vector.Layout(tuple(entry(asks[i]).lanes(asks[i]) for i in chosen))
            mine = vector.encode(layout, [arrays[i] for i in chosen], len(self.opened.roster))
            masked = masks.masked(mine, self.site, self.secrets, transcript=bound, section=section)
            parts[section] = vector.to_bytes(masked)
        closed = parts["closed"]
        context = transcript.sealing(bound, self.site)
        sealed = seal(center, closed, context) if closed else b""
        return parts["open"], sealed, *self._halves(asks, bound)

    def answered(self, asks: tuple[Ask, ...], bound: bytes) -> None:
        """Note that the round was answered, and that the totals it stands on are settled."""
        if self.asked >= 0:
            self.log.append((self.asks, self.taken))
        self.asks, self.bound, self.own = asks, bound, self.computed
        self.given = {}
        self.asked = self.conductor.number
        self.audited = None

    def audit(self, shares: Sequence[bytes]) -> None:
        """Add up the open vectors of all sites; Refused("check_lane") if they do not fit.

        A round that asks for nothing but reduced sums has no open vector.
        """
        chosen = sections(self.asks)["open"]
        if not chosen:
            self.audited = {}
            return
        layout = vector.Layout(tuple(entry(self.asks[i]).lanes(self.asks[i]) for i in chosen))
        total = vector.total(layout, (vector.from_bytes(layout, share) for share in shares))
        opened = vector.open_total(layout, total, len(self.opened.roster))
        self.audited = dict(zip(chosen, opened, strict=True))
