"""Passwords of persons: which are taken, and how they are kept.

Kept is scrypt (RFC 7914) with the cost that OWASP recommends (N = 2^15, r = 8, p = 3: 32 MiB, some
tenths of a second), with a salt of its own for each. Characters that look alike and are typed in
two ways (NFKC) are one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import unicodedata
from typing import Final

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.problems import Problem

SHORTEST: Final = 12
LONGEST: Final = 200
COST = 15  # N is 2 to the power of it
BLOCK: Final = 8
LANES: Final = 3
SALT_BYTES: Final = 16
KEY_BYTES: Final = 32
MEMORY: Final = 64 << 20
# Each takes 32 MiB and a core: of many logins at once only some are worked on.
LONGEST_WAIT_S: Final = 5
AT_ONCE: Final = threading.BoundedSemaphore(2)


def check_password(password: str) -> None:
    """Raise ConfigurationError for a password that is too short, too long or hardly varied."""
    if not SHORTEST <= len(password) <= LONGEST or len(set(password)) < SHORTEST // 3:
        raise ConfigurationError(
            f"expected a password of {SHORTEST} to {LONGEST} characters that are not all the "
            f"same; some words in a row are a good one"
        )


def keep(password: str) -> str:
    """Return what is kept of a password."""
    salt = secrets.token_bytes(SALT_BYTES)
    key = _key(password, salt, COST, BLOCK, LANES)
    return "$".join(["scrypt", str(COST), str(BLOCK), str(LANES), _text(salt), _text(key)])


def is_kept(text: str) -> bool:
    """Return whether this is what `keep` returns, with no cost beyond its own."""
    try:
        kind, cost, block, lanes, salt, key = text.split("$")
        sizes = (len(base64.b64decode(salt, validate=True)), len(base64.b64decode(key)))
        cheap = (int(cost), int(block), int(lanes)) == (COST, BLOCK, LANES)
    except (ValueError, binascii.Error):
        return False
    return kind == "scrypt" and cheap and sizes == (SALT_BYTES, KEY_BYTES)


def matches(password: str, kept: str | None) -> bool:
    """Return whether a password is the one that was kept; as slow where none was.

    Problem("too_many") if so many are being compared that this one would wait long.
    """
    _, cost, block, lanes, salt, key = (kept or _nobodys()).split("$")
    if not AT_ONCE.acquire(timeout=LONGEST_WAIT_S):
        raise Problem("too_many", "many people log in at this moment; try again in a minute")
    try:
        found = _key(password, base64.b64decode(salt), int(cost), int(block), int(lanes))
    finally:
        AT_ONCE.release()
    return hmac.compare_digest(found, base64.b64decode(key)) and kept is not None


def _key(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    typed = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(
        typed, salt=salt, n=1 << cost, r=block, p=lanes, maxmem=MEMORY, dklen=KEY_BYTES
    )


def _nobodys() -> str:
    """Return what stands for the password of somebody who is not here."""
    empty = (_text(bytes(SALT_BYTES)), _text(bytes(KEY_BYTES)))
    return "$".join(["scrypt", str(COST), str(BLOCK), str(LANES), *empty])


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
