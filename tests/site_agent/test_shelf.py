"""Studies as a hospital keeps them: what is believed of what the exchange hands out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from coordinator.freeze import freeze, roster_of
from site_agent.contract.errors import (
    ConfigurationError,
    Declined,
    QuorumError,
    Refused,
    StudyError,
    Unreachable,
)
from site_agent.contract.party import Member
from site_agent.runtime.http import Connection, Exchange
from site_agent.shelf import Shelf
from site_agent.site import Site
from tests.coordinator.exchange.office import STUDY_HASH, Office, frozen_file
from tests.protocol import CENTER, SITES, STUDY, identity
from tests.site_agent.hospital import NAME, OTHER_TEXT, Way, keep, problem, set_up

REVISION = STUDY.replace("covariates: [dose], baseline: by_site", "covariates: [dose]")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A hospital without studies."""
    return set_up(tmp_path / "hospital")


@pytest.fixture
def shelf(site: Site) -> Shelf:
    """An empty shelf."""
    return Shelf(site)


def frozen(text: str = STUDY, *, center: str = CENTER, own: str = NAME) -> tuple[str, str]:
    """A frozen file and its hash; other parties' keys may stand behind center and hospital."""
    of_center, of_site = identity(center).member(), identity(own).member()
    parties = [identity(site).member() for site in SITES if site != NAME]
    own_card = Member(NAME, of_site.signing_key, of_site.encryption_key, {})
    center_card = Member(CENTER, of_center.signing_key, of_center.encryption_key, {})
    file, study = freeze(text, "test", roster_of(center_card, [own_card, *parties]))
    return file, study.hash


def refusal(act: Callable[[], object]) -> str:
    """The code with which something is refused."""
    with pytest.raises(Refused) as refused:
        act()
    return refused.value.code


def error(act: Callable[[], object]) -> str:
    """The message of an error."""
    with pytest.raises(QuorumError) as found:
        act()
    return str(found.value)


# What is kept


def test_a_study_is_kept(shelf: Shelf) -> None:
    """A study that is what it says is found under its hash."""
    shelf.keep(*frozen())
    assert shelf.hashes() == [frozen()[1]]


def test_a_kept_study_is_read(shelf: Shelf) -> None:
    """A kept study can be had by its hash."""
    file, name = frozen()
    shelf.keep(file, name)
    assert shelf.study(name).name == "protocol"


def test_a_study_under_another_hash(shelf: Shelf) -> None:
    """A file that does not have the hash under which it was sent is not kept."""
    assert refusal(lambda: shelf.keep(frozen()[0], "f" * 64)) == "other_study"


def test_a_hash_that_is_a_path(shelf: Shelf, site: Site) -> None:
    """A name that leads out of the folder writes nothing."""
    refusal(lambda: shelf.keep(frozen()[0], "../key"))
    assert (site.state / "key").read_bytes() == identity(NAME).secret()


def test_a_study_that_is_not_frozen(shelf: Shelf) -> None:
    """A draft without a roster is not kept, whatever hash it is sent under."""
    assert refusal(lambda: shelf.keep(STUDY, "f" * 64)) == "other_study"


def test_a_study_that_is_none(shelf: Shelf) -> None:
    """A text that is no study is told with its issues."""
    with pytest.raises(StudyError):
        shelf.keep("quorum: 1\nstudy: nothing\n", "f" * 64)


def test_a_study_of_another_center(shelf: Shelf) -> None:
    """A study that pins other keys of the center than the invitation gave is not kept."""
    assert refusal(lambda: shelf.keep(*frozen(center="stranger"))) == "other_keys"


def test_a_study_with_other_keys_of_this_hospital(shelf: Shelf) -> None:
    """A study that pins a key in this hospital's name that it does not have is not kept."""
    assert refusal(lambda: shelf.keep(*frozen(own="stranger"))) == "other_keys"


