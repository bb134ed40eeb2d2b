"""How the agent and the process that computes for it speak: frames over a pair of pipes.

A frame is a JSON header and a body, each with its length in front (4 and 8 bytes).
"""

from __future__ import annotations

import json
from typing import Any, BinaryIO


def write_frame(pipe: BinaryIO, header: dict[str, Any], body: bytes = b"") -> None:
    """Write a frame."""
    encoded = json.dumps(header).encode()
    pipe.write(len(encoded).to_bytes(4, "big") + encoded + len(body).to_bytes(8, "big"))
    pipe.write(body)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Return the next frame; EOFError if the other side is gone."""
    header = json.loads(_exactly(pipe, int.from_bytes(_exactly(pipe, 4), "big")))
    return header, _exactly(pipe, int.from_bytes(_exactly(pipe, 8), "big"))


def _exactly(pipe: BinaryIO, size: int) -> bytes:
    data = pipe.read(size)
    if len(data) != size:
        raise EOFError
    return data
