"""Drafting a mapping: the nearest column for each of the study's, with codes and units in words.

What is certain is filled in. What is not stands open (`column:` with nothing behind it), and an
import refuses it until a person has completed it. Comments say why something was taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow.compute as pc

from site_agent.contract.study.model import Column, Study, Table
from site_agent.data.units import factor, unit_in
from site_agent.importing.conversion import NUMBER, Words
from site_agent.importing.likeness import ENOUGH, NUMBERED, codes_in_words, likeness, words_of
from site_agent.importing.sources import EVENT, INSTRUMENT
from site_agent.importing.survey import Seen, Survey, survey

OPEN: Final = "   # open: "
DAYS_ONLY: Final = "marked as an identifier; true, if only days or years may be kept of it"
MOST_LEVELS: Final = 20
ORIGINS: Final = ("origin", "infusion", "transplant", "randomisation", "randomization", "baseline")
HEAD: Final = """\
# Drafted by `site-agent import --draft`. Complete every line that says "open": nothing stands
# behind its colon yet. Look at all the others, too: names only seemed to fit. Then import with it.
# docs/import.md says what each field means. Paths begin at the folder of this file.
"""


def draft(study: Study, files: Sequence[Path], folder: Path) -> str:
    """Return the text of a mapping from `files` to a study, for a file in `folder`.

    Raises what `survey` raises.
    """
    found = _Draft(study, survey(files))
    return HEAD + "\n".join(_lines(found, folder)) + "\n"


@dataclass(frozen=True, slots=True)
class _Draft:
    study: Study
    seen: Survey


def _lines(found: _Draft, folder: Path) -> Iterator[str]:
    yield "quorum_import: 1"
    yield f"study: {found.study.name}"
    yield "sources:"
    for name, spec in found.seen.specs.items():
        patient = _patient(found, name)
        yield f"  {name}:"
        yield f"    file: {_quoted(_relative(spec.file, folder))}"
        if spec.dictionary is not None:
            yield f"    dictionary: {_quoted(_relative(spec.dictionary, folder))}"
        if spec.encoding != "utf-8":
            yield f"    encoding: {spec.encoding}   # a guess: look at names with accents"
        if spec.delimiter != ",":
            yield f"    delimiter: {_quoted(spec.delimiter)}"
        if spec.decimal != ".":
            yield f"    decimal: {_quoted(spec.decimal)}"
        if spec.dates != "ymd":
            yield f"    dates: {spec.dates}   # by what the dates look like"
        yield (
            f"    patient: {_quoted(patient)}"
            if patient
            else (f"    patient:{OPEN}the column that identifies the patient")
        )
        yield "    missing: []   # words for no value, such as [NA, -999]"
    yield from _origin(found)
    yield f"identifiers: [{', '.join(map(_quoted, dict.fromkeys(_identifiers(found))))}]" + (
        "   # never imported"
    )
    yield "tables:"
    for table in found.study.tables.values():
        yield from _table(found, table)


def _identifiers(found: _Draft) -> list[str]:
    return [column.name for column in found.seen.columns if column.identifier]


def _relative(file: Path, folder: Path) -> str:
    try:
        return str(file.resolve().relative_to(folder.resolve()))
    except ValueError:
        return str(file.resolve())


def _patient(found: _Draft, source: str) -> str:
    """Return the column that most likely identifies the patient: REDCap's is the first."""
    spec, known = found.seen.specs[source], [k for k in found.seen.columns if k.source == source]
    if spec.dictionary is not None and known:
        return known[0].name
    keys = [table.key[0] for table in found.study.tables.values()]
    usual = [*keys, "record_id", "patient_id", "subject", "id"]
    scored = [(max(likeness(key, k.name, "") for key in usual), k.name) for k in known]
    return max(scored)[1] if scored and max(scored)[0] >= 0.8 else ""


