"""The pages of the documentation as headings, fenced blocks and tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
FENCE: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING: Final = re.compile(r"^(#+) (.+)$", re.MULTILINE)


def page(name: str) -> str:
    """Return the text of a page of docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def published() -> list[Path]:
    """Return README.md, if it is there, and all pages of docs/."""
    return [path for path in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))] if path.exists()]


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", text)


def headings(text: str) -> list[str]:
    """Return the headings of a page, code marks taken off."""
    return [title.replace("`", "") for _, title in HEADING.findall(prose(text))]


def section(text: str, heading: str) -> str:
    """Return what stands under a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert found is not None, heading
    rest = text[found.end() :]
    following = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: following.start()] if following else rest


def anchor(heading: str) -> str:
    """Return the anchor that a forge makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def fences(text: str, language: str) -> list[str]:
    """Return the fenced blocks in a language."""
    return [block for found, block in FENCE.findall(text) if found == language]


def studies(text: str) -> list[str]:
    """Return the fenced blocks that are whole studies."""
    return [block for block in fences(text, "yaml") if block.startswith("quorum:")]


def fragments(text: str) -> list[str]:
    """Return the fenced blocks that are parts of a study."""
    return [block for block in fences(text, "yaml") if not block.startswith("quorum:")]


def rows(text: str) -> list[tuple[str, ...]]:
    """Return the rows of all tables, headers and rules left out."""
    found: list[tuple[str, ...]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        ruled = re.match(r"\| -", lines[number + 1]) if number + 1 < len(lines) else None
        if line.startswith("|") and not line.startswith("| -") and not ruled:
            found.append(tuple(cell.strip() for cell in line.strip("|").split(" | ")))
    return [tuple(cell.strip("| ") for cell in row) for row in found]


def first_cells(text: str) -> list[str]:
    """Return the first cell of each row that is code, code marks taken off."""
    return [row[0].strip("`") for row in rows(text) if row[0].startswith("`")]


def codes(cell: str) -> list[str]:
    """Return what stands in code marks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def overlaid(base: Any, part: Any) -> Any:
    """Return `base` with `part` laid over it: named fields are merged, all else replaced."""
    if not isinstance(base, dict) or not isinstance(part, dict):
        return part
    return {**base, **{name: overlaid(base.get(name), value) for name, value in part.items()}}


def without(base: Any, path: str) -> Any:
    """Return `base` without the field at a dotted path."""
    name, _, rest = path.partition(".")
    if not rest:
        return {key: value for key, value in base.items() if key != name}
    return {**base, name: without(base[name], rest)}


def full_study() -> dict[str, Any]:
    """Return the study with every field of docs/study-file.md."""
    found: dict[str, Any] = yaml.safe_load(studies(page("study-file.md"))[0])
    return found


def written(study: Any) -> str:
    """Return a study as the text of a file."""
    return yaml.safe_dump(study, sort_keys=False)


def leaves(document: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted names of a document's fields; entries of lists count as one."""
    if isinstance(document, list):
        for item in document:
            yield from leaves(item, path)
    elif isinstance(document, dict):
        for name, value in document.items():
            inner = f"{path}.{name}" if path else name
            yield inner
            yield from leaves(value, inner)
