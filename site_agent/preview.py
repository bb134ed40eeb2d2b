"""What would leave this hospital for a study, number by number, before random numbers hide it.

The study's plan is walked on this machine, round by round, with nobody else. What is asked first
follows from the study alone, and what this hospital would put in is exact. Later questions depend
on the totals of all hospitals, which are not known here: this hospital's own numbers stand for
them. The guard would refuse so few patients; here it asks its questions and forbids nothing.

Nothing is sent, no ledger is written, neither approval nor exchange is needed.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from numpy.typing import NDArray

from site_agent.answering import RowSource
from site_agent.check import checked
from site_agent.contract.analyses.guard import guard
from site_agent.contract.analyses.results import Failure
from site_agent.contract.catalogue import KINDS, SUMS
from site_agent.contract.errors import Refused
from site_agent.contract.lockstep import lockstep
from site_agent.contract.securesum import vector
from site_agent.contract.securesum.sealing import Sealer
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Answer, Arrays, Ask, Sum
from site_agent.contract.totals import read_totals, write_totals
from site_agent.contract.weighted import weighted
from site_agent.memory import Memory
from site_agent.preview_size import share_size
from site_agent.records import FOLDER as RECORDS
from site_agent.records import Records
from site_agent.serving import Serving, of_guard, questions
from site_agent.site import Site
from site_agent.under_way import SiteData

ALONE: Final = Sealer(bytes(32), bytes(32), bytes(32), leader=True)  # blinds only from oneself
NEXT: Final = 0  # the number of a release that has not been: no earlier one has it


@dataclass(frozen=True, slots=True)
class Shown:
    """One sum as this hospital would put it in: what is asked, for what, and all numbers.

    arrays: by name, before blinding and masking. serves: analyses; none for the guard's sums.
    rows: how many rows of this hospital it runs over.
    """

    ask: Ask
    serves: tuple[str, ...]
    rows: int
    arrays: Mapping[str, NDArray[Any]]

    @property
    def entry(self) -> Sum:
        """Return the sum's entry in the catalogue."""
        return SUMS[self.ask.sum]


@dataclass(frozen=True, slots=True)
class Round:
    """One round: its sums, and the length of the message that would leave.

    known: whether its questions follow from the study alone, not from totals.
    """

    number: int
    known: bool
    sums: tuple[Shown, ...]
    bytes: int


@dataclass(frozen=True, slots=True)
class Preview:
    """All rounds as far as this hospital's own numbers lead.

    earlier: names of the releases that this hospital knows and would be compared with.
    refused: what this hospital would refuse to send at the end of them, "" if nothing. ended: why
    analyses end here alone, by analysis or model. unseen: (analysis, sum, rows) that a
    release may ask for and that did not come up here.
    """

    study: Study
    site: str
    earlier: tuple[str, ...]
    folder: str
    digest: str
    rounds: tuple[Round, ...]
    refused: str
    ended: Mapping[str, str]
    unseen: tuple[tuple[str, str, Mapping[str, Any]], ...]


def preview(site: Site, wanted: str) -> Preview:
    """Return what would leave for a study: name or hash of one that was fetched, or a file.

    Raises DataError with every finding if the data do not fit the study.
    """
    found = checked(site, wanted)
    data, earlier = _compared(site, found.study, found.data)
    return previewed(found.study, site.name, data, folder=str(found.folder), earlier=earlier)


def _compared(site: Site, study: Study, data: SiteData) -> tuple[SiteData, tuple[str, ...]]:
    """Return data that know who has changed since earlier releases, and these releases' names."""
    records = Records(site.state / RECORDS, _no_secret)
    memory = Memory(study, site.name, site.ledger(), records, lambda name: str(site.data(name)))
    present = memory.present(data.rows, data.identifiers)
    present.earlier = memory.earlier(NEXT)
    return replace(data, rows=present.rows), present.earlier


def _no_secret(_: int) -> bytes:
    """Make no secret, which would be written down: a comparison needs the one there was."""
    raise Refused(
        "lost",
        "the secret with which earlier releases were recorded is gone, so nobody can tell who has "
        "changed since. Restore the folder 'contributions' beside the ledger from its backup",
    )