def _origin(found: _Draft) -> Iterator[str]:
    """The date from which days are counted: the study's words for it are near, or it is open."""
    if not any(known.kind == "date" for known in found.seen.columns):
        return
    chosen = _day_0(found)
    yield "origin:   # day 0 of each patient: days are counted from here, and no date is kept"
    yield f"  source: {chosen.source if chosen else next(iter(found.seen.specs))}"
    yield (
        f"  column: {_quoted(chosen.name)}{_why(chosen)}"
        if chosen
        else (f"  column:{OPEN}the date of day 0; nothing is near")
    )
    if chosen is not None:
        if chosen.identifier:
            yield f"  days_only:{OPEN}{DAYS_ONLY}"
        yield from _place(found, chosen, "  ")


def _day_0(found: _Draft) -> Seen | None:
    dates = [known for known in found.seen.columns if known.kind == "date"]
    scored = [(max(likeness(word, k.name, k.label) for word in ORIGINS), k.name, k) for k in dates]
    best = max(scored, key=lambda entry: entry[:2], default=None)
    return best[2] if best is not None and best[0] >= ENOUGH else None


def _why(known: Seen) -> str:
    parts = [part for part in (known.label, known.note) if part]
    return f"   # {_comment('; '.join(parts))}" if parts else ""


def _place(found: _Draft, known: Seen, indent: str, *, of_table: bool = False) -> Iterator[str]:
    """Yield the events and the repeating instrument in which a column has values."""
    columns = found.seen.sources[known.source].columns
    has = pc.is_valid(known.array)
    instrument = _instrument(found, known) if of_table else ""
    if instrument:
        has = pc.fill_null(pc.equal(columns[INSTRUMENT], instrument), False)
        yield f"{indent}instrument: {_quoted(instrument)}"
    elif INSTRUMENT in columns:
        names = [n for n in pc.unique(columns[INSTRUMENT].filter(has)).to_pylist() if n]
        if len(names) == 1:
            yield f"{indent}instrument: {_quoted(names[0])}"
    if EVENT in columns:
        events = [e for e in pc.unique(columns[EVENT].filter(has)).to_pylist() if e]
        every = [e for e in pc.unique(columns[EVENT]).to_pylist() if e]
        if len(events) == 1 and len(every) > 1:
            others = ", ".join(event for event in every if event != events[0])
            only = f"values only here today; also there: {others}"
            yield f"{indent}event: {_quoted(events[0])}   # {_comment(only)}"
        elif len(events) > 1:
            shown = ", ".join(map(_quoted, events))
            yield f"{indent}event: []   # values in {_comment(shown)}"
            if not of_table:
                yield f"{indent}# take: last   # of several: first, last, smallest or largest"


def _instrument(found: _Draft, known: Seen) -> str:
    """Return the repeating instrument that a column is a field of, by form or by its values."""
    source = found.seen.sources[known.source]
    if INSTRUMENT not in source.columns:
        return ""
    array = pc.fill_null(source.columns[INSTRUMENT], "")
    field = source.dictionary.field_of(known.name) if source.dictionary else None
    if field is not None and field.form and field.form in pc.unique(array).to_pylist():
        return field.form
    names = pc.unique(array.filter(pc.is_valid(known.array))).to_pylist()
    return str(names[0]) if len(names) == 1 else ""


def _likest(found: _Draft, table: Table) -> dict[str, Seen | None]:
    """Return the nearest column for each of a table's.

    With a second key, those of one repeating instrument if it has half of them at least; day 0
    is no such key, since it is one day for all rows of a patient.
    """
    known = found.seen.columns
    best = {name: _best(found.study, column, known) for name, column in table.columns.items()}
    if len(table.key) == 1:
        return best
    key = table.columns[table.key[1]]
    values = [best[name] for name in best if name != key.name and best[name] is not None]
    homes = [_instrument(found, column) for column in values if column is not None]
    for home in sorted({home for home in homes if home}, key=homes.count, reverse=True):
        fields = [column for column in known if _instrument(found, column) == home]
        inside = {name: _best(found.study, table.columns[name], fields) for name in best}
        if 2 * sum(inside[n] is not None for n in inside if n != key.name) >= len(values):
            dates = [column for column in fields if column.kind == "date"]
            if inside[key.name] is None and key.type == "time" and len(dates) == 1:
                inside[key.name] = dates[0]
            return inside
    first = _day_0(found)
    best[key.name] = _best(found.study, key, [column for column in known if column is not first])
    return best


