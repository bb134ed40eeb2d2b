"""The one spelling of an expression: hashed with the study, and the label of its terms.

`parse(canonical(node)) == node` for every node that `parse` returns. White space, the style
of quotes, needless parentheses, the spelling of numbers and the order of keyword arguments
are lost; the order of operands is kept, since floating-point sums depend on it.
"""

from __future__ import annotations

from site_agent.contract.expressions.syntax import (
    AND,
    ATOM,
    COMPARISON,
    NEGATION,
    NOT,
    OR,
    POWER,
    PRODUCT,
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
)


def canonical(node: Node) -> str:
    """Return the one spelling of `node`."""
    return _within(node, OR)


def label(node: Node) -> str:
    """Return the spelling of `node` as part of a term's name, in parentheses if composed."""
    return _within(node, ATOM)


def spelled(value: float) -> str:
    """Return the shortest decimal that reads back to the same double: 50, 0.1, 1e-5, 1e16."""
    mantissa, _, exponent = repr(float(value)).removesuffix(".0").partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def quoted(text: str) -> str:
    r"""Return `text` in double quotes, with \" and \\ escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _within(node: Node, least: int) -> str:
    """Return the spelling of `node` where an operator of level `least` or more may stand."""
    text = _spelling(node)
    return f"({text})" if _level(node) < least else text


def _level(node: Node) -> int:
    match node:
        case Chain():
            return node.level
        case Not():
            return NOT
        case Compare() | Membership():
            return COMPARISON
        case Negate():
            return NEGATION
        case Power():
            return POWER
        case _:
            return ATOM


def _spelling(node: Node) -> str:
    match node:
        case NumberLiteral(value=value):
            return spelled(value)
        case TextLiteral(value=value):
            return quoted(value)
        case BooleanLiteral(value=value):
            return "true" if value else "false"
        case Name(parts=parts):
            return ".".join(parts)
        case ListLiteral(items=items):
            return f"[{', '.join(canonical(item) for item in items)}]"
        case Call():
            return _call(node)
        case _:
            return _operation(node)


def _operation(node: Negate | Not | Chain | Power | Compare | Membership) -> str:
    match node:
        case Negate(operand=operand):
            return f"-{_within(operand, NEGATION)}"
        case Not(operand=operand):
            return f"not {_within(operand, NOT)}"
        case Power(base=base, exponent=exponent):
            return f"{_within(base, ATOM)} ** {_within(exponent, NEGATION)}"
        case Compare(operator=operator, left=left, right=right):
            return f"{_within(left, SUM)} {operator} {_within(right, SUM)}"
        case Membership(operand=operand, items=items, negated=negated):
            return f"{_within(operand, SUM)} {'not in' if negated else 'in'} {canonical(items)}"
        case _:
            above = {OR: AND, AND: NOT, SUM: PRODUCT, PRODUCT: NEGATION}[node.level]
            tail = [f" {operator} {_within(operand, above)}" for operator, operand in node.rest]
            return _within(node.first, above) + "".join(tail)


def _call(node: Call) -> str:
    arguments = [canonical(argument) for argument in node.arguments]
    keywords = [f"{name} = {canonical(argument)}" for name, argument in node.keywords]
    return f"{node.function}({', '.join(arguments + keywords)})"
