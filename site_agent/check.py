"""Checking a hospital's data against a study, on this machine only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from site_agent.checking.examine import examine
from site_agent.checking.report import Report
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.data.source import read_data
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
    study = _study(site, wanted)
    pinned = study.roster.sites[site.name].attributes if study.roster else site.attributes
    return study, site.data(study.name), pinned


def look_through(site: Site, wanted: str, *, show_keys: bool = False) -> Report:
    """Return what there is to say of this hospital's data for a study."""
    study, folder, attributes = study_and_data(site, wanted)
    return examine(study, folder, site.name, attributes, show_keys=show_keys)


def _study(site: Site, wanted: str) -> Study:
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
