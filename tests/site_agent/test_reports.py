"""The released report at a hospital: fetched, verified, written; and all that is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from site_agent.contract import archive
from site_agent.contract.errors import ConfigurationError, NotReady, Refused, Unreachable
from site_agent.contract.reports import OF_REPORT
from site_agent.reports import fetch_report, list_reports
from site_agent.site import Site
from tests.coordinator.exchange.office import FILES, FIRST, STUDY_HASH, Office, opening, packed
from tests.protocol import CENTER
from tests.site_agent.hospital import Way, furnished

REPORT = FILES["report.html"]


@pytest.fixture
def way(sqlite_office: Office, monkeypatch: pytest.MonkeyPatch) -> Way:
    """The way to an exchange with a draft that nobody has decided on."""
    found = Way(sqlite_office)
    monkeypatch.setattr(Site, "exchange", lambda _: found.exchange())
    return found


@pytest.fixture
def sqlite_office(tmp_path: Path) -> Iterator[Office]:
    """An exchange with a draft."""
    with Office(f"sqlite:///{tmp_path}/exchange.db") as office:
        office.furnished().post(CENTER, opening())
        office.finished().put_draft()
        office.put_person("anna", "statistician")
        yield office


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hospital that has the study."""
    return furnished(tmp_path / "hospital")


def test_a_released_report_is_fetched(way: Way, site: Site) -> None:
    """It lies beside the ledger, with the center's bytes."""
    way.office.decide()
    found = fetch_report(site, "protocol")
    path = site.state / "reports" / "protocol" / "protocol-release-1.html"
    assert (found.paths, path.read_bytes(), found.number) == ((path,), REPORT, 1)


def test_a_report_in_a_folder(way: Way, site: Site, tmp_path: Path) -> None:
    """Which is made; again gives the same file."""
    way.office.decide()
    paths = [fetch_report(site, STUDY_HASH, 1, tmp_path / "a" / "b").paths for _ in range(2)]
    assert paths == [(tmp_path / "a" / "b" / "protocol-release-1.html",)] * 2


def test_nothing_is_released_yet(way: Way, site: Site) -> None:
    """A draft is not told of."""
    with pytest.raises(NotReady, match="no report of protocol is released yet"):
        fetch_report(site, "protocol")


def test_a_release_that_is_none(way: Way, site: Site) -> None:
    """Those that there are are named."""
    way.office.decide()
    with pytest.raises(NotReady, match="release 7 of protocol is released; there is 1"):
        fetch_report(site, "protocol", 7)


def test_a_study_that_is_not_here(way: Way, site: Site) -> None:
    """The nearest one is named."""
    with pytest.raises(ConfigurationError, match="protocol"):
        fetch_report(site, "protcol")


def test_reports_are_listed(way: Way, site: Site) -> None:
    """With the instant at which they were released."""
    way.office.decide()
    found = list_reports(site, "protocol")
    assert [(one["release"], one["released"], one["open"]) for one in found] == [
        (1, "2026-11-21T04:16:07Z", FIRST)
    ]


def altered(**files: bytes) -> bytes:
    """What a hospital gets, with other files."""
    found = archive.unpack(packed())
    return archive.pack({name: found[name] for name in ("report.html", OF_REPORT)} | files)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (altered(**{"report.html": b"other"}), "not as the center signed it: report.html"),
        (altered(**{"report.pdf": b"more"}), "not as the center signed it: report.pdf"),
        (archive.pack({OF_REPORT: archive.unpack(packed())[OF_REPORT]}), "report.html"),
        (archive.pack(FILES), "without the center's signature"),
        (packed({"report.html": REPORT}, by="elm"), "not signed with the key"),
        (packed(number=2), "the report of another release"),
        (packed(opened="0" * 64), "the report of another release"),
        (b"<html>", "not packed as this software packs"),
    ],
)
def test_what_the_center_did_not_sign(way: Way, site: Site, body: bytes, words: str) -> None:
    """Nothing of it is kept."""
    way.office.decide()
    way.said[f"GET /v1/reports/{FIRST}"] = httpx.Response(
        200, content=body, headers={"content-type": archive.MEDIA_TYPE}
    )
    with pytest.raises(Refused, match=words):
        fetch_report(site, "protocol")
    assert not (site.state / "reports").exists()


@pytest.mark.parametrize("said", [{"name": "protocol"}, 7, {"study": STUDY_HASH, "name": 1}])
def test_a_list_that_is_none(way: Way, site: Site, said: Any) -> None:
    """Something else answers."""
    way.said["GET /v1/reports"] = httpx.Response(200, json={"reports": [said]})
    with pytest.raises(Unreachable, match="lists reports in a form"):
        list_reports(site, "protocol")
