"""A release's main numbers as plain text for a terminal of 100 columns."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coordinator.report import numbers, words
from coordinator.report.folder import ReleaseFolder, read_release
from coordinator.report.provenance import as_of
from coordinator.report.published import Published, compare, comparison_table, read_published
from coordinator.report.sections import tables_of
from coordinator.report.text_tables import paragraph, plain, text_table
from coordinator.report.views import View, views

WIDTH: Final = 100


def summary(folder: Path, published: Path | None = None) -> str:
    """Return the main numbers of the release in `folder`, without a line feed at the end.

    With `published` they stand beside published ones (see published.py). ConfigurationError if
    the folder holds no release, or the file no published numbers.
    """
    release = read_release(folder)
    return summarised(release, read_published(published) if published else Published())


def summarised(release: ReleaseFolder, published: Published) -> str:
    """Return the summary of a release that has been read; the watermark is first and last."""
    analyses = list(views(release))
    blocks = [_head(release), *(_analysis(view) for view in analyses)]
    if published.entries:
        by_name = {view.document.name: view for view in analyses}
        found = list(compare(published.entries, by_name))
        blocks.append(text_table(comparison_table(found), WIDTH))
    if published.note:
        blocks.append(paragraph(published.note, WIDTH))
    mark = [line for mark in release.marks for line in paragraph(f"*** {mark} ***", WIDTH)]
    framed = [mark, *blocks, mark] if mark else blocks
    return "\n\n".join("\n".join(block) for block in framed)


def _head(release: ReleaseFolder) -> list[str]:
    manifest = release.manifest
    hospitals, patients = len(manifest["sites_in"]), numbers.count(manifest["patients"])
    lines = paragraph(str(manifest["title"]), WIDTH)
    lines += paragraph(
        f"Release {manifest['release']} of {manifest['study']}, as of {as_of(manifest)}. "
        f"{patients} patients, {hospitals} hospitals in, {len(manifest['sites_out'])} out, "
        f"{manifest['rounds']} rounds.",
        WIDTH,
    )
    if release.altered:
        names = ", ".join(release.altered)
        lines += paragraph(f"NOT AS RELEASED, by the manifest's hashes: {names}", WIDTH)
    return lines


def _analysis(view: View) -> list[str]:
    name = plain(f"{view.heading} [{view.document.name}]")
    lines = [name, "-" * min(len(name), WIDTH), *paragraph(words.sentence(view), WIDTH)]
    if view.failed:
        verdict, because = words.no_result(view, str(view.result["because"]))
        return [*lines, *paragraph(f"{verdict}: {because}", WIDTH)]
    tables = tables_of(view)
    lines += paragraph(words.left_out(view), WIDTH)
    for table in tables:
        lines += ["", *text_table(table, WIDTH)]
    cells = [cell for table in tables for row in table.rows for cell in row]
    note = words.shown_counts(view, cells)
    return [*lines, "", *paragraph(note, WIDTH)] if note else lines
