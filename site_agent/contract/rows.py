"""From a hospital's tables to the rows of a frame: endpoints, cohorts, complete cases.

Times become whole ticks: a value within 1e-8 of a tick is snapped to it, any other is a
finding. Intervals are (entry, time]; a row whose entry equals its time is at risk at no time
and is left out, as `coxph` does, and counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract import expressions
from site_agent.contract.errors import AnalysisError, Finding
from site_agent.contract.expressions import Boolean, Category, EvaluationError, Value
from site_agent.contract.frames import NO_ENTRY, Floats, Frame, Integers, Rows, Scored
from site_agent.contract.study.model import Endpoint, Study, TimeScale
from site_agent.contract.time_grid import on_grid

SNAP: Final = 1e-8
NOT_POSITIVE: Final = "a weight of 0 or less, or none that is a number"
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """An endpoint over a whole table: ticks, causes, and which rows have it (not missing)."""

    entry: Integers
    time: Integers
    cause: Integers
    known: Mask


class UnfitRows(Exception):
    """Rows that break a rule of the study; carries the findings."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("; ".join(str(finding) for finding in findings))


def levels_of(study: Study, table: str, expression: str | None) -> tuple[str, ...]:
    """Return the levels of a grouping expression; one nameless level for no grouping."""
    if expression is None:
        return ("",)
    kind = expressions.infer(expressions.parse(expression), study.scopes[table])
    if isinstance(kind, Category):
        return kind.levels
    if isinstance(kind, Boolean):
        return ("false", "true")
    raise AnalysisError(f"'{expression}' is not a category; use cut(...) or codes")


def design_columns(study: Study, table: str, expression: str) -> tuple[str, ...]:
    """Return the names of the design columns of one covariate, reference levels left out."""
    kind = expressions.infer(expressions.parse(expression), study.scopes[table])
    return expressions.design_names(kind, expression)


def follow_up(study: Study, endpoint: Endpoint, table: expressions.Rows) -> FollowUp:
    """Return the endpoint's entry, time and cause for each row of its table.

    Raises UnfitRows with counts for fractions of a tick, negative times, times beyond the
    horizon, times before entry, and ties that the study does not order.
    """
    findings: list[Finding] = []

    def number(node: expressions.Node | None) -> Value | None:
        return None if node is None else expressions.evaluate(node, table)

    origin = number(endpoint.origin)
    shift = np.zeros(table.count) if origin is None else origin.data
    unknown = np.zeros(table.count, bool) if origin is None else origin.missing
    if endpoint.form == "days":
        time, cause, missing = _earliest(endpoint, table, number(endpoint.censored), findings)
    else:
        time, cause, missing = _status(endpoint, table)
    entry = number(endpoint.entry)
    missing = missing | unknown | (entry.missing if entry is not None else False)
    known = ~missing
    place = f"endpoint {endpoint.name}"
    ticks = _to_ticks(time - shift, known, study.time, place=place, findings=findings)
    starts = np.full(table.count, NO_ENTRY, dtype=np.int64)
    if entry is not None:
        starts = _to_ticks(
            entry.data - shift, known, study.time, place=f"{place}, entry", findings=findings
        )
        late = known & (starts > ticks)
        _note(findings, late, place, "time before entry", "a time before its entry")
    if findings:
        raise UnfitRows(findings)
    return FollowUp(starts, ticks, cause, known)


def _earliest(
    endpoint: Endpoint, table: expressions.Rows, censored: Value | None, findings: list[Finding]
) -> tuple[Floats, Integers, Mask]:
    """Return the earliest day, its cause and where no day is known; events before censoring."""
    days = []
    for _, node in endpoint.causes:
        value = expressions.evaluate(node, table)
        days.append(np.where(value.missing, np.inf, value.data))
    last = np.full(table.count, np.inf)
    if censored is not None:
        last = np.where(censored.missing, np.inf, censored.data)
    causes = np.stack(days)
    first = causes.min(axis=0)
    event = np.isfinite(first) & (first <= last)
    at_first = causes == first
    _unordered_ties(endpoint, at_first & event, findings)
    order = {name: rank for rank, name in enumerate(endpoint.first_of_ties)}
    ranks = np.array([order.get(name, len(order)) for name in endpoint.cause_names])
    chosen = np.where(at_first, ranks[:, None], len(ranks) + 1).argmin(axis=0)
    time = np.where(event, first, last)
    missing = ~np.isfinite(time)
    return np.where(missing, 0.0, time), np.where(event, chosen + 1, 0), missing


def _unordered_ties(endpoint: Endpoint, tied: Mask, findings: list[Finding]) -> None:
    names = endpoint.cause_names
    ordered = np.array([name in endpoint.first_of_ties for name in names])
    bad = (tied.sum(axis=0) > 1) & ~(tied & ordered[:, None]).any(axis=0)
    _note(
        findings,
        bad,
        f"endpoint {endpoint.name}",
        "tied causes",
        f"more than one of {', '.join(names)} on the same day; say in the study which counts "
        f"first (first_of_ties)",
    )


