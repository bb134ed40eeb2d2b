"""What a kind of analysis brings along, and how its options are read from the study file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from site_agent.contract import expressions
from site_agent.contract.analyses.explained import circular, explained_by
from site_agent.contract.expressions import ExpressionError, Scope, Type
from site_agent.contract.frames import Frame
from site_agent.contract.study.document import Node
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import (
    SITE,
    Analysis,
    Cohort,
    Endpoint,
    Study,
    Table,
    TimeScale,
)
from site_agent.contract.sums import Disclosure, Estimator, Sum

SNAP: Final = 1e-8
ONE: Final = Fraction(1)


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a study that its analyses may name; weightings: analyses of that kind."""

    time: TimeScale
    endpoints: Mapping[str, Endpoint]
    cohorts: Mapping[str, Cohort]
    scopes: Mapping[str, Scope]
    weightings: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)

    def endpoint(self, fields: Fields) -> Endpoint | None:
        """Read the required field `endpoint`."""
        node = fields.node_of("endpoint", required=True)
        if node is None:
            return None
        if isinstance(node.value, str) and node.value in self.endpoints:
            return self.endpoints[node.value]
        hint = nearest(str(node.value), list(self.endpoints))
        fields.issue(f"found {node.kind()}, expected the name of an endpoint{hint}", node)
        return None

    def rows(self, fields: Fields) -> tuple[dict[str, Any], str]:
        """Read which rows an analysis runs over: `endpoint`, `cohort`, `grid`; and their table."""
        endpoint = self.endpoint(fields)
        table = endpoint.table if endpoint else next(iter(self.scopes))
        name = endpoint.name if endpoint else ""
        cohort, grid = self.cohort(fields, table), self.grid(fields)
        return {"endpoint": name, "cohort": cohort, "grid": grid}, table

    def grid(self, fields: Fields) -> list[float]:
        """Read the optional `grid`: ascending times, to which the rows' times are moved."""
        grid = fields.numbers("grid", least=0)
        if any(later <= earlier for earlier, later in pairwise(grid)):
            fields.issue("grid: expected ascending times, none twice", fields.named["grid"])
            return []
        wrong = [time for time in grid if not self._on_scale(time)]
        if wrong:
            fields.issue(
                f"grid: {wrong[0]:g} is no time of the study; expected multiples of "
                f"{self.time.resolution} {self.time.unit} above 0, up to the horizon",
                fields.named["grid"],
            )
            return []
        return grid

    def times(self, fields: Fields, name: str, *, unit: Fraction = ONE) -> list[float]:
        """Read an optional list of times that any row can have, each of so many units."""
        found = fields.numbers(name, least=0)
        beyond = [time for time in found if Fraction(time) * unit > self.time.horizon]
        if not beyond:
            return found
        long = f", which is {float(Fraction(beyond[0]) * unit):g}" if unit != ONE else ""
        fields.issue(
            f"found {beyond[0]:g}{long}, expected times up to the study's horizon of "
            f"{self.time.horizon} {self.time.unit}s",
            fields.named[name],
        )
        return [time for time in found if time not in beyond]

    def _on_scale(self, time: float) -> bool:
        tick = grid_ticks(self.time, [time])[0]
        exact = abs(self.time.value(tick) - time) <= SNAP * max(1.0, time)
        return exact and 0 < tick < self.time.ticks

    def strata(self, fields: Fields, table: str, *, instead: str) -> list[str]:
        """Read the optional `strata`; hospitals are no column, `instead` says what to write."""
        node = fields.named.get("strata")
        if node is not None and SITE in [item.value for item in fields.items("strata")]:
            fields.issue(f"'{SITE}' is not a column; {instead}", node)
            return []
        return self.categories(fields, "strata", table)

    def cohort(self, fields: Fields, table: str) -> str | None:
        """Read the optional field `cohort`, a named subset of the same table."""
        node = fields.node_of("cohort")
        if node is None:
            return None
        cohort = self.cohorts.get(str(node.value))
        if cohort is None:
            hint = nearest(str(node.value), list(self.cohorts))
            fields.issue(f"found {node.kind()}, expected the name of a cohort{hint}", node)
            return None
        if cohort.table != table:
            fields.issue(
                f"cohort '{cohort.name}' is of table '{cohort.table}', the endpoint of '{table}'",
                node,
            )
        return cohort.name

    def expression(
        self, fields: Fields, node: Node, table: str, *, accept: tuple[type, ...], expected: str
    ) -> str | None:
        """Read one expression over `table` whose type is one of `accept`; canonical form."""
        if not isinstance(node.value, str):
            fields.issue(f"found {node.kind()}, expected {expected}", node)
            return None
        try:
            parsed = expressions.parse(node.value)
            kind: Type = expressions.infer(parsed, self.scopes[table])
        except ExpressionError as error:
            fields.issue(str(error), node)
            return None
        if not isinstance(kind, accept):
            found = type(kind).__name__.lower()
            fields.issue(f"'{node.value}' is a {found}; expected {expected}", node)
            return None
        return expressions.canonical(parsed)

    def category(self, fields: Fields, name: str, table: str) -> str | None:
        """Read an optional grouping expression: a category or a condition."""
        node = fields.node_of(name)
        if node is None:
            return None
        return self._category(fields, node, table)

    def categories(self, fields: Fields, name: str, table: str) -> list[str]:
        """Read an optional list of grouping expressions."""
        read = (self._category(fields, node, table) for node in fields.items(name))
        return [expression for expression in read if expression is not None]

    def _category(self, fields: Fields, node: Node, table: str) -> str | None:
        return self.expression(
            fields,
            node,
            table,
            accept=(expressions.Category, expressions.Boolean),
            expected="a category or a condition (a number is grouped with cut(...))",
        )

    def table(self, fields: Fields) -> str:
        """Read the optional `table` of an analysis without an endpoint; the first by default."""
        node = fields.node_of("table")
        if node is None or node.value in self.scopes:
            return next(iter(self.scopes)) if node is None else str(node.value)
        hint = nearest(str(node.value), list(self.scopes))
        fields.issue(f"found {node.kind()}, expected the name of a table{hint}", node)
        return next(iter(self.scopes))

    def variable(self, fields: Fields, node: Node, table: str) -> str | None:
        """Read one number, category or condition."""
        return self.expression(
            fields,
            node,
            table,
            accept=(expressions.Number, expressions.Boolean, expressions.Category),
            expected="a number, a category or a condition",
        )

    def is_number(self, table: str, expression: str) -> bool:
        """Return whether an expression over `table` is a number."""
        return isinstance(self.kind(table, expression), expressions.Number)

    def kind(self, table: str, expression: str) -> Type:
        """Return the type of an expression over `table` that was read before."""
        return expressions.infer(expressions.parse(expression), self.scopes[table])

    def covariates(
        self, fields: Fields, table: str, *, explained: Sequence[str], what: str
    ) -> list[str]:
        """Read the required list of covariates: numbers, conditions, categories, splines.

        explained: what the model explains, `what` in words; no covariate may be one of these.
        """
        found: list[str] = []
        for node in fields.items("covariates", required=True):
            expression = self.expression(
                fields,
                node,
                table,
                accept=(
                    expressions.Number,
                    expressions.Boolean,
                    expressions.Category,
                    expressions.Columns,
                ),
                expected="a number, a category, a condition, a spline or an interaction",
            )
            if expression in found:
                fields.issue(f"covariate '{expression}' stands twice; keep one", node)
            elif expression is not None:
                found.append(expression)
                own = circular(expression, explained)
                if own is not None:
                    alone = "is" if own == expression else "is made of nothing but"
                    fields.issue(
                        f"covariate '{expression}' {alone} {what} '{own}'; take it out", node
                    )
        return found

    def covariates_of(self, fields: Fields, table: str, endpoint: str) -> list[str]:
        """Read the covariates of a model of an endpoint's time."""
        explained = explained_by(self.endpoints.get(endpoint))
        what = "the endpoint's own time or event"
        return self.covariates(fields, table, explained=explained, what=what)


