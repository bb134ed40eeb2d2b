r"""The words of an expression.

    number   1   0.5   1e-3             digits first; no sign, which is an operator
    text     "high"   'high'            escapes: \" \' \\
    name     age   since_anakinra       ASCII letters, digits, underscore
    symbol   ** == != <= >= < > + - * / = ( ) [ ] , .

Space, tab and line ends separate. Any other character is refused: a letter of another
alphabet that looks like an ASCII one would make two names of what a steward reads as one.
"""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal

from site_agent.contract.expressions.errors import ExpressionError

MAX_CHARACTERS: Final = 2_000

RESERVED: Final = frozenset({"and", "or", "not", "in", "true", "false", "if", "otherwise"})

Sort = Literal["number", "text", "name", "symbol", "end"]

_WORD: Final = re.compile(
    r"""(?P<blank>[ \t\r\n]+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<symbol>\*\*|[=!<>]=|[-+*/<>=()\[\],.])""",
    re.VERBOSE | re.DOTALL,
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)

# What people write from other languages, or paste from a word processor.
_INSTEAD: Final = {
    "^": "write ** for a power",
    "&": "write 'and'",
    "|": "write 'or'",
    "!": "write 'not', or != for unequal",
    "\N{MINUS SIGN}": "write -",
    "\N{EN DASH}": "write -",
    "\N{MULTIPLICATION SIGN}": "write *",
    "\N{LESS-THAN OR EQUAL TO}": "write <=",
    "\N{GREATER-THAN OR EQUAL TO}": "write >=",
    "\N{NOT EQUAL TO}": "write !=",
    "\N{LEFT DOUBLE QUOTATION MARK}": 'write the straight quote "',
    "\N{RIGHT DOUBLE QUOTATION MARK}": 'write the straight quote "',
    "\N{LEFT SINGLE QUOTATION MARK}": 'write the straight quote "',
    "\N{RIGHT SINGLE QUOTATION MARK}": 'write the straight quote "',
    "\N{NO-BREAK SPACE}": "write a plain space",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its sort, its text (of a text: what stands between the quotes), its place."""

    sort: Sort
    text: str
    position: int


def is_name(text: str) -> bool:
    """Return whether `text` can name a column, a table or an attribute of a site."""
    return _NAME.fullmatch(text) is not None and text not in RESERVED


def tokenize(text: str) -> list[Token]:
    """Return the words of `text`, the last of sort `end`; ExpressionError for what is none."""
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(
            f"The expression has {len(text)} characters, and at most {MAX_CHARACTERS} are "
            "allowed; derive a part of it as a column of its own.",
            MAX_CHARACTERS,
            text,
        )
    tokens, position = [], 0
    while position < len(text):
        match = _WORD.match(text, position)
        if match is None:
            raise _no_word(text, position)
        if match.lastgroup != "blank":
            tokens.append(_token(match))
        position = match.end()
    return [*tokens, Token("end", "", len(text))]


def _token(match: re.Match[str]) -> Token:
    if match.lastgroup == "text":
        return Token("text", _unquoted(match), match.start())
    if match.lastgroup == "number":
        _check_number(match)
        return Token("number", match.group(), match.start())
    return Token("name" if match.lastgroup == "name" else "symbol", match.group(), match.start())


def _check_number(match: re.Match[str]) -> None:
    """Refuse `12abc`, `1.`, `1_000`, and what a double cannot hold."""
    text, word = match.string, match.group()
    after = text[match.end() : match.end() + 1]
    if after and (after in "._" or after.isalpha()):
        raise ExpressionError(
            f"The number {word} runs into {_shown(after)}; expected digits as in 0.5 or 1e-3, "
            "then a space or an operator.",
            match.end(),
            text,
        )
    value = float(word)
    lost = value == 0 and re.search("[1-9]", re.split("[eE]", word)[0])
    if math.isinf(value) or lost:
        raise ExpressionError(
            f"The number {word} is too {'small' if lost else 'large'} for a double; "
            "choose another unit.",
            match.start(),
            text,
        )


def _unquoted(match: re.Match[str]) -> str:
    inner = match.group()[1:-1]
    for place, character in enumerate(inner, start=match.start() + 1):
        if not character.isprintable():
            raise ExpressionError(
                f"A text in quotes holds {_shown(character)}, which cannot be seen; remove it.",
                place,
                match.string,
            )
    for escape in _ESCAPE.finditer(inner):
        if escape.group(1) not in "\"'\\":
            raise ExpressionError(
                f"\\{escape.group(1)} means nothing in a text; only \\\" \\' and \\\\ do.",
                match.start() + 1 + escape.start(),
                match.string,
            )
    return _ESCAPE.sub(r"\1", inner)


def _no_word(text: str, position: int) -> ExpressionError:
    character = text[position]
    if character in "\"'":
        return ExpressionError(
            f"A text begins here and does not end; close it with {character}.", position, text
        )
    advice = _INSTEAD.get(character, "names take ASCII letters, digits and _")
    return ExpressionError(
        f"Found {_shown(character)}, which has no meaning in an expression; {advice}.",
        position,
        text,
    )


def _shown(character: str) -> str:
    """Return a character so that look-alikes and invisible ones are told apart."""
    if " " <= character <= "~":
        return f"'{character}'"
    code = f"U+{ord(character):04X}"
    return f"{code} ({unicodedata.name(character, 'a character without a name')})"
