"""What a forest plot shows of an analysis: its effects with limits, in rows under headings.

Every number is one of the model's table, where it stands rounded. Of a model with few events there
is no effect, in the figure as in the table. A category's levels stand under its name, the reference
level first, which has no number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from coordinator.report import numbers
from coordinator.report.regression_tables import RATIOS
from coordinator.report.views import View

Mark = Literal["heading", "reference", "square", "diamond", "none"]
INTERCEPT: Final = "(Intercept)"
SPLINE: Final = "spline("  # its columns mean nothing one by one; the functional form shows it
NO_RATIO: Final = "not estimable"
HAZARD: Final = "Hazard ratio"
SUBDISTRIBUTION: Final = "Subdistribution hazard ratio"
MODELS: Final = ("cox", "fine_gray", "cox_screen", "glm", "gee", "meta_analysis")


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One line: a mark with its effect and limits (None where there are none), and its texts.

    `text` is the effect with its limits as in the table, `p` its p-value; `under` says whether the
    line belongs to the heading above.
    """

    label: str
    mark: Mark
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    text: str = ""
    p: str = ""
    under: bool = False


@dataclass(frozen=True, slots=True)
class Forest:
    """The rows of a model, what their effects are, and whether they are ratios."""

    effect: str
    ratio: bool
    rows: tuple[ForestRow, ...]


def forest_of(view: View) -> Forest | None:
    """Return the forest of a model; None of another kind, or where no effect may be shown."""
    if view.document.kind not in MODELS or view.failed:
        return None
    name, ratio = _effect(view)
    rows = tuple(_rows(view, ratio or "estimate"))
    if not any(row.effect is not None for row in rows):
        return None
    return Forest(name, bool(ratio), rows)


def _effect(view: View) -> tuple[str, str]:
    """Return what the effects are called, and the field of their ratio, if they are ratios."""
    if view.document.kind in ("glm", "gee"):
        field, name = RATIOS.get(view.result["family"], ("", "Coefficient"))
        return name, field
    name = SUBDISTRIBUTION if view.document.kind == "fine_gray" else HAZARD
    return name, "hazard_ratio"


def _rows(view: View, field: str) -> Iterator[ForestRow]:
    if view.document.kind == "cox_screen":
        for covariate, model in view.result["models"].items():
            if model.get("failed"):
                yield ForestRow(view.label(covariate), "none", text="no result")
            else:
                few = view.rules.total(covariate).few
                yield from _terms(view, model["terms"], field, few=few)
    elif view.document.kind == "meta_analysis":
        yield from _pooled(view, field)
    else:
        yield from _terms(view, view.result["terms"], field, few=view.rules.total().few)


def _terms(
    view: View, terms: list[Mapping[str, Any]], field: str, *, few: bool
) -> Iterator[ForestRow]:
    """Yield the lines of terms; the levels of a category after their heading and reference."""
    headed = ""
    covariates = view.document.options.get("covariates", ())
    splines = {_inside(name) for name in covariates if name.startswith(SPLINE)}
    for term in terms:
        name = term["term"]
        if name == INTERCEPT or name.rstrip("'") in splines:
            continue
        covariate, _, level = name.rpartition("=")
        grouped = bool(covariate) and name not in view.labels and covariate in view.references
        if grouped and covariate != headed:
            headed = covariate
            yield ForestRow(view.label(covariate), "heading")
            reference = view.label(view.references[covariate])
            yield ForestRow(reference, "reference", text="reference", under=True)
        label = view.label(level) if grouped else view.term(name)
        yield _line(view, label, term, field, few=few, under=grouped)


def _inside(spline: str) -> str:
    """Return what a spline is of, which its columns are named after."""
    return spline.removeprefix(SPLINE).rpartition(", knots")[0]


def _line(
    view: View, label: str, term: Mapping[str, Any], field: str, *, few: bool, under: bool = False
) -> ForestRow:
    if few:
        return ForestRow(label, "none", text=str(view.limit.hidden), under=under)
    ends = _ends(term, field)
    if ends[0] is None:
        return ForestRow(label, "none", text=NO_RATIO, under=under)
    write = numbers.ratio if field != "estimate" else numbers.significant
    text = numbers.with_interval(*map(write, ends))
    return ForestRow(label, "square", *ends, text, numbers.p_value(term["p_value"]), under)


def _ends(term: Mapping[str, Any], field: str) -> tuple[float | None, float | None, float | None]:
    if field == "estimate":
        return term["estimate"], term["conf_low"], term["conf_high"]
    return term[field], term[f"{field}_low"], term[f"{field}_high"]


def _pooled(view: View, field: str) -> Iterator[ForestRow]:
    """Yield the pooled effects of a meta-analysis; those of single hospitals are not known."""
    for term in view.result["terms"]:
        yield ForestRow(view.term(term["term"]), "heading")
        for model in ("fixed", "random"):
            if model in term:
                few = view.rules.total().few
                row = _line(view, f"{model} effects", term[model], field, few=few, under=True)
                mark: Mark = "diamond" if row.mark == "square" else row.mark
                yield ForestRow(
                    row.label, mark, row.effect, row.low, row.high, row.text, row.p, under=True
                )
        if "fixed" not in term:
            yield ForestRow("not pooled", "none", under=True)