def _status(endpoint: Endpoint, table: expressions.Rows) -> tuple[Floats, Integers, Mask]:
    """Return the row's end, the first cause whose condition holds, and where it is unknown."""
    assert endpoint.time is not None
    time = expressions.evaluate(endpoint.time, table)
    missing = time.missing.copy()
    cause = np.zeros(table.count, dtype=np.int64)
    for code, (_, node) in enumerate(endpoint.causes, start=1):
        value = expressions.evaluate(node, table)
        missing |= value.missing
        cause = np.where((cause == 0) & value.data.astype(bool) & ~value.missing, code, cause)
    return time.data, cause, missing


def _to_ticks(
    times: Floats, known: Mask, scale: TimeScale, *, place: str, findings: list[Finding]
) -> Integers:
    """Return times as whole ticks; what is no tick, negative or beyond the horizon is noted."""
    resolution = float(scale.resolution)
    values = np.where(known, times, 0.0)
    ticks = np.rint(values / resolution)
    unit, step = scale.unit, scale.resolution
    off = known & (np.abs(ticks * resolution - values) > SNAP)
    _note(findings, off, place, "fraction", f"a time that is no multiple of {step} {unit}")
    _note(findings, known & (ticks < 0), place, "negative time", "a negative time")
    beyond = known & (ticks >= scale.ticks)
    horizon = f"a time beyond the study's horizon of {scale.horizon} {unit}"
    _note(findings, beyond, place, "beyond horizon", horizon)
    return np.clip(ticks, -1e15, 1e15).astype(np.int64)


def _note(findings: list[Finding], bad: Mask, place: str, rule: str, what: str) -> None:
    count = int(bad.sum())
    if count:
        rows = "1 row has" if count == 1 else f"{count} rows have"
        message = f"{rows} {what}; correct the data"
        findings.append(Finding(place, rule, count, message, np.flatnonzero(bad)))


@dataclass(frozen=True, slots=True)
class Tables:
    """A hospital's tables, derived columns included, and whose patient each row is."""

    rows: Mapping[str, expressions.Rows]
    patient: Mapping[str, Integers]


