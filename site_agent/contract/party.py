"""The parties of a study: names, public keys, attributes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SITE_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}\Z")
SITE_NAME_IN_WORDS: Final = (
    "lower-case letters, digits, '-', '_' and '.' (a letter or digit first, at most 40)"
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """Which keys a party's present ones replace, signed by both (see enrolment.py).

    fingerprint: of the keys before. by_old, by_new: signatures, base64.
    """

    fingerprint: str
    by_old: str
    by_new: str

    def document(self) -> dict[str, str]:
        """Return the canonical form."""
        return {"fingerprint": self.fingerprint, "by_old": self.by_old, "by_new": self.by_new}


@dataclass(frozen=True, slots=True)
class Member:
    """A party of the roster: its public keys and what is fixed about it."""

    name: str
    signing_key: str
    encryption_key: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    replaces: Replaced | None = None

    @property
    def keys(self) -> tuple[str, str]:
        """Return both public keys."""
        return self.signing_key, self.encryption_key

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "signing_key": self.signing_key,
            "encryption_key": self.encryption_key,
            "attributes": dict(self.attributes),
            **({} if self.replaces is None else {"replaces": self.replaces.document()}),
        }


@dataclass(frozen=True, slots=True)
class Roster:
    """The parties of a study: the coordinating center and the pinned sites, by name."""

    center: Member
    sites: Mapping[str, Member]

    def document(self) -> dict[str, Any]:
        """Return the canonical form."""
        return {
            "center": {"name": self.center.name, **self.center.document()},
            "sites": {name: member.document() for name, member in sorted(self.sites.items())},
        }
