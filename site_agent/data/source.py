"""A hospital's folder as the core reads it: checked against the study, with rows by frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from site_agent.contract.rows import FrameBuilder
from site_agent.contract.study.model import Study
from site_agent.data.tables import check_frames, read_snapshot
from site_agent.under_way import SiteData


def read_data(study: Study, folder: Path, site: str, attributes: Mapping[str, str]) -> SiteData:
    """Return a site's checked data; DataError with everything that does not fit the study."""
    snapshot = read_snapshot(study, folder, site, attributes)
    builder = FrameBuilder(study, snapshot.tables)
    check_frames(study, builder, site)
    return SiteData(snapshot.digest, builder.rows, snapshot.identifiers)
