"""The options of Cox models: how they are read, and what each of them opens."""

from __future__ import annotations

from typing import Any, Final

from site_agent.contract.analyses.counts import COUNTS
from site_agent.contract.analyses.cox_further_options import (
    further_sums,
    read_curves,
    read_further,
)
from site_agent.contract.analyses.cox_sealed import SEALED_RISK_SETS
from site_agent.contract.analyses.cox_sums import (
    DEATH_WEIGHTS,
    DEATHS,
    MOMENTS,
    RISK_SETS,
    WITHIN_SITE,
)
from site_agent.contract.analyses.cox_thirds import THIRDS
from site_agent.contract.analyses.functional_form import read_form
from site_agent.contract.analyses.kind import Context, Options
from site_agent.contract.analyses.profile_limit import INTERVALS
from site_agent.contract.analyses.proportionality import TRANSFORMS
from site_agent.contract.analyses.weights import is_weighted, read_weights
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.sums import Disclosure

TIES: Final = ("efron", "breslow")
BASELINES: Final = ("pooled", "by_site")
RISK_SET_FORMS: Final = ("sealed", "open")
COMPLETE: Final = ("per_model", "common")
BESIDE_PLAIN: Final = ("robust", "concordance", "predict", "baseline_curve")
# The sum that gives a point of the likelihood, by how risk sets are summed; "" within hospitals.
POINTS: Final = {"sealed": SEALED_RISK_SETS, "open": RISK_SETS, "": WITHIN_SITE}


def read(fields: Fields, context: Context) -> dict[str, Any]:
    """Read the options of `cox` in canonical form."""
    options, table = _read_model(fields, context)
    found = {**options, **read_curves(fields, context, table, options)}
    _refuse_beside_firth(fields, found)
    return found


def _refuse_beside_firth(fields: Fields, options: Options) -> None:
    """Note what rests on the plain likelihood's maximum and is asked for beside Firth's fit."""
    if options["firth"] == "never":
        return
    for name in BESIDE_PLAIN:
        if options.get(name):
            fields.issue(
                f"'{name}' is not offered beside 'firth': its formula is that of the likelihood "
                f"without a penalty. Take one of the two out, or name two analyses",
                fields.named.get(name),
            )


def _read_model(fields: Fields, context: Context) -> tuple[dict[str, Any], str]:
    """Read the options of one model or of a screen, and the table of its rows."""
    rows, table = context.rows(fields)
    baseline = _read_baseline(fields)
    options = {
        **rows,
        "covariates": context.covariates_of(fields, table, rows["endpoint"]),
        "strata": context.strata(
            fields, table, instead="for a baseline of each hospital's own: baseline: by_site"
        ),
        "ties": fields.choice("ties", TIES, default="efron"),
        **baseline,
        **_read_weights(fields, context, table),
        "zph": _read_transforms(fields),
        "baseline_at": sorted(set(context.times(fields, "baseline_at"))),
        "conf_level": fields.proportion("conf_level", default=0.95),
        **read_further(fields, context, table, baseline["risk_sets"]),
        "firth": _read_firth(fields),
        "intervals": fields.choice("intervals", INTERVALS, default="wald"),
        "functional_form": read_form(fields, context, table),
    }
    return options, table


def _read_baseline(fields: Fields) -> dict[str, Any]:
    """Read `baseline`, and for a pooled one how its risk sets are summed."""
    baseline = fields.choice("baseline", BASELINES, default="pooled")
    form, node = "sealed", fields.node_of("risk_sets")
    if baseline == "by_site" and node is not None:
        fields.issue("'risk_sets' is for baseline: pooled; take it out", node)
    elif node is not None:
        form = fields.choice("risk_sets", RISK_SET_FORMS, default="sealed")
    times = fields.named.get("baseline_at")
    if baseline == "by_site" and times is not None:
        fields.issue("a baseline hazard by hospital is never pooled; take 'baseline_at' out", times)
    return {"baseline": baseline, "risk_sets": "" if baseline == "by_site" else form}


def _read_weights(fields: Fields, context: Context, table: str) -> dict[str, Any]:
    """Read `weights`; there are no tests of proportional hazards beside them."""
    weights = fields.named.get("weights")
    if weights is not None and fields.named.get("zph") is not None:
        fields.issue("'zph' is not offered with weights; take one of the two out", weights)
    return read_weights(fields, context, table)


def _read_firth(fields: Fields) -> str:
    """Read `firth`: true, false (default) or on_separation; as always, never, on_separation."""
    node = fields.node_of("firth")
    if node is None or node.value is False:
        return "never"
    if node.value is not True and node.value != "on_separation":
        fields.issue(f"found {node.kind()}, expected true, false or on_separation", node)
        return "never"
    for other in ("weights", "zph"):
        if fields.named.get(other) is not None:
            fields.issue(
                f"'{other}' is not offered with Firth's fit; take one of the two out", node
            )
    return "always" if node.value is True else "on_separation"


def _read_transforms(fields: Fields) -> list[str]:
    """Read `zph`, the transforms of time of the tests of proportional hazards."""
    names, node = fields.texts("zph"), fields.named.get("zph")
    for name in names:
        if name not in TRANSFORMS:
            hint = nearest(name, TRANSFORMS)
            fields.issue(f"found '{name}', expected scales of time{hint}", node)
    return list(dict.fromkeys(names))


def read_screen(fields: Fields, context: Context) -> dict[str, Any]:
    """Read the options of `cox_screen` in canonical form."""
    complete = fields.choice("complete", COMPLETE, default="per_model")
    found = {**_read_model(fields, context)[0], "complete": complete}
    _refuse_beside_firth(fields, found)
    return found


def uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    """Return each disclosure class with what is opened in it."""
    point = POINTS[options["risk_sets"]]
    by_time = [DEATHS] if options["baseline"] == "pooled" else []
    by_time += [DEATH_WEIGHTS] if by_time and is_weighted(options) else []
    by_time += [COUNTS] if options["zph"] or options["baseline_at"] else []
    thirds = [THIRDS[point.name]] if options["firth"] != "never" else []
    opened = (MOMENTS, *by_time, point, *thirds, *further_sums(options))
    return tuple((one.disclosure, one.gives) for one in opened)


def seals(options: Options) -> bool:
    """Return whether the sites need a secret that the coordinator has not."""
    return bool(options["risk_sets"] == "sealed")
