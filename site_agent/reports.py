"""Reports of releases that a person at the center has released, as this hospital fetches them.

A report is kept only if the center that the study pins has signed it. That a person released it is
the exchange's word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from site_agent.contract import archive
from site_agent.contract.errors import NotReady, Refused, Unreachable
from site_agent.contract.reports import OF_REPORT, REPORTS, absent, altered, read_statement
from site_agent.contract.study.model import Study
from site_agent.runtime.clock import utc_of
from site_agent.runtime.http import Exchange
from site_agent.shelf import Shelf
from site_agent.site import Site


@dataclass(frozen=True, slots=True)
class Fetched:
    """A report on this machine: its release, when it was released (UTC), and its files."""

    study: str
    number: int
    released: str
    paths: tuple[Path, ...]


def list_reports(site: Site, study: str) -> list[dict[str, Any]]:
    """Return the reports of a study that may be fetched, the newest first."""
    with site.exchange() as exchange:
        return _listed(exchange, Shelf(site).find(study))


def _listed(exchange: Exchange, study: Study) -> list[dict[str, Any]]:
    listed = exchange.read("/v1/reports", name=study.name)["reports"]
    try:
        return [
            {
                "study": str(one["name"]),
                "hash": str(one["study"]),
                "release": int(one["number"]),
                "released": utc_of(one["decided"]),
                "open": str(one["open"]),
            }
            for one in listed
            if one["study"] == study.hash
        ]
    except (KeyError, TypeError, ValueError):
        raise Unreachable("the exchange lists reports in a form that is not known here") from None


def fetch_report(
    site: Site, study: str, number: int | None = None, out: Path | None = None
) -> Fetched:
    """Fetch the report of a release of a study, the last one released if no number is given.

    It is written to `out`, or to reports/<study>/ beside the ledger. NotReady if there is none,
    Refused if it is not what the center signed as this release.
    """
    found = Shelf(site).find(study)
    with site.exchange() as exchange:
        listed = _listed(exchange, found)
        wanted = [one for one in listed if number in (None, one["release"])]
        if not wanted:
            raise NotReady(_none(found, listed, number))
        contents = archive.unpack(exchange.call("GET", f"/v1/reports/{wanted[0]['open']}").body)
    release = int(wanted[0]["release"])
    _check(contents, found, wanted[0])
    folder = out or site.state / "reports" / found.name
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name in sorted({*contents} & {*REPORTS}):
        path = folder / f"{found.name}-release-{release}{Path(name).suffix}"
        path.write_bytes(contents[name])
        paths.append(path)
    return Fetched(found.name, release, wanted[0]["released"], tuple(paths))


def _none(study: Study, listed: list[dict[str, Any]], number: int | None) -> str:
    if not listed:
        return f"no report of {study.name} is released yet; the center says when one is"
    there = ", ".join(str(one["release"]) for one in listed)
    return f"no report of release {number} of {study.name} is released; there is {there}"


def _check(contents: Mapping[str, bytes], study: Study, wanted: Mapping[str, Any]) -> None:
    """Raise Refused unless the files are what the study's center signed as this release."""
    assert study.roster is not None
    if OF_REPORT not in contents:
        raise Refused("report", "the exchange hands out a report without the center's signature")
    said = read_statement(contents[OF_REPORT], study.roster.center)
    if (said.study, said.release, said.open) != (study.hash, wanted["release"], wanted["open"]):
        raise Refused("report", "the exchange hands out the report of another release")
    report = {name: data for name, data in contents.items() if name != OF_REPORT}
    wrong = [*altered(said, report), *absent(said, report)]
    if wrong:
        raise Refused("report", f"not as the center signed it: {', '.join(wrong)}; tell the center")
