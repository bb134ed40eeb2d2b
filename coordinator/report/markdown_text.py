r"""Text, tables and figures of a report as markdown that shows exactly what was written.

A study's labels are free text, and viewers of markdown also take HTML. So in every text that is
not of this package:

    & < >               become entities: no tag and no entity begins
    \ ` * _ [ ] | ~ #   get a backslash: no emphasis, code, link, image, cell or heading begins
    - + = and "1." at   get a backslash: no list, rule or heading begins
    the start of a text
    white space         is one blank: no paragraph, indented code or table row begins
    control characters  are "?"

Only these three entities are used: not every viewer decodes others. An address such as
https://example.org is still made a link by most viewers, one that reads as where it leads.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from markupsafe import Markup

from coordinator.report.suppression import Cell
from coordinator.report.text_tables import text_table
from coordinator.report.views import Table

ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
SPECIAL: Final = str.maketrans({**ENTITIES, **{sign: f"\\{sign}" for sign in r"\`*_[]|~#"}})
OPENING: Final = re.compile(r"\A(\d*)([-+=.)])(?=[-+=\s]|\Z)")
BOUND: Final = re.compile(r"(?<=\bto) (?=[\d−])|(?<=\d) (?=%)")
NO_BREAK: Final = "\u00a0"
BELOW: Final = f"see{NO_BREAK}below"
SHOWN_WIDTH: Final = 576  # of a figure, in pixels; narrower where the page is
FONTS: Final = "system-ui, -apple-system, Segoe UI, Roboto, Liberation Sans, sans-serif"
VIEW_BOX: Final = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
DESCRIPTION: Final = re.compile(r"<desc[^>]*>(.*?)</desc>", re.DOTALL)
NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WIDEST: Final = 1000  # columns of a listing, which scrolls sideways


def escaped(text: str) -> str:
    """Return `text` as one line of markdown that reads as it was written."""
    return OPENING.sub(r"\1\\\2", _one_line(text).translate(SPECIAL))


def code(name: str) -> str:
    """Return a name as code, in which nothing but a backtick has a meaning."""
    return f"`{_one_line(name).replace('`', '?')}`"


def _one_line(text: str) -> str:
    return "".join(
        "?" if unicodedata.category(sign)[0] == "C" else sign for sign in " ".join(text.split())
    )


def paragraphs(blocks: Iterable[str]) -> str:
    """Return markdown blocks with blank lines between, without the empty ones."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def bullets(items: Iterable[str]) -> str:
    """Return a list of items that are markdown."""
    return "\n".join(f"- {item}" for item in items)


def markdown_table(table: Table) -> str:
    """Return a table with its caption; nothing of a table without rows.

    Markdown has no cells over several columns: what a row has instead stands below the table.
    """
    if not table.rows:
        return ""
    left = len(table.columns) if table.prose else table.headed
    rules = [":---" if place < left else "---:" for place in range(len(table.columns))]
    rows = [_filled(row, len(table.columns)) for row in table.rows]
    for number in table.under:
        rows[number][0] = 2 * NO_BREAK + rows[number][0]
    lines = [_line(_cell(name) for name in table.columns), _line(rules), *map(_line, rows)]
    notes = [_note(row, table.columns) for row in table.rows if len(row) < len(table.columns)]
    foot = [escaped(note) for note in table.notes]
    blocks = (f"#### {escaped(table.caption)}", "\n".join(lines), bullets([*notes, *foot]))
    return paragraphs(blocks).rstrip("\n")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _filled(row: Sequence[Cell], columns: int) -> list[str]:
    """Return the cells of a row; of a short one its names, and where to read the rest."""
    if len(row) == columns:
        return [_cell(cell) for cell in row]
    return [*(_cell(name) for name in row[:-1]), BELOW, *[""] * (columns - len(row))]


def _cell(cell: Cell) -> str:
    """Return a cell; it may break within an interval, for narrow pages, but before "to"."""
    return BOUND.sub(NO_BREAK, escaped(str(cell)))


def _note(row: Sequence[Cell], columns: Sequence[str]) -> str:
    """Return what stands for several cells of a row, with the columns it stands for."""
    names = escaped(", ".join(map(str, row[:-1])))
    return f"**{names}** ({escaped(', '.join(columns[len(row) - 1 :]))}): {escaped(str(row[-1]))}"


def listing(table: Table) -> str:
    """Return a table as aligned plain text in a block that scrolls, for long hashes."""
    if not table.rows:
        return ""
    caption, *lines = text_table(replace(table, prose=True), WIDEST)
    runs = re.findall("`+", "\n".join(lines))
    fence = "`" * max([3, *(len(run) + 1 for run in runs)])
    return "\n".join([f"#### {escaped(caption)}", "", f"{fence}text", *lines, fence])


def picture(drawing: str) -> str:
    """Return an SVG drawing of the report as an image that stands alone, with its description."""
    description = DESCRIPTION.search(drawing)
    words = Markup(description[1]).unescape() if description else ""
    data = base64.b64encode(standalone(drawing).encode("utf-8")).decode("ascii")
    return f"![{escaped(words)}](data:image/svg+xml;base64,{data})"


def standalone(drawing: str) -> str:
    """Return the drawing as an XML document of a size of its own, with fonts.

    A page forgives characters that XML does not have; an image would not be shown.
    """
    box = VIEW_BOX.search(drawing)
    if box is None:
        raise ValueError("found a drawing without a viewBox from 0 0, expected one of the report")
    height = SHOWN_WIDTH * float(box[2]) / float(box[1])
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SHOWN_WIDTH}" height="{height:.0f}" '
        f'font-family="{FONTS}"'
    )
    # str: Markup would escape the head.
    return NOT_XML.sub("?", head + str(drawing).removeprefix("<svg"))