def test_whose_keys_are_others_is_told(shelf: Shelf) -> None:
    """The message names the study, whose keys they are, and what to do."""
    file, name = frozen(own="stranger")
    with pytest.raises(Refused) as refused:
        shelf.keep(file, name)
    assert str(refused.value) == (
        f"the study protocol ({name[:16]}) pins other keys of 'alder' than this hospital has; "
        f"compare fingerprints with the center by telephone before anything else"
    )


def test_a_study_that_leaves_this_hospital_out(shelf: Shelf) -> None:
    """A study that was frozen without this hospital is not kept."""
    file, study = frozen_file(STUDY, SITES[1:])
    assert refusal(lambda: shelf.keep(file, study.hash)) == "not_in_roster"


def test_a_study_that_is_not_kept_leaves_nothing(shelf: Shelf, site: Site) -> None:
    """What was refused is not on the disk."""
    refusal(lambda: shelf.keep(*frozen(center="stranger")))
    assert list(site.state.glob("studies/*")) == []


def test_an_altered_file_is_not_read(shelf: Shelf, site: Site) -> None:
    """A file that was altered on this disk is not what its name says."""
    name = keep(site)
    path = site.state / "studies" / f"{name}.yaml"
    path.write_text(path.read_text().replace("  curve:", "  curves:"))
    assert error(lambda: shelf.study(name)) == (
        f"{path} is not the study that was fetched: it was altered or damaged. Remove it, then "
        f"fetch it again with `site-agent studies`"
    )


def test_a_study_in_the_place_of_another_is_not_read(shelf: Shelf, site: Site) -> None:
    """A whole study under the name of another one is not the one that was fetched."""
    keep(site)
    name = "f" * 64
    (site.state / "studies" / f"{STUDY_HASH}.yaml").rename(site.state / f"studies/{name}.yaml")
    assert refusal(lambda: shelf.study(name)) == "other_study"


def test_a_study_that_is_not_here(shelf: Shelf) -> None:
    """A study that was not fetched is told with the command that fetches it."""
    with pytest.raises(ConfigurationError, match="is not here; fetch it with `site-agent studies`"):
        shelf.study("f" * 64)


# What is fetched


def test_studies_are_fetched(shelf: Shelf, office: Office) -> None:
    """What the exchange lists for this hospital is kept."""
    listed = shelf.fetch(Way(office).exchange())
    assert ([entry.get("problem") for entry in listed], shelf.hashes()) == ([None], [STUDY_HASH])


def test_what_is_here_is_not_fetched_again(shelf: Shelf, office: Office) -> None:
    """A study that is kept is not asked for."""
    way = Way(office)
    shelf.fetch(way.exchange())
    shelf.fetch(way.exchange())
    assert len([r for r in way.requests if r.url.path == f"/v1/studies/{STUDY_HASH}"]) == 1


def listing(shelf: Shelf, found: dict[str, httpx.Response], *names: str) -> list[str]:
    """The problems of the studies that an exchange lists, "" for those that were kept."""
    studies = {"studies": [{"hash": name, "name": "s"} for name in names]}
    given = {"/v1/studies": httpx.Response(200, json=studies)}
    given |= {f"/v1/studies/{name}": answer for name, answer in found.items()}
    transport = httpx.MockTransport(lambda request: given[request.url.path])
    with Exchange(Connection("http://exchange"), identity(NAME), transport=transport) as exchange:
        return [entry.get("problem", "") for entry in shelf.fetch(exchange)]


def text(content: str) -> httpx.Response:
    """An answer with a text."""
    return httpx.Response(200, text=content)


@pytest.mark.parametrize(
    "bad",
    [
        text(frozen()[0]),
        text("quorum: 1"),
        httpx.Response(200, content=b"\xff\xfe"),
        problem(404, "unknown_study"),
    ],
    ids=["of another hash", "no study", "no text", "taken back"],
)
def test_a_bad_study_does_not_block_others(shelf: Shelf, bad: httpx.Response) -> None:
    """A study that cannot be taken is told with its problem, and the others are fetched."""
    file, name = frozen(OTHER_TEXT)
    problems = listing(shelf, {"f" * 64: bad, name: text(file)}, "f" * 64, name)
    assert ([bool(one) for one in problems], shelf.hashes()) == ([True, False], [name])


