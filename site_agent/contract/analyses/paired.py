"""The kind `paired`: a number before and after in the same row; what changed, and tests of it.

change       after less before                              paired t test     Student 1908
ratio        after over before, its geometric mean          t test of its logarithm
fold change  mean of the ratios; percent change 100 (mean of the ratios - 1)
signed rank  ranks of the sizes of changes other than 0     Wilcoxon 1945 (tests_of_ranks.py)
"""

from __future__ import annotations

import math
from collections.abc import Generator
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses import tests_of_ranks as ranks
from site_agent.contract.analyses.compare import EXACT
from site_agent.contract.analyses.distribution import DISTRIBUTION, Measured, distribution
from site_agent.contract.analyses.grids import absolute, difference, grid_in_dictionary
from site_agent.contract.analyses.group_results import Found
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.paired_results import PairedResult
from site_agent.contract.analyses.paired_sums import (
    PAIRED_SQUARES,
    PAIRED_SUMS,
    QUANTITIES,
    SIGNED_RANKS,
)
from site_agent.contract.analyses.results import Failure
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.analyses.tests_of_means import MeanTest, paired_t
from site_agent.contract.errors import AnalysisError
from site_agent.contract.expressions import Number
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.lockstep import lockstep
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure, Estimator

TESTS: Final = ("t", "ratio_t", "signed_rank")
CHANGE, RATIO, LOG_RATIO = (QUANTITIES.index(name) for name in ("change", "ratio", "log_ratio"))


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    table = context.table(fields)
    tests = fields.texts("tests") or ["t"]
    for name in tests:
        if name not in TESTS:
            hint = nearest(name, TESTS)
            fields.issue(f"found '{name}', expected tests of pairs{hint}", fields.named["tests"])
    before, after = (_number(fields, context, table, name) for name in ("before", "after"))
    if before is not None and before == after:
        fields.issue(
            f"'{before}' is compared with itself; name another number", fields.named["after"]
        )
    return {
        "table": table,
        "cohort": context.cohort(fields, table),
        "before": before,
        "after": after,
        "tests": list(dict.fromkeys(tests)),
        "correct": fields.flag("correct", default=True),
        "exact": fields.choice("exact", EXACT, default="auto"),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _number(fields: Fields, context: Context, table: str, name: str) -> str | None:
    node = fields.node_of(name, required=True)
    if node is None:
        return None
    return context.expression(fields, node, table, accept=(Number,), expected="a number")


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    sums = [PAIRED_SUMS, PAIRED_SQUARES]
    sums += [DISTRIBUTION, SIGNED_RANKS] if "signed_rank" in options["tests"] else []
    return tuple((one.disclosure, one.gives) for one in sums)


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    options = analysis.options
    pair = (options["before"], options["after"])
    return (Frame(options["table"], cohort=options["cohort"], covariates=pair),)


def _scalars(study: Study, analysis: Analysis, frame: Frame) -> int:
    """Return how many numbers open: two sums of each quantity, three counts, a rank sum."""
    return 2 * len(QUANTITIES) + 3 + ("signed_rank" in analysis.options["tests"])


def _paired(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    (frame,) = _frames(study, analysis)
    parts: dict[str, Any] = {"moments": _moments(frame)}
    if "signed_rank" in analysis.options["tests"]:
        parts["ranks"] = _signed_rank(study, frame, analysis.options)
    found = yield from lockstep(parts)
    if isinstance(found["moments"], Failure):
        raise AnalysisError(found["moments"].because)
    return _result(analysis.options, *found["moments"], signed=found.get("ranks"))


def _moments(
    frame: Frame,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], tuple[Arrays, Floats, Floats]]:
    """Return totals of the first round, means and sums of squares of all quantities."""
    (first,) = yield (Ask(PAIRED_SUMS.name, frame, {}, {}),)
    pairs = float(first.totals["pairs"][0])
    if pairs < 2:
        raise AnalysisError(
            f"{int(pairs) or 'no'} row{'s have' if pairs == 0 else ' has'} both numbers; a "
            f"comparison before and after needs two. Check 'before', 'after' and the cohort"
        )
    means = first.totals["sums"] / pairs
    (second,) = yield (Ask(PAIRED_SQUARES.name, frame, {}, {"means": means}),)
    about = second.floats["means"]
    squares = np.maximum(second.totals["squares"] - pairs * (means - about) ** 2, 0.0)
    return first.totals, means, squares


def _signed_rank(
    study: Study, frame: Frame, options: Options
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Found]:
    """Open the sizes of changes, then the ranks of those that rise."""
    before, after = (grid_in_dictionary(study, frame.table, name) for name in frame.covariates)
    grid = absolute(difference(before, after))
    sizes = yield from distribution(Measured(frame, grid, "size"))
    changed = sizes.values > 0
    counts = sizes.total[changed]
    fixed = {
        **sizes.measured.fixed(),
        "keys": sizes.keys[changed].tolist(),
        "twice_ranks": [round(2 * rank) for rank in ranks.midranks(counts)],
    }
    (answer,) = yield (Ask(SIGNED_RANKS.name, frame, fixed, {}),)
    found = ranks.signed_rank(
        float(answer.totals["twice_rank_sum"][0]) / 2,
        counts,
        zeros=int(sizes.total[~changed].sum()),
        correct=options["correct"],
        exact=options["exact"],
    )
    return Found("signed_rank", found.p_value, found.statistic, distribution=found.distribution)


def _result(
    options: Options,
    totals: Arrays,
    means: Floats,
    squares: Floats,
    *,
    signed: Found | Failure | None,
) -> PairedResult:
    pairs = float(totals["pairs"][0])
    fold = float(means[RATIO]) if not totals["no_ratio"][0] else math.nan
    tests: dict[str, Found | Failure] = {}
    for name in options["tests"]:
        if name == "signed_rank":
            assert signed is not None
            tests[name] = signed
        else:
            tests[name] = _tested(name, totals, means, squares, options["conf_level"])
    return PairedResult(
        before=options["before"],
        after=options["after"],
        conf_level=options["conf_level"],
        rows=int(pairs),
        patients=int(totals["patients"][0]),
        left_out=left_out(totals["left_out"]),
        fell=int(totals["fell"][0]),
        rose=int(totals["rose"][0]),
        stayed=int(totals["stayed"][0]),
        mean=tuple(means[: CHANGE + 1].tolist()),
        std_dev=tuple(np.sqrt(squares[: CHANGE + 1] / (pairs - 1)).tolist()),
        fold_change=fold,
        tests=tests,
    )


def _tested(
    name: str, totals: Arrays, means: Floats, squares: Floats, level: float
) -> Found | Failure:
    """Return the t test of changes or of logarithms of ratios, or why there is none."""
    place = CHANGE if name == "t" else LOG_RATIO
    none = int(totals["no_log"][0])
    try:
        if name == "ratio_t" and none:
            raise AnalysisError(
                f"{none} row{'s have' if none > 1 else ' has'} a number of 0 or below, which has "
                f"no ratio; take test t or signed_rank, or a cohort without them"
            )
        pairs = float(totals["pairs"][0])
        found = paired_t(pairs, float(means[place]), float(squares[place]), level=level)
    except AnalysisError as error:
        return Failure(str(error))
    return _of_changes(found) if name == "t" else _of_ratios(found)


def _of_changes(found: MeanTest) -> Found:
    return Found(
        "t",
        found.p_value,
        found.statistic,
        found.df,
        estimate_of="mean change",
        estimate=found.difference,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
    )


def _of_ratios(found: MeanTest) -> Found:
    logs = (found.difference, found.conf_low, found.conf_high)
    middle, low, high = (math.exp(value) for value in logs if value is not None)
    return Found(
        "ratio_t",
        found.p_value,
        found.statistic,
        found.df,
        estimate_of="geometric mean ratio",
        estimate=middle,
        conf_low=low,
        conf_high=high,
    )


PAIRED: Final = Kind(
    "paired",
    _read,
    _uses,
    _frames,
    _paired,
    (PAIRED_SUMS, PAIRED_SQUARES, DISTRIBUTION, SIGNED_RANKS),
    scalars=_scalars,
)
