"""A release as pieces of markdown: its head, each analysis, and where the numbers are from.

For places that show markdown and no files of ours, such as the pages of an orchestrator. What is
shown and hidden is decided by the sections of the HTML report, which stays the report of record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from coordinator.report import numbers, provenance
from coordinator.report.folder import ReleaseFolder, read_release
from coordinator.report.markdown_text import (
    bullets,
    code,
    escaped,
    listing,
    markdown_table,
    paragraphs,
    picture,
)
from coordinator.report.page import FILE
from coordinator.report.parties import opened
from coordinator.report.published import Published, compare, comparison_table, read_published
from coordinator.report.sections import Section, section
from coordinator.report.views import View, views

NOT_IN_KEY: Final = re.compile(r"[^a-z0-9-]")
POLICY_HEAD: Final = (
    "Besides the results, the coordinating center learns only sums over all hospitals, of these "
    "classes."
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One page: `key` in lower-case letters, digits and dashes, the rest markdown."""

    key: str
    description: str
    markdown: str


def pieces(folder: Path, published: Path | None = None) -> list[Piece]:
    """Return the pages of the release in `folder`: head, analyses in order, provenance.

    With `published` the head has our numbers beside published ones (see published.py).
    ConfigurationError if the folder holds no release, or the file no published numbers.
    """
    release = read_release(folder)
    found = list(views(release))
    beside = _beside(read_published(published), found) if published else []
    whole = [
        _head(release, folder, beside),
        *(_analysis(release, view, f"a{n}") for n, view in enumerate(found, start=1)),
        _provenance(release),
    ]
    return list(_with_own_keys(whole))


def _with_own_keys(whole: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces; one whose key is taken (an analysis `provenance`) gets a longer key."""
    taken: set[str] = set()
    for piece in whole:
        key = piece.key
        while key in taken:
            key += "-release"
        taken.add(key)
        yield replace(piece, key=key)


def _key(release: ReleaseFolder, name: str = "") -> str:
    manifest = release.manifest
    whole = "-".join(filter(None, (manifest["study"], "release", str(manifest["release"]), name)))
    return NOT_IN_KEY.sub("-", whole.lower())


def _description(release: ReleaseFolder, what: str) -> str:
    manifest = release.manifest
    when = provenance.as_of(manifest)
    where = f"Release {manifest['release']} of {manifest['study']}, as of {when}."
    return " ".join([escaped(f"{what}. {where}"), *_marks(release)])


def _marks(release: ReleaseFolder) -> list[str]:
    """Return the watermark, which stands on every page."""
    return [f"**{escaped(mark)}**" for mark in release.marks]


def _page(release: ReleaseFolder, heading: str, blocks: Iterable[str]) -> str:
    return paragraphs([f"## {escaped(heading)}", *_marks(release), *_altered(release), *blocks])


def _altered(release: ReleaseFolder) -> list[str]:
    """Return a warning, on every page, if a file is not what the release wrote."""
    if not release.altered:
        return []
    names = escaped(", ".join(release.altered))
    return [
        f"**NOT AS RELEASED**, by the hashes in the manifest: {names}. Do not rely on the numbers."
    ]


def _head(release: ReleaseFolder, folder: Path, beside: Sequence[str]) -> Piece:
    manifest = release.manifest
    patients, rounds = numbers.count(manifest["patients"]), numbers.count(manifest["rounds"])
    blocks = [
        f"Release {manifest['release']} of the study {code(manifest['study'])}, as of "
        f"{escaped(provenance.as_of(manifest))}.",
        f"{patients} patients, {len(manifest['sites_in'])} hospitals in, "
        f"{len(manifest['sites_out'])} out, {rounds} rounds.",
        f"Pooled over hospitals whose patient records stay where they are. Numbers are rounded "
        f"here. The report of record is {escaped(str(folder.absolute() / FILE))}, with full "
        f"precision in the files beside it.",
        *beside,
    ]
    title = str(manifest["title"])
    return Piece(_key(release), _description(release, title), _page(release, title, blocks))


def _beside(published: Published, found: Sequence[View]) -> list[str]:
    """Return our numbers beside published ones, and what is to be said of all of them."""
    by_name = {view.document.name: view for view in found}
    compared = list(compare(published.entries, by_name))
    table = markdown_table(comparison_table(compared)) if compared else ""
    return [table, escaped(published.note)]


def _analysis(release: ReleaseFolder, view: View, identity: str) -> Piece:
    part = section(view, identity)
    page = _page(release, part.heading, _blocks(part))
    return Piece(_key(release, part.name), _description(release, part.heading), page)


def _blocks(part: Section) -> Iterator[str]:
    yield f"{code(part.name)}: {escaped(part.sentence)}"
    yield escaped(part.left_out)
    if part.failure:
        yield f"**{part.verdict}.** {escaped(part.failure)}"
    for figure in part.figures:
        yield picture(figure.drawing)
        yield escaped(figure.caption)
    yield from map(markdown_table, part.tables)
    yield escaped(part.note)


def _provenance(release: ReleaseFolder) -> Piece:
    heading, participation = "Provenance", provenance.participation(release)
    blocks = [
        f"#### {participation.caption}",
        bullets(f"{escaped(str(k))}: {escaped(str(v))}" for k, v in participation.rows),
        "### What was opened, and under which policy",
        POLICY_HEAD,
        markdown_table(opened(release)),
        markdown_table(provenance.exceptions(release)) or "The policy accepts no exceptions.",
        "#### Policy",
        bullets(escaped(rule) for rule in provenance.policy(release)),
        "### Where the numbers are from",
        *map(listing, provenance.provenance(release)),
    ]
    page = _page(release, heading, blocks)
    what = f"{heading} of {release.manifest['title']}"
    return Piece(_key(release, "provenance"), _description(release, what), page)
