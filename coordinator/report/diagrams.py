"""Causal diagrams: the tables of sets, arrows and models, and the figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from coordinator.report.diagram_figure import (
    ADJUSTED,
    EXPOSURE,
    OUTCOME,
    UNMEASURED,
    DiagramFigure,
    diagram_figure,
)
from coordinator.report.views import Table, View

JOINED: Final = "Arrows to the same node may run together."
THICK: Final = "Thick: the arrow from exposure to outcome."


def adjustment_tables(view: View) -> list[Table]:
    """Return the minimal sets, the arrows, and what is said of each model."""
    result = view.result
    sets = tuple((_named(view, one) or "none needed",) for one in result["minimal_sets"])
    arrows = tuple((view.label(a), view.label(b)) for a, b in result["arrows"])
    models = tuple(
        (view.label(item["model"]), "; ".join(item["warnings"]) or "closes all back doors")
        for item in result["checked"]
    )
    none = (("no set of measured covariates closes all back doors",),)
    return [
        Table("Minimal adjustment sets", ("Set",), sets or none, prose=True),
        Table("Arrows of the diagram", ("From", "To"), arrows),
        *(
            [Table("Models beside the diagram", ("Model", "Found"), models, prose=True)]
            if models
            else []
        ),
    ]


def adjustment_figure(view: View, identity: str) -> tuple[Markup, str]:
    """Return the drawing of the diagram with its first minimal set, and its caption."""
    result = view.result
    nodes = sorted(result["nodes"], key=lambda node: node["layer"])
    effect = (result["exposure"], result["outcome"])
    title = f"Causal diagram of {view.label(effect[0])} and {view.label(effect[1])}"
    figure = DiagramFigure(
        title=title,
        description=_described(view, result),
        names={node["node"]: view.label(node["node"]).replace("_", " ") for node in nodes},
        arrows=tuple((a, b) for a, b in result["arrows"]),
        parts=_parts(result),
        effect=effect,
        marks=view.marks,
    )
    told = [f"{title}.", _adjusted(result["minimal_sets"]), JOINED]
    told += [THICK] if effect in figure.arrows else []
    return diagram_figure(figure, identity), " ".join(told)


def _parts(result: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of nodes in the diagram; those of none are left out."""
    return {
        **{node["node"]: UNMEASURED for node in result["nodes"] if node["unmeasured"]},
        **{node: ADJUSTED for one in result["minimal_sets"][:1] for node in one},
        result["exposure"]: EXPOSURE,
        result["outcome"]: OUTCOME,
    }


def _adjusted(sets: list[list[str]]) -> str:
    if not sets:
        return "No set of measured covariates closes all back doors."
    if not sets[0]:
        return "No adjustment is needed."
    which = "the minimal adjustment set" if len(sets) == 1 else f"the first of {len(sets)} sets"
    return f"Boxed: {which}."


def _described(view: View, result: Mapping[str, Any]) -> str:
    """Return what a reader without eyes on the figure hears: parts, and every arrow."""
    exposure, outcome = view.label(result["exposure"]), view.label(result["outcome"])
    sets, hidden = result["minimal_sets"], [n["node"] for n in result["nodes"] if n["unmeasured"]]
    told = [f"Exposure: {exposure}.", f"Outcome: {outcome}."]
    told += [f"Adjusted for: {_named(view, one)}." for one in sets[:1] if one]
    told += [f"Unmeasured: {_named(view, hidden)}."] if hidden else []
    arrows = "; ".join(f"{view.label(a)} to {view.label(b)}" for a, b in result["arrows"])
    return " ".join([*told, f"Arrows: {arrows}.", *(f"{mark}." for mark in view.marks)])


def _named(view: View, nodes: list[str]) -> str:
    return ", ".join(map(view.label, nodes))
