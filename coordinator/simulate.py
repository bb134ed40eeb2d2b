"""A whole release in one process: every site an agent core with its own folder, ledger and key.

The only module that drives agents from the coordinator's side. It passes messages as bytes and
nothing else, so that what a hospital would send is what is sent here.
"""

from __future__ import annotations

import os
import tomllib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from coordinator.drafts import drop_draft, finish_draft, write_draft
from coordinator.driver import DEFERRED
from coordinator.freeze import (
    check_at_center,
    check_attributes,
    freeze,
    roster_of,
    without_roster,
)
from coordinator.home import CENTER
from coordinator.release import Release
from coordinator.results import Circumstances
from site_agent.contract.enrolment import write_card
from site_agent.contract.errors import ConfigurationError, DataError, NotReady, Refused
from site_agent.contract.identity import Entropy, Identity
from site_agent.contract.party import SITE_NAME, SITE_NAME_IN_WORDS, Member
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.core import SiteCore
from site_agent.data.source import read_data
from site_agent.ledger import Ledger
from site_agent.runtime.clock import utc_now
from site_agent.runtime.keys import ensure_identity, read_identity
from site_agent.vault import Vault

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a simulation takes from outside: randomness, the clock, where progress goes.

    received: is given each message that the center receives.
    at_once: how many sites compute at a time, as on machines of their own; what they send is taken
    in their order, while others still compute.
    """

    entropy: Entropy = os.urandom
    clock: Callable[[], str] = utc_now
    progress: Progress = lambda _: None
    received: Callable[[bytes], None] = lambda _: None
    at_once: int = field(default_factory=lambda: os.cpu_count() or 1)

    def by_site(
        self, work: Callable[[str], bytes | None], sites: Sequence[str]
    ) -> Iterator[tuple[str, bytes | None]]:
        """Yield what each site answers; numpy, hashes and the disk do not hold up others."""
        with ThreadPoolExecutor(self.at_once) as pool:
            yield from zip(sites, pool.map(work, sites), strict=True)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A finished simulation: where its files are, and the release itself."""

    folder: Path
    release: Release


def find_sites(folder: Path) -> list[str]:
    """Return the names of the site folders in `folder`; ConfigurationError if there is none."""
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise ConfigurationError(f"the folder {folder} {found}; expected a folder a site in it")
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    hidden = [name for name in names if name.startswith(".")]
    names = [name for name in names if name not in hidden or any(folder.glob(f"{name}/*.parquet"))]
    if not names:
        raise ConfigurationError(
            f"{folder} has no folders; expected one for each site, with its Parquet files: "
            f"{folder}/<site>/<table>.parquet"
        )
    bad = [name for name in names if not SITE_NAME.match(name)]
    if bad:
        raise ConfigurationError(
            f"{len(bad)} site folder(s) with names other than {SITE_NAME_IN_WORDS}: "
            f"{', '.join(bad[:5])}; rename them"
        )
    return names


def read_attributes(folder: Path) -> dict[str, str]:
    """Return what `site.toml` says is fixed for the site; nothing if there is no such file."""
    path = folder / "site.toml"
    if not path.exists():
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        raise ConfigurationError(
            f'{path} is not TOML; expected lines such as country = "US"'
        ) from None
    return {name: str(value) for name, value in values.items()}


def load_identity(folder: Path, name: str, entropy: Entropy | None) -> Identity:
    """Return the identity kept in `folder`; created from `entropy` if there is none.

    Without `entropy` none is created: ConfigurationError if it is missing.
    """
    path = folder / "key"
    if entropy is not None:
        return ensure_identity(path, name, entropy)
    if not path.exists():
        raise ConfigurationError(
            f"'{name}' has no key ({path} is missing), and this study is frozen over keys that "
            f"exist; give as --out the folder in which it was frozen"
        )
    return read_identity(path, name)


