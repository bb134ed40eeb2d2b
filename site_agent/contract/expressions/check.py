"""Type inference: what an expression is, given the columns in sight, or why it is nothing."""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.contract.expressions.contexts import (
    Checking,
    excerpt,
    noun,
    refusal,
)
from site_agent.contract.expressions.errors import nearest
from site_agent.contract.expressions.functions import FUNCTIONS, Function
from site_agent.contract.expressions.syntax import (
    SUM,
    BooleanLiteral,
    Call,
    Chain,
    Compare,
    ListLiteral,
    Membership,
    Name,
    Negate,
    Node,
    Not,
    NumberLiteral,
    Power,
    TextLiteral,
    constant,
)
from site_agent.contract.expressions.types import (
    Boolean,
    Category,
    Number,
    Scope,
    Text,
    Type,
)


def infer(node: Node, scope: Scope) -> Type:
    """Return the type of `node` over the columns of `scope`; ExpressionError if none."""
    kind = Checking(scope, _kind).kind(node)
    if isinstance(kind, Text):
        raise refusal(node, "A text alone is no column; compare a category with it.")
    return kind


def _kind(node: Node, checking: Checking) -> Type:
    match node:
        case NumberLiteral():
            return Number()
        case TextLiteral():
            return Text()
        case BooleanLiteral():
            return Boolean()
        case ListLiteral():
            raise refusal(node, "A list stands only after 'in', or as an argument that is one.")
        case Name():
            return _column(node, checking)
        case _:
            return _operation(node, checking)


def _operation(
    node: Negate | Not | Chain | Power | Compare | Membership | Call, checking: Checking
) -> Type:
    match node:
        case Negate(operand=operand):
            checking.number(operand, "'-'")
            return Number()
        case Not(operand=operand):
            checking.boolean(operand, "'not'")
            return Boolean()
        case Chain():
            return _chain(node, checking)
        case Power(base=base, exponent=exponent):
            checking.number(base, "'**'")
            checking.number(exponent, "'**'")
            return Number()
        case Compare():
            return _compare(node, checking)
        case Membership():
            return _membership(node, checking)
        case _:
            return _call(node, checking)


# Names


def _column(node: Name, checking: Checking) -> Type:
    known = checking.names()
    kind = known.get(node.parts)
    if kind is not None:
        return kind
    written = ".".join(node.parts)
    if checking.qualifier is not None:
        raise refusal(
            node,
            f"Unknown name '{written}' in the argument of {checking.inside}."
            f"{_nearest_name(written, known)}",
        )
    if node.parts[0] in checking.scope.children:
        raise refusal(
            node,
            f"'{node.parts[0]}' is a child table with many rows for one row here; use a "
            f"function of a table, such as {_example(node.parts)}.",
        )
    if written in FUNCTIONS:
        raise refusal(node, f"'{written}' is a function; write {FUNCTIONS[written].signature}.")
    raise refusal(node, f"Unknown name '{written}'.{_nearest_name(written, known)}")


def _example(parts: tuple[str, ...]) -> str:
    return f"max({'.'.join(parts)})" if len(parts) > 1 else f"count({parts[0]})"


def _nearest_name(written: str, known: Mapping[tuple[str, ...], Type]) -> str:
    head, _, last = written.rpartition(".")
    for parts in known:  # the right column under another address
        if parts[-1] == last:
            return f" Did you mean '{'.'.join(parts)}'?"
    words = set() if head else {"true", "false"}
    return nearest(written, {".".join(parts) for parts in known} | words)


# Operators


def _chain(node: Chain, checking: Checking) -> Type:
    operators = [operator for operator, _ in node.rest]
    for operator, operand in node.rest:
        if operator == "/" and constant(operand) == 0:
            raise refusal(operand, "A division by 0 has no value; divide by another number.")
    for operator, operand in zip([operators[0], *operators], _operands(node), strict=True):
        if node.level >= SUM:
            checking.number(operand, f"'{operator}'")
        else:
            checking.boolean(operand, f"'{operator}'")
    return Number() if node.level >= SUM else Boolean()


def _operands(node: Chain) -> list[Node]:
    return [node.first, *(operand for _, operand in node.rest)]


