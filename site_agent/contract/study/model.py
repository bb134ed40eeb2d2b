"""The parts of a study, frozen, and its canonical form.

The canonical form is JSON with every default written out and every expression in its one
spelling. Its SHA-256 names the study. Labels and schedule stay outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, Literal

from site_agent.contract import expressions
from site_agent.contract.canonical import digest
from site_agent.contract.expressions import Scope
from site_agent.contract.party import Roster
from site_agent.contract.sums import Disclosure

FORMAT: Final = 1
SITE: Final = "site"

ColumnType = Literal["number", "integer", "boolean", "category", "time"]
EndpointForm = Literal["days", "status"]


@dataclass(frozen=True, slots=True)
class TimeScale:
    """Whole units of time: what a tick is, and the largest time that any patient can have."""

    unit: str
    resolution: Fraction
    horizon: Fraction

    @property
    def ticks(self) -> int:
        """Return the number of grid points, 0 and the horizon included."""
        return int(self.horizon / self.resolution) + 1

    def value(self, tick: int) -> float:
        """Return the time of a tick in units."""
        return float(tick * self.resolution)

    def document(self) -> dict[str, str]:
        """Return the canonical form."""
        return {
            "unit": self.unit,
            "resolution": str(self.resolution),
            "horizon": str(self.horizon),
        }


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the data dictionary."""

    name: str
    type: ColumnType
    unit: str = ""
    low: float | None = None
    high: float | None = None
    resolution: Fraction | None = None
    levels: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)
    reference: str = ""
    missing: bool = False

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "type": self.type,
            "unit": self.unit,
            "range": [self.low, self.high],
            "resolution": None if self.resolution is None else str(self.resolution),
            "levels": list(self.levels),
            "codes": dict(self.codes),
            "reference": self.reference,
            "missing": self.missing,
        }


@dataclass(frozen=True, slots=True)
class Derived:
    """A derived column: one expression, or levels with a condition each."""

    name: str
    expression: expressions.Node | None
    levels: tuple[tuple[str, expressions.Node | None], ...] = ()
    reference: str = ""

    def document(self) -> Any:
        """Return the canonical form."""
        if self.expression is not None:
            return expressions.canonical(self.expression)
        levels = [
            [level, None if node is None else expressions.canonical(node)]
            for level, node in self.levels
        ]
        return {"levels": levels, "reference": self.reference}


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its key, its columns, and the columns derived from them, in order."""

    name: str
    key: tuple[str, ...]
    columns: Mapping[str, Column]
    derived: tuple[Derived, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "key": list(self.key),
            "columns": {name: column.document() for name, column in self.columns.items()},
            "derived": [[derived.name, derived.document()] for derived in self.derived],
        }


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A time to an event: entry, causes and censoring as expressions over one table.

    `form` "days": each cause is a day, the earliest counts, `censored` is the last day seen.
    `form` "status": `time` is the end of the row, each cause a condition.
    """

    name: str
    table: str
    form: EndpointForm
    causes: tuple[tuple[str, expressions.Node], ...]
    entry: expressions.Node | None = None
    origin: expressions.Node | None = None
    censored: expressions.Node | None = None
    time: expressions.Node | None = None
    first_of_ties: tuple[str, ...] = ()

    @property
    def event(self) -> str:
        """Return the name of the event of interest, cause 1."""
        return self.causes[0][0]

    @property
    def cause_names(self) -> tuple[str, ...]:
        """Return the names of all causes, the event of interest first."""
        return tuple(name for name, _ in self.causes)

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        named = {
            "entry": self.entry,
            "origin": self.origin,
            "censored": self.censored,
            "time": self.time,
        }
        return {
            "table": self.table,
            "form": self.form,
            "causes": [[name, expressions.canonical(node)] for name, node in self.causes],
            "first_of_ties": list(self.first_of_ties),
            **{
                key: None if node is None else expressions.canonical(node)
                for key, node in named.items()
            },
        }