Options = Mapping[str, Any]
Withheld = Mapping[str, str]


def grid_ticks(scale: TimeScale, grid: Sequence[float]) -> tuple[int, ...]:
    """Return times in units of the study as ticks, each the nearest one."""
    return tuple(round(time / float(scale.resolution)) for time in grid)


def frame_of(study: Study, options: Options, **parts: Any) -> Frame:
    """Return the frame over the endpoint, cohort and grid of time that `options` name."""
    return Frame(
        table=study.endpoints[options["endpoint"]].table,
        endpoint=options["endpoint"],
        cohort=options["cohort"],
        grid=grid_ticks(study.time, options["grid"]),
        **parts,
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of analysis: how to read it, what it opens, how to estimate it.

    read(fields, context) returns the options in canonical form. uses(options) returns each
    disclosure class with what is opened in it. frames(study, analysis) are all rows that
    it runs over, for the check of the data and the guard. estimator(study, analysis, withheld)
    leaves out the models that the guard withholds, by covariate, each with a sentence.
    by_covariate: each frame is a model of its own, named by its one covariate. scalars(study,
    analysis, frame): how many numbers about the covariates of a frame open in class A, of a Cox
    model if it is not given. values_by_group: whether distributions (class V) open by group.
    further: the names of frames behind the first that an analysis may have. limits(options,
    frame): the frame whose groups have the guard's limits. names(options): the analyses that it
    names.
    """

    name: str
    read: Callable[[Fields, Context], dict[str, Any]]
    uses: Callable[[Options], Sequence[tuple[Disclosure, str]]]
    frames: Callable[[Study, Analysis], tuple[Frame, ...]]
    estimator: Callable[[Study, Analysis, Withheld], Estimator]
    sums: tuple[Sum, ...]
    seals: Callable[[Options], bool] = lambda _: False
    by_covariate: bool = False
    scalars: Callable[[Study, Analysis, Frame], int] | None = None
    values_by_group: Callable[[Options], bool] = lambda _: False
    limits: Callable[[Options, Frame], Frame] = lambda _, frame: frame
    names: Callable[[Options], Sequence[str]] = lambda _: ()
    further: tuple[str, ...] = ()

    def models(self, study: Study, analysis: Analysis) -> tuple[tuple[str, Frame], ...]:
        """Return the frames of an analysis with the name of their model, "" of the first."""
        frames = self.frames(study, analysis)
        if self.by_covariate:
            return tuple((frame.covariates[0], frame) for frame in frames)
        return tuple(zip(("", *self.further), frames, strict=False))


def read_span(fields: Fields, name: str, what: str, *, most: int) -> list[int]:
    """Read a first and a last whole number, at most `most` of them; [0, 1] if they are not that."""
    node = fields.node_of(name, required=True)
    if node is None:
        return [0, 1]
    found = fields.numbers(name)
    if len(found) != 2 or any(value != int(value) for value in found) or found[0] >= found[-1]:
        fields.issue(
            f"{name}: found {', '.join(f'{value:g}' for value in found) or 'nothing'}; expected "
            f"two whole numbers, the first {what} and a later one that is the last",
            node,
        )
        return [0, 1]
    if found[1] - found[0] >= most:
        fields.issue(f"{name}: expected at most {most} {what}s", node)
    return [int(value) for value in found]
