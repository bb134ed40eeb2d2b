"""Tables as plain aligned text of a given width, without lines or boxes."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Final

from coordinator.report.views import Table

GAP: Final = "  "
INDENT: Final = "  "  # of a level below its variable
NARROWEST: Final = 8
PLAIN: Final = str.maketrans({"−": "-", "–": "-", "“": '"', "”": '"', "…": "..."})


def plain(text: str) -> str:
    """Return text that is safe on a terminal: signs in ASCII, control characters as "?"."""
    return "".join(
        "?" if unicodedata.category(character)[0] == "C" else character
        for character in text.translate(PLAIN)
    )


def paragraph(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of a paragraph; words longer than a line stay whole."""
    return textwrap.wrap(
        plain(text),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def text_table(table: Table, width: int) -> list[str]:
    """Return the lines of a table with its caption; numbers are set right, words left.

    Headings break at spaces; if that is not enough, the widest columns of words do too.
    """
    columns = [plain(column) for column in table.columns]
    rows = [[plain(str(cell)) for cell in row] for row in table.rows]
    for number in table.under:
        rows[number][0] = INDENT + rows[number][0]
    widths = _widths(columns, rows, width)
    left = len(columns) if table.prose else table.headed
    lines = [plain(table.caption), *_block(columns, widths, left)]
    for row in rows:
        if len(row) < len(columns):
            lines += _spanning(row, widths, width)
        else:
            lines += _block(row, widths, left)
    return lines + [line for note in table.notes for line in paragraph(note, width)]


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return column widths that fit: first headings give way to their longest word."""
    cells = [
        max([1, *(_shown(row[k]) for row in rows if k < len(row) - (len(row) < len(columns)))])
        for k in range(len(columns))
    ]
    least = [max(c, _longest_word(name)) for c, name in zip(cells, columns, strict=True)]
    widths = [max(c, _shown(name)) for c, name in zip(cells, columns, strict=True)]
    while sum(widths) + len(GAP) * (len(widths) - 1) > width:
        spare = [now - need for now, need in zip(widths, least, strict=True)]
        chosen = spare.index(max(spare)) if max(spare) > 0 else widths.index(max(widths))
        if max(spare) <= 0 and widths[chosen] <= NARROWEST:
            break
        widths[chosen] -= 1
    return widths


def _longest_word(text: str) -> int:
    return max((_shown(word) for word in text.split()), default=0)


def _shown(text: str) -> int:
    """Return how many places `text` takes on a terminal."""
    return sum(1 + (unicodedata.east_asian_width(character) in "WF") for character in text)


def _block(cells: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    """Return one row as as many lines as its longest cell needs; headings stand at the foot."""
    wrapped = [_lines(cell, width) for cell, width in zip(cells, widths, strict=True)]
    height = max(len(lines) for lines in wrapped)
    padded = [[*lines, *[""] * (height - len(lines))] for lines in wrapped]
    return [
        GAP.join(
            _set(cell, width, right=k >= left)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in zip(*padded, strict=True)
    ]


def _lines(cell: str, width: int) -> list[str]:
    if _shown(cell) <= width:
        return [cell]
    return textwrap.wrap(cell, width, break_on_hyphens=False) or [""]


def _set(cell: str, width: int, *, right: bool) -> str:
    padding = " " * max(width - _shown(cell), 0)
    return padding + cell if right else cell + padding


def _spanning(row: Sequence[str], widths: Sequence[int], width: int) -> list[str]:
    """Return a row whose last cell takes the rest of the line, on as many as it needs."""
    named = len(row) - 1
    head = _block(row[:-1], widths[:named], named) if named else [""]
    start = sum(widths[:named]) + len(GAP) * named
    tail = textwrap.wrap(row[-1], max(width - start, 20), break_on_hyphens=False) or [""]
    height = max(len(head), len(tail))
    heads, tails = ([*lines, *[""] * (height - len(lines))] for lines in (head, tail))
    return [f"{h.ljust(start)}{t}".rstrip() for h, t in zip(heads, tails, strict=True)]
