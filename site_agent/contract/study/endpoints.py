"""Reading a study's endpoints and cohorts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from site_agent.contract import expressions
from site_agent.contract.errors import Issue
from site_agent.contract.expressions import Scope
from site_agent.contract.study.document import Node
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import Cohort, Endpoint, EndpointForm
from site_agent.contract.study.tables import check_name, read_expression

NONE: Final = "none"
FIELDS: Final = (
    *("table", "entry", "origin", "time", "censored"),
    *("event", "competing", "first_of_ties"),
)


def read_endpoints(root: Fields, scopes: Mapping[str, Scope]) -> dict[str, Endpoint]:
    """Read `endpoints`; `like: name` takes over every field that is not given anew.

    What is wrong with a field that is taken over is told once, where it is written.
    """
    raw = dict(root.each("endpoints"))
    endpoints: dict[str, Endpoint] = {}
    found: dict[str, list[Issue]] = {}
    for name, node in raw.items():
        check_name(root, name, node)
        merged, found[name] = _merged(root, name, raw), []
        if merged is not None:
            endpoint = _read_endpoint(name, Fields(merged, found[name]), scopes)
            if endpoint is not None:
                endpoints[name] = endpoint
    for name, issues in found.items():
        above = {(i.path == raw[n].path, i.message) for n in _above(name, raw) for i in found[n]}
        for issue in issues:
            taken_over = issue.path == raw[name].path and (True, issue.message) in above
            if not taken_over and issue not in root.issues:
                root.issues.append(issue)
    return endpoints


def _above(name: str, raw: Mapping[str, Node]) -> list[str]:
    """Return the endpoints that one takes fields over from, the nearest first."""
    seen = [name]
    while True:
        node = raw[seen[-1]].value
        like = node.get("like") if isinstance(node, Mapping) else None
        word = like.value if like is not None else None
        if not isinstance(word, str) or word not in raw or word in seen:
            return seen[1:]
        seen.append(word)


def _merged(root: Fields, name: str, raw: Mapping[str, Node]) -> Node | None:
    """Return the endpoint's node with what it takes over through `like`."""
    node, seen = raw[name], [name]
    fields = Fields(node, root.issues).open()
    merged = dict(fields.named)
    while "like" in merged:
        like = merged.pop("like")
        if not isinstance(like.value, str) or like.value not in raw:
            hint = nearest(str(like.value), list(raw))
            root.issue(f"found {like.kind()}, expected the name of an endpoint{hint}", like)
            return None
        if like.value in seen:
            root.issue(f"'{like.value}' leads back to itself", like)
            return None
        seen.append(like.value)
        above = Fields(raw[like.value], root.issues).named
        merged = {**above, **merged}
        if "like" not in above:
            break
        merged["like"] = above["like"]
    return replace(node, value=merged)


def _read_endpoint(name: str, fields: Fields, scopes: Mapping[str, Scope]) -> Endpoint | None:
    table = fields.text("table", default=next(iter(scopes), ""))
    if table not in scopes:
        fields.issue(f"'{table}' is not a table{nearest(table, list(scopes))}")
        return None
    scope = scopes[table]
    form: EndpointForm = "status" if "time" in fields.named else "days"
    numbers = {key: _number(fields, key, scope) for key in ("entry", "origin", "time", "censored")}
    causes = [
        *_causes(fields, "event", scope, form, required=True),
        *_causes(fields, "competing", scope, form, required=False),
    ]
    ties = tuple(fields.texts("first_of_ties"))
    fields.close()
    names = [cause for cause, _ in causes]
    if len(set(names)) != len(names):
        fields.issue("two causes have the same name")
    for tie in ties:
        if tie not in names:
            fields.issue(f"first_of_ties: '{tie}' is not a cause{nearest(tie, names)}")
    if form == "status" and numbers["censored"] is not None:
        fields.issue(
            "give either `time` (the end of the row, causes as conditions) or `censored` "
            "(the last day seen, causes as days), not both"
        )
    if form == "status" and ties:
        fields.issue("first_of_ties orders causes that are days; conditions count in their order")
    last = fields.named.get("censored")
    if form == "days" and (last is None or last.value == NONE):
        fields.issue("'censored' is missing: the last day seen (or `time` with a status)")
    if not causes:
        return None
    return Endpoint(
        name,
        table,
        form,
        causes=tuple(causes),
        entry=numbers["entry"],
        origin=numbers["origin"],
        censored=numbers["censored"],
        time=numbers["time"],
        first_of_ties=ties,
    )


def _number(fields: Fields, key: str, scope: Scope) -> expressions.Node | None:
    node = fields.node_of(key)
    if node is None or node.value == NONE:
        return None
    return _typed(fields, node, scope, expressions.Number, "a number of time units")


def _typed(
    fields: Fields, node: Node, scope: Scope, kind: type, expected: str
) -> expressions.Node | None:
    parsed = read_expression(fields, node, scope)
    if parsed is None:
        return None
    found = expressions.infer(parsed, scope)
    if not isinstance(found, kind):
        fields.issue(
            f"'{node.value}' is a {type(found).__name__.lower()}, expected {expected}", node
        )
        return None
    return parsed


def _causes(
    fields: Fields, key: str, scope: Scope, form: EndpointForm, *, required: bool
) -> list[tuple[str, expressions.Node]]:
    """Read {name: day} or {name: condition}; the event of interest is exactly one."""
    kind: type = expressions.Number if form == "days" else expressions.Boolean
    expected = "the day of the cause" if form == "days" else "a condition (status == ...)"
    node = fields.named.get(key)
    if not required and (node is None or node.value == NONE):
        fields.node_of(key)
        return []
    found = []
    for name, inner in fields.each(key, required=required):
        check_name(fields, name, inner)
        parsed = _typed(fields, inner, scope, kind, expected)
        if parsed is not None:
            found.append((name, parsed))
    if key == "event" and node is not None and len(fields.inner(key).named) != 1:  # type: ignore[union-attr]
        fields.issue("event: expected exactly one, the event of interest", node)
    return found


def read_cohorts(root: Fields, scopes: Mapping[str, Scope]) -> dict[str, Cohort]:
    """Read `cohorts`: a condition over the first table, or {table, where}."""
    cohorts: dict[str, Cohort] = {}
    for name, node in root.each("cohorts"):
        check_name(root, name, node)
        fields, table, where = Fields(node, root.issues), next(iter(scopes), ""), node
        if isinstance(node.value, Mapping):
            table = fields.text("table", default=table)
            inner = fields.node_of("where", required=True)
            fields.close()
            if inner is None:
                continue
            where = inner
        if table not in scopes:
            root.issue(f"'{table}' is not a table{nearest(table, list(scopes))}", node)
            continue
        parsed = _typed(fields, where, scopes[table], expressions.Boolean, "a condition")
        if parsed is not None:
            cohorts[name] = Cohort(name, table, parsed)
    return cohorts
