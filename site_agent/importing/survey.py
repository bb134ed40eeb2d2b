"""What the files of a hospital show of themselves: encodings, dates, labels, codes, identifiers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from site_agent.contract.errors import ConfigurationError
from site_agent.importing.conversion import DATE, NUMBER
from site_agent.importing.delimited import delimiter_of, encoding_of, first_rows
from site_agent.importing.likeness import words_of
from site_agent.importing.mapping import SourceFile
from site_agent.importing.redcap import Field, is_dictionary
from site_agent.importing.sources import (
    DELIMITED,
    EVENT,
    INSTANCE,
    INSTRUMENT,
    Source,
    read_source,
)

COMMA: Final = re.compile(r"-?[0-9]+(,[0-9]+)?\Z")
SAMPLE: Final = 2_000
IDENTIFYING: Final = frozenset(
    {
        *("name", "surname", "forename", "firstname", "lastname", "initials"),
        *("mrn", "ssn", "nhs", "insurance", "passport"),
        *("phone", "telephone", "mobile", "email", "address", "street", "postcode", "zip"),
        *("vorname", "nachname", "familienname", "geburtsname", "geburtsdatum", "geburtstag"),
        *("adresse", "anschrift", "strasse", "plz", "telefon", "handy", "versichertennummer"),
        *("nom", "prenom", "naissance", "courriel"),
    }
)
REDCAP: Final = (
    EVENT,
    INSTRUMENT,
    INSTANCE,
    "redcap_data_access_group",
    "redcap_survey_identifier",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A column of a source. kind: date, number or text. note: what its dictionary says besides."""

    source: str
    name: str
    label: str
    kind: str
    array: pa.ChunkedArray
    choices: Mapping[str, str]
    note: str
    identifier: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """All files, how they are read, and their columns."""

    specs: Mapping[str, SourceFile]
    sources: Mapping[str, Source]
    columns: tuple[Seen, ...]


def survey(files: Sequence[Path]) -> Survey:
    """Return what the files show; a REDCap data dictionary among them is known by its header.

    UnfitSource if a file is damaged, ConfigurationError if there is none but a dictionary.
    """
    specs = _specs(files)
    sources = {name: read_source(spec) for name, spec in specs.items()}
    columns = [
        _seen(name, column, source)
        for name, source in sources.items()
        for column in source.columns
        if column not in REDCAP
    ]
    read = {name: _with_habits(spec, sources[name]) for name, spec in specs.items()}
    return Survey(read, sources, tuple(columns))


def _specs(files: Sequence[Path]) -> dict[str, SourceFile]:
    dictionary: Path | None = None
    data: list[SourceFile] = []
    for file in files:
        if not file.is_file():
            raise ConfigurationError(f"the file {file} does not exist")
        spec = SourceFile(file.stem, file)
        if file.suffix.lower() in DELIMITED:
            encoding = encoding_of(file)
            spec = replace(spec, encoding=encoding, delimiter=delimiter_of(file, encoding))
            if is_dictionary(next(iter(first_rows(spec, 1)), [])):
                dictionary = file
                continue
        data.append(spec)
    if not data:
        raise ConfigurationError("expected at least one file with data to draft a mapping from")
    return {
        name: replace(spec, name=name, dictionary=dictionary)
        for name, spec in zip(_names(data), data, strict=True)
    }


def _with_habits(spec: SourceFile, source: Source) -> SourceFile:
    """Return a source with the decimal mark and the order of dates that its words have."""
    found = spec
    for array in source.columns.values():
        words = [word for word in pc.unique(array.slice(0, SAMPLE)).to_pylist() if word]
        if spec.delimiter != "," and words and all(COMMA.match(word) for word in words):
            found = replace(found, decimal=",")
        dates = [match for match in map(DATE.match, words) if match is not None]
        short = [match for match in dates if len(match[1]) <= 2]
        if short and len(dates) == len(words):
            month_first = any(int(match[3]) > 12 for match in short)
            found = replace(found, dates="mdy" if month_first else "dmy")
    return found


def _names(specs: Iterable[SourceFile]) -> list[str]:
    found: list[str] = []
    for spec in specs:
        name = re.sub(r"[^a-z0-9]+", "_", spec.file.stem.lower()).strip("_")[:30] or "source"
        found.append(name if name not in found else f"{name}_{len(found)}")
    return found


def _seen(source_name: str, column: str, source: Source) -> Seen:
    known = source.dictionary.field_of(column) if source.dictionary else None
    array = source.columns[column]
    if source.dictionary is None or known is None:
        choices = source.choices.get(column, {})
        identifier = bool(set(words_of(_unaccented(column))) & IDENTIFYING)
        label, kind, note = source.labels.get(column, ""), _kind(array), ""
    else:
        choices, identifier = source.dictionary.choices_of(column), known.identifier
        label, note = source.dictionary.label_of(column), _note(known)
        kind = "date" if known.is_date else _kind(array)
    return Seen(source_name, column, label, kind, array, choices, note, identifier)


def _unaccented(name: str) -> str:
    """Return a name in letters of ASCII, as far as it has them: prénom is prenom."""
    return unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()


def _note(known: Field) -> str:
    """Return in words what a dictionary says beside label and choices."""
    limits = f"{known.low or 'any'} to {known.high or 'any'}"
    ranged = f"REDCap's range {limits}" if known.low or known.high else ""
    shown = f"shown only if {known.branching}" if known.branching else ""
    return "; ".join(part for part in (known.note, ranged, shown) if part)


def _kind(array: pa.ChunkedArray) -> str:
    words = [w for w in pc.unique(array.slice(0, SAMPLE)).to_pylist() if w]
    if words and all(DATE.match(word) for word in words):
        return "date"
    if words and all(NUMBER.match(word.replace(",", ".")) for word in words):
        return "number"
    return "text"
