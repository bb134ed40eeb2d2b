"""New keys for a hospital: made beside the old ones, and alone once no approved study needs those.

state/key           the keys in use
state/key.next      new keys, until every approved study pins them
state/replaces.json which keys the present ones replace, as on the hospital's card

A study pins keys, so new ones are of use only in a revision. Until its steward has approved that,
the hospital has both, and each study is answered with the keys that it pins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from site_agent.approvals import approvals
from site_agent.contract.enrolment import signed_by_itself, succeeding
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.identity import Entropy, Identity, fingerprint
from site_agent.contract.party import Member, Replaced
from site_agent.ledger import Ledger
from site_agent.runtime.files import write_private
from site_agent.runtime.keys import create_identity, read_identity
from site_agent.runtime.locks import locked

if TYPE_CHECKING:  # an agent at rest holds no library that computes
    from site_agent.contract.study.model import Study

NEXT: Final = "key.next"
REPLACES: Final = "replaces.json"
LOCK: Final = "rotating"


class Keys:
    """The keys of one hospital in the folder of its state."""

    def __init__(self, state: Path, name: str, attributes: Mapping[str, str]) -> None:
        self._state = state
        self._name = name
        self._attributes = attributes
        self.path = state / "key"
        self.next_path = state / NEXT

    def present(self) -> Identity:
        """Return the keys in use."""
        return read_identity(self.path, self._name)

    def next(self) -> Identity | None:
        """Return the new keys while there are both."""
        return read_identity(self.next_path, self._name) if self.next_path.exists() else None

    def newest(self) -> Identity:
        """Return the keys that are on the hospital's card."""
        return self.next() or self.present()

    def pinned_by(self, study: Study) -> Identity:
        """Return the keys that a study pins; those in use if it pins none of this hospital's."""
        new = self.next()
        own = None if study.roster is None else study.roster.sites.get(self._name)
        return new if own and new and own.keys == new.member().keys else self.present()

    def card(self) -> Member:
        """Return what the hospital's card says: its newest keys, and which ones they replace."""
        new, attributes = self.next(), dict(self._attributes)
        if new is not None:
            return succeeding(self.present(), new, attributes)
        member = self.present().member(attributes)
        said = replace(member, replaces=self._said())
        return said if signed_by_itself(said) else member

    def _said(self) -> Replaced | None:
        try:
            return Replaced(**json.loads((self._state / REPLACES).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def rotate(self, entropy: Entropy) -> tuple[str, str]:
        """Make new keys beside the old ones; return the fingerprints of both.

        ConfigurationError if that was done already.
        """
        if self.next_path.exists():
            raise ConfigurationError(
                f"there are new keys already, fingerprint {_print(self.newest())}. Send them with "
                f"`site-agent enrol`; the old ones go when the revisions that pin the new ones are "
                f"approved"
            )
        old, new = self.present(), create_identity(self.next_path, self._name, entropy)
        return _print(old), _print(new)

    def replace(self, entropy: Entropy, ledger: Ledger) -> tuple[str, str]:
        """Make new keys in place of those that were lost or stolen; return both fingerprints.

        The old keys sign nothing any more: the first fingerprint is "" if they are not there.
        """
        with locked(self._state / LOCK, wait=True):
            old = _print(self.present()) if self.path.exists() else ""
            self.next_path.unlink(missing_ok=True)
            (self._state / REPLACES).unlink(missing_ok=True)
            new = _print(create_identity(self.next_path, self._name, entropy))
            self._take_next()
        ledger.append("rekeyed", old=old, new=new)
        return old, new

    def settle(self, ledger: Ledger, pins: Callable[[str], Member | None]) -> bool:
        """Let the old keys go if nothing needs them any more; return whether they went.

        `pins(hash)` is what a study pins of this hospital.
        """
        if not self.next_path.exists():
            return False
        with locked(self._state / LOCK, wait=True):
            new = self.next()
            if new is None or self._still_needed(ledger, pins):
                return False
            said, old = self.card().replaces, _print(self.present())
            if said is not None:
                write_private(self._state / REPLACES, json.dumps(said.document()).encode())
            self._take_next()
        ledger.append("rekeyed", old=old, new=_print(new))
        return True

    def _still_needed(self, ledger: Ledger, pins: Callable[[str], Member | None]) -> bool:
        """Return whether the old keys may still be asked for, or the new ones are pinned nowhere.

        Asked for: by an approved study, and to close a release that is under way.
        """
        ledger.refresh()
        new, old = self.newest().member().keys, self.present().member().keys
        standing = approvals(ledger.entries)
        approved = {name for name, found in standing.items() if found.state == "approved"}
        closing = {name for name in _under_way(ledger) if name in standing}
        closing = {name for name in closing if standing[name].may_end}
        pinned = {name: pins(name) for name in approved | closing}
        if not any(member and member.keys == new for member in pinned.values()):
            return True
        return any(member and member.keys == old for member in pinned.values())

    def _take_next(self) -> None:
        """Put the new keys in the old ones' place, and overwrite those."""
        before = None
        if self.path.exists():
            before = os.open(self.path, os.O_WRONLY)
        os.replace(self.next_path, self.path)
        if before is not None:
            os.pwrite(before, bytes(os.fstat(before).st_size), 0)
            os.fsync(before)
            os.close(before)


def _under_way(ledger: Ledger) -> set[str]:
    """Return the studies of which a release has begun here and is not over."""
    begun = {(entry["study"], entry["release"]) for entry in ledger.find("ready")}
    for event in ("closed", "burned"):
        begun -= {(entry["study"], entry["release"]) for entry in ledger.find(event)}
    return {study for study, _ in begun}


def _print(identity: Identity) -> str:
    return fingerprint(identity.member())
