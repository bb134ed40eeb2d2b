"""Whether the exchange answers, asked beside the pages: one that is slow keeps no page waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from site_agent.contract.errors import QuorumError
from site_agent.runtime.command import internal

AGAIN_S: Final = 60.0
WAIT_S: Final = 2.0
NOT_YET: Final = "is being asked; load this page again in a moment"


class ExchangeState:
    """What `ask` said last, asked at most once a minute. `clock` counts seconds."""

    def __init__(self, ask: Callable[[], str], clock: Callable[[], float]) -> None:
        self._ask = ask
        self._clock = clock
        self._said = NOT_YET
        self._asked_at: float | None = None
        self._asking: threading.Thread | None = None
        self._lock = threading.Lock()

    def words(self, wait_s: float = WAIT_S) -> str:
        """Return what was said, at most `wait_s` seconds from now."""
        with self._lock:
            asking = self._asking = self._begun()
        if asking is not None:
            asking.join(wait_s)
        return self._said

    def forget(self) -> None:
        """Ask again at the next time."""
        self._asked_at = None

    def _begun(self) -> threading.Thread | None:
        if self._asking is not None and self._asking.is_alive():
            return self._asking
        if self._asked_at is not None and self._clock() - self._asked_at < AGAIN_S:
            return None
        begun = threading.Thread(target=self._look, daemon=True)
        begun.start()
        return begun

    def _look(self) -> None:
        try:
            said = self._ask()
        except QuorumError as error:
            said = str(error)
        except Exception as error:
            said = internal(error)
        self._said, self._asked_at = said, self._clock()
