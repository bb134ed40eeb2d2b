"""The mapping file: from the columns of a hospital's files to those of a study's tables.

A draft of it is written by draft.py, and a person completes it. It is read as strictly as a study:
unknown fields are errors, with line and nearest name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping as Named
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from site_agent.contract.errors import ConfigurationError, StudyError
from site_agent.contract.rows import SNAP
from site_agent.contract.study.document import Node, read_document
from site_agent.contract.study.fields import Fields, near, nearest
from site_agent.contract.study.model import Column, Study, Table

FORMAT: Final = 1
As = Literal["value", "day", "time", "age"]
Take = Literal["only", "first", "last", "smallest", "largest"]
DateOrder = Literal["ymd", "dmy", "mdy"]
AS: Final[tuple[As, ...]] = ("value", "day", "time", "age")
TAKE: Final[tuple[Take, ...]] = ("only", "first", "last", "smallest", "largest")
DATE_ORDERS: Final[tuple[DateOrder, ...]] = ("ymd", "dmy", "mdy")
INCOMPLETE: Final = "not completed yet"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file, and how it is read.

    patient: the column that identifies the patient. missing: words that stand for no value.
    """

    name: str
    file: Path
    patient: str = ""
    dictionary: Path | None = None
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    dates: DateOrder = "ymd"
    sheet: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a column of a source stands: the values are picked by event and instrument.

    events: names of REDCap's events, none for all. instrument: of a repeating instrument, or none.
    """

    source: str
    column: str
    events: tuple[str, ...] = ()
    instrument: str = ""
    days_only: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """From where a column of the study is taken, and how.

    place: None if the hospital does not have it. values: what stands in the source, with what is
    meant by it: a level of the study, or a number. take: which value counts if a patient has more.
    missing: words that stand for no value here, beside those of the source. side_by_side: several
    columns of one row, which become rows, by the value of the table's second key; that key's own
    target is `counted`, and has neither.
    """

    place: Origin | None
    kind: As = "value"
    values: Named[str, str] = field(default_factory=dict)
    factor: float = 1.0
    take: Take = "only"
    missing: tuple[str, ...] = ()
    side_by_side: Named[float, Origin] = field(default_factory=dict)
    counted: bool = False

    @property
    def places(self) -> tuple[Origin, ...]:
        """Return every column of the source that this is taken from."""
        alone = () if self.place is None else (self.place,)
        return (*alone, *self.side_by_side.values())


@dataclass(frozen=True, slots=True)
class Only:
    """Whom the study is about: patients with one of these words in a column."""

    place: Origin
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableMapping:
    """From which rows of which source a table is made."""

    source: str
    events: tuple[str, ...]
    instrument: str
    columns: Named[str, Target]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping, complete."""

    sources: Named[str, SourceFile]
    origin: Origin | None
    only: Only | None
    identifiers: tuple[str, ...]
    tables: Named[str, TableMapping]


