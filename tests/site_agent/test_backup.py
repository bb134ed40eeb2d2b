"""Backup of an agent: what it holds, and that it is put back whole or not at all."""

from __future__ import annotations

import io
import json
import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from site_agent.approvals import approvals
from site_agent.backup import back_up, note_restored, restore
from site_agent.contract.errors import ConfigurationError, LedgerError, Refused
from site_agent.ledger import Ledger
from site_agent.runtime.backup import write_backup
from site_agent.runtime.clock import utc_now
from site_agent.site import Site
from tests.protocol import SITES, Play, identity, site_data
from tests.revising import RevisedWorld, frozen_first, frozen_revision
from tests.site_agent.differing import Course, joined
from tests.site_agent.hospital import furnished

SECRET = "secret-key"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An agent with a ledger, a record, and a release under way."""
    site = furnished(tmp_path / "agent")
    for number in (1, 2):
        site.ledger().append("burned", release=number)
    (site.state / "contributions").mkdir()
    (site.state / "contributions" / "study-1.parquet").write_bytes(b"record")
    site.vault().put("release", SECRET, b"ephemeral")
    return site


@pytest.fixture
def file(site: Site, tmp_path: Path) -> Path:
    """Its backup."""
    back_up(site, tmp_path / "backup.tar")
    return tmp_path / "backup.tar"


def kept(site: Site) -> dict[str, bytes]:
    """All that is in an agent's state but the vault."""
    return {
        str(path.relative_to(site.state)): path.read_bytes()
        for path in site.state.rglob("*")
        if path.is_file() and "vault" not in path.parts
    }


def refused(file: Path, config: Path) -> str:
    """Why a backup is not put back; nothing is left of it."""
    before = sorted(config.parent.rglob("*")) if config.parent.exists() else []
    with pytest.raises(ConfigurationError) as found:
        restore(file, config, {})
    assert (sorted(config.parent.rglob("*")) if config.parent.exists() else []) == before
    return str(found.value)


def test_an_agent_is_put_back(site: Site, file: Path, tmp_path: Path) -> None:
    """Settings, key, records and studies are as they were."""
    said, again = restore(file, tmp_path / "new" / "agent.toml", {})
    before, after = kept(site), kept(again)
    grown = after.pop("ledger.jsonl").startswith(before.pop("ledger.jsonl"))
    found = (said.name, said.about["entries"], after, again.settings.file.read_bytes())
    assert (grown, found) == (True, ("alder", 2, before, site.settings.file.read_bytes()))


def test_the_ledger_says_so_and_no_approval_stands(site: Site, tmp_path: Path) -> None:
    """What was revoked since the backup does not come back: the steward approves again."""
    for study in ("one", "two"):
        site.ledger().append("approved", study=study)
    site.ledger().append("revoked", study="two")
    back_up(site, tmp_path / "backup.tar")
    _, again = restore(tmp_path / "backup.tar", tmp_path / "new" / "agent.toml", {})
    entries = again.ledger().entries
    states = {study: approval.state for study, approval in approvals(entries).items()}
    own = site.identity().member().signing_key
    assert (states, entries[-1]["event"], entries[-1]["keys"]) == (
        {"one": "revoked", "two": "revoked"},
        "restored",
        [own],
    )


@pytest.mark.parametrize(
    ("restored", "expected"), [(False, "deferred"), (True, "lost")], ids=["newest", "restored"]
)
def test_new_keys_do_not_hide_what_a_restored_ledger_forgot(
    tmp_path: Path, restored: bool, expected: str
) -> None:
    """A revision with new keys after too few changes: put off, and refused where elm forgot."""
    course = Course(tmp_path, frozen_first()[1])
    first = course.play()
    shutil.copytree(tmp_path / "elm", tmp_path / "elm.backup")
    first.finish()
    if restored:
        shutil.rmtree(tmp_path / "elm")
        shutil.move(tmp_path / "elm.backup", tmp_path / "elm")
        (ledger,) = (tmp_path / "elm").rglob("ledger.jsonl")
        note_restored(Ledger(ledger, utc_now), "", [identity("elm").member().signing_key])
    study = frozen_revision(lost=True)[1]
    later = Course(tmp_path, study, [joined(of=["beech", "cedar"], each=1)])
    read = {site: site_data(study, site, later.rows(site)) for site in SITES}
    world = RevisedWorld(tmp_path, study, lambda site: read[site])
    with pytest.raises(Refused) as found:
        Play(world, world.release(None, number=1)).finish()
    assert found.value.code == expected


def test_what_closes_a_release_under_way_is_not_in_it(file: Path, tmp_path: Path) -> None:
    """The vault stays where it is, so that what was sent can be closed for good."""
    _, again = restore(file, tmp_path / "new" / "agent.toml", {})
    with tarfile.open(file) as archive:
        names = archive.getnames()
    found = ([n for n in names if "vault" in n], again.vault().get("release", SECRET))
    assert (found, b"ephemeral" in file.read_bytes()) == (([], None), False)