def previewed(
    study: Study, site: str, data: SiteData, *, folder: str, earlier: tuple[str, ...] = ()
) -> Preview:
    """Return what would leave `site` for a study, from data that were read for it."""
    walk = Walk(study, site, data.rows, earlier).to_the_end()
    return Preview(
        study=study,
        site=site,
        earlier=earlier,
        folder=folder,
        digest=data.digest,
        rounds=tuple(walk.rounds),
        refused=walk.refused,
        ended=_ended(walk.results),
        unseen=tuple(_unseen(study, walk.rounds)),
    )


@dataclass
class Walk:
    """A study's plan on its way through one hospital's numbers."""

    study: Study
    site: str
    rows: RowSource
    earlier: tuple[str, ...] = ()
    rounds: list[Round] = field(default_factory=list)
    refused: str = ""
    results: Mapping[str, Any] = field(default_factory=dict)

    def to_the_end(self) -> Walk:
        """Go through all rounds, or up to one in which this hospital would send nothing."""
        plan, serving = plan_of(self.study, self.earlier), Serving(self.study)
        answers: tuple[Answer, ...] | None = None
        try:
            while True:
                wanted = next(plan) if answers is None else plan.send(answers)
                asks = tuple({ask.identity(): ask for ask in wanted}.values())
                shown = tuple(self._shown(ask, serving) for ask in asks)
                found = dict(
                    zip((ask.identity() for ask in asks), self._totals(shown), strict=True)
                )
                self._note(shown)
                answers = tuple(found[ask.identity()] for ask in wanted)
        except StopIteration as done:
            self.results = done.value
        except Refused as refused:
            self.refused = str(refused)
        return self

    def _shown(self, ask: Ask, serving: Serving) -> Shown:
        rows = self.rows(ask.frame)
        serves = serving.served(ask.sum, ask.frame.document())
        return Shown(ask, serves, len(rows), SUMS[ask.sum].own(rows, ask))

    def _totals(self, shown: tuple[Shown, ...]) -> list[Answer]:
        """Return this hospital's numbers as totals: encoded, opened and reduced like any others."""
        asks = [one.ask for one in shown]
        arrays = [
            one.entry.share(self.rows(one.ask.frame), one.ask, ALONE)
            if one.entry.sealed
            else one.arrays
            for one in shown
        ]
        layout = vector.Layout(tuple(SUMS[ask.sum].lanes(ask) for ask in asks))
        own = vector.encode(layout, arrays, self._parties)
        totals: list[Arrays] = vector.open_total(layout, own, 1)
        for index, ask in enumerate(asks):
            reduce = SUMS[ask.sum].reduce
            if reduce is not None:
                totals[index] = reduce(totals[index], ask)
        return read_totals(asks, write_totals(asks, totals))

    @property
    def _parties(self) -> int:
        return len(self.study.roster.sites) if self.study.roster is not None else 1

    def _note(self, shown: tuple[Shown, ...]) -> None:
        number = len(self.rounds)
        known = all(of_guard(one.ask.sum) for each in self.rounds for one in each.sums)
        asks = [one.ask for one in shown]
        size = share_size(self.study, self.site, number, asks, self.rows)
        self.rounds.append(Round(number, known, shown, size))


def plan_of(
    study: Study, earlier: tuple[str, ...] = ()
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Mapping[str, Any]]:
    """Return the study's plan with a guard that asks its questions and forbids nothing."""
    policy = replace(
        study.policy, sites=0, patients=0, others=0, changed_patients=0, changed_sites=0
    )
    yield from guard(replace(study, policy=policy), earlier)
    estimators = {
        name: weighted(study, analysis, KINDS[analysis.kind].estimator(study, analysis, {}))
        for name, analysis in study.analyses.items()
    }
    results: Mapping[str, Any] = yield from lockstep(estimators)
    return results


def _ended(results: Mapping[str, Any]) -> dict[str, str]:
    """Return why analyses, or models of a screen, end with this hospital's numbers alone."""
    found: dict[str, str] = {}
    for name, result in results.items():
        parts = getattr(result, "models", {})  # of a screen; others have models of another sort
        named = parts.items() if isinstance(parts, Mapping) else ()
        models = {f"{name}, {model}": outcome for model, outcome in named}
        for place, outcome in {name: result, **models}.items():
            if isinstance(outcome, Failure):
                found[place] = outcome.because
    return found


def _unseen(study: Study, rounds: list[Round]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Return what analyses ask for that did not come up: analysis, sum, frame."""
    seen = {(one.ask.sum, one.ask.frame) for each in rounds for one in each.sums}
    return [
        (name, asked, frame.document())
        for name, asked, frame in questions(study)
        if (asked, frame) not in seen
    ]