def _table(found: _Draft, table: Table) -> Iterator[str]:
    best = _likest(found, table)
    sources = [known.source for known in best.values() if known is not None]
    source = max(found.seen.specs, key=sources.count) if sources else next(iter(found.seen.specs))
    yield f"  {table.name}:"
    yield f"    source: {source}"
    several = len(table.key) > 1
    order = sorted(best, key=lambda name: name in table.key)  # the second key last
    here = [known for name in order if (known := best[name]) is not None]
    home = next((known for known in here if known.source == source), None)
    if several and home is not None:
        yield from _place(found, home, "    ", of_table=True)
    yield "    columns:"
    wide = _side_by_side(found, table, source, best) if several else {}
    for name, column in table.columns.items():
        if name in wide:
            yield from _columns(found, column, wide[name])
            continue
        if wide and name == table.key[1]:
            yield f"      {name}: {{counted: true}}   # by the numbers in front of the columns"
            continue
        known = best[name]
        if known is not None and known.source != source:
            known = None
        yield from _column(found, column, known, place=not several)


def _side_by_side(
    found: _Draft, table: Table, source: str, best: Mapping[str, Seen | None]
) -> dict[str, dict[int, Seen]]:
    """Return, for columns of a table, those whose names differ in a number at the end.

    None, if the source has the table's second key in a column of its own, and none of names of
    which two have one number, as crs_1 and crs_day1: a person has to tell them apart.
    """
    stems: dict[str, dict[int, Seen]] = {}
    unclear = set()
    for known in found.seen.columns:
        match = NUMBERED.match(known.name)
        if match and known.source == source and not known.identifier:
            numbered = stems.setdefault(match[1], {})
            if numbered.setdefault(int(match[2]), known) is not known:
                unclear.add(match[1])
    stems = {stem: numbered for stem, numbered in stems.items() if stem not in unclear}
    counted = best[table.key[1]]
    several = [known.name for stem in stems.values() if len(stem) > 1 for known in stem.values()]
    if not several or (counted is not None and counted.name not in several):
        return {}
    wide = {}
    for name, column in table.columns.items():
        scored = [
            (likeness(name, stem, next(iter(numbered.values())).label), stem)
            for stem, numbered in stems.items()
            if all(_fits(found.study, column, known) for known in numbered.values())
        ]
        likest = max(scored, default=(0.0, ""))
        if name != table.key[1] and likest[0] >= ENOUGH:
            wide[name] = dict(sorted(stems[likest[1]].items()))
    return wide


def _columns(found: _Draft, column: Column, wide: dict[int, Seen]) -> Iterator[str]:
    """Yield columns that become rows, and how the first of them is read."""
    first = next(iter(wide.values()))
    yield f"      {column.name}:"
    yield f"        columns:   # each becomes a row{_why(first).replace('   #', ';', 1)}"
    for number, known in wide.items():
        yield f"          {number}: {_quoted(known.name)}"
    if first.kind == "date":
        yield f"        as: {'time' if column.type == 'time' else 'age'}"
    if column.type in ("category", "boolean"):
        yield from _values(found, column, first)
    elif column.unit:
        yield from _unit(column, first)


def _best(study: Study, column: Column, among: Sequence[Seen]) -> Seen | None:
    scored = []
    for known in among:
        fits = _fits(study, column, known)
        if not fits or (known.identifier and known.kind != "date"):
            continue
        scored.append((fits * likeness(column.name, known.name, known.label), known.name, known))
    best = max(scored, key=lambda entry: entry[:2], default=None)
    return best[2] if best is not None and best[0] >= ENOUGH else None


