"""Checking data on this machine: against a fetched study, or a draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract.errors import ConfigurationError, DataError, StudyError
from site_agent.site import Site
from tests.coordinator.exchange.office import STUDY_HASH, frozen_file
from tests.protocol import PATIENTS, SITES, STUDY, patients
from tests.site_agent.hospital import NAME, check, furnished


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hospital with its data and a study."""
    return furnished(tmp_path / "hospital")


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A study file that is not frozen."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    return path


def error(site: Site, wanted: str) -> str:
    """Why something cannot be checked."""
    with pytest.raises(ConfigurationError) as found:
        check(site, wanted)
    return str(found.value)


@pytest.mark.parametrize("wanted", ["protocol", STUDY_HASH, STUDY_HASH[:8]])
def test_data_that_fit(site: Site, wanted: str) -> None:
    """The answer has study, folder, rows by table, and the snapshot."""
    found = check(site, wanted)
    assert (found["study"], found["hash"], found["folder"], found["rows"]) == (
        *("protocol", STUDY_HASH, str(site.data("protocol"))),
        {"patients": PATIENTS[NAME]},
    )


def test_the_snapshot_is_of_the_data(site: Site) -> None:
    """Other rows are another snapshot."""
    first = check(site, "protocol")["snapshot"]
    rows = patients("beech")
    rows.to_parquet(site.data("protocol") / "patients.parquet", index=False)
    assert check(site, "protocol")["snapshot"] != first


def test_a_draft(site: Site, draft: Path) -> None:
    """Data can be checked against a study file before it is frozen."""
    assert check(site, str(draft))["rows"] == {"patients": PATIENTS[NAME]}


def test_a_study_with_a_folder_of_its_own(tmp_path: Path) -> None:
    """The data are looked for where the settings say they are for this study."""
    site = furnished(tmp_path / "hospital", more='\n[data.studies]\nprotocol = "of-protocol"\n')
    site.data("any").rename(site.data("protocol"))
    assert check(site, "protocol")["folder"] == str(tmp_path / "hospital" / "of-protocol")


def test_data_that_do_not_fit(site: Site) -> None:
    """Every finding is told, and none of them shows a value."""
    path = site.data("protocol") / "patients.parquet"
    patients(NAME).assign(days=99, status=7).to_parquet(path, index=False)
    with pytest.raises(DataError) as found:
        check(site, "protocol")
    places = {finding.place for finding in found.value.findings}
    assert (len(places), "99" in str(found.value), "canary" in str(found.value)) == (
        *(2, False),
        False,
    )


def test_no_data(site: Site) -> None:
    """A folder without the table says which file is missing from where."""
    folder = site.data("protocol")
    (folder / "patients.parquet").unlink()
    with pytest.raises(DataError, match=f"patients.parquet is missing .* put it into {folder}"):
        check(site, "protocol")


def test_a_file_that_is_not_there(site: Site) -> None:
    """A study file that does not exist is told by its path."""
    assert error(site, "nowhere.yaml") == "the study file nowhere.yaml does not exist"


def test_a_file_that_is_no_text(site: Site, draft: Path) -> None:
    """A study file that is no text is told by its path."""
    draft.write_bytes(b"\xff\xfe")
    assert error(site, str(draft)) == f"the study file {draft} is not UTF-8 text"


def test_a_file_that_is_no_study(site: Site, draft: Path) -> None:
    """A study file with issues is told with them."""
    draft.write_text("quorum: 1\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"study.yaml: \d+ problem"):
        check(site, str(draft))


def test_a_file_that_leaves_this_hospital_out(site: Site, draft: Path) -> None:
    """A frozen file without this hospital is not checked."""
    draft.write_text(frozen_file(STUDY, SITES[1:])[0], encoding="utf-8")
    assert error(site, str(draft)) == "the study protocol leaves out 'alder'"


def test_a_study_that_was_not_fetched(site: Site) -> None:
    """A name that is not here is answered with the nearest."""
    assert "did you mean 'protocol'?" in error(site, "protocl")
