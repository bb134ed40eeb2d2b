"""A hospital changes its keys with the commands, and the center freezes a revision."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coordinator.freeze import freeze, roster_of
from site_agent.agent import Agent
from site_agent.cli import main
from site_agent.contract.enrolment import read_card
from site_agent.contract.identity import fingerprint
from site_agent.service import _settling
from site_agent.site import Site
from tests.coordinator.exchange.office import STUDY_HASH, TOKEN, Office
from tests.protocol import CENTER, STUDY, identity
from tests.site_agent.hospital import NAME, Way, furnished, invitation

SHORT = STUDY_HASH[:16]


@dataclass
class Story:
    """One hospital at a terminal, an exchange, and the center that freezes its study anew."""

    site: Site
    office: Office
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def call(self, *arguments: str, says: str = "") -> tuple[int, str]:
        """A command: its exit code, and all that it said."""
        self.patch.setattr(sys, "stdin", io.StringIO(says))
        with pytest.raises(SystemExit) as ended:
            main(["--config", str(self.site.settings.file), *arguments])
        out, err = self.capture.readouterr()
        return int(ended.value.code or 0), out + err

    def revise(self) -> str:
        """The center freezes the study over the cards that it has now; its hash."""
        listed = self.office.ask(CENTER, "GET", "/v1/parties").json()["sites"]
        members = [read_card(one["card"], one["name"]) for one in listed]
        roster = roster_of(identity(CENTER).member(), members)
        file, study = freeze(STUDY, "revision", roster, revises=STUDY_HASH)
        self.office.put_study(file, study.hash).raise_for_status()
        return study.hash

    def approved(self, study: str) -> str:
        """What the center knows of this hospital's approval."""
        listed: list[dict[str, Any]]
        listed = self.office.ask(CENTER, "GET", "/v1/studies").json()["studies"]
        (found,) = [one for one in listed if one["hash"] == study]
        return str(found["approvals"].get(NAME, {}).get("state", ""))

    def rotated(self) -> str:
        """All up to the revision, which is fetched and not yet approved; its hash."""
        self.call("approve", "protocol", "--yes")
        self.call("rotate-key")
        self.call("enrol")
        name = self.revise()
        self.call("studies")
        return name


@pytest.fixture
def story(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Story]:
    """A hospital with data and study."""
    with Office(f"sqlite:///{tmp_path / 'exchange.db'}") as office:
        way = Way(office.furnished())

        def exchange(site: Site) -> Any:
            found = way.exchange()
            found.sign_as(site.identity())
            return found

        monkeypatch.setattr(Site, "exchange", exchange)
        yield Story(furnished(tmp_path / "hospital"), office, capsys, monkeypatch)


def test_rotating_shows_both_fingerprints(story: Story) -> None:
    """People compare the new one, and see the old one."""
    _, said = story.call("rotate-key")
    assert [
        fingerprint(story.site.identity().member()) in said,
        "next         site-agent enrol" in said,
    ]


def test_a_second_rotation(story: Story) -> None:
    """The first comes to its end before: exit code 78."""
    story.call("rotate-key")
    assert story.call("rotate-key")[0] == 78


def test_enrolling_needs_no_invitation(story: Story) -> None:
    """The old key's signature is enough, and that is said."""
    story.call("rotate-key")
    code, said = story.call("enrol")
    assert (code, "(signed by the key before)" in said) == (0, True)


def test_the_revision_is_fetched_with_the_old_key(story: Story) -> None:
    """Both studies are listed."""
    name = story.rotated()
    _, said = story.call("studies")
    assert [hash_ in said for hash_ in (SHORT, name[:16])] == [True, True]


def test_the_review_tells_of_the_new_key(story: Story) -> None:
    """In the words for the steward."""
    story.rotated()
    assert "The key before signed this" in " ".join(story.call("review", "protocol")[1].split())