class FrameBuilder:
    """Builds the rows of frames from one hospital's tables; frames are kept once built."""

    def __init__(self, study: Study, tables: Tables) -> None:
        self._study = study
        self._tables = tables
        self._built: dict[Frame, Rows] = {}
        self._follow_ups: dict[str, FollowUp] = {}

    def rows(self, frame: Frame) -> Rows:
        """Return the rows of `frame`; UnfitRows if the data break a rule of the study."""
        if frame not in self._built:
            try:
                self._built[frame] = self._build(frame)
            except EvaluationError as error:
                raise _undefined(frame.table, error) from None
        return self._built[frame]

    def check_endpoint(self, name: str) -> None:
        """Raise UnfitRows if the times of an endpoint break a rule of the study."""
        try:
            self._follow_up(name)
        except EvaluationError as error:
            raise _undefined(self._study.endpoints[name].table, error) from None

    def _follow_up(self, name: str) -> FollowUp:
        if name not in self._follow_ups:
            endpoint = self._study.endpoints[name]
            table = self._tables.rows[endpoint.table]
            self._follow_ups[name] = follow_up(self._study, endpoint, table)
        return self._follow_ups[name]

    def _build(self, frame: Frame) -> Rows:
        """Return the rows of a frame: one that compares others has all rows of its table."""
        table, course = self._tables.rows[frame.table], self._course(frame)
        keep, left_out = self._chosen(frame, course)
        patient = self._tables.patient[frame.table][keep]
        return Rows(
            course.entry[keep],
            course.time[keep],
            course.cause[keep],
            self._codes(frame, [frame.by] if frame.by else [], table)[keep],
            self._codes(frame, frame.strata, table)[keep],
            _design(frame.covariates, table)[keep],
            patient,
            patients=int(np.count_nonzero(np.bincount(patient))),
            left_out=left_out,
            member=self._membership(frame)[keep],
            weight=self._weights(frame, table, keep),
            offset=_numbers(frame.offset, table, keep),
            cluster=_numbers(frame.cluster, table, keep),
            numbers=_further(frame.numbers, table, keep),
            scored=_scored(frame, table, keep),
        )

    def _course(self, frame: Frame) -> FollowUp:
        """Return entry, time and cause of each row of the table, on the frame's grid."""
        if frame.endpoint is None:
            blank = np.zeros(self._tables.rows[frame.table].count, dtype=np.int64)
            return FollowUp(blank + NO_ENTRY, blank, blank, blank == 0)
        known = self._follow_up(frame.endpoint)
        moved = on_grid(frame.grid, known.entry, known.time, known.cause)
        # Moving times to a grid would give an interval to a row that has none.
        started = np.where(known.entry < known.time, moved[0], moved[1])
        return FollowUp(started, moved[1], moved[2], known.known)

    def _chosen(self, frame: Frame, course: FollowUp) -> tuple[Mask, dict[str, int]]:
        """Return which rows of the table belong to a frame, and those left out by reason."""
        table = self._tables.rows[frame.table]
        chosen = self._cohort(frame, table)
        complete = np.ones(table.count, dtype=bool)
        for name in frame.needed:
            complete &= ~_evaluate(name, table).missing
        interval = course.entry < course.time
        return chosen & course.known & complete & interval, {
            "endpoint unknown": int((chosen & ~course.known).sum()),
            "a value missing": int((chosen & course.known & ~complete).sum()),
            "entry at the end": int((chosen & course.known & complete & ~interval).sum()),
        }

    def reasons(self, frame: Frame) -> tuple[Mask, dict[str, Mask]]:
        """Return the cohort of a frame among the rows of its table, and who is left out, by reason.

        A row that lacks several values has several reasons.
        """
        table, course = self._tables.rows[frame.table], self._course(frame)
        cohort = self._cohort(frame, table)
        known = cohort & course.known
        found = {f"{frame.endpoint} unknown": cohort & ~course.known}
        complete = known.copy()
        for name in frame.needed:
            missing = _evaluate(name, table).missing
            found[f"{name} missing"] = known & missing
            complete &= ~missing
        found["entry at the end"] = complete & (course.entry >= course.time)
        return cohort, {reason: rows for reason, rows in found.items() if rows.any()}

    def _membership(self, frame: Frame) -> Mask:
        """Return which compared frames each row of the table belongs to, (rows, compared)."""
        found = [self._chosen(other, self._course(other))[0] for other in frame.compared]
        rows = self._tables.rows[frame.table].count
        return np.stack(found, axis=1) if found else np.zeros((rows, 0), dtype=bool)

    def _weights(self, frame: Frame, table: expressions.Rows, keep: Mask) -> Floats | None:
        """Return what each row counts as; UnfitRows if a weight is not above 0."""
        if frame.weights is None:
            return None
        weights = np.asarray(_evaluate(frame.weights, table).data[keep], dtype=np.float64)
        findings: list[Finding] = []
        _note(findings, ~(weights > 0), f"weights {frame.weights}", "not positive", NOT_POSITIVE)
        if findings:
            raise UnfitRows(findings)
        return weights

    def _cohort(self, frame: Frame, table: expressions.Rows) -> Mask:
        if frame.cohort is None:
            return np.ones(table.count, dtype=bool)
        value = expressions.evaluate(self._study.cohorts[frame.cohort].where, table)
        return value.data.astype(bool) & ~value.missing

    def _codes(self, frame: Frame, names: Sequence[str], table: expressions.Rows) -> Integers:
        """Return one code over the levels of all `names` (mixed radix), any where missing."""
        code = np.zeros(table.count, dtype=np.int64)
        for name in names:
            levels = len(levels_of(self._study, frame.table, name))
            code = code * levels + _evaluate(name, table).data.astype(np.int64)
        return code


def _undefined(table: str, error: EvaluationError) -> UnfitRows:
    """Return the finding of an expression without a value, which names the expression."""
    place = f"table {table}, expression {error.text}"
    return UnfitRows([Finding(place, "undefined", error.rows, str(error))])


def _design(names: Sequence[str], table: expressions.Rows) -> Floats:
    """Return the design columns of some covariates, (rows of the table, columns)."""
    parts = [np.zeros((table.count, 0))]
    for name in names:
        _, columns, _ = expressions.design(_evaluate(name, table), name)
        parts.append(np.asarray(columns, dtype=np.float64))
    return np.concatenate(parts, axis=1)


def _scored(frame: Frame, table: expressions.Rows, keep: Mask) -> Scored | None:
    """Return what the frame's propensity score is made from, in the rows kept."""
    if frame.weighting is None:
        return None
    treated = _further((frame.weighting.treatment,), table, keep)[:, 0]
    return Scored(treated, _design(frame.weighting.covariates, table)[keep])


def _further(names: Sequence[str], table: expressions.Rows, keep: Mask) -> Floats:
    """Return what the rows have besides covariates, (rows, names); conditions as 0 and 1."""
    found = [np.asarray(_evaluate(name, table).data[keep], dtype=np.float64) for name in names]
    return np.stack(found, axis=1) if found else np.zeros((int(keep.sum()), 0))


def _numbers(name: str | None, table: expressions.Rows, keep: Mask) -> Floats | None:
    """Return an expression's values in the rows kept, codes of levels; None where there is none."""
    if name is None:
        return None
    return np.asarray(_evaluate(name, table).data[keep], dtype=np.float64)


def _evaluate(name: str, table: expressions.Rows) -> Value:
    return expressions.evaluate(expressions.parse(name), table)
