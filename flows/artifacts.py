"""A release as Prefect artifacts, beside the runs that make it: its rounds, then its report."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run

from coordinator.release import Release
from coordinator.report import numbers
from coordinator.report.markdown import NOT_IN_KEY, Piece, pieces
from coordinator.report.markdown_text import bullets, code, escaped, markdown_table, paragraphs
from coordinator.report.views import Table

PAGE_EVERY_S: Final = 1.0
OF_RELEASE: Final = "release-"


def of_release(number: int) -> str:
    """Return the tag of the runs that have made a release, or a part of it."""
    return f"{OF_RELEASE}{number}"


def name_run(release: Release) -> None:
    """Name the flow run after study and release, and tag it with both; tags that it has stay."""
    study, number = release.study.name, release.number
    tags = {*flow_run.tags, study, of_release(number)}
    with get_client(sync_client=True) as client:
        client.update_flow_run(flow_run.id, name=f"{study} release {number}", tags=sorted(tags))


class RoundsPage:
    """The page of a release's rounds: written again at most once a second, and when somebody waits.

    To be used in a synchronous flow or task.
    """

    def __init__(self, release: Release, clock: Callable[[], float] = time.monotonic) -> None:
        self._release = release
        self._clock = clock
        self._written_at = -PAGE_EVERY_S

    def round_done(self) -> None:
        """Write the page, unless it was written just now."""
        if self._clock() - self._written_at >= PAGE_EVERY_S:
            self.write()

    def write(self, said: str = "") -> None:
        """Write the page, with what is being waited for."""
        publish_rounds(self._release, said)
        self._written_at = self._clock()


def publish_rounds(release: Release, said: str = "") -> UUID:
    """Write the page of a release's rounds so far: who is in, who is awaited, what came."""
    study, number = release.study.name, release.number
    rows = tuple(
        (str(entry.number), str(len(entry.asks)), numbers.bytes_of(entry.bytes_received))
        for entry in release.log
    )
    markdown = paragraphs(
        [
            f"## {escaped(release.study.title)}: rounds of release {number}",
            bullets(
                [
                    f"Hospitals in: {', '.join(map(code, release.sites))}",
                    f"Now: {escaped(said) or 'nobody is awaited'}",
                ]
            ),
            markdown_table(Table("Rounds done", ("Round", "Sums", "Received"), rows)),
        ]
    )
    key = NOT_IN_KEY.sub("-", f"{study}-rounds-release-{number}".lower())
    what = escaped(f"Rounds of release {number} of {study}: {len(rows)} done.")
    return _create(Piece(key, what, markdown))


def publish(folder: Path, published: Path | None = None) -> list[UUID]:
    """Create an artifact of each page of the release in `folder`; return their ids in order.

    To be called in a synchronous flow or task. Keys are by study, release and analysis, so a
    repeated run adds versions and no artifacts. ConfigurationError, before the first artifact,
    if the folder holds no release or the file no published numbers.
    """
    return [_create(piece) for piece in pieces(folder, published)]


def _create(piece: Piece) -> UUID:
    found = create_markdown_artifact(
        key=piece.key, markdown=piece.markdown, description=piece.description
    )
    return cast(UUID, found)  # a coroutine only where the caller is asynchronous
