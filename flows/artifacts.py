"""A release's pages as Prefect artifacts: a view of the report, beside the runs that made it."""

from __future__ import annotations

from pathlib import Path
from typing import cast
from uuid import UUID

from prefect.artifacts import create_markdown_artifact

from coordinator.report.markdown import Piece, pieces


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
