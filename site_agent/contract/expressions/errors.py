"""What can go wrong with an expression: its text (`ExpressionError`) or its rows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class ExpressionError(Exception):
    """A text that is no expression, or one that does not fit the columns it names.

    `message` is a full sentence, `position` the 0-based character of `text` it is about.
    """

    def __init__(self, message: str, position: int, text: str = "") -> None:
        super().__init__(message, position, text)
        self.message = message
        self.position = position
        self.text = text

    def __str__(self) -> str:
        return self.message


class EvaluationError(Exception):
    """An operation that has no value in some rows.

    The message names the operation and holds the number of rows, never a value of theirs.
    """

    def __init__(self, message: str, rows: int = 0, position: int = 0, text: str = "") -> None:
        super().__init__(message, rows, position, text)
        self.message = message
        self.rows = rows
        self.position = position
        self.text = text

    def __str__(self) -> str:
        return self.message


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names the nearest of `known`, or all of them if none is near."""
    names = sorted(known)
    lowered = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{lowered[close[0]]}'?"
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f" Known here: {shown}." if names else " None is known here."
