"""The options of subdistribution hazards: how they are read, and what each of them opens."""

from __future__ import annotations

from typing import Any, Final

from site_agent.contract.analyses.counts import COUNTS
from site_agent.contract.analyses.cox_options import BASELINES, RISK_SET_FORMS, TIES
from site_agent.contract.analyses.cox_sealed import SEALED_RISK_SETS
from site_agent.contract.analyses.cox_sums import DEATHS, MOMENTS, RISK_SETS
from site_agent.contract.analyses.fine_gray_sums import (
    AT_RISK,
    INFLUENCE,
    INFLUENCE_WITHIN,
    WITHIN_SITE,
)
from site_agent.contract.analyses.kind import Context, Options
from site_agent.contract.analyses.subdistribution import CONVENTIONS
from site_agent.contract.study.fields import Fields
from site_agent.contract.sums import Disclosure, Sum

CENSORING_ROWS: Final = ("complete", "endpoint")
VARIANCES: Final = ("model", "fine_gray", "robust")


def read(fields: Fields, context: Context) -> dict[str, Any]:
    """Read the options of `fine_gray` in canonical form."""
    rows, table = context.rows(fields)
    options = {
        **rows,
        "covariates": context.covariates_of(fields, table, rows["endpoint"]),
        "convention": fields.choice("convention", CONVENTIONS, default="crr"),
        "ties": fields.choice("ties", TIES, default="breslow"),
        **_read_baseline(fields),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }
    _refuse_truncated(fields, context, options)
    rows_of_censoring = _read_censoring_rows(fields, options)
    variance = _read_variance(fields, options)
    return {**options, "censoring_rows": rows_of_censoring, "variance": variance}


def _read_censoring_rows(fields: Fields, options: Options) -> str:
    """Read `censoring_rows`: which rows the curve of censoring is from."""
    found = fields.choice("censoring_rows", CENSORING_ROWS, default="complete")
    pooled = options["baseline"] == "pooled"
    if found == "endpoint" and (options["convention"] != "finegray" or not pooled):
        fields.issue(
            "censoring_rows: endpoint is for convention: finegray and baseline: pooled; crr takes "
            "the complete rows",
            fields.named["censoring_rows"],
        )
    return found


def _refuse_truncated(fields: Fields, context: Context, options: Options) -> None:
    """Note what is not offered for an endpoint with an entry."""
    endpoint = context.endpoints.get(options["endpoint"])
    if endpoint is None or endpoint.entry is None:
        return
    if options["convention"] != "finegray":
        fields.issue(
            f"endpoint '{endpoint.name}' has an entry, and crr takes none; expected convention: "
            f"finegray, or an endpoint without one",
            fields.named["endpoint"],
        )
    elif options["baseline"] == "by_site":
        fields.issue(
            "the weights of left truncated rows have no value where a hospital has few rows; "
            "expected baseline: pooled",
            fields.named["baseline"],
        )


def _read_baseline(fields: Fields) -> dict[str, Any]:
    """Read `baseline`, and for a pooled one how its risk sets are summed."""
    baseline, node = (
        fields.choice("baseline", BASELINES, default="pooled"),
        fields.node_of("risk_sets"),
    )
    if baseline == "by_site":
        if node is not None:
            fields.issue("'risk_sets' is for baseline: pooled; take it out", node)
        return {"baseline": baseline, "risk_sets": ""}
    form = fields.choice("risk_sets", RISK_SET_FORMS, default="sealed")
    return {"baseline": baseline, "risk_sets": form}


def _read_variance(fields: Fields, options: Options) -> str:
    """Read `variance`: what the risk sets can give is the default; the rest is refused in words."""
    sealed, efron = options["risk_sets"] == "sealed", options["ties"] == "efron"
    own = "fine_gray" if options["convention"] == "crr" else "robust"
    found = fields.choice("variance", VARIANCES, default="model" if sealed or efron else own)
    node = fields.named.get("variance")
    if found != "model" and sealed:
        fields.issue(
            f"variance: {found} needs sums over pairs of times, which sealed risk sets do not "
            f"give; expected model, or risk_sets: open (class C), or baseline: by_site",
            node,
        )
    elif found != "model" and efron:
        fields.issue(f"variance: {found} is that of Breslow's ties; expected ties: breslow", node)
    elif found == "fine_gray" and options["convention"] != "crr":
        fields.issue("variance: fine_gray is crr's; expected convention: crr, or robust", node)
    return found


def point_sum(options: Options) -> Sum:
    """Return the sum that gives a point of the likelihood."""
    if options["baseline"] == "by_site":
        return WITHIN_SITE
    return RISK_SETS if options["risk_sets"] == "open" else SEALED_RISK_SETS


def _behind(options: Options) -> tuple[Sum, ...]:
    """Return the sums behind the maximum, for the variance."""
    if options["variance"] == "model":
        return ()
    return (INFLUENCE_WITHIN,) if options["baseline"] == "by_site" else (AT_RISK, INFLUENCE)


def uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    """Return each disclosure class with what is opened in it."""
    by_time: tuple[Sum, ...] = () if options["baseline"] == "by_site" else (COUNTS,)
    by_time += (DEATHS,) if options["censoring_rows"] == "endpoint" else ()
    opened = (MOMENTS, *by_time, point_sum(options), *_behind(options))
    return tuple((one.disclosure, one.gives) for one in opened)


def seals(options: Options) -> bool:
    """Return whether the sites need a secret that the coordinator has not."""
    return bool(options["risk_sets"] == "sealed")
