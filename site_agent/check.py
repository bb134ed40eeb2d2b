"""Checking a hospital's data against a study, on this machine only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.data.source import read_data
from site_agent.data.tables import SUFFIX
from site_agent.shelf import Shelf
from site_agent.site import Site
from site_agent.under_way import SiteData


@dataclass(frozen=True, slots=True)
class Checked:
    """A study, and this hospital's data, which fit it."""

    study: Study
    folder: Path
    data: SiteData


def checked(site: Site, wanted: str) -> Checked:
    """Return a study with the data that were read for it; DataError with every finding if not.

    `wanted` is the name or hash of a study that was fetched, or the path of a study file.
    """
    study, folder, attributes = study_and_data(site, wanted)
    return Checked(study, folder, read_data(study, folder, site.name, attributes))


def study_and_data(site: Site, wanted: str) -> tuple[Study, Path, Mapping[str, str]]:
    """Return a study, the folder of this hospital's data for it, and what is fixed for the site."""
    study = study_of(site, wanted)
    pinned = study.roster.sites[site.name].attributes if study.roster else site.attributes
    return study, site.data(study.name), pinned


def check(site: Site, wanted: str) -> dict[str, Any]:
    """Return the numbers of rows by table if the data fit; DataError with every finding if not."""
    found = checked(site, wanted)
    rows = {
        name: pq.ParquetFile(found.folder / f"{name}{SUFFIX}").metadata.num_rows
        for name in found.study.tables
    }
    return {
        "study": found.study.name,
        "hash": found.study.hash,
        "folder": str(found.folder),
        "rows": rows,
        "snapshot": found.data.digest,
    }


def study_of(site: Site, wanted: str) -> Study:
    """Return a study that was fetched, by name or hash, or the one in a file."""
    path = Path(wanted)
    if path.suffix not in (".yaml", ".yml"):
        return Shelf(site).find(wanted)
    if not path.exists():
        raise ConfigurationError(f"the study file {path} does not exist")
    try:
        study = read_study(path.read_text(encoding="utf-8"), path.name)
    except UnicodeDecodeError:
        raise ConfigurationError(f"the study file {path} is not UTF-8 text") from None
    if study.roster is not None and site.name not in study.roster.sites:
        raise ConfigurationError(f"the study {study.name} leaves out '{site.name}'")
    return study
