"""What persons are called, and what their roles let them do."""

from __future__ import annotations

import re
from typing import Final

# Each role may do what those before it may.
ROLES: Final = {
    "viewer": "reads released reports",
    "statistician": "reads drafts and results too, and releases or rejects drafts",
    "admin": "keeps the accounts too",
}
NAME: Final = re.compile(r"[a-z][a-z0-9._@+-]{0,63}", re.ASCII)
NAME_IN_WORDS: Final = "a small letter, then up to 63 small letters, digits and . _ @ + -"


def has(role: str, wanted: str) -> bool:
    """Return whether a role may do what the wanted one may."""
    order = list(ROLES)
    return order.index(role) >= order.index(wanted)
