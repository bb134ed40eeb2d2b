"""From text to syntax tree, by recursive descent with precedence climbing.

    or                              lowest
    and
    not
    == != < <= > >= in, not in      do not chain
    + -
    * /
    unary -
    **                              from the right; its exponent may have a sign
    number, text, name, call, [list], (group)

`expression(least)` reads one operand and then every operator whose level is at least
`least`. Brackets and the tree are each at most 50 deep, so that neither this nor what walks
the tree later can exhaust the stack of the process at a hospital.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import Final, NoReturn

from site_agent.contract.expressions.errors import ExpressionError
from site_agent.contract.expressions.syntax import (
    COMPARISON,
    LEVEL,
    NEGATION,
    NOT,
    OR,
    POWER,
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
    Place,
    Power,
    TextLiteral,
    walk,
)
from site_agent.contract.expressions.tokens import RESERVED, Token, tokenize

MAX_DEPTH: Final = 50
MAX_ITEMS: Final = 200
KEPT: Final = 4096  # trees of texts, which a study names again and again


@lru_cache(KEPT)
def parse(text: str) -> Node:
    """Return the syntax tree of `text`; ExpressionError if it is no expression."""
    parser = _Parser(text)
    node = parser.whole()
    for below, depth in walk(node):
        if depth > MAX_DEPTH:
            raise _too_deep(below.at)
    return node


def _too_deep(place: Place) -> ExpressionError:
    return ExpressionError(
        f"The expression is nested more than {MAX_DEPTH} deep; derive a part of it as a "
        "column of its own.",
        place.position,
        place.text,
    )


class _Parser:
    """The words of one text and how far they are read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokenize(text)
        self.index = 0
        self.operators = -1
        self.brackets = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def at(self) -> Place:
        return Place(self.text, self.token.position)

    def is_end(self) -> bool:
        return self.token.sort == "end"

    def is_symbol(self, text: str, ahead: int = 0) -> bool:
        token = self.tokens[min(self.index + ahead, len(self.tokens) - 1)]
        return token.sort == "symbol" and token.text == text

    def is_word(self, text: str, ahead: int = 0) -> bool:
        token = self.tokens[min(self.index + ahead, len(self.tokens) - 1)]
        return token.sort == "name" and token.text == text

    def take(self) -> Token:
        token = self.token
        self.index += 1
        return token

    def refuse(self, message: str, position: int | None = None) -> NoReturn:
        place = self.token.position if position is None else position
        raise ExpressionError(message, place, self.text)

    def found(self) -> str:
        match self.token.sort:
            case "end":
                return "the end"
            case "text":
                return "a text in quotes"
            case _:
                return f"'{self.token.text}'"

    def whole(self) -> Node:
        if self.is_end():
            self.refuse("The expression is empty; write a column or a formula.")
        node = self.expression(OR)
        if not self.is_end():
            self.refuse(self._leftover())
        return node

    def _leftover(self) -> str:
        if self.is_symbol("="):
            return "'=' names an argument of a function; write == to compare."
        if self.is_word("is"):
            return "'is' is no operator; write == to compare, or is_missing(x)."
        words = ["and", "or", "not in", "in"]
        close = difflib.get_close_matches(self.token.text.lower(), words, n=1)
        near = f" Did you mean '{close[0]}'?" if close and self.token.sort == "name" else ""
        return f"Found {self.found()}, expected an operator or the end.{near}"

    # Operators

    def expression(self, least: int) -> Node:
        self.operators += 1
        if self.operators - self.brackets > MAX_DEPTH:
            raise _too_deep(self.at())
        left = self.operand(least)
        while (level := self.level()) >= least:
            left = self.joined(left, level)
        self.operators -= 1
        return left

    def level(self) -> int:
        """Return the level of the operator that comes next; 0 if none does."""
        if self.is_word("not") and self.is_word("in", ahead=1):
            return COMPARISON
        return LEVEL.get(self.token.text, 0) if self.token.sort in ("symbol", "name") else 0

    def joined(self, left: Node, level: int) -> Node:
        place = self.at()
        if level == POWER:
            self.take()
            return Power(left, self.expression(NEGATION), place)
        if level == COMPARISON:
            return self.comparison(left, place)
        rest = []
        while self.level() == level:
            rest.append((self.take().text, self.expression(level + 1)))
        if isinstance(left, Chain) and left.level == level:
            return Chain(left.first, (*left.rest, *rest), left.at)
        return Chain(left, tuple(rest), place)

    def comparison(self, left: Node, place: Place) -> Node:
        negated = self.is_word("not")
        self.index += negated
        operator = self.take().text
        node: Node
        if operator == "in":
            node = Membership(left, self.list_after_in(), negated, place)
        else:
            node = Compare(operator, left, self.expression(COMPARISON + 1), place)
        if self.level() == COMPARISON:
            self.refuse("Comparisons do not chain; write a < b and b < c, or use parentheses.")
        return node

    def list_after_in(self) -> ListLiteral:
        if not self.is_symbol("["):
            self.refuse(
                f'Found {self.found()} after \'in\', expected a list such as [1, 2] or ["a", "b"].'
            )
        return self.list_literal()

    # Operands

    def operand(self, least: int) -> Node:
        place = self.at()
        if self.is_symbol("-"):
            self.take()
            return Negate(self.expression(NEGATION), place)
        if self.is_word("not") and least <= NOT:
            self.take()
            return Not(self.expression(NOT), place)
        return self.atom()

    def atom(self) -> Node:
        place = self.at()
        match self.token.sort:
            case "number":
                return NumberLiteral(float(self.take().text), place)
            case "text":
                return TextLiteral(self.take().text, place)
            case "name":
                return self.name_or_call()
        if self.is_symbol("("):
            return self.group()
        if self.is_symbol("["):
            return self.list_literal()
        return self.no_operand()

    def no_operand(self) -> NoReturn:
        if self.is_symbol(".") and self.tokens[self.index + 1].sort == "number":
            self.refuse("A number starts with a digit; write 0.5 and not .5.")
        self.refuse(f"Found {self.found()}, expected a number, a text, a column or a function.")

    def name_or_call(self) -> Node:
        token, place = self.token, self.at()
        if token.text in ("true", "false"):
            return BooleanLiteral(self.take().text == "true", place)
        if self.is_symbol("(", ahead=1) and (token.text not in RESERVED or token.text == "if"):
            return self.call()
        if token.text == "not":
            self.refuse("'not' binds less than what stands before it; put it in parentheses.")
        parts = [self.name_part()]
        while self.is_symbol("."):
            self.take()
            parts.append(self.name_part())
        if self.is_symbol("("):
            self.refuse("A function has no point in its name; write the name alone.")
        return Name(tuple(parts), place)

    def name_part(self) -> str:
        if self.token.sort != "name":
            self.refuse(f"Found {self.found()} after a point, expected a name.")
        if self.token.text in RESERVED:
            self.refuse(f"'{self.token.text}' is a reserved word and cannot name a column.")
        return self.take().text

    # Brackets

    def opened(self) -> None:
        if self.brackets == MAX_DEPTH:
            raise _too_deep(self.at())
        self.brackets += 1
        self.take()

    def closed(self, symbol: str, opening: Token) -> None:
        if not self.is_symbol(symbol):
            self.refuse(
                f"Found {self.found()}, expected an operator or the '{symbol}' that closes "
                f"the '{opening.text}' at character {opening.position + 1}."
            )
        self.take()
        self.brackets -= 1

    def group(self) -> Node:
        opening = self.token
        self.opened()
        node = self.expression(OR)
        self.closed(")", opening)
        return node

    def list_literal(self) -> ListLiteral:
        opening, place = self.token, self.at()
        self.opened()
        items: list[Node] = []
        while not (not items and self.is_symbol("]")):
            items.append(self.expression(OR))
            self.limit(items)
            if not self.is_symbol(","):
                break
            self.take()
        self.closed("]", opening)
        return ListLiteral(tuple(items), place)

    def limit(self, items: list[Node]) -> None:
        if len(items) > MAX_ITEMS:
            self.refuse(
                f"A list or call holds more than {MAX_ITEMS} items; make the list shorter.",
                items[-1].at.position,
            )

    def call(self) -> Call:
        place, function, opening = self.at(), self.take().text, self.token
        self.opened()
        arguments: list[Node] = []
        keywords: dict[str, Node] = {}
        while not (not arguments and not keywords and self.is_symbol(")")):
            self.argument(arguments, keywords)
            self.limit(arguments)
            if not self.is_symbol(","):
                break
            self.take()
        self.closed(")", opening)
        return Call(function, tuple(arguments), tuple(sorted(keywords.items())), place)

    def argument(self, arguments: list[Node], keywords: dict[str, Node]) -> None:
        if self.token.sort == "name" and self.is_symbol("=", ahead=1):
            name = self.token.text
            if name in keywords:
                self.refuse(f"'{name} = ' is given twice; keep one.")
            self.index += 2
            keywords[name] = self.expression(OR)
        elif keywords:
            self.refuse("An argument without a name stands after a named one; put it before.")
        else:
            arguments.append(self.expression(OR))