def test_an_exchange_that_fails_is_no_bad_study(shelf: Shelf) -> None:
    """If the exchange's store does not answer, that is no problem of a study."""
    with pytest.raises(Declined):
        listing(shelf, {"f" * 64: problem(503, "store")}, "f" * 64)


@pytest.mark.parametrize(
    "document",
    [[], {}, {"studies": None}, {"studies": ["x"]}, {"studies": [{"hash": 1, "name": "s"}]}],
)
def test_a_list_that_is_none(shelf: Shelf, document: object) -> None:
    """What is no list of studies is not from an exchange."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=document))
    exchange = Exchange(Connection("http://exchange"), identity(NAME), transport=transport)
    with pytest.raises(Unreachable, match="gives no list of studies"):
        shelf.fetch(exchange)


# What is found


@pytest.fixture
def three(site: Site, shelf: Shelf) -> Shelf:
    """A study, its revision of the same name, and another one."""
    for content in (STUDY, REVISION, OTHER_TEXT):
        keep(site, content)
    return shelf


def test_a_study_is_found_by_its_name(three: Shelf) -> None:
    """A name that one study has is enough."""
    assert three.find("sequel").name == "sequel"


@pytest.mark.parametrize("length", [8, 16, 64])
def test_a_study_is_found_by_its_hash(three: Shelf, length: int) -> None:
    """So is the beginning of a hash, in small or capital letters."""
    name = frozen_file(REVISION)[1].hash
    assert three.find(name[:length].upper()).hash == name


def test_a_name_of_two_studies(three: Shelf) -> None:
    """A name that a study shares with its revision is answered with both hashes."""
    hashes = sorted(frozen_file(content)[1].hash for content in (STUDY, REVISION))
    expected = ", ".join(name[:16] for name in hashes)
    assert error(lambda: three.find("protocol")) == (
        f"2 studies are called 'protocol': {expected}; give the hash of one"
    )


def test_a_name_with_a_typing_error(three: Shelf) -> None:
    """A name that is not here is answered with the nearest, and with all."""
    assert error(lambda: three.find("seqel")) == (
        "no study 'seqel' is here; did you mean 'sequel'?; those that are: protocol, sequel. "
        "`site-agent studies` fetches what the center has sent"
    )


def test_a_hash_that_is_too_short(three: Shelf) -> None:
    """Fewer than eight digits are no hash."""
    name = frozen_file(OTHER_TEXT)[1].hash
    assert error(lambda: three.find(name[:7])).startswith(f"no study '{name[:7]}' is here")


def test_an_empty_shelf(shelf: Shelf) -> None:
    """Where nothing was fetched, that is told with the command that does it."""
    assert "those that are: none. `site-agent studies`" in error(lambda: shelf.find("protocol"))


@pytest.mark.parametrize("damage", [b"\xff", b"quorum: 1\n", b""])
def test_a_damaged_file_does_not_hide_other_studies(
    three: Shelf, site: Site, damage: bytes
) -> None:
    """Beside a damaged file, the other studies are found."""
    (site.state / "studies" / f"{'f' * 64}.yaml").write_bytes(damage)
    assert three.find("sequel").name == "sequel"


def test_a_study_whose_file_is_damaged_is_told(shelf: Shelf, site: Site) -> None:
    """If the one that is looked for may be the damaged one, the damage is told."""
    path = site.state / "studies" / f"{keep(site)}.yaml"
    path.write_text(path.read_text().replace("  curve:", "  curves:"))
    assert "altered or damaged" in error(lambda: shelf.find("protocol"))
