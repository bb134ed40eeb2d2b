"""One spelling of a document as bytes, so that all parties hash the same thing."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def canonical_json(document: Any) -> bytes:
    """Return `document` as UTF-8 JSON with sorted keys and no white space.

    Floats take their shortest form that reads back to the same double. NaN and
    infinities raise ValueError: no message may hold one.
    """
    text = json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode("utf-8")


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest(document: Any) -> str:
    """Return the SHA-256 of the canonical JSON of `document`."""
    return sha256(canonical_json(document))