def test_only_its_owner_reads_it(file: Path, tmp_path: Path) -> None:
    """Neither the file nor what is put back is open to others."""
    _, again = restore(file, tmp_path / "new" / "agent.toml", {})
    places = (file, again.key, again.state / "ledger.jsonl")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in places]
    assert (modes, stat.S_IMODE(again.state.stat().st_mode)) == ([0o600] * 3, 0o700)


def test_the_agent_goes_on_with_its_ledger(file: Path, tmp_path: Path) -> None:
    """The next entry follows from the last one of the backup."""
    _, again = restore(file, tmp_path / "new" / "agent.toml", {})
    again.ledger().append("burned", release=3)
    assert [entry.get("release") for entry in again.ledger().entries] == [1, 2, None, 3]


def test_entries_that_come_meanwhile_are_not_cut_in_two(site: Site, tmp_path: Path) -> None:
    """The backup has the ledger as it was verified, up to a whole entry."""
    with (site.state / "ledger.jsonl").open("ab") as file:
        file.write(b'{"half": ')
    back_up(site, tmp_path / "backup.tar")
    _, again = restore(tmp_path / "backup.tar", tmp_path / "new" / "agent.toml", {})
    assert [entry["event"] for entry in again.ledger().entries] == ["burned", "burned", "restored"]


def test_a_damaged_ledger_is_not_backed_up(site: Site, tmp_path: Path) -> None:
    """It is told at once, not when the backup is needed."""
    path = site.state / "ledger.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"release":1', b'"release":9'))
    with pytest.raises(LedgerError):
        back_up(site, tmp_path / "backup.tar")
    assert not (tmp_path / "backup.tar").exists()


def test_a_backup_replaces_no_other(site: Site, file: Path) -> None:
    """A newer one has a name of its own."""
    before = file.read_bytes()
    with pytest.raises(ConfigurationError, match="is there already"):
        back_up(site, file)
    assert file.read_bytes() == before


def test_never_over_an_agent(site: Site, file: Path, tmp_path: Path) -> None:
    """Neither over its settings nor over its state, whose ledger may be newer."""
    alone = tmp_path / "other" / "agent.toml"
    (alone.parent / "state").mkdir(parents=True)
    (alone.parent / "state" / "ledger.jsonl").touch()
    words = [refused(file, site.settings.file), refused(file, alone)]
    assert [word.split(" is ")[1][:9] for word in words] == ["there alr", "not empty"]


@pytest.mark.parametrize("place", [0, 515, -1])
def test_a_damaged_backup(file: Path, tmp_path: Path, place: int) -> None:
    """One flipped byte of name, content or manifest is found, and nothing is put back."""
    data = bytearray(file.read_bytes())
    with tarfile.open(file) as archive:
        end = archive.getmember("manifest.json").offset_data
    data[place if place >= 0 else end + 30] ^= 1
    file.write_bytes(data)
    assert "Nothing was put back" in refused(file, tmp_path / "new" / "agent.toml")


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.9])
def test_a_backup_that_is_cut_short(file: Path, tmp_path: Path, part: float) -> None:
    """It has no whole manifest at its end."""
    data = file.read_bytes()
    with tarfile.open(file) as archive:
        end = archive.getmember("manifest.json").offset_data
    file.write_bytes(data[: int(end * part)])
    assert "Nothing was put back" in refused(file, tmp_path / "new" / "agent.toml")


def test_a_backup_of_something_else(tmp_path: Path) -> None:
    """A center's backup makes no agent."""
    file = tmp_path / "center.tar"
    write_backup(file, {"key": b""}, of="center", name="center", made="", about={})
    assert "expected one of the kind 'agent'" in refused(file, tmp_path / "new" / "agent.toml")


@pytest.mark.parametrize("name", ["../outside", "/outside", "state/../../outside", "state//key"])
def test_nothing_is_written_outside(tmp_path: Path, name: str) -> None:
    """A path that leads out of the folder is refused, whatever the manifest says."""
    file = tmp_path / "evil.tar"
    said = {"format": "quorum/1/backup", "of": "agent", "name": "", "made": "", "software": ""}
    manifest = json.dumps({**said, "about": {}, "files": {name: ""}}).encode()
    with tarfile.open(file, "w") as archive:
        for path, data in ((name, b"x"), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    assert "does not belong there" in refused(file, tmp_path / "new" / "agent.toml")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """Only plain files are taken."""
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as archive:
        entry = tarfile.TarInfo("agent.toml")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(entry)
    assert "does not belong there" in refused(file, tmp_path / "new" / "agent.toml")
