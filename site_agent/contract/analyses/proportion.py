"""The kind `proportion`: which part of the rows has a level, by group and in all, with limits."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from site_agent.contract.analyses.binomial import METHODS, limits, p_value
from site_agent.contract.analyses.group_sums import GROUP_TABLE
from site_agent.contract.analyses.group_tests import table_ask
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.results import Cell, Failure, Tidy
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame
from site_agent.contract.lockstep import by_covariate
from site_agent.contract.rows import levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Ask, Disclosure, Estimator

NUMBERS: Final = ("count", "proportion", "conf_low", "conf_high", "p_value")
CONDITION: Final = ("false", "true")


@dataclass(frozen=True, slots=True)
class Shares:
    """The levels of a variable in one group, "" for all: name, and the numbers of NUMBERS."""

    stratum: str
    rows: int
    levels: tuple[tuple[Cell, ...], ...]

    def document(self) -> dict[str, Any]:
        """Return it as JSON."""
        levels = [dict(zip(("name", *NUMBERS), level, strict=True)) for level in self.levels]
        return {"stratum": self.stratum, "rows": self.rows, "levels": levels}


@dataclass(frozen=True, slots=True)
class Proportions:
    """One variable: its groups, the last one all of them."""

    groups: tuple[Shares, ...]
    patients: int
    left_out: Mapping[str, int]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "rows": self.groups[-1].rows,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "groups": [group.document() for group in self.groups],
        }


@dataclass(frozen=True, slots=True)
class ProportionTable:
    """All variables of an analysis, each counted or with the reason why not."""

    by: str
    conf_level: float
    against: float | None
    models: Mapping[str, Proportions | Failure]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "by": self.by,
            "conf_level": self.conf_level,
            "against": self.against,
            "models": {name: model.document() for name, model in self.models.items()},
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `proportions` and `failed`."""
        rows = tuple(
            (name, group.stratum, group.rows, *level)
            for name, model in self.models.items()
            if isinstance(model, Proportions)
            for group in model.groups
            for level in group.levels
        )
        failed = [(n, m.because) for n, m in self.models.items() if isinstance(m, Failure)]
        return {
            "proportions": Tidy(("variable", "strata", "rows", "level", *NUMBERS), rows),
            "failed": Tidy(("variable", "because"), tuple(failed)),
        }


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    table = context.table(fields)
    if "variables" not in fields.named:
        fields.issue("'variables' is missing: the categories and conditions to count")
    variables = list(dict.fromkeys(context.categories(fields, "variables", table)))
    return {
        "table": table,
        "cohort": context.cohort(fields, table),
        "variables": variables,
        "by": context.category(fields, "by", table),
        "method": fields.choice("method", tuple(METHODS), default="clopper_pearson"),
        "conf_level": fields.proportion("conf_level", default=0.95),
        "against": fields.proportion("against", default=0.0) or None,
    }


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    return ((GROUP_TABLE.disclosure, GROUP_TABLE.gives),)


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    options = analysis.options
    return tuple(
        Frame(
            table=options["table"],
            cohort=options["cohort"],
            by=options["by"],
            covariates=(variable,),
        )
        for variable in options["variables"]
    )


def _scalars(study: Study, analysis: Analysis, frame: Frame) -> int:
    (name,) = frame.covariates
    return len(levels_of(study, frame.table, frame.by)) * len(levels_of(study, frame.table, name))


def _proportion(study: Study, analysis: Analysis, withheld: Withheld) -> Estimator:
    options = analysis.options
    every: dict[str, Proportions | Failure] = yield from by_covariate(
        _frames(study, analysis), withheld, lambda frame: _count(study, frame, options)
    )
    return ProportionTable(options["by"] or "", options["conf_level"], options["against"], every)


def _count(
    study: Study, frame: Frame, options: Options
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Proportions]:
    strata, levels = (levels_of(study, frame.table, of) for of in (frame.by, frame.covariates[0]))
    (answer,) = yield (table_ask(study, frame),)
    table = answer.totals["tables"].sum(axis=0)
    if not table.sum():
        raise AnalysisError(
            "no row has the variable and a group; there is nothing to count. Take another cohort"
        )
    rows = [*zip(strata, table, strict=True), ("", table.sum(axis=0))]
    groups = [_shares(name, levels, counts.tolist(), options) for name, counts in rows]
    return Proportions(
        tuple(groups if frame.by else groups[-1:]),
        int(answer.totals["patients"][0]),
        left_out(answer.totals["left_out"]),
    )


def _shares(stratum: str, levels: tuple[str, ...], counts: list[float], options: Options) -> Shares:
    n = int(sum(counts))
    pairs = zip(levels, map(int, counts), strict=True)
    if not n:
        nothing = (None,) * (len(NUMBERS) - 1)
        return Shares(stratum, 0, tuple((level, 0, *nothing) for level, _ in pairs))
    refuted = levels[0] if levels == CONDITION else ""
    found = tuple(
        (level, x, x / n, *_judged(x, n, options, opposite=level == refuted)) for level, x in pairs
    )
    return Shares(stratum, n, found)


def _judged(x: int, n: int, options: Options, *, opposite: bool) -> tuple[float | None, ...]:
    """Return limits and p-value; that a condition fails is tested against 1 - `against`."""
    method, level, against = options["method"], options["conf_level"], options["against"]
    if against is None:
        return (*limits(method, x, n, level), None)
    against = 1 - against if opposite else against
    return (*limits(method, x, n, level, against), p_value(method, x, n, against))


PROPORTION: Final = Kind(
    "proportion",
    _read,
    _uses,
    _frames,
    _proportion,
    (GROUP_TABLE,),
    by_covariate=True,
    scalars=_scalars,
)
