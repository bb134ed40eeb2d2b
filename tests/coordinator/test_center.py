"""What the center does besides releases: studies, hospitals, what stands where."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.center import (
    add_study,
    burn_release,
    finished_release,
    freeze_study,
    invite_site,
    list_sites,
    study_status,
)
from coordinator.driver import standings
from coordinator.freeze import changed_keys
from coordinator.home import Home
from coordinator.presence import is_online
from coordinator.refresh import Refresh
from site_agent.contract.enrolment import card
from site_agent.contract.errors import ConfigurationError, Declined, NotReady, StudyError
from site_agent.contract.identity import fingerprint
from site_agent.runtime.clock import unix_now, utc_of
from tests.coordinator.exchange.office import frozen_file
from tests.coordinator.hospitals import SHORT, Center, Served, home_of
from tests.protocol import CENTER, SITES, identity
from tests.revising import ROTATED, card_of, new_keys

PUBLISHED = """\
published: 1
entries:
  - {analysis: curve, what: median, numbers: ["curves[].median.estimate"], text: "3", source: R}
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Served]:
    """An exchange on which nobody is enrolled."""
    with Served(f"sqlite:///{tmp_path / 'exchange.db'}") as served:
        yield served


@pytest.fixture
def home(office: Served, tmp_path: Path) -> Home:
    """A center's folder that leads to the exchange."""
    return office.home(tmp_path / "center")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A study file."""
    (tmp_path / "files").mkdir()
    path = tmp_path / "files" / "study.yaml"
    path.write_text(SHORT, encoding="utf-8")
    return path


@pytest.fixture
def added(home: Home, file: Path) -> Home:
    """A center with a study that was added."""
    add_study(home, file)
    return home


def enrol(office: Served, *sites: str) -> None:
    """Hospitals that were invited and came."""
    for site in sites:
        office.invite(site)
        office.enrol(site)


@pytest.fixture
def frozen(added: Home, office: Served) -> Home:
    """A center whose study is frozen over five hospitals."""
    enrol(office, *SITES)
    freeze_study(added, "protocol")
    return added


@pytest.fixture
def center(frozen: Home, office: Served, tmp_path: Path) -> Center:
    """The hospitals of that study, which have approved it."""
    found = Center(office, tmp_path, frozen.frozen("protocol"))
    found.hospitals.approve()
    return found


# Studies


def test_an_added_study_is_kept(added: Home) -> None:
    """The center has a copy of its own, as the biostatistician wrote it."""
    assert added.added("protocol").read_text(encoding="utf-8") == SHORT


def test_a_study_with_issues_is_not_kept(home: Home, file: Path) -> None:
    """What is wrong is told before anything is written."""
    file.write_text(SHORT.replace("endpoint: survival}", "endpoint: survivl}"), encoding="utf-8")
    with pytest.raises(StudyError):
        add_study(home, file)
    assert home.studies() == []


def test_a_frozen_file_is_not_added(home: Home, file: Path) -> None:
    """Its roster would be another one than that of the hospitals that are enrolled here."""
    file.write_text(frozen_file(SHORT)[0], encoding="utf-8")
    with pytest.raises(ConfigurationError, match="is frozen already; add the file as it was"):
        add_study(home, file)


def test_published_numbers_are_kept_with_the_study(home: Home, file: Path) -> None:
    """The file that lies beside the study file."""
    file.with_name("published.yaml").write_text(PUBLISHED, encoding="utf-8")
    add_study(home, file)
    path = home.published("protocol")
    assert path is not None and path.read_text(encoding="utf-8") == PUBLISHED


def test_bad_published_numbers_leave_the_study_as_it_was(added: Home, file: Path) -> None:
    """Both files are read before either is replaced."""
    file.write_text(SHORT.replace("Five hospitals", "Six hospitals"), encoding="utf-8")
    file.with_name("published.yaml").write_text("published: 2\n", encoding="utf-8")
    with pytest.raises(ConfigurationError):
        add_study(added, file)
    assert added.added("protocol").read_text(encoding="utf-8") == SHORT


def test_published_numbers_that_were_taken_away(home: Home, file: Path) -> None:
    """A study that is added again without them has none."""
    beside = file.with_name("published.yaml")
    beside.write_text(PUBLISHED, encoding="utf-8")
    add_study(home, file)
    beside.unlink()
    add_study(home, file)
    assert home.published("protocol") is None


# Freezing


def test_freezing_takes_the_hospitals_that_are_enrolled(frozen: Home) -> None:
    """Their keys are in the study, which is in force and at the exchange."""
    study = frozen.frozen("protocol")
    with frozen.exchange() as exchange:
        text = exchange.text(f"/v1/studies/{study.hash}")
    assert (study.hash, text) == (frozen_file(SHORT)[1].hash, frozen_file(SHORT)[0])


def test_the_same_roster_is_the_same_study(frozen: Home) -> None:
    """Freezing again changes nothing."""
    before = frozen.frozen("protocol").hash
    assert freeze_study(frozen, "protocol").hash == before


def test_a_frozen_study_can_be_frozen_with_another_roster(frozen: Home) -> None:
    """A hospital left out makes it another study, which is then in force."""
    before = frozen.frozen("protocol").hash
    study = freeze_study(frozen, "protocol", without=("elm",))
    assert study.roster is not None
    found = (tuple(study.roster.sites), frozen.frozen("protocol").hash != before)
    assert found == (SITES[:-1], True)


# Revisions


def rotate(office: Served, *, lost: bool = False) -> None:
    """A hospital with new keys has enrolled."""
    member = card(card_of(ROTATED, lost=lost))
    said = {"card": member, "token": "another token that is long" if lost else ""}
    if lost:
        office.invite(ROTATED, "another token that is long")
    office.ask(new_keys(), "POST", "/v1/enrolments", said).raise_for_status()


def test_freezing_again_over_other_keys_is_a_revision(frozen: Home, office: Served) -> None:
    """It names the study whose place it takes."""
    before = frozen.frozen("protocol")
    rotate(office)
    assert freeze_study(frozen, "protocol").revises == before.hash


def test_a_first_study_revises_nothing(frozen: Home) -> None:
    """Its field is empty."""
    assert frozen.frozen("protocol").revises == ""


def test_a_revision_frozen_again_is_the_same_study(frozen: Home, office: Served) -> None:
    """It is no revision of itself."""
    rotate(office)
    assert freeze_study(frozen, "protocol").hash == freeze_study(frozen, "protocol").hash


def test_a_revision_is_read_again(frozen: Home, office: Served) -> None:
    """The file that is kept has the field in its hash."""
    rotate(office)
    assert freeze_study(frozen, "protocol").hash == frozen.frozen("protocol").hash


@pytest.mark.parametrize(("lost", "expected"), [(False, ", signed by"), (True, ", NOT signed by")])
def test_changed_keys_are_told(frozen: Home, office: Served, lost: bool, expected: str) -> None:
    """With both fingerprints, and whether the key before signed."""
    before = frozen.frozen("protocol")
    rotate(office, lost=lost)
    (line,) = changed_keys(before, freeze_study(frozen, "protocol"))
    prints = [fingerprint(key.member()) for key in (identity(ROTATED), new_keys())]
    assert line.startswith(f"{ROTATED}: {prints[0]} -> {prints[1]}{expected}")


def test_no_revision_while_a_release_is_under_way(center: Center, frozen: Home) -> None:
    """It is closed or burned before."""
    center.driver().open()
    with pytest.raises(NotReady, match="release 1 of protocol is under way"):
        freeze_study(frozen, "protocol", without=("elm",))


def test_no_revision_before_results_are_written(center: Center, frozen: Home) -> None:
    """A closed release whose folder is not there is finished first."""
    center.run(center.driver())
    with pytest.raises(NotReady, match="its results are not written yet"):
        freeze_study(frozen, "protocol", without=("elm",))


def test_results_of_the_study_before_are_put_aside(frozen: Home) -> None:
    """Its revision counts releases from 1 again."""
    before = frozen.frozen("protocol").hash
    folder = frozen.results("protocol") / "release-1"
    folder.mkdir(parents=True)
    freeze_study(frozen, "protocol", without=("elm",))
    aside = frozen.results("protocol") / f"of-{before[:16]}" / "release-1"
    assert (folder.exists(), aside.exists()) == (False, True)


def test_the_study_before_is_found(frozen: Home) -> None:
    """By what a revision says that it revises."""
    before = frozen.frozen("protocol")
    found = frozen.revised(freeze_study(frozen, "protocol", without=("elm",)))
    assert found is not None and found.hash == before.hash


# Who is enrolled


def test_too_few_hospitals_are_enrolled(added: Home, office: Served) -> None:
    """The study's policy says how many it needs; it is a matter of waiting."""
    enrol(office, "alder", "elm")
    with pytest.raises(NotReady) as caught:
        freeze_study(added, "protocol")
    assert str(caught.value).startswith(
        "2 hospitals would be in the study protocol; it needs at least 3 (disclosure.compute.sites"
    )


