"""What the coordinating center does besides releases: studies, hospitals, what stands where."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from coordinator.drafts import drop_draft, finished, put_aside, release_folder
from coordinator.driver import Driver, Standing, approvals, begin, standings
from coordinator.freeze import (
    freeze,
    freeze_again,
    read_enrolment,
    roster_of,
    without_roster,
)
from coordinator.home import CENTER, PUBLISHED, Home
from coordinator.looks import look
from coordinator.presence import is_online
from coordinator.report.published import read_published
from coordinator.schedule import known_schedule, schedule_status
from coordinator.simulate import Surroundings, load_identity, read_study_file
from coordinator.waits import waiting_since
from coordinator.whose_turn import whose_turn
from site_agent.contract.catalogue import seals
from site_agent.contract.enrolment import Invitation, read_card
from site_agent.contract.errors import ConfigurationError, NotReady
from site_agent.contract.party import SITE_NAME, SITE_NAME_IN_WORDS
from site_agent.contract.roster import smallest_roster
from site_agent.contract.securesum.pairing import holders
from site_agent.contract.study.fields import nearest
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.runtime.clock import unix_now, utc_of
from site_agent.runtime.files import write_private
from site_agent.runtime.http import Exchange

DAY_S: Final = 86400
TOKEN_BYTES: Final = 24


def add_study(home: Home, path: Path) -> Study:
    """Keep a copy of a study file that is right, and of the published numbers beside it."""
    text = read_study_file(path)
    study = read_study(text, path.name)
    if study.roster is not None:
        raise ConfigurationError(
            f"{path.name} is frozen already; add the file as it was before freezing, and freeze it "
            f"over the hospitals that are enrolled here"
        )
    published = path.parent / PUBLISHED
    if published.exists():
        read_published(published)
    known_schedule(study.schedule)
    folder = home.study_folder(study.name)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    if published.exists():
        shutil.copyfile(published, folder / PUBLISHED)
    else:
        (folder / PUBLISHED).unlink(missing_ok=True)
    return study


def freeze_file(path: Path, enrolments: Path, center: Path, out: Path) -> str:
    """Freeze a study file over enrolment cards in a folder; return a line that tells of it."""
    cards = sorted([*enrolments.glob("*.json"), *enrolments.glob("*/enrolment.json")])
    if not cards:
        raise ConfigurationError(
            f"{enrolments} has no enrolment cards; expected *.json or <site>/enrolment.json"
        )
    identity = load_identity(center, CENTER, Surroundings().entropy)
    roster = roster_of(identity.member(), [read_enrolment(card) for card in cards])
    text, frozen = freeze(read_study_file(path), path.name, roster)
    out.write_text(text, encoding="utf-8")
    return f"{out}: {len(roster.sites)} sites, hash {frozen.hash}"


def freeze_study(home: Home, name: str, *, without: Sequence[str] = ()) -> Study:
    """Freeze an added study over the hospitals that are enrolled, and publish it to them.

    A study of this name that is frozen already is revised by it. NotReady if fewer are enrolled
    than the study needs, or a release of the one before is not over. The same roster again gives
    the same study.
    """
    text = read_study_file(home.added(name))
    before = home.frozen(name) if home.is_frozen(name) else None
    with home.exchange() as exchange:
        listed = exchange.read("/v1/parties")["sites"]
        enrolled = [party["name"] for party in listed]
        unknown = [site for site in without if site not in enrolled]
        if unknown:
            raise ConfigurationError(
                f"no hospital '{unknown[0]}' is enrolled here{nearest(unknown[0], enrolled)}"
            )
        members = [
            read_card(party["card"], party["name"])
            for party in listed
            if party["name"] not in without
        ]
        roster = roster_of(home.identity().member(), members)
        plain = without_roster(text)
        frozen_text, frozen = freeze_again(plain, f"{name}.yaml", roster, before)
        if len(members) < smallest_roster(frozen):
            raise NotReady(
                f"{len(members)} hospitals would be in the study {name}; it needs at least "
                f"{smallest_roster(frozen)} (disclosure.compute.sites). Wait until more have "
                f"enrolled (`coordinator site list`), or invite more (`coordinator site invite "
                f"NAME`)"
            )
        if before is not None and before.hash != frozen.hash:
            _refuse_unfinished(home, before, exchange)
        exchange.call("PUT", f"/v1/studies/{frozen.hash}", frozen_text.encode(), "text/yaml")
    if before is not None and before.hash != frozen.hash:
        put_aside(home.results(name), before.hash)
    home.keep_frozen(frozen_text, frozen)
    return frozen


def _refuse_unfinished(home: Home, study: Study, exchange: Exchange) -> None:
    """Raise NotReady if a release of a study that is to be revised is not over, or not written."""
    for last in standings(exchange, study.hash)[:1]:
        if last.under_way:
            raise NotReady(
                f"release {last.number} of {study.name} is under way, and a revision would take "
                f"its study away. Let it end, or give it up with `coordinator burn {study.name}`, "
                f"at once if a key was stolen"
            )
        folder = release_folder(home.results(study.name), last.number)
        if last.state == "closed" and not folder.exists():
            raise NotReady(
                f"release {last.number} of {study.name} is closed, and its results are not "
                f"written yet: `coordinator refresh {study.name}` first"
            )


def invite_site(home: Home, name: str, path: Path) -> str:
    """Write an invitation for a hospital; return the instant until which it is good."""
    if not SITE_NAME.match(name) or name == CENTER:
        raise ConfigurationError(
            f"'{name}' cannot be a hospital's name: expected {SITE_NAME_IN_WORDS}, and not "
            f"'{CENTER}'"
        )
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires = unix_now() + home.settings["invitation.valid_days"] * DAY_S
    hashed = hashlib.sha256(token.encode()).hexdigest()
    with home.exchange() as exchange:
        said = {"token_sha256": hashed, "expires": expires}
        exchange.write("PUT", f"/v1/invitations/{name}", said)
    center = home.identity().member()
    invitation = Invitation(name, home.public_url, center, token, expires)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(path, invitation.write())
    return utc_of(expires)


def list_sites(home: Home) -> list[dict[str, Any]]:
    """Return the hospitals that are invited or enrolled, by name."""
    with home.exchange() as exchange:
        parties = exchange.read("/v1/parties")
    found = {
        invited["site"]: {
            "name": invited["site"],
            "state": f"invited until {utc_of(invited['expires'])}",
            **{"fingerprint": "", "seen": "", "online": False, "software": ""},
        }
        for invited in parties["invitations"]
        if not invited["used"]
    }
    for party in parties["sites"]:
        found[party["name"]] = {
            "name": party["name"],
            "state": "enrolled",
            "fingerprint": party["fingerprint"],
            **_presence(party["seen"]),
            "software": party["software"] or "",
        }
    return [found[name] for name in sorted(found)]


def _presence(seen: float | None) -> dict[str, Any]:
    """Return whether an agent last seen at this Unix second is online, and the instant."""
    return {"online": is_online(seen, unix_now()), "seen": utc_of(seen) if seen else "never"}


def study_status(home: Home, name: str) -> dict[str, Any]:
    """Return where a study stands: frozen or not, its hospitals, its last release."""
    home.added(name)
    try:
        study = home.frozen(name)
    except NotReady as error:
        nothing: dict[str, Any] = {"hash": None, "sites": [], "release": None, "schedule": None}
        return {"study": name, **nothing, "note": str(error)}
    sites, last = sites_and_release(home, study)
    return {
        "study": name,
        "hash": study.hash,
        "sites": sites,
        "release": None if last is None else _release_status(home, study, sites, last),
        "schedule": schedule_status(home, name),
        "note": "",
    }


def sites_and_release(home: Home, study: Study) -> tuple[list[dict[str, Any]], Standing | None]:
    """Return where a frozen study stands at each of its hospitals, and its last release."""
    assert study.roster is not None
    with home.exchange() as exchange:
        parties = {p["name"]: p for p in exchange.read("/v1/parties")["sites"]}
        approved = approvals(exchange, study.hash)
        releases = standings(exchange, study.hash)
    sites = [
        {
            "name": site,
            "approval": _approval(approved.get(site)),
            **_presence(parties.get(site, {}).get("seen")),
            "hindered": releases[0].hindered.get(site, "") if releases else "",
        }
        for site in study.roster.sites
    ]
    return sites, _with_parts(study, releases[0]) if releases else None


def _with_parts(study: Study, last: Standing) -> Standing:
    """Return a release that also waits for parts of a secret, of which the exchange knows nothing.

    It does so when all are READY and no round is asked, in a study with sealed sums.
    """
    if last.phase != "opening" or last.waiting or not seals(study):
        return last
    missing = [s for s in holders(last.roster, study.at_center) if s not in last.parts]
    return replace(last, waiting=tuple(missing))


def _release_status(
    home: Home, study: Study, sites: Sequence[Mapping[str, Any]], last: Standing
) -> dict[str, Any]:
    now = unix_now()
    since = waiting_since(home, study.name, last, now) if last.under_way else {}
    return {
        "number": last.number,
        "state": last.state,
        "phase": last.phase,
        "round": last.round,
        "waiting": list(last.waiting),
        "opened": utc_of(last.opened),
        **look(home, study, last.number),
        "awaited": [
            {
                "site": one.site,
                "since": utc_of(one.since),
                "late": one.late,
                "whose_turn": one.whose_turn,
            }
            for one in awaited(home, sites, since, now)
        ],
    }


@dataclass(frozen=True, slots=True)
class Awaited:
    """A hospital that a release waits for: since when (Unix seconds), and whose turn it is."""

    site: str
    since: float
    late: bool
    whose_turn: str


def awaited(
    home: Home, sites: Sequence[Mapping[str, Any]], since: Mapping[str, float], now: float
) -> list[Awaited]:
    """Return for whom a release waits; late is who has been awaited for reminders.after_s."""
    late_s = home.settings["reminders.after_s"]
    return [
        Awaited(
            site["name"],
            since[site["name"]],
            now - since[site["name"]] >= late_s,
            whose_turn(
                site["hindered"],
                online=site["online"],
                approved=site["approval"].startswith("approved"),
            ),
        )
        for site in sites
        if site["name"] in since
    ]


def _approval(said: dict[str, Any] | None) -> str:
    """Return where a study stands at a hospital, in words."""
    if said is None:
        return "not approved"
    if said["state"] != "approved":
        return "revoked"
    if not said["until"]:
        return "approved"
    how = "approval ended" if said["until"] < unix_now() else "approved until"
    return f"{how} {utc_of(said['until'])}"


def finished_release(home: Home, name: str, number: int | None) -> Path:
    """Return the folder of a release of a study, the last one if no number is given."""
    home.added(name)
    numbers = finished(home.results(name))
    if not numbers:
        raise NotReady(f"the study {name} has no release yet: coordinator refresh {name}")
    if number is not None and number not in numbers:
        listed = ", ".join(map(str, numbers))
        raise ConfigurationError(f"the study {name} has no release {number}; it has {listed}")
    return release_folder(home.results(name), numbers[-1] if number is None else number)


def burn_release(home: Home, name: str, ask: Callable[[int], None] = lambda _: None) -> str:
    """Give up the release of a study that is under way; return a line that tells of it.

    `ask` is called with its number before, and raises if it is to go on.
    """
    study = home.frozen(name)
    with home.exchange() as exchange:
        last = standings(exchange, study.hash)[:1]
        if not last or not last[0].under_way:
            raise ConfigurationError(f"no release of {name} is under way; there is nothing to burn")
        ask(last[0].number)
        release = begin(study, home.identity(), exchange)
        Driver(release, exchange, deadline_s=0).burn()
    drop_draft(home.results(name), release.number)
    return f"release {release.number} of {name} is burned; the next refresh opens another"
