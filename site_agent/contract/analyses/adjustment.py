"""The kind `adjustment`: what a model must adjust for, by the study's causal diagram.

Nothing is asked of any hospital. The diagram is the study's own knowledge; from it follow the
minimal sets of covariates that close all back doors (causal_graph.py), and for each model that
is named, whether its covariates do, and which of them the exposure acts on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from site_agent.contract import expressions
from site_agent.contract.analyses.causal_graph import (
    Graph,
    Nodes,
    candidates,
    closes_back_doors,
    layers,
    minimal_sets,
)
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.results import Tidy
from site_agent.contract.analyses.weights import weighting_of
from site_agent.contract.expressions import ExpressionError
from site_agent.contract.frames import Frame
from site_agent.contract.study.document import Node
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Disclosure, Estimator

ARROW: Final = "->"


@dataclass(frozen=True, slots=True)
class Checked:
    """A model beside the diagram: what it adjusts for, and what of it is wrong.

    adjusts: nodes; descendants: those of them that the exposure acts on; other: covariates that
    are no node. has_exposure: whether the exposure is among its covariates.
    """

    model: str
    adjusts: tuple[str, ...]
    descendants: tuple[str, ...]
    other: tuple[str, ...]
    has_exposure: bool
    closes: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what is wrong in sentences."""
        found = []
        if not self.has_exposure:
            found.append(f"'{self.model}' does not have the exposure among its covariates")
        for node in self.descendants:
            found.append(
                f"'{self.model}' adjusts for '{node}', on which the exposure acts: its estimate is "
                f"not the exposure's total effect"
            )
        if not self.closes and not self.descendants:
            found.append(
                f"the covariates of '{self.model}' leave a back door open; see the minimal sets"
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The diagram, its minimal sets, and the models beside it."""

    graph: Graph
    exposure: str
    outcome: str
    unmeasured: Nodes
    sets: tuple[tuple[str, ...], ...]
    models: tuple[Checked, ...]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "exposure": self.exposure,
            "outcome": self.outcome,
            "nodes": [
                {"node": node, "layer": layer, "unmeasured": node in self.unmeasured}
                for node, layer in layers(self.graph).items()
            ],
            "arrows": [list(arrow) for arrow in self.graph.arrows],
            "minimal_sets": [list(one) for one in self.sets],
            "checked": [
                {
                    "model": m.model,
                    "adjusts": list(m.adjusts),
                    "descendants": list(m.descendants),
                    "other": list(m.other),
                    "closes_back_doors": m.closes,
                    "warnings": list(m.warnings),
                }
                for m in self.models
            ],
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `sets`, `arrows` and `models`."""
        return {
            "sets": Tidy(
                ("set", "node"),
                tuple((k, node) for k, one in enumerate(self.sets, start=1) for node in one),
            ),
            "arrows": Tidy(("from", "to"), self.graph.arrows),
            "models": Tidy(
                ("model", "closes_back_doors", "warning"),
                tuple(
                    (m.model, m.closes, warning)
                    for m in self.models
                    for warning in m.warnings or ("",)
                ),
            ),
        }


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    arrows = _read_arrows(fields)
    nodes = tuple(dict.fromkeys(node for arrow in arrows for node in arrow))
    exposure = _read_node(fields, "exposure", nodes)
    outcome = _read_node(fields, "outcome", nodes)
    unmeasured = fields.texts("unmeasured")
    for name in unmeasured:
        if name not in nodes:
            node = fields.named["unmeasured"]
            fields.issue(f"'{name}' is no node of the diagram{nearest(name, nodes)}", node)
    _refuse_impossible(fields, Graph(nodes, arrows), exposure, outcome, frozenset(unmeasured))
    return {
        "arrows": [list(arrow) for arrow in arrows],
        "exposure": exposure,
        "outcome": outcome,
        "unmeasured": unmeasured,
        "columns": _read_columns(fields, nodes),
        "models": fields.texts("models"),
    }


def _read_arrows(fields: Fields) -> tuple[tuple[str, str], ...]:
    """Read `diagram`, a list of arrows; `a -> b -> c` is two of them."""
    found: list[tuple[str, str]] = []
    for node in fields.items("diagram", required=True):
        parts = [part.strip() for part in str(node.value).split(ARROW)]
        if len(parts) < 2 or not all(part.replace("_", "").isalnum() for part in parts):
            fields.issue(f"found {node.kind()}, expected arrows such as 'age {ARROW} dose'", node)
            continue
        for arrow in pairwise(parts):
            if arrow in found or arrow[0] == arrow[1]:
                fields.issue(
                    f"the arrow '{f' {ARROW} '.join(arrow)}' stands twice or in a loop", node
                )
            else:
                found.append(arrow)
    return tuple(found)


def _read_node(fields: Fields, name: str, nodes: tuple[str, ...]) -> str:
    text = fields.text(name, required=True)
    if text and text not in nodes:
        node = fields.named[name]
        fields.issue(f"'{text}' is no node of the diagram{nearest(text, nodes)}", node)
    return text


def _refuse_impossible(
    fields: Fields, graph: Graph, exposure: str, outcome: str, unmeasured: Nodes
) -> None:
    node = fields.named.get("diagram")
    cycle = graph.cycle()
    if cycle:
        fields.issue(f"the diagram has a cycle: {f' {ARROW} '.join(cycle)}", node)
    elif exposure and exposure == outcome:
        fields.issue("exposure and outcome are the same node", fields.named["outcome"])
    elif {exposure, outcome} <= set(graph.nodes):
        try:
            candidates(graph, exposure, outcome, unmeasured=unmeasured)
        except ValueError as error:
            fields.issue(str(error), node)


def _read_columns(fields: Fields, nodes: tuple[str, ...]) -> dict[str, str]:
    """Read `columns`, the expression that stands for a node in models; its own name by default."""
    found: dict[str, str] = {}
    for name, node in fields.each("columns"):
        if name not in nodes:
            fields.issue(f"'{name}' is no node of the diagram{nearest(name, nodes)}", node)
            continue
        text = _canonical(fields, node)
        if text:
            found[name] = text
    return found


def _canonical(fields: Fields, node: Node) -> str:
    try:
        return expressions.canonical(expressions.parse(str(node.value)))
    except ExpressionError as error:
        fields.issue(str(error), node)
        return ""


def _uses(_: Options) -> tuple[tuple[Disclosure, str], ...]:
    return ()


def _frames(_: Study, __: Analysis) -> tuple[Frame, ...]:
    return ()


def _adjustment(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    yield from ()
    options = analysis.options
    arrows = tuple((a, b) for a, b in options["arrows"])
    graph = Graph(tuple(dict.fromkeys(node for arrow in arrows for node in arrow)), arrows)
    exposure, outcome = options["exposure"], options["outcome"]
    unmeasured = frozenset(options["unmeasured"])
    sets = minimal_sets(graph, exposure, outcome, unmeasured=unmeasured)
    return Adjustment(
        graph,
        exposure,
        outcome,
        unmeasured,
        tuple(tuple(node for node in graph.nodes if node in one) for one in sets),
        tuple(
            _checked(graph, options, name, _covariates(study, study.analyses[name].options))
            for name in options["models"]
            if name in study.analyses
        ),
    )


def _covariates(study: Study, model: Options) -> tuple[str, ...]:
    """Return what a model adjusts for, its exposure with it: by its covariates or its weights.

    Weights by a propensity score close the back doors that its covariates would close.
    """
    weighting = weighting_of(study, model)
    scored = () if weighting is None else weighting.needed
    treatment = (model["treatment"],) if "treatment" in model else ()
    return tuple(dict.fromkeys((*treatment, *model.get("covariates", ()), *scored)))


def _checked(graph: Graph, options: Options, name: str, covariates: tuple[str, ...]) -> Checked:
    """Return a model's covariates beside the diagram."""
    node_of = {options["columns"].get(node, node): node for node in graph.nodes}
    nodes = tuple(node_of[text] for text in covariates if text in node_of)
    exposure, outcome = options["exposure"], options["outcome"]
    adjusts = tuple(node for node in nodes if node not in (exposure, outcome))
    below = graph.descendants(frozenset({exposure}))
    return Checked(
        model=name,
        adjusts=adjusts,
        descendants=tuple(node for node in adjusts if node in below),
        other=tuple(text for text in covariates if text not in node_of),
        has_exposure=exposure in nodes,
        closes=closes_back_doors(graph, exposure, outcome, frozenset(adjusts)),
    )


ADJUSTMENT: Final = Kind(
    "adjustment",
    _read,
    _uses,
    _frames,
    _adjustment,
    (),
    names=lambda options: tuple(options["models"]),
)