def test_what_is_not_frozen_is_not_published(added: Home, office: Served) -> None:
    """With too few hospitals nothing is sent and nothing is in force."""
    enrol(office, "alder", "elm")
    with pytest.raises(NotReady):
        freeze_study(added, "protocol")
    with added.exchange() as exchange:
        assert exchange.read("/v1/studies")["studies"] == []


def test_freezing_without_an_unknown_hospital(added: Home, office: Served) -> None:
    """A misspelt name is not passed over in silence."""
    enrol(office, *SITES)
    with pytest.raises(ConfigurationError, match="did you mean 'elm'"):
        freeze_study(added, "protocol", without=("lem",))


# Hospitals


def test_an_invitation(home: Home, office: Served, tmp_path: Path) -> None:
    """The file has the hospital's name, the exchange's address, the center's keys, a token."""
    invite_site(home, "alder", tmp_path / "x" / "invitation.json")
    document = json.loads((tmp_path / "x" / "invitation.json").read_text(encoding="utf-8"))
    assert office.enrol("alder", document["token"]).status_code == 201


@pytest.mark.parametrize("before", [False, True])
def test_an_invitation_is_for_its_reader_only(before: bool, home: Home, tmp_path: Path) -> None:
    """Who has the token can enrol: the file is private, also where another one was."""
    path = tmp_path / "invitation.json"
    if before:
        path.touch(0o644)
    invite_site(home, "alder", path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_invitation_is_good_for_two_weeks(home: Home, tmp_path: Path) -> None:
    """The setting's default, in days; the end is told."""
    said = invite_site(home, "alder", tmp_path / "invitation.json")
    assert said in {utc_of(unix_now() + 14 * 86400 - passed) for passed in range(5)}


@pytest.mark.parametrize("name", ["center", "North", "a b", "../x", ""])
def test_names_that_cannot_be_a_hospitals(name: str, home: Home, tmp_path: Path) -> None:
    """They are refused here, and no file is written."""
    with pytest.raises(ConfigurationError, match="cannot be a hospital's name"):
        invite_site(home, name, tmp_path / "invitation.json")
    assert not (tmp_path / "invitation.json").exists()


def test_hospitals_by_name(home: Home, office: Served, tmp_path: Path) -> None:
    """Those that are invited and those that are enrolled, each once."""
    until = invite_site(home, "beech", tmp_path / "invitation.json")
    enrol(office, "alder")
    found = [(site["name"], site["state"]) for site in list_sites(home)]
    assert found == [("alder", "enrolled"), ("beech", f"invited until {until}")]


def test_the_fingerprint_of_a_hospital(home: Home, office: Served) -> None:
    """What is compared by telephone."""
    enrol(office, "alder")
    assert list_sites(home)[0]["fingerprint"] == fingerprint(identity("alder").member())


@pytest.mark.parametrize(("ago", "expected"), [(None, False), (0, True), (60, True), (120, False)])
def test_online(ago: int | None, expected: bool) -> None:
    """An agent that was not seen for a minute and a half does not poll."""
    assert is_online(None if ago is None else unix_now() - ago, unix_now()) is expected


# Status


def of(status: dict[str, Any], key: str) -> list[Any]:
    """One entry of all hospitals of a status."""
    return [site[key] for site in status["sites"]]


def test_the_status_of_an_unfrozen_study(added: Home) -> None:
    """No hash, no hospitals, and what to do next."""
    found = study_status(added, "protocol")
    expected = "`coordinator study freeze protocol`"
    assert (found["hash"], found["sites"], expected in found["note"]) == (None, [], True)


def test_the_status_of_a_frozen_study(frozen: Home) -> None:
    """Nobody has approved, nothing has begun."""
    found = study_status(frozen, "protocol")
    assert (found["release"], of(found, "approval")) == (None, ["not approved"] * 5)


def test_the_status_of_approvals(center: Center, frozen: Home) -> None:
    """Each kind in its own words."""
    now = int(center.office.now)
    for site, state, until in [
        ("beech", "approved", now + 1000),
        ("cedar", "approved", now - 1000),
        ("dogwood", "revoked", None),
    ]:
        target = f"/v1/studies/{center.study.hash}/approval"
        said = {"state": state, "until": until, "at": now + 1}
        center.office.ask(site, "PUT", target, said).raise_for_status()
    assert of(study_status(frozen, "protocol"), "approval") == [
        "approved",
        f"approved until {utc_of(now + 1000)}",
        f"approval ended {utc_of(now - 1000)}",
        "revoked",
        "approved",
    ]


def test_the_status_of_a_release_under_way(center: Center, frozen: Home) -> None:
    """Its round, and who is awaited and why."""
    driver = center.rounds(center.driver(deadline_s=1), until=1)
    center.hospitals.silent = {"elm"}
    with pytest.raises(NotReady):
        driver.round(1)
    center.hospitals.stand("elm", driver.release.digest, "no_data")
    found = study_status(frozen, "protocol")
    release = {name: found["release"][name] for name in ("number", "state", "phase", "round")}
    assert (release, found["release"]["waiting"], of(found, "hindered")) == (
        {"number": 1, "state": "under_way", "phase": "asking", "round": 1},
        ["elm"],
        ["", "", "", "", "no_data"],
    )


def test_the_status_of_a_closed_release(center: Center, frozen: Home) -> None:
    """Nobody is awaited."""
    center.run(center.driver())
    release = study_status(frozen, "protocol")["release"]
    assert (release["state"], release["waiting"]) == ("closed", [])


def test_the_status_is_json(center: Center, frozen: Home) -> None:
    """Everything in it can be printed."""
    center.driver().open()
    assert json.loads(json.dumps(study_status(frozen, "protocol")))["study"] == "protocol"


# Results, and giving up


def test_no_results_yet(frozen: Home) -> None:
    """Which command gives some."""
    with pytest.raises(NotReady, match="has no release yet: coordinator refresh protocol"):
        finished_release(frozen, "protocol", None)


def made(home: Home, *numbers: int) -> None:
    """Folders of finished releases."""
    for number in numbers:
        folder = home.results("protocol") / f"release-{number}"
        folder.mkdir(parents=True)
        (folder / "manifest.json").touch()


@pytest.mark.parametrize(("number", "expected"), [(None, "release-10"), (2, "release-2")])
def test_the_results_of_a_release(number: int | None, expected: str, added: Home) -> None:
    """The last one unless another is named."""
    made(added, 2, 10)
    assert finished_release(added, "protocol", number).name == expected


def test_the_results_of_an_unknown_release(added: Home) -> None:
    """Those that there are are named."""
    made(added, 2, 10)
    with pytest.raises(ConfigurationError, match=r"has no release 3; it has 2, 10"):
        finished_release(added, "protocol", 3)


def test_nothing_to_burn(frozen: Home) -> None:
    """Without a release under way there is nothing to give up."""
    with pytest.raises(ConfigurationError, match="no release of protocol is under way"):
        burn_release(frozen, "protocol")


def test_burning_asks_first(center: Center, frozen: Home) -> None:
    """Whoever says no is asked by the release's number, and nothing is burned."""

    def no(number: int) -> None:
        raise KeyError(number)

    center.rounds(center.driver(), until=1)
    with pytest.raises(KeyError, match="1"):
        burn_release(frozen, "protocol", no)
    with frozen.exchange() as exchange:
        assert standings(exchange, center.study.hash)[0].state == "under_way"


def test_burning_tells_the_hospitals(center: Center, frozen: Home) -> None:
    """The exchange has BURN, and every hospital writes it down."""
    center.rounds(center.driver(), until=1)
    burn_release(frozen, "protocol")
    center.hospitals.posted = None
    center.hospitals.answer_all()
    with frozen.exchange() as exchange:
        state = standings(exchange, center.study.hash)[0].state
    assert (state, {center.world.events(site)[-1] for site in SITES}) == ("burned", {"burned"})


def test_burning_drops_the_results(center: Center, frozen: Home) -> None:
    """Results of a release that was not closed are not kept."""
    running = Refresh(frozen, center.study, center.exchange(), deadline_s=60)
    running.gather()
    number = 0
    while not running.finished:
        running.round(number)
        number += 1
    running.results()
    burn_release(frozen, "protocol")
    assert list(frozen.results("protocol").iterdir()) == []


def test_another_center_is_turned_away(office: Served, tmp_path: Path) -> None:
    """A folder with another key than the exchange's center is told so."""
    home = home_of(tmp_path / "stranger", office.listen)
    (home.folder / "key").write_bytes(identity("alder").secret())
    with pytest.raises(Declined) as caught:
        list_sites(home)
    assert caught.value.exit_code == 78


def test_the_center_is_named_center(home: Home) -> None:
    """Its key signs as that."""
    assert home.identity().member() == identity(CENTER).member()
