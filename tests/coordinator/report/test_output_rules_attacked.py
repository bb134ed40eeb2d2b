"""No small count follows from what the rules show: linear programs over random studies."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest

from coordinator.report.families import EVENT, REST
from coordinator.report.folder import Document
from coordinator.report.output_rules import Rules, decide
from coordinator.report.suppression import END
from tests.coordinator.report.made import OPTIONS, disclosure
from tests.coordinator.report.patients import (
    Patient,
    by,
    drawn,
    incidence_document,
    survival_document,
    through,
)
from tests.coordinator.report.solver import NONE, Knowledge

LEAST = 5
LAST = 20
AT = (4, 9, 15)
TIMES = (*map(float, range(LAST + 1)), END)
WHOLE = ("", "")
Group = tuple[str, str]


def documents(patients: Sequence[Patient], kinds: Sequence[tuple[str, str]]) -> list[Document]:
    """Return the documents of (kind, group), all of one endpoint."""
    make = {"survival": survival_document, "incidence": incidence_document}
    return [
        Document(f"{kind} {group}", kind, {**OPTIONS[kind], "by": group or None},
                 make[kind](patients, group, AT))
        for kind, group in kinds
    ]  # fmt: skip


def members(patients: Sequence[Patient], group: str) -> dict[Group, list[Patient]]:
    """Return everybody by group, those without one under the level "?"."""
    found = {(group, level): own for level, own in by(patients, group).items()}
    if group:
        found[group, "?"] = [p for p in patients if not p.groups[group]]
    return found


class Reader:
    """A reader of all counts of a report, and of every curve as if it were exact."""

    def __init__(self, patients: Sequence[Patient], groups: Sequence[str]) -> None:
        self.known = Knowledge()
        self.people = {WHOLE: list(patients)}
        for group in filter(None, groups):
            own = members(patients, group)
            self.people |= own
            self._add_up(list(own))
        for group in self.people:
            self._courses(group)
        self.known.is_({("rows", WHOLE): 1}, len(patients))

    def _add_up(self, groups: Sequence[Group]) -> None:
        for name in [("rows",), *(("left", s, t) for s in range(3) for t in TIMES)]:
            terms = {(*name, group): 1.0 for group in groups}
            self.known.is_({**terms, (*name, WHOLE): -1.0}, 0.0)

    def _courses(self, group: Group) -> None:
        for before, after in itertools.pairwise(TIMES):
            for cause in range(3):
                self.known.at_most(("left", cause, before, group), ("left", cause, after, group))
        self.known.is_({**self.leaving(group, (0, 1, 2), END), ("rows", group): -1.0}, 0.0)

    @staticmethod
    def leaving(group: Group, causes: Sequence[int], time: float) -> dict[object, float]:
        return {("left", cause, time, group): 1.0 for cause in causes}

    def count(self, group: Group, causes: Sequence[int], time: float) -> int:
        return sum(through(self.people[group], time, cause) for cause in causes)

    def read(self, document: Document, rules: Rules) -> None:
        """Learn what the rules show of an analysis; percentages of hidden rows tell no count."""
        group = str(document.options["by"] or "")
        own = [g for g in self.people if g[0] == group and g[1] != "?"]
        series = {EVENT: (1,), REST: (0, 2)}
        if document.kind == "incidence":
            series = {EVENT: (1,), REST: (0,), f"{REST} 2": (2,)}
        for one in own if rules.full else []:
            self.known.is_({("rows", one): 1.0}, len(self.people[one]))
            for name, causes in series.items():
                for time in (t for t in TIMES if rules.estimate(name, t)):
                    value = self.count(one, causes, time)
                    self.known.is_(self.leaving(one, causes, time), value)

    def small(self, chance: random.Random, number: int) -> Iterator[dict[object, float]]:
        """Yield small counts: rows, at risk, leaving through a time or between two."""
        found = []
        for group in self.people:
            found.append(({("rows", group): 1.0}, len(self.people[group])))
            for causes in ((0,), (1,), (2,), (0, 2)):
                for a, b in ((0.0, 4.0), (4.0, 9.0), (9.0, 15.0), (0.0, 9.0), (15.0, END)):
                    later, first = self.leaving(group, causes, b), self.leaving(group, causes, a)
                    count = self.count(group, causes, b) - self.count(group, causes, a)
                    found.append(({**later, **{n: -v for n, v in first.items()}}, count))
        small = [terms for terms, count in found if 0 < count < LEAST]
        yield from chance.sample(small, min(number, len(small)))


def narrow(seed: int, kinds: Sequence[tuple[str, str]], *, full: bool = False) -> tuple[int, int]:
    """Return how many small counts were tried, and how many have an interval below LEAST."""
    chance = random.Random(seed)
    patients = drawn(seed, chance.randint(25, 90), last=LAST, groups=chance.choice([2, 3]))
    if chance.random() < 0.4:
        gone = chance.sample(range(len(patients)), chance.choice([2, 8]))
        patients = [Patient(p.day, p.cause, {**p.groups, "arm": ""} if k in gone else p.groups)
                    for k, p in enumerate(patients)]  # fmt: skip
    found = documents(patients, kinds)
    policy = disclosure(cell=0 if full else LEAST)
    rules = decide(found, policy, len(patients))
    reader = Reader(patients, [group for _, group in kinds])
    for document in found:
        reader.read(document, rules[document.name])
    intervals = [reader.known.interval(terms) for terms in reader.small(chance, 12)]
    return len(intervals), sum(high - low < LEAST - NONE for low, high in intervals)


STUDIES = [
    [("survival", "")],
    [("incidence", "")],
    [("survival", "arm")],
    [("incidence", "arm")],
    [("survival", ""), ("survival", "arm")],
    [("incidence", ""), ("incidence", "arm"), ("incidence", "sex")],
    [("survival", ""), ("incidence", "arm")],
    [("incidence", ""), ("survival", "arm"), ("survival", "sex")],
]


@pytest.mark.parametrize("kinds", STUDIES, ids=lambda kinds: ", ".join(map(" ".join, kinds)))
def test_no_small_count_is_narrowed_below_the_limit(kinds: list[tuple[str, str]]) -> None:
    """Whatever is shown of curves by time, total and group, each small count stays undetermined."""
    found = [narrow(seed, kinds) for seed in range(6)]
    assert (sum(tried for tried, _ in found) > 20, sum(few for _, few in found)) == (True, 0)


def test_without_the_rules_most_are_determined() -> None:
    """The solver sees: with everything shown every small count has an interval of nought."""
    tried, narrowed = narrow(0, STUDIES[4], full=True)
    assert (tried, narrowed) == (narrowed, tried)
