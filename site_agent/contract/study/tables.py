"""Reading a study's time scale, tables and derived columns."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from site_agent.contract import expressions
from site_agent.contract.expressions import ExpressionError, Scope, Type
from site_agent.contract.party import SITE_NAME, SITE_NAME_IN_WORDS
from site_agent.contract.study.document import Node
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import SITE, Column, Derived, Table, TimeScale

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
LARGEST_GRID: Final = 200_000
OTHERWISE: Final = "otherwise"
RESERVED: Final = expressions.RESERVED | {SITE}


def check_name(fields: Fields, name: str, node: Node) -> None:
    """Note a name that is not lower-case letters, digits and _, or that is reserved."""
    if not NAME.match(name):
        fields.issue(
            f"the name '{name}' must be lower-case letters, digits and _, a letter first, "
            f"at most 40",
            node,
        )
    elif name in RESERVED:
        fields.issue(f"the name '{name}' is reserved; choose another", node)


def read_time(root: Fields) -> TimeScale:
    """Read `time: {unit, resolution, horizon}`."""
    fallback = TimeScale("day", Fraction(1), Fraction(1))
    fields = root.inner("time", required=True)
    if fields is None:
        return fallback
    unit = fields.choice("unit", ("day", "week", "month", "year"), default="day")
    resolution = fields.fraction("resolution") or Fraction(1)
    horizon = fields.fraction("horizon", required=True)
    fields.close()
    if horizon is None:
        return TimeScale(unit, resolution, resolution)
    scale = TimeScale(unit, resolution, horizon)
    if scale.ticks > LARGEST_GRID:
        fields.issue(
            f"horizon / resolution is {scale.ticks} grid points, expected at most {LARGEST_GRID}; "
            f"take a coarser resolution or a nearer horizon"
        )
    return scale


def read_sites(root: Fields) -> tuple[dict[str, tuple[str, ...]], str]:
    """Read `sites`: the attributes of hospitals with their levels, and which one is the center's.

    `{attributes: {name: [levels]}, at_center: name}`; without `at_center` the name is "".
    """
    fields = root.inner("sites")
    if fields is None:
        return {}, ""
    inner = fields.inner("attributes")
    found: dict[str, tuple[str, ...]] = {}
    if inner is not None:
        for name, node in inner.named.items():
            check_name(inner, name, node)
            levels = inner.texts(name, required=True)
            found[name] = tuple(dict.fromkeys(levels))
            if len(found[name]) < len(levels):
                inner.issue("a level stands twice; keep one", node)
    at_center = fields.text("at_center")
    if at_center and not SITE_NAME.match(at_center):
        fields.issue(
            f"expected the name of a site: {SITE_NAME_IN_WORDS}", fields.named["at_center"]
        )
    fields.close()
    return found, at_center


def read_tables(root: Fields, scale: TimeScale) -> dict[str, Table]:
    """Read `tables`: each a key and its columns."""
    tables: dict[str, Table] = {}
    for name, node in root.each("tables", required=True):
        fields = Fields(node, root.issues).open()
        check_name(root, name, node)
        key = tuple(fields.texts("key", required=True))
        columns = {
            column: _read_column(column, Fields(inner, root.issues).open(), scale)
            for column, inner in fields.each("columns", required=True)
        }
        fields.close()
        tables[name] = Table(name, key, columns)
        _check_key(fields, tables[name])
    if not tables and "tables" in root.named:
        root.issue("no table; a study needs at least one", root.named["tables"])
    return tables


def _check_key(fields: Fields, table: Table) -> None:
    """The first key column names the patient; a second one orders a patient's rows."""
    if not 1 <= len(table.key) <= 2 or len(set(table.key)) != len(table.key):
        fields.issue("key: expected one or two names: the patient, and what orders its rows")
        return
    if table.key[0] in RESERVED:
        fields.issue(f"key: the name '{table.key[0]}' is reserved; choose another")
    if table.key[0] in table.columns:
        fields.issue(
            f"key: '{table.key[0]}' identifies the patient and is not listed among the columns"
        )
    for name in table.key[1:]:
        column = table.columns.get(name)
        if column is None:
            fields.issue(f"key: '{name}' is not a column{nearest(name, list(table.columns))}")
        elif column.type not in ("integer", "time") or column.missing:
            fields.issue(f"key: '{name}' orders rows, so it must be whole and never missing")


