"""The frozen studies that a hospital has fetched, each a file named by its hash.

What the exchange hands out is believed only if it reads, hashes to its name, and pins both the
center that invited this hospital and this hospital's own keys.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from site_agent.contract.errors import (
    ConfigurationError,
    Declined,
    QuorumError,
    Refused,
    StudyError,
    Unreachable,
)
from site_agent.contract.party import Member
from site_agent.contract.study.fields import nearest
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.site import Site

if TYPE_CHECKING:  # the process that computes has no network, and does not load what it needs
    from site_agent.runtime.http import Exchange

SHORTEST_HASH = 8


class Shelf:
    """The studies of one hospital."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._folder = site.state / "studies"

    def hashes(self) -> list[str]:
        """Return the hashes of the studies that are here."""
        return sorted(path.stem for path in self._folder.glob("*.yaml"))

    def study(self, name: str) -> Study:
        """Return the study with this hash; ConfigurationError if it is not here."""
        path = self._path(name)
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            raise ConfigurationError(
                f"the study {name[:16]} is not here; fetch it with `site-agent studies`"
            ) from None
        try:
            return self._checked(text, name)
        except StudyError:
            raise ConfigurationError(
                f"{path} is not the study that was fetched: it was altered or damaged. Remove it, "
                f"then fetch it again with `site-agent studies`"
            ) from None

    def fetch(self, exchange: Exchange) -> list[dict[str, Any]]:
        """Fetch what the exchange has for this hospital and is not here; return its list.

        An entry of what was not kept has a `problem` in words.
        """
        listed = _listed(exchange)
        for entry in listed:
            if entry["hash"] not in self.hashes():
                try:
                    self.keep(exchange.text(f"/v1/studies/{entry['hash']}"), entry["hash"])
                except (Refused, StudyError) as error:
                    entry["problem"] = str(error)
                except Declined as declined:
                    if declined.code != "unknown_study":  # taken back since it was listed
                        raise
                    entry["problem"] = str(declined)
        return listed

    def keep(self, text: str, name: str) -> Study:
        """Keep a frozen study under its hash, if it is what it says."""
        study = self._checked(text, name)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = self._folder / f".{name}.part"
        beside.write_text(text, encoding="utf-8")
        beside.rename(self._path(name))
        return study

    def earlier(self, name: str) -> Study | None:
        """Return a study that was here before, whatever keys it pins; None if it is not here."""
        try:
            text = self._path(name).read_text(encoding="utf-8", errors="replace")
            study = read_study(text, f"study {name[:16]}")
        except (FileNotFoundError, StudyError):
            return None
        return study if study.hash == name and study.roster is not None else None

    def find(self, wanted: str) -> Study:
        """Return the study with this name, or whose hash begins so.

        Of a study and its revisions, which have one name, it is the newest. ConfigurationError if
        there is none, or more than one.
        """
        found, unfit = self._all()
        matching = [
            study
            for study in found
            if study.name == wanted
            or (len(wanted) >= SHORTEST_HASH and study.hash.startswith(wanted.lower()))
        ]
        revised = {study.revises for study in matching if study.name == wanted}
        matching = [study for study in matching if study.hash not in revised]
        if len(matching) == 1:
            return matching[0]
        if matching:
            listed = ", ".join(study.hash[:16] for study in matching)
            raise ConfigurationError(
                f"{len(matching)} studies are called '{wanted}': {listed}; give the hash of one"
            )
        if unfit:
            raise unfit[0]
        names = sorted({study.name for study in found})
        raise ConfigurationError(
            f"no study '{wanted}' is here{nearest(wanted, names)}; those that are: "
            f"{', '.join(names) or 'none'}. `site-agent studies` fetches what the center has sent"
        )

    def readable(self) -> dict[str, Study]:
        """Return the studies that are here and are what they should be, by their hash."""
        return {study.hash: study for study in self._all()[0]}

    def unreadable(self) -> list[QuorumError]:
        """Return why other studies that are here are not what they should be."""
        return self._all()[1]

    def _all(self) -> tuple[list[Study], list[QuorumError]]:
        """Return the studies that are here, and why others are not what they should be."""
        found: list[Study] = []
        unfit: list[QuorumError] = []
        for name in self.hashes():
            try:
                found.append(self.study(name))
            except (Refused, ConfigurationError) as error:
                unfit.append(error)
        return found, unfit

    def _checked(self, text: str, name: str) -> Study:
        study = read_study(text, f"study {name[:16]}")
        if study.hash != name or study.roster is None:
            raise Refused(
                "other_study", f"what is kept or sent as the study {name[:16]} is another one"
            )
        pins = f"the study {study.name} ({name[:16]}) pins"
        _refuse_other_keys(
            study.roster.center, self._site.center(), f"{pins} other keys of the center"
        )
        own = study.roster.sites.get(self._site.name)
        if own is None:
            raise Refused("not_in_roster", f"the study {study.name} leaves out '{self._site.name}'")
        known = self._site.keys.pinned_by(study).member()
        _refuse_other_keys(own, known, f"{pins} other keys of '{own.name}'")
        return study

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.yaml"


def _listed(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the exchange's list of studies; Unreachable if what answers has none."""
    document = exchange.read("/v1/studies")
    listed = document.get("studies") if isinstance(document, dict) else None
    if isinstance(listed, list) and all(
        isinstance(entry, dict) and {str} == {type(entry.get(name)) for name in ("hash", "name")}
        for entry in listed
    ):
        return listed
    raise Unreachable(
        f"{exchange.url} gives no list of studies; check that exchange.url is a Quorum exchange"
    )


def _refuse_other_keys(pinned: Member, known: Member, found: str) -> None:
    """Refuse a study that pins other keys than this hospital knows."""
    if (pinned.signing_key, pinned.encryption_key) != (known.signing_key, known.encryption_key):
        raise Refused(
            "other_keys",
            f"{found} than this hospital has; compare fingerprints with the center by telephone "
            f"before anything else",
        )


def pinning(site: Site) -> Callable[[str], Member | None]:
    """Return what says which keys of this hospital a study that is here pins."""
    shelf = Shelf(site)

    def pins(name: str) -> Member | None:
        study = shelf.earlier(name)
        return None if study is None or study.roster is None else study.roster.sites.get(site.name)

    return pins
