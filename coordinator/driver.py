"""A release driven over the exchange: post, wait for the hospitals, add up, go on.

The exchange's log is the truth. A driver that begins reads it from the first message and is then
where the release is, whoever drove it before and however that one ended; what it posts again
has the same bytes. Nothing is kept in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from coordinator.release import Release
from coordinator.whose_turn import whose_turn
from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import ConfigurationError, NotReady, Refused
from site_agent.contract.identity import Identity
from site_agent.contract.messages import Burn, Close, Message, Part, Ready, Receipt, Round, Share
from site_agent.contract.roster import smallest_roster
from site_agent.contract.study.fields import nearest
from site_agent.contract.study.model import Study
from site_agent.runtime.http import Exchange, Mail, patiently

POLL_S: Final = 10
ATTEMPTS: Final = 20  # an exchange that was killed is awaited for about a quarter of an hour
Result = TypeVar("Result")
DEFERRED: Final = "deferred"
# Hindrances that waiting does not mend: the release is burned, the next one may go.
DEFINITE: Final = frozenset(
    (
        *("too_few", "exposed", "data_changed", "lost", "overflow", "conflict"),
        *("second_question", "second_roster", "second_readies", "release_over", "other_roster"),
        *("second_parts", "two_parts"),
        *("roster_too_small", "other_result", "rewound", "too_many_releases", DEFERRED),
        *("other_identifiers", "overtaken"),
        "superseded",
    )
)


class Deferred(NotReady):
    """A release that would differ from an earlier one by a few patients; a later one will not."""


class Late(NotReady):
    """Hospitals that were waited for in vain, in a phase of a release."""

    def __init__(self, message: str, sites: Sequence[str]) -> None:
        self.sites = tuple(sites)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Standing:
    """A release as the exchange lists it; instants in Unix seconds."""

    open: str
    number: int
    attempt: int
    state: str
    phase: str
    round: int | None
    roster: tuple[str, ...]
    waiting: tuple[str, ...]
    hindered: dict[str, str]
    opened: int
    parts: tuple[str, ...] = ()

    @property
    def under_way(self) -> bool:
        """Return whether the release is to go on."""
        return self.state == "under_way"


def standings(exchange: Exchange, study: str) -> list[Standing]:
    """Return the releases of a study, newest first."""
    listed = exchange.read("/v1/releases", study=study)["releases"]
    return [
        Standing(
            **{name: found[name] for name in ("open", "number", "attempt", "state", "phase")},
            round=found["round"],
            roster=tuple(found["roster"]),
            waiting=tuple(found["waiting"]),
            hindered={site: said["code"] for site, said in found["standing"].items()},
            opened=int(found["opened"]),
            parts=tuple(found["parts"]),
        )
        for found in listed
    ]


def begin(
    study: Study, identity: Identity, exchange: Exchange, *, without: Sequence[str] = ()
) -> Release:
    """Return the release that is to be driven: the one under way, or the next.

    `without` names hospitals that the release is to go on without; NotReady if others of its
    roster have not approved the study, ConfigurationError if the study has no such hospital.
    """
    refuse_unknown(study, without)
    found = standings(exchange, study.hash)
    last = found[0] if found else None
    if last is not None and last.under_way:
        if not set(without) & set(last.roster):
            return Release(study, identity, last.number, last.attempt, last.roster)
        roster = tuple(site for site in last.roster if site not in without)
        _refuse_small(study, roster)
        return Release(study, identity, last.number, last.attempt + 1, roster)
    assert study.roster is not None
    # A release that got as far as a round may have shares, and hospitals hold to its roster.
    asked = [standing for standing in found if standing.round is not None]
    everybody = asked[0].roster if asked else tuple(sorted(study.roster.sites))
    roster = tuple(site for site in everybody if site not in without)
    _refuse_small(study, roster)
    _refuse_unapproved(study, roster, exchange, fixed=bool(asked))
    return Release(study, identity, last.number + 1 if last else 1, 1, roster)


def refuse_unknown(study: Study, without: Sequence[str]) -> None:
    """Raise ConfigurationError if a hospital that is to be left out is none of the study's."""
    assert study.roster is not None
    known = list(study.roster.sites)
    for site in without:
        if site not in known:
            raise ConfigurationError(
                f"the study {study.name} has no hospital '{site}'{nearest(site, known)}"
            )