def read_mapping(path: Path, study: Study) -> Mapping:
    """Return the mapping in the file at `path`; StudyError with every issue."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"the mapping {path} does not exist; draft one with `site-agent import --draft`"
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"the mapping {path} is not UTF-8 text") from None
    root = Fields(read_document(text, path.name), []).open()
    found = _Reader(root, study, path.parent).mapping()
    if root.issues:
        raise StudyError(sorted(root.issues, key=lambda issue: issue.line or 0), path.name)
    return found


@dataclass(slots=True)
class _Reader:
    root: Fields
    study: Study
    folder: Path

    def mapping(self) -> Mapping:
        root = self.root
        version = root.node_of("quorum_import", required=True)
        if version is not None and version.value != FORMAT:
            root.issue(f"found {version.kind()}, expected {FORMAT}", version)
        name = root.text("study", required=True)
        if name and name != self.study.name:
            root.issue(f"the mapping is for another study than '{self.study.name}'")
        sources = {n: self._source(n, node) for n, node in root.each("sources", required=True)}
        origin = root.inner("origin")
        only = root.inner("only")
        found = Mapping(
            sources,
            None if origin is None else self._origin(origin, sources),
            None if only is None else self._only(only, sources),
            tuple(root.texts("identifiers")),
            self._tables(sources),
        )
        root.close()
        return found

    def _source(self, name: str, node: Node) -> SourceFile:
        fields = Fields(node, self.root.issues).open()
        dictionary = fields.text("dictionary")
        file = fields.text("file", required=True)
        found = SourceFile(
            name,
            self.folder / file,
            self._complete(fields, "patient"),
            self.folder / dictionary if dictionary else None,
            fields.text("encoding", default="utf-8"),
            fields.text("delimiter", default=","),
            fields.choice("decimal", (".", ","), default="."),
            fields.choice("dates", DATE_ORDERS, default="ymd"),
            fields.text("sheet"),
            tuple(_word(inner) for inner in fields.items("missing")),
        )
        if len(found.delimiter) != 1:
            fields.issue("delimiter: expected one character")
        fields.close()
        return found

    def _complete(self, fields: Fields, name: str) -> str:
        """Return the text of a field that the draft may have left open."""
        node = fields.node_of(name, required=True)
        if node is None:
            return ""
        if node.value is None:
            fields.issue(INCOMPLETE, node)
            return ""
        return fields.text(name)

    def _days_only(self, fields: Fields) -> bool:
        node = fields.named.get("days_only")
        if node is None or node.value is not None:
            return fields.flag("days_only")
        fields.node_of("days_only")
        fields.issue(f"{INCOMPLETE}: true, if only days or years may be kept", node)
        return False

    def _origin(self, fields: Fields, sources: Named[str, SourceFile]) -> Origin:
        found = Origin(
            self._source_name(fields, sources),
            self._complete(fields, "column"),
            tuple(fields.texts("event")),
            fields.text("instrument"),
            self._days_only(fields),
        )
        fields.close()
        return found

    def _source_name(self, fields: Fields, sources: Named[str, SourceFile]) -> str:
        first = next(iter(sources), "")
        name = fields.text("source", default=first)
        if name not in sources:
            fields.issue(f"'{name}' is not a source{nearest(name, list(sources))}")
        return name

    def _only(self, fields: Fields, sources: Named[str, SourceFile]) -> Only:
        place = Origin(
            self._source_name(fields, sources),
            self._complete(fields, "column"),
            tuple(fields.texts("event")),
            fields.text("instrument"),
        )
        words = tuple(_word(node) for node in fields.items("is", required=True))
        fields.close()
        return Only(place, words)

    def _tables(self, sources: Named[str, SourceFile]) -> dict[str, TableMapping]:
        tables = self.root.inner("tables", required=True)
        if tables is None:
            return {}
        for name, node in tables.named.items():
            if name not in self.study.tables:
                hint = nearest(name, list(self.study.tables))
                tables.issue(f"'{name}' is not a table of the study{hint}", node)
        found = {}
        for name, table in self.study.tables.items():
            fields = tables.inner(name, required=True)
            if fields is not None:
                found[name] = self._table(fields, table, sources)
        return found

    def _table(self, fields: Fields, table: Table, sources: Named[str, SourceFile]) -> TableMapping:
        source = self._source_name(fields, sources)
        events, instrument = tuple(fields.texts("event")), fields.text("instrument")
        columns = fields.inner("columns", required=True)
        found = {}
        if columns is not None:
            for name, node in columns.named.items():
                if name not in table.columns:
                    hint = nearest(name, list(table.columns))
                    columns.issue(f"'{name}' is not a column of the table{hint}", node)
            for name, column in table.columns.items():
                node_of = columns.node_of(name, required=True)
                if node_of is not None:
                    inner = Fields(node_of, columns.issues).open()
                    place = Origin(source, "", events, instrument)
                    found[name] = self._target(inner, column, table, place)
            self._check_counted(columns, found, table)
        fields.close()
        return TableMapping(source, events, instrument, found)

    def _target(self, fields: Fields, column: Column, table: Table, place: Origin) -> Target:
        if fields.flag("absent"):
            fields.close()
            if not column.missing:
                fields.issue("the study allows no missing value here, so it cannot be absent")
            return Target(None)
        if fields.flag("counted"):
            fields.close()
            if table.key[1:] != (column.name,):
                fields.issue("only the second key of a table is counted")
            return Target(None, counted=True)
        single = len(table.key) == 1
        side_by_side = self._side_by_side(fields, table, place)
        events = tuple(fields.texts("event")) if single else ()
        instrument = fields.text("instrument") if single else ""
        alone = None
        if not side_by_side:
            alone = Origin(
                place.source,
                self._complete(fields, "column"),
                events or place.events,
                instrument or place.instrument,
                self._days_only(fields),
            )
        target = Target(
            alone,
            fields.choice("as", AS, default="value"),
            self._values(fields, column),
            self._factor(fields, column),
            fields.choice("take", TAKE, default="only") if single else "only",
            tuple(_word(node) for node in fields.items("missing")),
            side_by_side,
        )
        self._check_kind(fields, target, column)
        fields.close()
        return target

    def _side_by_side(self, fields: Fields, table: Table, place: Origin) -> dict[float, Origin]:
        """Return the columns that become rows, by the number of the second key's value."""
        named = list(fields.each("columns"))
        if named and len(table.key) == 1:
            fields.issue("'columns' become rows, and this table has one row for each patient")
            return {}
        days_only = self._days_only(fields) if named else False
        found = {}
        for word, node in named:
            number = _key_number(table.columns[table.key[1]], word)
            if number is None:
                fields.issue(f"'{word}' is no value of {table.key[1]}", node)
            elif number in found:
                fields.issue(f"'{word}' is the same value of {table.key[1]} as one before", node)
            elif not isinstance(node.value, str) or not node.value:
                fields.issue(f"found {node.kind()}, expected the name of a column", node)
            else:
                where = place.events, place.instrument, days_only
                found[number] = Origin(place.source, node.value, *where)
        return found

    def _check_counted(self, columns: Fields, found: Named[str, Target], table: Table) -> None:
        """Note columns that become rows in a table whose second key is not counted, and back."""
        wide = [name for name, target in found.items() if target.side_by_side]
        counted = [name for name, target in found.items() if target.counted]
        if wide and not counted:
            columns.issue(
                f"the columns of {wide[0]} become rows by {table.key[1]}: write "
                f"`{table.key[1]}: {{counted: true}}`"
            )
        if counted and not wide:
            columns.issue(f"'{counted[0]}' is counted, and no column has 'columns'")

    def _values(self, fields: Fields, column: Column) -> dict[str, str]:
        """Return what words mean; what is meant must be a level, a boolean or a number."""
        meant = {}
        for word, node in fields.each("values"):
            if node.value is None:
                # The path would have the word, which may be a value.
                place = Node(fields.node.path, node.line, None)
                fields.issue(f"{INCOMPLETE}: what a word of the source means", place)
                continue
            meant[word] = _word(node)
            allowed = _allowed(column)
            if allowed and meant[word] not in allowed:
                fields.issue(
                    f"found {node.kind()}, expected one of {', '.join(allowed)}"
                    f"{near(meant[word], allowed)}",
                    Node(fields.node.path, node.line, node.value),
                )
        return meant

    def _factor(self, fields: Fields, column: Column) -> float:
        node = fields.node_of("multiply")
        if node is None:
            return 1.0
        number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
        if not number or not float(node.value) > 0:  # type: ignore[arg-type]
            fields.issue(f"found {node.kind()}, expected a number above 0", node)
            return 1.0
        if column.type not in ("number", "integer"):
            fields.issue("only a number can be multiplied", node)
        return float(node.value)  # type: ignore[arg-type]

    def _check_kind(self, fields: Fields, target: Target, column: Column) -> None:
        if target.kind == "value":
            return
        if "origin" not in self.root.named:
            fields.issue("days and ages need an origin: name it (origin: {column: ...})")
        if target.kind in ("day", "time") and column.type != "time":
            fields.issue(f"as: {target.kind} is for columns of the study's time unit")
        if target.kind == "day" and self.study.time.unit != "day":
            fields.issue(f"the study counts in {self.study.time.unit}s; take as: time")
        if target.kind == "age" and column.type not in ("number", "integer"):
            fields.issue("as: age is for numbers (completed years at the origin)")


def _key_number(column: Column, word: str) -> float | None:
    """Return the number of a value of a second key: that of its level, or itself."""
    if column.type == "category":
        return float(column.levels.index(word)) if word in column.levels else None
    try:
        found = float(word)
    except ValueError:
        return None
    low, high = (
        float(bound) if bound is not None else found for bound in (column.low, column.high)
    )
    if not (math.isfinite(found) and low <= found <= high):
        return None
    if column.type == "number" or column.resolution is None:
        return found
    step = float(column.resolution)
    return found if abs(round(found / step) * step - found) <= SNAP else None


def _allowed(column: Column) -> tuple[str, ...]:
    """Return the words that a mapping may give for a column; none if it may be any number."""
    if column.type == "boolean":
        return ("true", "false")
    return column.levels if column.type == "category" else ()


def _word(node: Node) -> str:
    """Return a scalar of the file as the word it would be in a source."""
    value = node.value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)