def _compare(node: Compare, checking: Checking) -> Type:
    left = checking.kind(node.left)
    _refuse_bare_level(left, node.right, checking)
    right = checking.kind(node.right)
    equality = node.operator in ("==", "!=")
    match left, right:
        case Number(), Number():
            return Boolean()
        case Boolean(), Boolean() if equality:
            return Boolean()
        case Category() as category, Text():
            _level(category, node.right, node.left)
        case Text(), Category() as category:
            _level(category, node.left, node.right)
        case _:
            raise refusal(node, _incomparable(node, left, right))
    if not equality:
        raise refusal(
            node,
            f"The levels of a category have no order, so '{node.operator}' "
            "says nothing of them; use == or !=, or 'in' with a list.",
        )
    return Boolean()


def _refuse_bare_level(kind: Type, node: Node, checking: Checking) -> None:
    """Refuse `route == IV`, where the level lacks its quotes."""
    match kind, node:
        case Category(levels=levels), Name(parts=(word,)) if word in levels:
            if (word,) not in checking.names():
                raise refusal(node, f"'{word}' is a level and no column; write \"{word}\".")


def _incomparable(node: Compare, left: Type, right: Type) -> str:
    text = (
        f"'{node.operator}' cannot compare {excerpt(node.left)}, {noun(left)}, with "
        f"{excerpt(node.right)}, {noun(right)}."
    )
    if isinstance(left, Category):
        return f'{text} Compare with a level in quotes, such as "{left.levels[0]}".'
    return text


def _level(category: Category, literal: Node, named: Node) -> None:
    """Refuse a text that is no level of `category`."""
    text = literal.value if isinstance(literal, TextLiteral) else None
    if text not in category.levels:
        raise refusal(
            literal,
            f"{excerpt(literal)} is no level of {excerpt(named)}."
            f"{nearest(str(text), category.levels)}",
        )


def _membership(node: Membership, checking: Checking) -> Type:
    kind = checking.kind(node.operand)
    if not isinstance(kind, Number | Category):
        raise refusal(
            node.operand,
            f"'in' takes a number or a category, and {excerpt(node.operand)} is {noun(kind)}.",
        )
    if not node.items.items:
        raise refusal(node.items, "The list after 'in' is empty; nothing is in it.")
    for item in node.items.items:
        _item(item, kind, node.operand)
    return Boolean()


def _item(item: Node, kind: Number | Category, operand: Node) -> None:
    if isinstance(kind, Number):
        if constant(item) is None:
            raise refusal(
                item,
                f"{excerpt(operand)} is a number, so the list after 'in' holds numbers, "
                "written out.",
            )
    elif isinstance(item, TextLiteral):
        _level(kind, item, operand)
    else:
        raise refusal(
            item,
            f"{excerpt(operand)} is a category, so the list after 'in' holds its levels in quotes.",
        )


# Calls


def _call(node: Call, checking: Checking) -> Type:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise refusal(
            node, f"Unknown function '{node.function}'.{nearest(node.function, FUNCTIONS)}"
        )
    _arguments(node, function)
    for name, argument in node.keywords:
        if name not in function.keywords:
            near = (
                nearest(name, function.keywords) if function.keywords else " It takes none by name."
            )
            raise refusal(argument, f"{node.function}() has no argument '{name}'.{near}")
    for name in function.required:
        if node.keyword(name) is None:
            raise refusal(node, f"{node.function}() needs '{name}'; write {function.signature}.")
    return function.rule(node, checking)


def _arguments(node: Call, function: Function) -> None:
    """Refuse too few or too many arguments without a name."""
    given, least, most = len(node.arguments), function.least, function.most
    if given >= least and (most is None or given <= most):
        return
    wanted = f"{least}" if least == most else f"at least {least}"
    rowwise = f"{node.function}imum"
    advice = f", or {rowwise}(a, b) for values of one row" if rowwise in FUNCTIONS else ""
    raise refusal(
        node,
        f"{node.function}() takes {wanted} argument{'s' * (least != 1)} without a name, and "
        f"{given} {'is' if given == 1 else 'are'} given; write {function.signature}{advice}.",
    )
