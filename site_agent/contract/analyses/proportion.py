"""The kind `proportion`: which part of the rows has a level, by group and in all, with limits."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from site_agent.contract.analyses.binomial import METHODS
from site_agent.contract.analyses.group_sums import GROUP_TABLE
from site_agent.contract.analyses.group_tests import table_ask
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.results import Failure, Tidy
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame
from site_agent.contract.lockstep import lockstep
from site_agent.contract.rows import levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Ask, Disclosure, Estimator

NUMBERS: Final = ("count", "proportion", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True)
class Shares:
    """The levels of a variable in one group, "" for all: name, and the numbers of NUMBERS."""

    stratum: str
    rows: int
    levels: tuple[tuple[str, int, float | None, float | None, float | None], ...]

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
    models: Mapping[str, Proportions | Failure]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "by": self.by,
            "conf_level": self.conf_level,
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
    frames = {frame.covariates[0]: frame for frame in _frames(study, analysis)}
    asked = {
        name: _count(study, frame, analysis.options)
        for name, frame in frames.items()
        if name not in withheld
    }
    outcomes: dict[str, Proportions | Failure] = yield from lockstep(asked)
    refused = {name: Failure(because) for name, because in withheld.items()}
    every = {name: (outcomes | refused)[name] for name in frames}
    return ProportionTable(analysis.options["by"] or "", analysis.options["conf_level"], every)


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
    n = sum(counts)
    limits = METHODS[options["method"]]
    return Shares(
        stratum,
        int(n),
        tuple(
            (level, int(x), x / n, *limits(x, n, options["conf_level"]))
            if n
            else (level, 0, None, None, None)
            for level, x in zip(levels, counts, strict=True)
        ),
    )


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