def read_study_file(path: Path) -> str:
    """Return the text of a study file; ConfigurationError if there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigurationError(f"the study file {path} does not exist") from None
    except IsADirectoryError:
        raise ConfigurationError(f"{path} is a folder; give the study file in it") from None
    except UnicodeDecodeError:
        raise ConfigurationError(
            f"the study file {path} is not UTF-8 text; save it as such, or give another file"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"the study file {path} cannot be read: {error.strerror}"
        ) from None


def check_sites(study_path: Path, sites_folder: Path, *, development: bool = False) -> list[str]:
    """Check study and data of all sites; return their names. DataError with all findings."""
    study = read_study(read_study_file(study_path), study_path.name, development=development)
    names, unfit = find_sites(sites_folder), []
    attributes = {name: read_attributes(sites_folder / name) for name in names}
    check_attributes(study, attributes, study_path.name)
    check_at_center(study, names, study_path.name)
    for name in names:
        try:
            read_data(study, sites_folder / name, name, attributes[name])
        except DataError as error:
            unfit.append(error)
    _raise_all(unfit)
    return names


def simulate(
    study_path: Path,
    sites_folder: Path,
    out: Path,
    *,
    development: bool = False,
    surroundings: Surroundings | None = None,
) -> Simulated:
    """Run one release of a study over the site folders and write it to `out`/release-<n>.

    A study that is not frozen yet is frozen here, over the sites that are there, and approved by
    all of them. Raises StudyError, ConfigurationError, DataError (of all sites) and Refused.
    """
    around = surroundings or Surroundings()
    started = around.clock()
    text = read_study_file(study_path)
    names = find_sites(sites_folder)
    study = _rostered(text, study_path.name, sites_folder, out, names, around, development)
    identities = {name: load_identity(out / "agents" / name, name, None) for name in names}
    center = load_identity(out / CENTER, CENTER, None)
    assert study.roster is not None
    present = [name for name in names if name in study.roster.sites]
    absent = {name: "no folder" for name in study.roster.sites if name not in names}
    strangers = [name for name in names if name not in study.roster.sites]
    ledgers = {
        name: Ledger(out / "agents" / name / "ledger.jsonl", around.clock)
        for name in [*present, *strangers]
    }
    cores = {
        name: _core(study, identities[name], sites_folder / name, ledger, around)
        for name, ledger in ledgers.items()
    }
    release = Release(study, center, _next_number(study, out, ledgers), 1, tuple(present))
    try:
        drive(release, cores, around)
        write_draft(out, release)
        close(release, cores, around)
    except (Refused, DataError) as error:
        if isinstance(error, Refused):
            _burn(cores, release.number, error.code)
        drop_draft(out, release.number)
        if isinstance(error, Refused) and error.code == DEFERRED:
            raise NotReady(f"release {release.number}: {error}") from None
        raise
    folder = finish_draft(out, release, Circumstances(started, around.clock(), absent))
    return Simulated(folder, release)


def _rostered(
    text: str,
    source: str,
    sites_folder: Path,
    out: Path,
    names: list[str],
    around: Surroundings,
    development: bool,
) -> Study:
    """Return the frozen study; one without a roster is frozen over the sites that are there."""
    study = read_study(text, source, development=development)
    if study.roster is not None:
        return study
    center = load_identity(out / CENTER, CENTER, around.entropy)
    members = []
    for name in names:
        identity = load_identity(out / "agents" / name, name, around.entropy)
        members.append(_enrolled(identity, sites_folder / name, out))
    frozen, study = freeze(
        without_roster(text) if development else text,
        source,
        roster_of(center.member(), members),
        development=development,
    )
    if not development:
        (out / "study.frozen.yaml").write_text(frozen, encoding="utf-8")
    return study


def _next_number(study: Study, out: Path, ledgers: Mapping[str, Ledger]) -> int:
    """Return the number behind all releases that have ended; one that was cut off goes on."""
    ended = [
        int(entry["release"])
        for ledger in ledgers.values()
        for event in ("closed", "burned")
        for entry in ledger.find(event, study=study.hash)
    ]
    written = [_number(path) for path in out.glob("release-*")]
    return 1 + max([*ended, *written], default=0)


def _burn(cores: Mapping[str, SiteCore], number: int, code: str) -> None:
    """Give up a release refused with this code, at every site at which it has begun."""
    for core in cores.values():
        with suppress(Refused):
            core.burn(number, code)


def _number(path: Path) -> int:
    tail = path.name.removeprefix("release-")
    return int(tail) if tail.isdigit() else 0


def _enrolled(identity: Identity, data: Path, out: Path) -> Member:
    """Write a site's enrolment card; return what stands on it."""
    member = identity.member(read_attributes(data))
    (out / "agents" / identity.name / "enrolment.json").write_bytes(write_card(member))
    return member


