"""The one session of a console: a link that is good once, then a cookie, and its end.

The link's token is exchanged for the cookie by a form on the page that the link leads to, not by
opening it: a program that looks at addresses ahead of a person does not use it up.

A browser sends a cookie of this machine to every port of it. So the cookie is bound to a path that
nobody can guess, too, and a page of another program here does not get it.
"""

from __future__ import annotations

import base64
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

COOKIE: Final = "quorum-console"
TOKEN_BYTES: Final = 32
PATH_BYTES: Final = 16

Entropy = Callable[[int], bytes]


class Session:
    """What lets one browser in, until it ends. `clock` counts seconds."""

    def __init__(self, entropy: Entropy, clock: Callable[[], float], idle_s: float) -> None:
        self.base = f"/{_text(entropy(PATH_BYTES))}/"
        self.form_token = _text(entropy(TOKEN_BYTES))
        self.ended = threading.Event()
        self.idle_s = idle_s
        self._link = _text(entropy(TOKEN_BYTES))
        self._cookie = _text(entropy(TOKEN_BYTES))
        self._used = False
        self._clock = clock
        self._last = clock()
        self._working = 0
        self._lock = threading.Lock()
        self._notes: list[str] = []

    @property
    def link(self) -> str:
        """Return the path of the one-time link."""
        return f"{self.base}link/{self._link}"

    @property
    def opened(self) -> bool:
        """Return whether the link was used."""
        return self._used

    def is_link(self, token: str) -> bool:
        """Return whether this is the link's token, used or not."""
        return _same(token, self._link)

    def use_link(self, token: str) -> str | None:
        """Return the cookie in exchange for the link's token; None if it is wrong or was used."""
        with self._lock:
            if self._used or not self.is_link(token):
                return None
            self._used = True
        return self._cookie

    def is_open_for(self, cookie: str) -> bool:
        """Return whether this cookie is the session's."""
        return self._used and not self.ended.is_set() and _same(cookie, self._cookie)

    def is_own_form(self, token: str) -> bool:
        """Return whether a form was shown in this session."""
        return _same(token, self.form_token)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Note that the session is used, from the beginning to the end of what is done."""
        with self._lock:
            self._working += 1
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                self._last = self._clock()

    def idle(self) -> bool:
        """Return whether nobody has used the session for too long."""
        with self._lock:
            return not self._working and self._clock() - self._last >= self.idle_s

    def note(self, line: str) -> None:
        """Keep a line for the next page that is shown."""
        with self._lock:
            self._notes.append(line)

    def notes(self) -> list[str]:
        """Return the lines that were kept, once."""
        with self._lock:
            found, self._notes = self._notes, []
        return found


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
