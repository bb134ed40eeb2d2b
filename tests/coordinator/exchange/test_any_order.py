"""Messages in any order, with any repeats: the log is the same, and its rules hold."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.exchange import releases
from coordinator.exchange.auth import Caller
from coordinator.exchange.log import Letter, LoggedRelease
from coordinator.exchange.store import Store
from site_agent.contract import messages
from site_agent.contract.messages import Share, Split
from site_agent.contract.problems import Problem
from tests.coordinator.exchange.office import (
    STUDY_HASH,
    burn,
    close,
    digest,
    opening,
    part,
    ready,
    receipt,
    round_,
    share,
    split,
)
from tests.protocol import CENTER, identity

ROSTER = ("alder", "beech")
OPEN = opening(roster=ROSTER)
AGAIN = opening(attempt=2, roster=ROSTER)
SECOND = opening(2, roster=ROSTER)


def of_release(wire: bytes) -> list[bytes]:
    """Messages of a release, without its end."""
    name = digest(wire)
    return [
        *(ready(site, name) for site in ROSTER),
        *(part(site, name) for site in ROSTER),
        *(round_(number, name) for number in range(2)),
        split(1, name),
        *(share(site, number, name) for site in ROSTER for number in range(2)),
        close(name),
    ]


def ends(wire: bytes) -> list[bytes]:
    """All that can end a release."""
    return [burn(digest(wire)), *(receipt(site, digest(wire)) for site in ROSTER)]


ONE = of_release(OPEN)
ALL = [
    *(OPEN, AGAIN, SECOND),
    *(wire for opened in (OPEN, AGAIN, SECOND) for wire in of_release(opened) + ends(opened)),
    share("alder", 0, digest(OPEN), b"other bytes"),
]


class Copy:
    """A store that begins as a copy of another."""

    def __init__(self, origin: Path) -> None:
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name) / "exchange.db"
        shutil.copy(origin, path)
        self.store = Store.open(f"sqlite:///{path}")

    def __enter__(self) -> Copy:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()
        self._folder.cleanup()

    def post(self, wire: bytes) -> str:
        """Post a message; return "new", "same" or the code of the problem."""
        sender = messages.read(wire).sender
        key = identity(sender).member().signing_key
        caller = Caller(sender, key, is_center=sender == CENTER)
        try:
            taken = releases.take(self.store, identity(CENTER).member(), wire, caller, 0)
        except Problem as problem:
            return problem.code
        return "new" if taken.new else "same"

    def all(self, wires: Sequence[bytes]) -> list[str]:
        return [self.post(wire) for wire in wires]

    def log(self) -> list[bytes]:
        """All messages of all releases, in the order in which they are handed out."""
        letters = [letter for release in self.releases() for letter in self._letters(release.open)]
        return [letter.wire for letter in sorted(letters, key=lambda letter: letter.id)]

    def _letters(self, name: str) -> Iterator[Letter]:
        after = 0
        while letter := self._next(name, after):
            yield letter
            after = letter.id

    def _next(self, name: str, after: int) -> Letter | None:
        return self.store.read("test", lambda tx: tx.log.next_of_release(name, after))

    def releases(self) -> list[LoggedRelease]:
        return self.store.read("test", lambda tx: tx.log.releases(STUDY_HASH))


# Releases are opened often, so that most of the other messages are of one that is known.
OPENED = st.lists(st.sampled_from([OPEN, AGAIN, SECOND] * 4 + ALL), max_size=40).map(
    lambda wires: [OPEN, *wires]
)


def with_repeats(wires: Sequence[bytes]) -> st.SearchStrategy[list[bytes]]:
    """All of `wires` in any order, some of them more than once."""
    return st.lists(st.sampled_from(wires), max_size=10).flatmap(
        lambda more: st.permutations([*wires, *more])
    )


@settings(max_examples=40, deadline=None)
@given(wires=with_repeats(ONE))
def test_any_order_gives_the_same_log(furnished_file: Path, wires: list[bytes]) -> None:
    """After OPEN, a release's messages may come in any order, and more than once."""
    with Copy(furnished_file) as copy:
        copy.all([OPEN, *wires])
        assert sorted(copy.log()) == sorted([OPEN, *ONE])


@settings(max_examples=40, deadline=None)
@given(wires=OPENED)
def test_the_log_is_what_was_taken(furnished_file: Path, wires: list[bytes]) -> None:
    """Whatever is sent, the log is what was answered as new, in that order, less what is erased."""
    with Copy(furnished_file) as copy:
        answers = copy.all(wires)
        taken = [wire for wire, said in zip(wires, answers, strict=True) if said == "new"]
        kept = copy.log()
        assert kept == [w for w in taken if w in kept or not _is_erased(w)]


@settings(max_examples=40, deadline=None)
@given(wires=OPENED)
def test_repeats_of_what_was_taken_change_nothing(furnished_file: Path, wires: list[bytes]) -> None:
    """All that was taken is taken as the same again, and the log stays as it was."""
    with Copy(furnished_file) as copy:
        answers = copy.all(wires)
        taken = [wire for wire, said in zip(wires, answers, strict=True) if said == "new"]
        before = copy.log()
        assert (copy.all(taken), copy.log()) == (["same"] * len(taken), before)


@settings(max_examples=60, deadline=None)
@given(wires=OPENED)
def test_releases_never_overlap(furnished_file: Path, wires: list[bytes]) -> None:
    """Only the newest attempt can be under way, and a replaced one has no share."""
    with Copy(furnished_file) as copy:
        copy.all(wires)
        found = copy.releases()
        states = [one.state for one in found]
        shared = {messages.read(w).content["open"] for w in copy.log() if _is_share(w)}
        replaced = {one.open for one in found if one.state == "replaced"}
    assert ("under_way" in states[1:], replaced & shared) == (False, set())


def _is_share(wire: bytes) -> bool:
    return messages.read(wire).kind == Share.TYPE


def _is_erased(wire: bytes) -> bool:
    return messages.read(wire).kind in (Share.TYPE, Split.TYPE)
