"""What a mapping leaves lying: values in other events, and numbered columns that are new.

A mapping is completed with one export and used for the next ones. Nothing here is wrong for
certain, so that an import tells it and goes on: counts and names, never a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from site_agent.importing.faults import SHOWN, Mask
from site_agent.importing.likeness import NUMBERED
from site_agent.importing.mapping import Mapping, Origin
from site_agent.importing.reading import NOBODY, Loaded, Sources
from site_agent.importing.sources import EVENT, INSTRUMENT

ARM: Final = re.compile(r"[a-z0-9_]+_arm_[0-9]+[a-z]*\Z")  # REDCap's names of events
Taken = tuple[Origin, tuple[str, ...]]  # a column, and the words that stand for no value there


def left_out(sources: Sources, wanted: Mask) -> list[str]:
    """Return in words what stands in the sources of the study's patients and is not imported.

    wanted: which patients the mapping is about; (patients,).
    """
    mapping = sources.mapping
    by_column: dict[tuple[str, str], list[Taken]] = {}
    for table in mapping.tables.values():
        for target in table.columns.values():
            for place in target.places:
                taken = by_column.setdefault((place.source, place.column), [])
                taken.append((place, target.missing))
    groups = list(by_column.values())
    # Day 0 and whom the study is about are asked on their own: they take no value of a table.
    groups += [[(place, ())] for place in _asked(mapping)]
    found = [line for group in groups for line in _elsewhere(sources, group, wanted)]
    return list(dict.fromkeys((*found, *_numbered(sources, wanted, set(by_column)))))


def _asked(mapping: Mapping) -> Iterator[Origin]:
    if mapping.origin is not None:
        yield mapping.origin
    if mapping.only is not None:
        yield mapping.only.place


def _elsewhere(sources: Sources, group: Sequence[Taken], wanted: Mask) -> Iterator[str]:
    """Tell the values of a column in rows that no place of the mapping chooses."""
    place = group[0][0]
    loaded = sources.of(place)
    columns = loaded.source.columns
    if EVENT not in columns and INSTRUMENT not in columns:
        return
    missing = {*loaded.spec.missing, *(word for _, words in group for word in words)}
    left = _with_value(loaded, place.column, missing, wanted)
    for other, _ in group:
        left &= ~sources.chosen(other)
    where = f"{loaded.source.file}, column {place.column}"
    rest = left
    if INSTRUMENT in columns:
        known = pc.fill_null(columns[INSTRUMENT], "")
        instruments = pa.array({other.instrument for other, _ in group}, pa.string())
        rest = left & np.asarray(pc.is_in(known, value_set=instruments), dtype=bool)
        yield from _told(loaded, where, left & ~rest, INSTRUMENT)
    if EVENT in columns:
        yield from _told(loaded, where, rest, EVENT)


def _told(loaded: Loaded, where: str, rows: Mask, column: str) -> Iterator[str]:
    count = int(rows.sum())
    if not count:
        return
    present = pc.unique(loaded.source.columns[column].filter(rows)).to_pylist()
    names = _in_words(list(dict.fromkeys(_name(loaded, column, word) for word in present)))
    stand = "1 value stands" if count == 1 else f"{count} values stand"
    what, advice = "repeating instruments", "look at instrument"
    if column == EVENT:
        what, advice = "events", "add them under event"
    left = f"{stand} in {what} that the mapping leaves out ({names})"
    yield f"{where}: {left}; {advice}, or is it right?"


def _name(loaded: Loaded, column: str, word: str | None) -> str:
    """Return an event or instrument by name, unless cells are shifted and it may be a value."""
    if word is None:
        return "none"
    dictionary = loaded.source.dictionary
    forms = {known.form for known in dictionary.fields.values()} if dictionary else set()
    if ARM.match(word) or (column == INSTRUMENT and word in forms):
        return word
    rows = np.asarray(pc.fill_null(pc.equal(loaded.source.columns[column], word), False))
    return word if len(np.unique(loaded.patient[rows])) > 1 else "another"


def _numbered(sources: Sources, wanted: Mask, used: set[tuple[str, str]]) -> Iterator[str]:
    """Tell the columns whose names differ in the number alone from some that become rows."""
    for table in sources.mapping.tables.values():
        loaded = sources.of(Origin(table.source, ""))
        for target in table.columns.values():
            stems = {_stem(place.column) for place in target.side_by_side.values()} - {""}
            beside = [
                name
                for name in loaded.source.columns
                if _stem(name) in stems
                and (table.source, name) not in used
                and not sources.identifies(loaded.source, name)
                and _with_value(loaded, name, set(loaded.spec.missing), wanted).any()
            ]
            if beside:
                first = next(iter(target.side_by_side.values())).column
                yield (
                    f"{loaded.source.file}: columns {_in_words(beside)} beside {first} not taken; "
                    f"add them under columns, or is it right?"
                )


def _stem(name: str) -> str:
    match = NUMBERED.match(name)
    return match[1] if match else ""


def _with_value(loaded: Loaded, column: str, missing: set[str], wanted: Mask) -> Mask:
    """Return the rows of wanted patients in which a column is not blank; (n,)."""
    array = loaded.source.column(column)
    none = pc.is_in(array, value_set=pa.array([None, *sorted(missing)], pa.string()))
    whose = np.append(wanted, False)[loaded.patient]  # nobody's rows are -1
    found: Mask = whose & (loaded.patient != NOBODY) & ~np.asarray(none, dtype=bool)
    return found


def _in_words(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