def _read_column(name: str, fields: Fields, scale: TimeScale) -> Column:
    check_name(fields, name, fields.node)
    kinds = ("number", "integer", "boolean", "category", scale.unit)
    kind = fields.choice("type", kinds)
    missing = fields.node_of("missing")
    if missing is not None and missing.value != "allowed":
        fields.issue(f"found {missing.kind()}, expected 'allowed', or no such field", missing)
    allowed = missing is not None
    if kind == "category":
        column = _read_category(name, fields, missing=allowed)
    elif kind == scale.unit:
        low, high = _range(fields, -float(scale.horizon), float(scale.horizon))
        column = Column(
            name, "time", scale.unit, low, high, resolution=scale.resolution, missing=allowed
        )
    elif kind == "boolean":
        column = Column(name, "boolean", missing=allowed)
    else:
        low, high = _range(fields, -math.inf, math.inf)
        column = Column(
            name,
            "integer" if kind == "integer" else "number",
            fields.text("unit"),
            None if low == -math.inf else low,
            None if high == math.inf else high,
            resolution=Fraction(1) if kind == "integer" else fields.fraction("resolution"),
            missing=allowed,
        )
    fields.close()
    return column


def _range(fields: Fields, low: float, high: float) -> tuple[float, float]:
    node = fields.node_of("range")
    if node is None:
        return low, high
    bounds = fields.numbers("range")
    if len(bounds) != 2 or not bounds[0] < bounds[1]:
        fields.issue("expected two numbers, the lower first: [0, 110]", node)
        return low, high
    return bounds[0], bounds[1]


def _read_category(name: str, fields: Fields, *, missing: bool) -> Column:
    codes: dict[str, str] = {}
    if "codes" in fields.named:
        for code, node in fields.each("codes"):
            if isinstance(node.value, str):
                codes[code] = node.value
            else:
                fields.issue(f"found {node.kind()}, expected the level that code stands for", node)
        levels = tuple(dict.fromkeys(codes.values()))
        if "levels" in fields.named:
            fields.issue("give either levels or codes, not both", fields.named["levels"])
            fields.node_of("levels")
    else:
        levels = tuple(fields.texts("levels", required=True))
    fields.node_of("codes")
    if len(set(levels)) != len(levels):
        fields.issue("a level stands twice; keep one")
        levels = tuple(dict.fromkeys(levels))
    if len(levels) < 2:
        fields.issue("expected at least two levels")
    reference = fields.text("reference", default=levels[0] if levels else "")
    if levels and reference not in levels:
        hint = nearest(reference, levels)
        fields.issue(f"reference '{reference}' is not one of the levels{hint}")
        reference = levels[0]
    return Column(
        name, "category", levels=levels, codes=codes, reference=reference, missing=missing
    )


@dataclass(slots=True)
class _Typed:
    """The types of a table's columns so far; derived ones are added as they are read."""

    columns: dict[str, Type]
    scope: Scope


def column_type(column: Column) -> Type:
    """Return a column's type in expressions."""
    if column.type == "category":
        return expressions.Category(column.levels, column.reference)
    return expressions.Boolean() if column.type == "boolean" else expressions.Number()