def _core(
    study: Study, identity: Identity, data: Path, ledger: Ledger, around: Surroundings
) -> SiteCore:
    """Return the agent core of one site, with the steward's approval given."""
    pinned = study.roster.sites.get(identity.name) if study.roster is not None else None
    attributes = {} if pinned is None else pinned.attributes
    core = SiteCore(
        study,
        identity,
        lambda: read_data(study, data, identity.name, attributes),
        ledger=ledger,
        vault=Vault(ledger.path.parent / "vault"),
        entropy=around.entropy,
    )
    core.approve()
    return core


def _asking(cores: Mapping[str, SiteCore], message: bytes) -> Callable[[str], bytes | None]:
    """Return how a site is given a message."""
    return lambda site: cores[site].receive(message)


def _answered(site: str, wire: bytes | None, around: Surroundings) -> bytes:
    """Return what a site answered, which goes to `around.received`; Refused if it did not."""
    if wire is None:
        raise Refused("malformed", f"no answer from '{site}'")
    around.received(wire)
    return wire


def close(release: Release, cores: Mapping[str, SiteCore], around: Surroundings) -> None:
    """Close a release at all sites and take their receipts."""
    closing = release.close()
    for site, wire in around.by_site(_asking(cores, closing), release.sites):
        release.take_receipt(_answered(site, wire, around))


def drive(release: Release, cores: Mapping[str, SiteCore], around: Surroundings) -> None:
    """Pass messages until the last round is done; DataError with all sites' findings."""
    around.progress(f"{len(release.sites)} sites, release {release.number}")
    for wire in _readies(release, cores, around):
        release.take_ready(wire)
    parts = [cores[site].receive(release.readies_message()) for site in release.sites]
    for part in filter(None, parts):
        release.take_part(part)
    if release.holders:
        for site in release.sites:
            cores[site].receive(release.parts_message())
    while release.outcome is None:
        message = release.ask()
        around.progress(f"round {release.conductor.number}: {len(release.conductor.asks)} sums")
        _answers(release, cores, message, around)
        shares = release.shares_message()
        deque(around.by_site(_asking(cores, shares), release.sites), maxlen=0)
        release.total()


def _answers(
    release: Release, cores: Mapping[str, SiteCore], message: bytes, around: Surroundings
) -> None:
    """Take the shares of a round; who awaits the split of the center's hospital answers that."""

    def given(question: bytes, sites: Sequence[str]) -> list[str]:
        """Give a question to sites and take their shares; return who has not answered."""
        silent = []
        for site, wire in around.by_site(_asking(cores, question), sites):
            if wire is None:
                silent.append(site)
                continue
            around.received(wire)
            release.take_share(wire)
        return silent

    waiting, split = given(message, release.sites), release.split_message()
    if split is not None:
        given(split, waiting)


def _readies(release: Release, cores: Mapping[str, SiteCore], around: Surroundings) -> list[bytes]:
    """Return the READY messages; if data do not fit, the findings of all sites together."""
    wires: list[bytes] = []
    unfit: list[DataError] = []
    for site in release.sites:
        try:
            opened = cores[site].receive(release.open_message())
            wires.append(_answered(site, opened, around))
        except DataError as error:
            unfit.append(error)
    _raise_all(unfit)
    return wires


def _raise_all(errors: list[DataError]) -> None:
    """Raise the findings of all sites together, if there are any."""
    if errors:
        raise errors[0] if len(errors) == 1 else DataErrors(errors)


class DataErrors(DataError):
    """Data of several sites that do not fit the study."""

    def __init__(self, errors: list[DataError]) -> None:
        super().__init__(errors[0].site, [f for error in errors for f in error.findings])
        self.args = ("\n".join(str(error) for error in errors),)