def _refuse_small(study: Study, roster: Sequence[str]) -> None:
    fewest = smallest_roster(study)
    if len(roster) < fewest:
        raise Refused(
            "roster_too_small",
            f"{len(roster)} hospitals would take part; this study runs with at least {fewest}",
        )


def _refuse_unapproved(
    study: Study, roster: Sequence[str], exchange: Exchange, *, fixed: bool
) -> None:
    """Raise NotReady if a hospital of the roster has not approved the study.

    fixed: hospitals hold to the roster of an earlier release, and refuse a smaller one.
    """
    assert study.roster is not None
    approved = approvals(exchange, study.hash)
    missing = [site for site in roster if approved.get(site, {}).get("state") != "approved"]
    if not missing:
        return
    smaller = [site for site in roster if site not in missing]
    advice = "Wait for their stewards"
    if not fixed and len(smaller) >= smallest_roster(study):
        left_out = [site for site in sorted(study.roster.sites) if site not in smaller]
        advice += (
            f", or go on without them ({' '.join(f'--without {site}' for site in left_out)}): "
            f"all later releases then have that smaller roster"
        )
    raise NotReady(
        f"{len(smaller)} of {len(roster)} hospitals have approved the study; "
        f"not yet: {', '.join(missing)}. {advice}"
    )


def approvals(exchange: Exchange, study: str) -> dict[str, dict[str, Any]]:
    """Return what the hospitals have said of a study, by their names."""
    listed = exchange.read("/v1/studies")["studies"]
    found: list[dict[str, dict[str, Any]]] = [s["approvals"] for s in listed if s["hash"] == study]
    return found[0] if found else {}


