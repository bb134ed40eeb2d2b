"""A preview as one JSON document: every sum, its arrays by name, shape and encoding, the numbers.

Names and expressions of the study are the center's and reach a terminal: they are made plain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.catalogue import SUMS
from site_agent.contract.securesum.fixedpoint import COUNT, SEALED, TALLY, Encoding
from site_agent.contract.sums import Lane
from site_agent.preview import Preview, Round, Shown
from site_agent.review.document import plain_document
from site_agent.review.wording import counted

FEW: Final = 5

LOCAL: Final = (
    "Worked out on this machine from this hospital's data. Nothing was sent, and nothing was "
    "written down.",
    "These are this hospital's own numbers, as they are before anything hides them: keep them as "
    "you keep the data.",
    "Before a number leaves, random numbers are added to it that cancel only in the sum over all "
    "hospitals of a release. What leaves is as long as said at each round, and noise to everybody "
    "who sees it alone.",
)
KNOWN: Final = (
    "What is asked first follows from the study alone. Those rounds show exactly what would leave "
    "with the data as they are now.",
    "What is asked later depends on the totals of all hospitals, which are not known here. This "
    "hospital's own numbers are taken for them: in a release the questions, the numbers and the "
    "number of rounds will be others.",
    "The guard would refuse a release over one hospital, and leaves out what too few patients "
    "stand behind. Here it asks its questions and forbids nothing, so that everything that can be "
    "asked is shown.",
    "Before the first round, and after the last, messages without any number of patients leave; "
    "`site-agent review` says what they hold.",
)
COMPARED: Final = (
    "The guard asks how many patients have changed since {} over the same data that this hospital "
    "knows of; other hospitals may name more."
)
AT_CENTER: Final = (
    "This hospital is the coordinating center's own and holds no secret: what goes into sealed "
    "sums leaves in two parts, each encrypted to one other hospital, which blinds it."
)
UNFROZEN: Final = "The study is not frozen: it has no hospitals yet, and nobody can ask for this."


def preview_document(found: Preview, *, full: bool) -> dict[str, Any]:
    """Return a preview as JSON; with `full` every number, else the first few that are not zero."""
    frozen = found.study.roster is not None
    document = {
        "study": found.study.name,
        "hash": found.study.hash,
        "site": found.site,
        "frozen": frozen,
        "earlier": list(found.earlier),
        "folder": found.folder,
        "snapshot": found.digest,
        "full": full,
        "sentences": [*LOCAL, *KNOWN, *_of_this(found)],
        "rounds": [_round(each, full) for each in found.rounds],
        "bytes": sum(each.bytes for each in found.rounds),
        "refused": found.refused,
        "ended": [{"analysis": name, "because": why} for name, why in found.ended.items()],
        "not_shown": [_not_shown(*each) for each in found.unseen],
    }
    return {name: plain_document(part) for name, part in document.items()}


def _of_this(found: Preview) -> list[str]:
    """Return what is to be said of this study at this hospital alone."""
    sentences = []
    if found.earlier:
        sentences.append(COMPARED.format(counted(len(found.earlier), "earlier release")))
    if found.study.at_center == found.site:
        sentences.append(AT_CENTER)
    if found.study.roster is None:
        sentences.append(UNFROZEN)
    return sentences


def _round(each: Round, full: bool) -> dict[str, Any]:
    return {
        "round": each.number,
        "known": each.known,
        "bytes": each.bytes,
        "sums": [_sum(shown, full) for shown in each.sums],
    }


def _sum(shown: Shown, full: bool) -> dict[str, Any]:
    entry, ask = shown.entry, shown.ask
    lanes = entry.lanes(ask)
    encodings = {lane.name: lane.encoding for lane in lanes}
    reduced = entry.answered_lanes(ask) if entry.reduce is not None else ()
    return {
        "sum": entry.name,
        "class": entry.disclosure,
        "gives": entry.gives,
        "serves": list(shown.serves),
        "opens_to": "all" if entry.reduce is None else "center",
        "sealed": entry.sealed,
        "rows": {"count": shown.rows, **ask.frame.document()},
        "asked_with": {**_fixed(ask.fixed, full), **_floats(ask.floats, full)},
        "arrays": [
            _array(name, values, encodings.get(name, SEALED), full)
            for name, values in shown.arrays.items()
        ],
        "sent_as": [_lane(lane) for lane in lanes] if entry.sealed else [],
        "reduced_to": [_lane(lane) for lane in reduced],
    }


def _lane(lane: Lane) -> dict[str, Any]:
    return {"name": lane.name, "shape": list(lane.shape), **_encoding(lane.encoding)}


def _encoding(encoding: Encoding) -> dict[str, Any]:
    return {"encoding": encoding.name, "bits": encoding.bits}


def _array(name: str, values: NDArray[Any], encoding: Encoding, full: bool) -> dict[str, Any]:
    """Return an array: shape, encoding, and its numbers that are not zero, with their places."""
    convert = int if encoding in (COUNT, TALLY) else float
    places = np.argwhere(values != 0)
    shown = places if full else places[:FEW]
    found: dict[str, Any] = {
        "name": name,
        "shape": list(values.shape),
        **_encoding(encoding),
        "count": int(values.size),
        "not_zero": len(places),
        "first": [
            {"at": [int(at) for at in place], "number": convert(values[tuple(place)])}
            for place in shown
        ],
    }
    if full or values.size <= FEW:
        found["numbers"] = [convert(value) for value in values.ravel()]
    return found


def _fixed(fixed: Mapping[str, Any], full: bool) -> dict[str, Any]:
    """Return whole and named arguments; of long lists, unless all is wanted, their length."""
    short = {name: _shortened(value) for name, value in fixed.items()}
    return dict(fixed) if full else short


def _shortened(value: Any) -> Any:
    if isinstance(value, list) and _length(value) > FEW:
        return f"{_length(value)} numbers"
    return value


def _length(value: Any) -> int:
    return sum(map(_length, value)) if isinstance(value, list) else 1


def _floats(floats: Mapping[str, NDArray[Any]], full: bool) -> dict[str, Any]:
    listed = {name: np.asarray(values).tolist() for name, values in floats.items()}
    return listed if full else {name: _shortened(values) for name, values in listed.items()}


def _not_shown(analysis: str, asked: str, frame: Mapping[str, Any]) -> dict[str, Any]:
    entry = SUMS[asked]
    return {
        "analysis": analysis,
        "sum": asked,
        "class": entry.disclosure,
        "gives": entry.gives,
        "rows": dict(frame),
    }