@dataclass(frozen=True, slots=True)
class Cohort:
    """A named subset of a table's rows."""

    name: str
    table: str
    where: expressions.Node

    def document(self) -> dict[str, str]:
        """Return the canonical form."""
        return {"table": self.table, "where": expressions.canonical(self.where)}


@dataclass(frozen=True, slots=True)
class Analysis:
    """A named analysis: its kind and its options in canonical form."""

    name: str
    kind: str
    options: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {"kind": self.kind, **self.options}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A named exception from the policy, with the sentence that the stewards sign."""

    analysis: str
    because: str


@dataclass(frozen=True, slots=True)
class EarlierRoster:
    """Hospitals that earlier releases had, and why their difference to these is accepted.

    sites: names, ascending.
    """

    sites: tuple[str, ...]
    because: str


@dataclass(frozen=True, slots=True)
class Policy:
    """What may be computed and what may be shown.

    `development` is the policy of `--policy none`: nothing is protected, all is watermarked.
    """

    classes: tuple[Disclosure, ...]
    sites: int
    patients: int
    others: int
    cell: int
    changed_patients: int
    changed_sites: int
    deaths: int = 5
    carriers: int = 5
    accepted: tuple[Accepted, ...] = ()
    earlier_rosters: tuple[EarlierRoster, ...] = ()
    development: bool = False

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "classes": list(self.classes),
            "compute": {
                "sites": self.sites,
                "patients": self.patients,
                "others": self.others,
                "deaths": self.deaths,
                "carriers": self.carriers,
            },
            "show": {"cell": self.cell},
            "between_releases": {"patients": self.changed_patients, "sites": self.changed_sites},
            "accepted": [[item.analysis, item.because] for item in self.accepted],
            "earlier_rosters": [[list(i.sites), i.because] for i in self.earlier_rosters],
            "development": self.development,
        }


DEVELOPMENT: Final = Policy(
    classes=("A", "B", "V", "C"),
    sites=1,
    patients=1,
    others=0,
    cell=0,
    changed_patients=0,
    changed_sites=0,
    deaths=0,
    carriers=0,
    development=True,
)


@dataclass(frozen=True)
class Study:
    """A validated study; frozen once it has a roster."""

    name: str
    title: str
    synthetic: bool
    time: TimeScale
    site_attributes: Mapping[str, tuple[str, ...]]
    tables: Mapping[str, Table]
    endpoints: Mapping[str, Endpoint]
    cohorts: Mapping[str, Cohort]
    analyses: Mapping[str, Analysis]
    policy: Policy
    scopes: Mapping[str, Scope]
    roster: Roster | None = None
    at_center: str = ""
    revises: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    schedule: str = ""

    @cached_property
    def hash(self) -> str:
        """Return the SHA-256 of the canonical form: the study's name among machines."""
        return digest(self.document())

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "quorum": FORMAT,
            "study": self.name,
            "title": self.title,
            "synthetic": self.synthetic,
            "time": self.time.document(),
            "site_attributes": {
                name: list(levels) for name, levels in self.site_attributes.items()
            },
            "at_center": self.at_center,
            "revises": self.revises,
            # Pairs, not names: the first table is whom the guard counts, and asks follow the
            # order of the analyses.
            "tables": [[name, table.document()] for name, table in self.tables.items()],
            "endpoints": {name: end.document() for name, end in self.endpoints.items()},
            "cohorts": {name: cohort.document() for name, cohort in self.cohorts.items()},
            "analyses": [[name, item.document()] for name, item in self.analyses.items()],
            "disclosure": self.policy.document(),
            "roster": None if self.roster is None else self.roster.document(),
        }

    @property
    def watermark(self) -> str:
        """Return what must stand wherever a number of this study is shown, or nothing."""
        marks = []
        if self.policy.development:
            marks.append("NO DISCLOSURE POLICY: for method development, not for release")
        if self.synthetic:
            marks.append("SYNTHETIC: made-up patients, not results")
        return "; ".join(marks)

    def label(self, name: str) -> str:
        """Return the label to show for a name; the name itself if there is none."""
        return self.labels.get(name, name)
