"""What /openapi.json says of problems, and of bodies.

Bodies are read by hand, because the signature over them is checked first.
"""

from __future__ import annotations

from typing import Any, Final

from coordinator.exchange.bodies import Body
from site_agent.contract.problems import KINDS, MEDIA_TYPE

PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail")},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": list(KINDS)},
    },
}
PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "default": {"description": "a problem", "content": {MEDIA_TYPE: {"schema": PROBLEM}}}
}


def json_body(body: type[Body]) -> dict[str, Any]:
    """Return what a route says of its JSON body."""
    return _body("application/json", body.model_json_schema())


def other_body(media_type: str) -> dict[str, Any]:
    """Return what a route says of a body that is no JSON."""
    return _body(media_type, {"type": "string", "format": "binary"})


def _body(media_type: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}
