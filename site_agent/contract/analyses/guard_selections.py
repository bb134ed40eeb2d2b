"""Nested analyses of one release: which rows each takes, and by how many patients they differ.

What one analysis finds over 43 patients and another over 42 of them subtracts to one patient. The
rows of an analysis are its *selection*: the endpoint known, the interval not empty, in the
cohort, nothing missing of what it needs. Two selections of one table must differ in no patient,
or in at least k of at least m hospitals, as two releases must.

Weights can leave rows out as well: one of 1e-9 counts as none, and no count shows it. So an
analysis with weights goes by name alone.

Selections that cannot differ, whatever the data, are not compared: what can never be missing
leaves no row out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from site_agent.contract import expressions
from site_agent.contract.analyses.guard_openings import Opening
from site_agent.contract.analyses.guard_sums import DIFFERING
from site_agent.contract.analyses.weights import WEIGHTING
from site_agent.contract.expressions import FUNCTIONS, Node
from site_agent.contract.expressions.syntax import Call, Name, inner
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import SITE, Policy, Study
from site_agent.contract.sums import Arrays, Ask


@dataclass(frozen=True, slots=True)
class Selections:
    """The distinct selections of one table in the order of the study, and the pairs to compare.

    A pair (i, j), i < j, is compared if an analysis that is not accepted takes one of the two.
    """

    frames: tuple[Frame, ...]
    pairs: tuple[tuple[int, int], ...]

    def ask(self) -> Ask:
        """Return the ask for the patients in which each pair differs."""
        frame = Frame(self.frames[0].table, compared=self.frames)
        return Ask(DIFFERING.name, frame, {"pairs": [list(pair) for pair in self.pairs]}, {})

    def differences(self, totals: Arrays) -> dict[frozenset[Frame], tuple[int, int]]:
        """Return (patients, hospitals) by the two selections that differ in them."""
        counts = zip(totals["patients"], totals["sites"], strict=True)
        return {
            frozenset({self.frames[i], self.frames[j]}): (int(patients), int(sites))
            for (i, j), (patients, sites) in zip(self.pairs, counts, strict=True)
        }


def selections(study: Study, opened: tuple[Opening, ...]) -> dict[str, Selections]:
    """Return the selections of each table that has pairs to compare."""
    strict: dict[str, dict[Frame, bool]] = {}
    for opening in opened:
        frame = selection(study, opening.frame)
        known = strict.setdefault(frame.table, {})
        known[frame] = known.get(frame, False) or not opening.accepted
    found = {}
    for table, frames in strict.items():
        held = list(frames.values())
        pairs = tuple((i, j) for j in range(len(held)) for i in range(j) if held[i] or held[j])
        if pairs:
            found[table] = Selections(tuple(frames), pairs)
    return found


def selection(study: Study, frame: Frame) -> Frame:
    """Return the frame that takes the same rows as `frame`, and nothing from them.

    Equal frames take the same rows whatever the data.
    """
    endpoint, grid = frame.endpoint, frame.grid
    if endpoint is None or _all_followed(study, endpoint):
        endpoint, grid = None, ()
    elif study.endpoints[endpoint].entry is None:
        grid = ()
    incomplete = sorted(
        name
        for name in frame.needed
        if not always_known(study, frame.table, expressions.parse(name))
    )
    return Frame(frame.table, endpoint, cohort=frame.cohort, complete=tuple(incomplete), grid=grid)


def _all_followed(study: Study, name: str) -> bool:
    """Return whether every row of the table has the endpoint: no entry, and an end for each."""
    endpoint = study.endpoints[name]
    ends = [endpoint.censored] if endpoint.form == "days" else [endpoint.time]
    if endpoint.form == "status":
        ends += [node for _, node in endpoint.causes]
    needed = [*ends, *([endpoint.origin] if endpoint.origin else [])]
    return endpoint.entry is None and all(
        node is not None and always_known(study, endpoint.table, node) for node in needed
    )


def always_known(study: Study, table: str, node: Node) -> bool:
    """Return whether the dictionary rules out that an expression is missing in any row."""
    if isinstance(node, Name):
        return _column_known(study, table, node.parts)
    if isinstance(node, Call) and FUNCTIONS[node.function].reads != "row":
        return False
    return all(always_known(study, table, below) for below in inner(node))


def _column_known(study: Study, table: str, parts: tuple[str, ...]) -> bool:
    if len(parts) > 1:
        return parts[0] == SITE
    column = study.tables[table].columns.get(parts[0])
    if column is not None:
        return not column.missing
    derived = {item.name: item for item in study.tables[table].derived}.get(parts[0])
    if derived is None:
        return False
    if derived.expression is not None:
        return always_known(study, table, derived.expression)
    conditions = [node for _, node in derived.levels]
    return conditions[-1] is None and all(
        always_known(study, table, node) for node in conditions[:-1] if node is not None
    )


def weight_issues(opened: tuple[Opening, ...]) -> list[tuple[str, str]]:
    """Return (analysis, what is wrong) for each with weights or an offset that is not accepted.

    A weighting has no weights to take out: they are what it is.
    """
    names = dict.fromkeys(
        (opening.analysis.name, option, _instead(opening, option))
        for opening in opened
        for option in _tipping(opening.frame)
        if not opening.accepted
    )
    sentence = (
        "can leave patients out as a cohort does ({} counts as none), and "
        "no limit sees by how much. {} the stewards accept the analysis by name "
        "(disclosure.accepted)"
    )
    little = {"weights": "one close to 0", "offset": "one far below the others'"}
    words = {"weights": "its weights", "offset": "its offset"}
    return [
        (name, f"{words[option]} {sentence.format(little[option], instead)}")
        for name, option, instead in names
    ]


def _instead(opening: Opening, option: str) -> str:
    return "Have" if opening.analysis.kind == WEIGHTING else f"Take '{option}' out, or have"


def _tipping(frame: Frame) -> list[str]:
    """Return the options of a frame by which some rows count less than others."""
    tipped = {"weights": frame.weighted, "offset": frame.offset is not None}
    return [option for option, tips in tipped.items() if tips]


def extremes_issues(opened: tuple[Opening, ...]) -> list[tuple[str, str]]:
    """Return (analysis, what is wrong) for each that tells extremes and is not accepted."""
    names = dict.fromkeys(
        opening.analysis.name
        for opening in opened
        if opening.analysis.options.get("extremes") and not opening.accepted
    )
    sentence = (
        "the smallest and the largest value are those of single patients. Take 'extremes' out, or "
        "have the stewards accept the analysis by name (disclosure.accepted)"
    )
    return [(name, sentence) for name in names]


def nested_sentence(
    policy: Policy,
    chosen: Frame,
    before: Mapping[Frame, str],
    differences: Mapping[frozenset[Frame], tuple[int, int]],
) -> str:
    """Return why a selection is withheld beside those opened `before`, or nothing.

    before: the name of an analysis by its selection.
    """
    for other, name in before.items():
        patients, sites = differences.get(frozenset({chosen, other}), (0, 0))
        if patients and (patients < policy.changed_patients or sites < policy.changed_sites):
            return (
                f"its patients differ from those of '{name}' by fewer than "
                f"{policy.changed_patients}, or in fewer than {policy.changed_sites} hospitals "
                f"(disclosure.between_releases): the two results would subtract to them. Take "
                f"the same patients in both, or have the stewards accept the analysis by name"
            )
    return ""
