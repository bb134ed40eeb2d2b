"""A party's key on disk: one file of secret bytes that only its owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.identity import Entropy, Identity

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_identity(path: Path, name: str) -> Identity:
    """Return the identity whose key is at `path`.

    ConfigurationError if there is none, it is damaged, or others can read it.
    """
    try:
        mode, secret = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"there is no key at {path}; restore it from its backup, or create one"
        ) from None
    if mode & OTHERS:
        raise ConfigurationError(
            f"the key {path} can be read by others (mode {mode & 0o777:o}, expected 600): "
            f"chmod 600 {path}; if somebody may have copied it, create another and enrol again"
        )
    return Identity.from_secret(name, secret)


def create_identity(path: Path, name: str, entropy: Entropy) -> Identity:
    """Return a new identity whose key is written to `path`, which must not exist."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = Identity.create(name, entropy)
    beside = path.with_name(f"{path.name}.part")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(identity.secret())
        file.flush()
        os.fsync(file.fileno())
    os.link(beside, path)  # fails if a key is there: none is ever overwritten
    beside.unlink()
    return identity


def ensure_identity(path: Path, name: str, entropy: Entropy) -> Identity:
    """Return the identity whose key is at `path`; a new one is made if there is none."""
    if path.exists():
        return read_identity(path, name)
    return create_identity(path, name, entropy)
