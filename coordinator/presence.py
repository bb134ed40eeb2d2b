"""When a hospital's agent counts as online, for the center's commands and the exchange's pages."""

from __future__ import annotations

from typing import Final

ONLINE_S: Final = 90  # an agent polls at least every half minute


def is_online(seen: float | None, now: float) -> bool:
    """Return whether an agent last seen at this Unix second still polls; None: it never came."""
    return seen is not None and now - seen <= ONLINE_S