def _fits(study: Study, column: Column, known: Seen) -> float:
    """Return 1 if a column can be what the study wants by its type, less if hardly, 0 if not."""
    if column.type == "time":
        return 1.0 if known.kind == "date" else 0.9
    if column.type in ("category", "boolean"):
        if known.choices or known.kind == "text":
            return 1.0
        return 0.0 if known.kind == "date" else 0.9
    if known.kind == "date":
        return 0.9 if "birth" in words_of(known.name + " " + known.label) else 0.0
    if known.choices and not all(NUMBER.match(code) for code in known.choices):
        return 0.0
    return 1.0 if known.kind == "number" else 0.8


def _column(found: _Draft, column: Column, known: Seen | None, *, place: bool) -> Iterator[str]:
    if known is None:
        absent = "; or absent: true, in its place" if column.missing else ""
        yield f"      {column.name}:"
        yield f"        column:{OPEN}nothing is near; {_wanted(column)}{absent}"
        return
    yield f"      {column.name}:"
    yield f"        column: {_quoted(known.name)}{_why(known)}"
    if known.kind == "date":
        day = "day" if found.study.time.unit == "day" else "time"
        yield f"        as: {day if column.type == 'time' else 'age'}"
        if known.identifier:
            yield f"        days_only:{OPEN}{DAYS_ONLY}"
    if place:
        yield from _place(found, known, "        ")
    if column.type in ("category", "boolean"):
        yield from _values(found, column, known)
    elif column.unit:
        yield from _unit(column, known)


def _wanted(column: Column) -> str:
    """Return in words what the study wants of a column."""
    if column.type == "category":
        return f"one of {', '.join(column.levels)}"
    return f"{column.type} {column.unit}".strip()


def _values(found: _Draft, column: Column, known: Seen) -> Iterator[str]:
    choices = known.choices
    if not choices:
        missing = found.seen.specs[known.source].missing
        words = [w for w in Words.of(known.array).distinct if w not in missing]
        if len(words) > MOST_LEVELS:
            yield "        # more than 20 different words: is it this column?"
            return
        choices = {word: word for word in sorted(words)}
    meant = codes_in_words(choices, column)
    if all(code == level for code, level in meant.items()) and set(meant) <= set(column.levels):
        return
    yield f"        values:   # each word of the source, and which it means: {_wanted(column)}"
    for code, level in meant.items():
        label = choices[code] if choices[code] != code else ""
        if level:
            comment = f"   # {_comment(label)}" if label else ""
            meaning = level if column.type == "boolean" else _quoted(level)
            yield f"          {_quoted(code)}: {meaning}{comment}"
        else:
            hint = "which of them, or take it out and put the word under missing: [...]"
            yield f"          {_quoted(code)}:{OPEN}{_comment(label)}{'; ' * bool(label)}{hint}"


def _unit(column: Column, known: Seen) -> Iterator[str]:
    """Yield the factor between the unit of a label and the study's, if it is not 1."""
    last = known.name.split("_")[-2:]
    told = [unit_in(text) for text in (known.label, known.note, known.name)]
    units = [unit for unit in (*told, "/".join(last), last[-1]) if factor(unit, column.unit)]
    unit = units[0] if units else ""
    by = factor(unit, column.unit) if unit else None
    if by is not None and abs(by - 1) > 1e-9:
        yield f"        multiply: {by:g}   # from {_comment(unit)} to {column.unit}"


def _quoted(text: str) -> str:
    """Return a text as YAML that reads back as this text."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text) and text not in ("true", "false", "null"):
        return text
    if re.fullmatch(r"0|[1-9][0-9]*", text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"' if text else ""


def _comment(text: str) -> str:
    return " ".join(text.split())[:120]
