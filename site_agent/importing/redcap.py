"""REDCap's data dictionary: 18 columns, one row a field.

Exports have one row a record, or one a record and event; a repeating instrument has rows of its
own. A checkbox is one column a choice, `field___code`. Choices are split at `|`, each at its first
comma only: labels have commas too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from site_agent.contract.errors import ConfigurationError
from site_agent.importing.faults import unfit

# The heads of the columns as the online designer writes them, and as the API does.
HEADS: Final = {
    "variable / field name": "field_name",
    "form name": "form_name",
    "section header": "section_header",
    "field type": "field_type",
    "field label": "field_label",
    "choices, calculations, or slider labels": "select_choices_or_calculations",
    "field note": "field_note",
    "text validation type or show slider number": "text_validation_type_or_show_slider_number",
    "text validation min": "text_validation_min",
    "text validation max": "text_validation_max",
    "identifier?": "identifier",
    "branching logic (show field only if...)": "branching_logic",
    "required field?": "required_field",
    "custom alignment": "custom_alignment",
    "question number (surveys only)": "question_number",
    "matrix group name": "matrix_group_name",
    "matrix ranking?": "matrix_ranking",
    "field annotation": "field_annotation",
}
NEEDED: Final = ("field_name", "field_type", "field_label", "identifier")
CHOSEN: Final = ("dropdown", "radio", "checkbox")
FIXED: Final = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
CHECKED: Final = {"1": "Checked", "0": "Unchecked"}
CHECKBOX: Final = "___"


@dataclass(frozen=True, slots=True)
class Field:
    """One field. validation: such as date_ymd, number, integer; low, high: as REDCap has them."""

    name: str
    form: str
    type: str
    label: str
    note: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    validation: str = ""
    low: str = ""
    high: str = ""
    identifier: bool = False
    branching: str = ""

    @property
    def is_date(self) -> bool:
        """Return whether it holds a date, or a date with a time."""
        return self.validation.startswith(("date_", "datetime_"))


@dataclass(frozen=True, slots=True)
class Dictionary:
    """All fields by name."""

    fields: Mapping[str, Field]

    def field_of(self, column: str) -> Field | None:
        """Return the field that a column of an export belongs to."""
        if column in self.fields:
            return self.fields[column]
        name, mark, _ = column.partition(CHECKBOX)
        return self.fields.get(name) if mark else None

    def choices_of(self, column: str) -> Mapping[str, str]:
        """Return what the codes in a column of an export mean."""
        found = self.field_of(column)
        if found is None:
            return {}
        return CHECKED if column != found.name else found.choices

    def label_of(self, column: str) -> str:
        """Return what a column is called; of a checkbox the choice, too."""
        found = self.field_of(column)
        if found is None:
            return ""
        code = column.removeprefix(found.name).removeprefix(CHECKBOX)
        by_code = {_in_name(known): label for known, label in found.choices.items()}
        return f"{found.label}: {by_code[code]}" if code in by_code else found.label


def is_dictionary(header: list[str]) -> bool:
    """Return whether a header is that of a data dictionary."""
    names = [_head(name) for name in header]
    return names[:1] == ["field_name"] and "field_type" in names


def read_dictionary(path: Path) -> Dictionary:
    """Return the data dictionary in a CSV file; UnfitSource if it is none."""
    from site_agent.importing.delimited import encoding_of, read_delimited
    from site_agent.importing.mapping import SourceFile

    if not path.is_file():
        raise ConfigurationError(f"the data dictionary {path} does not exist")
    source = read_delimited(SourceFile(path.stem, path, encoding=encoding_of(path)))
    columns = {_head(name): values.to_pylist() for name, values in source.columns.items()}
    lacking = [name for name in NEEDED if name not in columns]
    if lacking:
        raise unfit(
            path.name,
            "no data dictionary",
            f"no column {', '.join(lacking)}; expected REDCap's data dictionary of 18 columns",
        )
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return Dictionary({found.name: found for found in map(_field, rows) if found.name})


def _head(name: str) -> str:
    return HEADS.get(name.strip().lower(), name.strip().lower())


def _field(row: Mapping[str, str | None]) -> Field:
    def text(name: str) -> str:
        return " ".join(_untagged(row.get(name) or "").split())

    kind = text("field_type").lower()
    choices = _choices(text("select_choices_or_calculations")) if kind in CHOSEN else {}
    return Field(
        name=text("field_name"),
        form=text("form_name"),
        type=kind,
        label=text("field_label"),
        note=text("field_note"),
        choices=FIXED.get(kind, choices),
        validation=text("text_validation_type_or_show_slider_number"),
        low=text("text_validation_min"),
        high=text("text_validation_max"),
        identifier=text("identifier").lower() in ("y", "yes", "1"),
        branching=text("branching_logic"),
    )


def _untagged(text: str) -> str:
    """Return a label without the HTML that REDCap allows in it; a lone < is no tag."""
    return re.sub(r"</?[a-zA-Z][^<>]*>", " ", text)


def _choices(text: str) -> dict[str, str]:
    found = {}
    for choice in text.split("|"):
        code, comma, label = choice.partition(",")
        if comma:
            found[code.strip()] = label.strip()
    return found


def _in_name(code: str) -> str:
    """Return a choice's code as it stands in the name of a checkbox's column."""
    return code.lower().replace("-", "_")