def test_approving_the_revision_supersedes_the_study(story: Story) -> None:
    """The center learns of both."""
    name = story.rotated()
    story.call("approve", "protocol", "--yes")
    assert (story.approved(STUDY_HASH), story.approved(name)) == ("revoked", "approved")


def test_approving_the_revision_erases_the_old_key(story: Story) -> None:
    """And says so."""
    story.rotated()
    _, said = story.call("approve", "protocol", "--yes")
    assert ("the old one is erased" in said, story.site.keys.next()) == (True, None)


def test_approving_asks_with_what_it_takes_the_place_of(story: Story) -> None:
    """The question names the study before."""
    story.rotated()
    assert f"in place of {SHORT}" in story.call("approve", "protocol", says="n\n")[1]


def test_the_study_before_is_not_approved_again(story: Story) -> None:
    """Exit code 77."""
    story.rotated()
    story.call("approve", "protocol", "--yes")
    assert story.call("approve", STUDY_HASH, "--yes")[0] == 77


def test_the_new_key_works_at_the_exchange(story: Story) -> None:
    """And the old one does not any more."""
    old = story.site.identity()
    story.rotated()
    story.call("approve", "protocol", "--yes")
    code, _ = story.call("status")
    assert (code, story.office.ask(old, "GET", "/v1/studies").status_code) == (0, 401)


def test_the_status_shows_the_new_key_while_there_are_both(story: Story) -> None:
    """A line more."""
    story.call("rotate-key")
    assert "new_key" in story.call("status")[1]


def test_a_running_agent_takes_the_new_key(story: Story) -> None:
    """An approval in another process changes the key with which it signs requests."""
    story.rotated()
    ledger = story.site.ledger()
    exchange = story.site.exchange()
    agent = Agent(exchange, None, ledger, 0, str, settle=_settling(story.site, ledger))  # type: ignore[arg-type]
    story.call("approve", "protocol", "--yes")
    agent._tell_approvals()
    assert exchange._identity.secret() == story.site.identity().secret()


def test_a_running_agent_lets_the_old_key_go(story: Story) -> None:
    """When the release that still needed it is over."""
    story.site.ledger().append("ready", study=STUDY_HASH, release=1)
    story.rotated()
    ledger = story.site.ledger()
    settle = _settling(story.site, ledger)
    story.call("approve", "protocol", "--yes")
    before = settle()
    ledger.append("closed", study=STUDY_HASH, release=1)
    assert (before, settle() is None) == (None, False)


def test_a_lost_key(story: Story) -> None:
    """It asks, erases the old key and says that nobody vouches for the new one."""
    before = story.site.identity().secret()
    code, said = story.call("rotate-key", "--lost", says="y\n")
    found = (code, "no other key vouches for it" in said, story.site.identity().secret() != before)
    assert found == (0, True, True)


def test_a_lost_key_takes_only_a_yes(story: Story) -> None:
    """Without it nothing is changed."""
    before = story.site.identity().secret()
    story.call("rotate-key", "--lost", says="n\n")
    assert story.site.identity().secret() == before


def test_a_lost_key_needs_a_new_invitation(story: Story) -> None:
    """With the token that was used once, the exchange does not take the new card."""
    (story.site.state / "invitation.json").write_bytes(invitation())
    story.call("rotate-key", "--lost", "--yes")
    assert story.call("enrol")[0] == 77


def test_a_lost_key_with_a_new_invitation(story: Story) -> None:
    """Then it enrols as at first."""
    (story.site.state / "invitation.json").write_bytes(invitation())
    story.call("rotate-key", "--lost", "--yes")
    story.office.now += 1
    story.office.invite(NAME, TOKEN + " again")
    text = (story.site.state / "invitation.json").read_text(encoding="utf-8")
    text = text.replace(TOKEN, TOKEN + " again")
    (story.site.state / "invitation.json").write_text(text, encoding="utf-8")
    assert story.call("enrol")[0] == 0