def read_scopes(
    tables: Mapping[str, Table], attributes: Mapping[str, tuple[str, ...]]
) -> dict[str, _Typed]:
    """Return, for each table, what its expressions may name: own, parent's, children's columns."""
    site = {
        n: expressions.Category(levels, levels[0]) for n, levels in attributes.items() if levels
    }
    typed: dict[str, _Typed] = {}
    children: dict[str, dict[str, Scope]] = {name: {} for name in tables}
    parents = {name: parent_of(table, tables) for name, table in tables.items()}
    for name in sorted(tables, key=lambda name: parents[name] is not None):
        table, above = tables[name], parents[name]
        columns = {c.name: column_type(c) for c in table.columns.values()}
        scope = Scope(
            columns=columns,
            parent=(table.key[0], typed[above].scope) if above else None,
            children=children[name],
            site=site,
            order=table.key[1] if len(table.key) > 1 else None,
        )
        typed[name] = _Typed(columns, scope)
        if above:
            children[above][name] = scope
    return {name: typed[name] for name in tables}


def parent_of(table: Table, tables: Mapping[str, Table]) -> str | None:
    """Return the table that has one row for each patient of `table`, if there is one."""
    if len(table.key) < 2:
        return None
    for other in tables.values():
        if other.key == table.key[:1]:
            return other.name
    return None


def read_derived(
    root: Fields, tables: Mapping[str, Table], typed: Mapping[str, _Typed]
) -> dict[str, tuple[Derived, ...]]:
    """Read `derive`: expressions by table, in order; each may use those before it."""
    derived: dict[str, list[Derived]] = {name: [] for name in tables}
    for name, node in root.each("derive"):
        if name not in tables:
            root.issue(f"'{name}' is not a table{nearest(name, list(tables))}", node)
            continue
        fields = Fields(node, root.issues).open()
        for column, inner in fields.named.items():
            check_name(fields, column, inner)
            if column in typed[name].columns or column in tables[name].key:
                fields.issue(f"'{column}' is a column already; choose another name", inner)
                continue
            column_read, kind = _read_derived(column, Fields(inner, root.issues), typed[name].scope)
            derived[name].append(column_read)
            typed[name].columns[column] = kind
    return {name: tuple(items) for name, items in derived.items()}


def _read_derived(name: str, fields: Fields, scope: Scope) -> tuple[Derived, Type]:
    """Read one derived column; one that is wrong is noted and taken for a number.

    That it has a type spares the reader an issue at each place where it is used.
    """
    value = fields.node.value
    if isinstance(value, str):
        node = read_expression(fields, fields.node, scope)
        kind = expressions.Number() if node is None else expressions.infer(node, scope)
        return Derived(name, node), kind
    if not isinstance(value, Mapping):
        fields.issue(f"found {fields.node.kind()}, expected an expression or levels")
        return Derived(name, None), expressions.Number()
    return _read_levels(name, fields, scope)


def _read_levels(name: str, fields: Fields, scope: Scope) -> tuple[Derived, Type]:
    """Read `{high: condition, low: otherwise}`, or `{levels: {...}, reference: high}`.

    The reference is by default the level `otherwise`, or the first.
    """
    reference, levels = "", fields
    named = fields.named.get("levels")
    if named is not None and isinstance(named.value, Mapping):
        inner = fields.inner("levels")
        assert inner is not None
        levels, reference = inner, fields.text("reference")
        fields.close()
    before = len(fields.issues)
    found = [
        (level, None if node.value == OTHERWISE else read_expression(levels, node, scope))
        for level, node in levels.named.items()
    ]
    if len(fields.issues) == before:
        try:
            kind = expressions.infer_levels(found, scope, reference)
            return Derived(name, None, tuple(found), kind.reference), kind
        except ExpressionError as error:
            fields.issue(str(error))
    names = tuple(levels.named) or ("",)
    return Derived(name, None), expressions.Category(names, names[0])


def read_expression(fields: Fields, node: Node, scope: Scope) -> expressions.Node | None:
    """Parse and type one expression; note what is wrong with it."""
    if not isinstance(node.value, str):
        fields.issue(f"found {node.kind()}, expected an expression", node)
        return None
    try:
        parsed = expressions.parse(node.value)
        expressions.infer(parsed, scope)
    except ExpressionError as error:
        fields.issue(str(error), node)
        return None
    return parsed
