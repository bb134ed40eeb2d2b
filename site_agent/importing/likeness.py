"""How like a column of a source is to one of a study: by name, label, type and codes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from site_agent.contract.study.model import Column

ENOUGH: Final = 0.6
SAME_WORD: Final = 0.55
# crs_1, crs_day1, crs.w2: a name, perhaps a word of time, a number. REDCap's checkboxes have ___.
NUMBERED: Final = re.compile(
    r"(.*?[^\W_])[_. -]?(?:d|day|t|time|w|wk|week|m|month|v|visit)?[_. -]?(?<![0-9])([0-9]{1,3})\Z",
    re.IGNORECASE,
)
# What hospitals call things, beside what studies call them.
SYNONYMS: Final = {
    "gender": "sex",
    "alb": "albumin",
    "ferr": "ferritin",
    "wt": "weight",
    "dx": "disease",
    "diagnosis": "disease",
    "plt": "platelets",
    "hgb": "haemoglobin",
    "hb": "haemoglobin",
    "hemoglobin": "haemoglobin",
    "karnofsky": "kps",
    "dt": "date",
    "dob": "birth",
    "age": "birth",  # what it is worked out from; a column of ages has the word in its own name
    "fu": "contact",
    "seen": "contact",
    "follow": "contact",
    "followup": "contact",
    "alive": "contact",
    "died": "death",
}
FILLER: Final = frozenset(
    {"date", "day", "days", "the", "of", "at", "in", "up", "mg", "kg", "value"}
)


def words_of(text: str) -> list[str]:
    """Return the words of a name or label, in one spelling."""
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return [SYNONYMS.get(word, word) for word in re.findall(r"[a-z]+|[0-9]+", split.lower())]


def likeness(wanted: str, name: str, label: str) -> float:
    """Return from 0 to 1 how like a wanted column is to one of this name and label."""
    own = words_of(wanted)
    return max(_of_words(own, words_of(name)), 0.9 * _of_words(own, words_of(label)))


def _of_words(wanted: Sequence[str], found: Sequence[str]) -> float:
    if not wanted or not found:
        return 0.0
    if list(wanted) == list(found):
        return 1.0
    core = [word for word in wanted if word not in FILLER] or list(wanted)
    shared = sum(max(_of_two(word, other) for other in found) for word in core) / len(core)
    whole = difflib.SequenceMatcher(None, "".join(wanted), "".join(found)).ratio()
    return 0.6 * shared + 0.4 * whole


def _of_two(first: str, second: str) -> float:
    if first == second:
        return 1.0
    ratio = difflib.SequenceMatcher(None, first, second).ratio()
    return ratio if ratio > SAME_WORD + 0.2 else 0.0


def nearest_level(label: str, column: Column) -> str:
    """Return the level that a label most likely means, none if none is near."""
    allowed = ("true", "false") if column.type == "boolean" else column.levels
    if column.type == "boolean":
        label = {"yes": "true", "no": "false", "checked": "true", "unchecked": "false"}.get(
            label.lower(), label
        )
    elif {"yes", "no"} <= {level.lower() for level in allowed}:
        label = {"checked": "yes", "unchecked": "no", "true": "yes", "false": "no"}.get(
            label.lower(), label
        )
    by_lower = {level.lower(): level for level in allowed}
    if label.lower() in by_lower:
        return by_lower[label.lower()]
    close = difflib.get_close_matches(label.lower(), list(by_lower), n=2, cutoff=0.75)
    if close:
        return by_lower[close[0]]
    # A level in brackets, or at the head: "Diffuse large B-cell lymphoma (DLBCL)".
    inside = [level for low, level in by_lower.items() if low in words_split(label)]
    return inside[0] if len(inside) == 1 else ""


def words_split(label: str) -> list[str]:
    """Return the words of a label as they stand, in lower case, brackets taken off."""
    return [word.strip("()[],;:").lower() for word in label.split()]


def codes_in_words(choices: Mapping[str, str], column: Column) -> dict[str, str]:
    """Return for each code of a source the level that its label means, none where none is near."""
    found = {code: nearest_level(label, column) for code, label in choices.items()}
    taken = [level for level in found.values() if level]
    return {code: level if taken.count(level) == 1 else "" for code, level in found.items()}
