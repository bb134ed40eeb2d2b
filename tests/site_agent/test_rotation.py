"""New keys beside the old ones: which are used when, and when the old ones are erased."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from site_agent.contract.enrolment import succeeds
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.identity import fingerprint
from site_agent.permission import Permission
from site_agent.revision import approve
from site_agent.rotation import Keys
from site_agent.shelf import Shelf, pinning
from site_agent.site import Site
from tests.protocol import identity
from tests.revising import ROTATED, frozen_first, frozen_revision, new_keys
from tests.site_agent.hospital import set_up


def fresh(size: int) -> bytes:
    """The bytes of which the new keys of these tests are made."""
    secret = new_keys().secret()
    assert size == len(secret)
    return secret


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hospital that has approved a study; its revision lies on its shelf too."""
    site = set_up(tmp_path / ROTATED, ROTATED)
    (site.state / "studies").mkdir()
    for file, study in (frozen_first(), frozen_revision()):
        (site.state / "studies" / f"{study.hash}.yaml").write_text(file, encoding="utf-8")
    site.ledger().append("approved", study=frozen_first()[1].hash, until="")
    return site


def settled(site: Site) -> bool:
    """Whether the old keys go."""
    return site.keys.settle(site.ledger(), pinning(site))


def revise(site: Site) -> None:
    """The steward's approval of the revision."""
    study = frozen_revision()[1]
    approve(Shelf(site), study, Permission(study, site.name, site.ledger()), "")


def test_rotating_keeps_the_old_key_in_use(site: Site) -> None:
    """Until a revision is approved the hospital answers with the old key."""
    site.keys.rotate(fresh)
    assert site.identity().secret() == identity(ROTATED).secret()


def test_rotating_tells_both_fingerprints(site: Site) -> None:
    """The old one and the new one, to be read over the telephone."""
    expected = fingerprint(identity(ROTATED).member()), fingerprint(new_keys().member())
    assert site.keys.rotate(fresh) == expected


def test_new_keys_are_private(site: Site) -> None:
    """Nobody but the agent may read them."""
    site.keys.rotate(fresh)
    assert stat.S_IMODE(site.keys.next_path.stat().st_mode) == 0o600


def test_rotating_twice(site: Site) -> None:
    """A second rotation before the first is over would cut the chain of signatures."""
    site.keys.rotate(fresh)
    with pytest.raises(ConfigurationError, match="there are new keys already"):
        site.keys.rotate(fresh)


def test_the_card_is_signed_by_the_old_key(site: Site) -> None:
    """What goes to the center says whose keys the new ones replace."""
    site.keys.rotate(fresh)
    assert succeeds(site.keys.card(), identity(ROTATED).member())


def test_each_study_gets_the_keys_that_it_pins(site: Site) -> None:
    """The old study the old ones, its revision the new ones."""
    site.keys.rotate(fresh)
    found = [
        site.keys.pinned_by(study).secret() for _, study in (frozen_first(), frozen_revision())
    ]
    assert found == [identity(ROTATED).secret(), new_keys().secret()]


def test_both_studies_are_taken_while_there_are_both_keys(site: Site) -> None:
    """Neither is refused for other keys."""
    site.keys.rotate(fresh)
    assert sorted(Shelf(site).readable()) == sorted(
        study.hash for _, study in (frozen_first(), frozen_revision())
    )


def test_without_new_keys_the_revision_is_not_taken(site: Site) -> None:
    """A study that pins keys that this hospital never made is not its."""
    assert list(Shelf(site).readable()) == [frozen_first()[1].hash]


def test_the_old_key_stays_while_a_study_needs_it(site: Site) -> None:
    """An approved study pins it."""
    site.keys.rotate(fresh)
    assert not settled(site)


def test_the_old_key_goes_with_the_approval_of_the_revision(site: Site) -> None:
    """Nothing approved pins it any more."""
    site.keys.rotate(fresh)
    revise(site)
    assert (settled(site), site.identity().secret()) == (True, new_keys().secret())


def test_the_old_key_is_overwritten(site: Site) -> None:
    """Whoever has its file open reads zeros."""
    site.keys.rotate(fresh)
    revise(site)
    with site.key.open("rb") as before:
        settled(site)
        assert set(before.read()) == {0}


def test_no_old_key_is_left_in_the_folder(site: Site) -> None:
    """No file of the state holds the secret."""
    site.keys.rotate(fresh)
    revise(site)
    settled(site)
    secret = identity(ROTATED).signing.private_bytes_raw()
    assert [p.name for p in site.state.glob("*") if p.is_file() and secret in p.read_bytes()] == []


def test_the_ledger_tells_of_the_change(site: Site) -> None:
    """With both fingerprints."""
    site.keys.rotate(fresh)
    revise(site)
    settled(site)
    (entry,) = site.ledger().find("rekeyed")
    assert entry["new"] == fingerprint(new_keys().member())


def test_the_card_stays_signed_when_the_old_key_is_gone(site: Site) -> None:
    """Enrolling again sends the same card."""
    site.keys.rotate(fresh)
    before = site.keys.card()
    revise(site)
    settled(site)
    assert site.keys.card() == before


def test_the_old_key_stays_for_a_release_that_can_still_be_closed(site: Site) -> None:
    """Its receipt is signed with the key that its study pins."""
    site.ledger().append("ready", study=frozen_first()[1].hash, release=1)
    site.keys.rotate(fresh)
    revise(site)
    assert not settled(site)


def test_the_old_key_goes_when_that_release_is_closed(site: Site) -> None:
    """Then nothing asks for it."""
    site.ledger().append("ready", study=frozen_first()[1].hash, release=1)
    site.keys.rotate(fresh)
    revise(site)
    site.ledger().append("closed", study=frozen_first()[1].hash, release=1)
    assert settled(site)


def test_a_lost_key_is_replaced_at_once(site: Site) -> None:
    """The old one signs nothing any more."""
    site.keys.replace(fresh, site.ledger())
    assert (site.identity().secret(), site.keys.next()) == (new_keys().secret(), None)


def test_no_key_vouches_for_the_one_after_a_lost_one(site: Site) -> None:
    """The card is as good as a first one."""
    site.keys.replace(fresh, site.ledger())
    assert site.keys.card().replaces is None


def test_a_key_that_is_gone_can_be_replaced(site: Site) -> None:
    """A disk was lost, and with it the fingerprint."""
    site.key.unlink()
    assert site.keys.replace(fresh, site.ledger())[0] == ""


def test_replacing_ends_a_rotation(site: Site) -> None:
    """Keys that were made beside a stolen one are not used."""
    site.keys.rotate(lambda size: bytes(range(size)))
    site.keys.replace(fresh, site.ledger())
    assert site.keys.newest().secret() == new_keys().secret()


def test_attributes_that_were_changed_are_signed_again(site: Site) -> None:
    """While both keys are there the card says what the settings say."""
    site.keys.rotate(fresh)
    changed = Keys(site.state, site.name, {"country": "US"})
    assert succeeds(changed.card(), identity(ROTATED).member())