class Driver:
    """Drives one release. `deadline_s`: the longest wait for hospitals in one phase."""

    def __init__(
        self,
        release: Release,
        exchange: Exchange,
        *,
        deadline_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.release = release
        self._exchange = exchange
        self._deadline_s = deadline_s
        self._clock = clock
        self._sleep = sleep
        self._progress = progress
        self._after = 0

    def open(self) -> None:
        """Open the release, or take it up where its log ends."""
        self._post(self.release.open_message())
        while self._fetch(0):
            pass

    def gather(self) -> None:
        """Wait for all READY messages and pass them on."""
        if self.release.state == "opening":
            self._wait_while("opening", "to open it")
        if self.release.state == "parting":
            self._post(self.release.readies_message())
            self._wait_while("parting", "to share a secret")
            self._post(self.release.parts_message())
        elif self.release.state == "keyed" and self.release.rounds == 0:
            self._post(self.release.readies_message())
            if self.release.holders:
                self._post(self.release.parts_message())

    def round(self, number: int) -> dict[str, Any]:
        """Do round `number` if it is not done; return a pointer to it in the log."""
        release = self.release
        if release.rounds == number:
            if release.state == "keyed":
                self._post(self._refusing(release.ask))
            self._progress(f"round {number}: {len(release.conductor.asks)} sums")
            self._wait_while("asking", f"to answer round {number}")
            self._post(release.shares_message())
            self._refusing(release.total)
        done = release.log[number]
        return {
            "release": release.digest,
            "round": number,
            "sums": len(done.asks),
            "bytes": done.bytes_received,
            "totals": sha256(done.totals),
        }

    def close(self) -> None:
        """Close the release over its results and wait for all receipts."""
        if self.release.state == "keyed":
            self._post(self.release.close())
        self._wait_while("closing", "to close it")

    def burn(self, code: str = "") -> None:
        """Give the release up, because of a refusal with this code; hospitals erase its keys."""
        if self.release.state not in ("closed", "burned"):
            self._post(self.release.burn(code))

    def _refusing(self, step: Callable[[], Any]) -> Any:
        """Take a step of the release; if it is refused the release is burned."""
        try:
            return step()
        except Refused as refused:
            self.burn(refused.code)
            if refused.code == DEFERRED:
                raise Deferred(_deferred(self.release.number, str(refused))) from None
            raise

    def _wait_while(self, state: str, what: str) -> None:
        """Take messages until the release is in another state, or complete in this one."""
        until = self._clock() + self._deadline_s
        while self.release.state == state and self.release.waiting_for():
            if self._fetch(POLL_S):
                continue
            self._look(what, late=self._clock() >= until)
        if self.release.state == "burned":
            raise _over(self.release.number, "burned")

    def _patiently(self, action: Callable[..., Result], *arguments: Any) -> Result:
        """Return what `action` gives; an exchange that is being started again is awaited."""
        return patiently(
            lambda: action(*arguments), attempts=ATTEMPTS, sleep=self._sleep, tell=self._progress
        )

    def _post(self, wire: bytes) -> None:
        """Post what answers all before it: none of those is still to be read, and neither is it."""
        self._after = max(self._after, self._patiently(self._exchange.post, wire))

    def _next(self, wait_s: int) -> Mail | None:
        return self._exchange.mail(self._after, wait_s, self.release.digest)

    def _fetch(self, wait_s: int) -> bool:
        """Take the next message of the log; return whether there was one."""
        mail = self._patiently(self._next, wait_s)
        if mail is None:
            return False
        self._after = mail.id
        self._take(messages.read(mail.wire))
        return True

    def _take(self, message: Message) -> None:
        """Take a message of the log: a hospital's, or one that an earlier driver posted."""
        release, taken = self.release, message.wire
        if message.kind == Ready.TYPE:
            release.take_ready(taken)
        elif message.kind == Part.TYPE:
            release.take_part(taken)
        elif message.kind == Share.TYPE:
            release.take_share(taken)
            if message.sender == release.study.at_center:
                self._pass_on_split()
        elif message.kind == Receipt.TYPE:
            release.take_receipt(taken)
        elif message.kind == Round.TYPE:
            self._take_round(message)
        elif message.kind == Close.TYPE and release.state != "closing":
            release.total(message.part(0))
            release.close()
        elif message.kind == Burn.TYPE and release.state != "burned":
            release.burn()

    def _pass_on_split(self) -> None:
        """Pass on what the hospital at the center has split; two others wait for it."""
        split = self.release.split_message()
        if split is not None:
            self._patiently(self._exchange.post, split)  # before it, others may be unread

    def _take_round(self, message: Message) -> None:
        """Take a ROUND of the log: the totals before it as they stand, then its arguments."""
        number = message.content["number"]
        release = self.release
        if release.state == "asking" and release.conductor.number == number:
            return  # this driver asked it
        if number > 0 and release.state == "asking":
            release.total(message.part(0))
        asked = release.ask([message.part(i) for i in range(1, len(message.parts))])
        if asked != message.wire:
            raise Refused(
                "transcript",
                f"round {number} of the log is not what follows from the log before it; the "
                f"exchange's store was altered. Restore it from its backup, or burn the release",
            )

    def _look(self, what: str, *, late: bool) -> None:
        """Raise Refused if a hospital is hindered for good, NotReady if the deadline is over."""
        (found,) = (
            standing
            for standing in self._patiently(standings, self._exchange, self.release.study.hash)
            if standing.open == self.release.digest
        )
        if found.state == "replaced":
            raise _over(found.number, "replaced by another attempt")
        hindered = {site: code for site, code in found.hindered.items() if code}
        definite = {site: code for site, code in hindered.items() if code in DEFINITE}
        if DEFERRED in definite.values():
            self.burn(DEFERRED)
            raise Deferred(_deferred(self.release.number, _until(self.release.study)))
        if definite:
            self.burn("hindered")
            raise Refused("hindered", _burned(self.release.number, definite))
        waiting = self.release.waiting_for()
        words = [f"{site} ({hindered[site]})" if site in hindered else site for site in waiting]
        self._progress(f"waiting for {', '.join(words)} {what}")
        if late:
            next_ = "".join(f". {s}: {whose_turn(hindered[s])}" for s in waiting if s in hindered)
            raise Late(
                f"release {self.release.number} waits for {', '.join(words)} {what}{next_}. It "
                f"stays open; refresh again and it goes on, or give it up with `coordinator burn`",
                waiting,
            )


def _over(number: int, how: str) -> Refused:
    return Refused(
        "release_over",
        f"release {number} was {how} while this refresh was at it; refresh again, and it goes on "
        f"with the release that is under way, or opens the next",
    )


def _deferred(number: int, why: str) -> str:
    return f"release {number}: {why}. It opened these counts only and is burned; refresh again then"


def _until(study: Study) -> str:
    policy = study.policy
    return (
        f"deferred until at least {policy.changed_patients} patients of at least "
        f"{policy.changed_sites} hospitals differ from each earlier release, or none"
    )


def _burned(number: int, definite: dict[str, str]) -> str:
    said = ", ".join(f"{site} ({code})" for site, code in definite.items())
    return (
        f"release {number} was refused by {said}, which waiting does not mend, and is burned. See "
        f"docs/protocol.md for the codes; the hospital's log says what it found. Then refresh again"
    )
