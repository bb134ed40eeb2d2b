"""Handing out messages by long poll: wait for a bell, or for another process.

The bell rings in this process only. What another process over the same database has taken is
found within a second, by one look at the newest id for all polls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from anyio import to_thread

from coordinator.exchange.auth import Caller
from coordinator.exchange.log import Letter
from coordinator.exchange.releases import unknown_release
from coordinator.exchange.store import Store, Transaction
from site_agent.contract.party import Member
from site_agent.contract.problems import Problem

LONGEST_WAIT_S: Final = 30
LOOK_AGAIN_S: Final = 0.5  # for the watch and again for the poll: together a second


@dataclass(slots=True)
class Bell:
    """Wakes those who wait, in the event loop of the application."""

    stopped: bool = False
    _rung: asyncio.Event = field(default_factory=asyncio.Event)

    def listen(self) -> asyncio.Event:
        """Return what is set at the next ring; to be taken before looking."""
        return self._rung

    def ring(self) -> None:
        """Wake all who wait."""
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    def stop(self) -> None:
        """Let nobody wait any more."""
        self.stopped = True
        self.ring()


@dataclass(slots=True)
class Bells:
    """One bell for the sites and one for the center: a share is of no interest to other sites."""

    center: Bell = field(default_factory=Bell)
    sites: Bell = field(default_factory=Bell)

    def of(self, *, center: bool) -> Bell:
        """Return the bell that the center, or that a site, listens to."""
        return self.center if center else self.sites

    def ring(self, *, to_sites: bool) -> None:
        """Wake the center, which reads everything, and the sites if it is for them."""
        self.center.ring()
        if to_sites:
            self.sites.ring()

    def stop(self) -> None:
        """Let nobody wait any more: the exchange is being stopped."""
        self.center.stop()
        self.sites.stop()


@dataclass(slots=True)
class Watch:
    """Looks for what other processes have taken, once for all polls of this one."""

    store: Store
    _newest: int = 0
    _looked: float = -LOOK_AGAIN_S
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def newest(self) -> int:
        """Return the id of the last message, as it was within the last LOOK_AGAIN_S."""
        async with self._lock:
            clock = asyncio.get_running_loop().time
            if clock() - self._looked >= LOOK_AGAIN_S:
                self._looked = clock()
                self._newest = await to_thread.run_sync(self._read)
            return self._newest

    def _read(self) -> int:
        return self.store.read("newest message", lambda tx: tx.log.newest())


Look = Callable[[], Letter | None]


def looking(store: Store, center: Member, caller: Caller, opened: str | None, after: int) -> Look:
    """Return how a party looks for its next message; Problem if it may not."""
    if caller.is_center:
        if opened is None:
            raise Problem("malformed", "expected ?open=<digest of the release's OPEN>")
        return lambda: store.read("next of release", lambda tx: _of_release(tx, opened, after))
    if opened is not None:
        raise Problem(
            "forbidden", "only the center reads all messages of a release; leave out open"
        )
    return lambda: store.read(
        "next for site",
        lambda tx: tx.log.next_for_site(caller.name, caller.keys, center.name, after),
    )


def _of_release(tx: Transaction, opened: str, after: int) -> Letter | None:
    letter = tx.log.next_of_release(opened, after)
    if letter is None and tx.log.release(opened) is None:
        raise unknown_release()
    return letter


@dataclass(frozen=True, slots=True)
class Poll:
    """One long poll: how it looks, what wakes it, and whether its client has gone."""

    look: Look
    bell: Bell
    watch: Watch
    gone: Callable[[], Awaitable[bool]]

    async def letter(self, wait_s: float) -> Letter | None:
        """Return what is there to see within `wait_s` seconds; stop when the client is gone."""
        clock = asyncio.get_running_loop().time
        until = clock() + wait_s
        while True:
            # Both before looking, so that what comes while it looks wakes it.
            rung, newest = self.bell.listen(), await self.watch.newest()
            letter = await to_thread.run_sync(self.look)
            if letter is not None or not await self._woken(rung, newest, until):
                return letter

    async def _woken(self, rung: asyncio.Event, newest: int, until: float) -> bool:
        """Wait for a reason to look again; return whether there is one."""
        clock = asyncio.get_running_loop().time
        while (left := until - clock()) > 0 and not self.bell.stopped and not await self.gone():
            try:
                await asyncio.wait_for(rung.wait(), min(LOOK_AGAIN_S, left))
                return not self.bell.stopped
            except TimeoutError:
                if await self.watch.newest() != newest:
                    return True
        return False
