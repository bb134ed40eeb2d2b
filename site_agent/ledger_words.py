"""A ledger's entries in plain words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

Entry = Mapping[str, Any]


def in_words(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield a line for each entry: when, for which study and release, what."""
    for entry in entries:
        tell = WORDS.get(entry["event"], _other)
        yield f"{entry['number']:>5}  {entry['at']}  {tell(entry)}"


def _of(entry: Entry) -> str:
    return f"release {entry['release']} of study {entry['study'][:16]}"


def _approved(entry: Entry) -> str:
    until = f" until {entry['until']}" if entry.get("until") else ""
    return f"the steward approved study {entry['study'][:16]}{until}; nothing left"


def _revoked(entry: Entry) -> str:
    return f"the steward revoked study {entry['study'][:16]}; nothing left"


def _ready(entry: Entry) -> str:
    return (
        f"{_of(entry)} opened with {len(entry['roster'])} hospitals: a fresh key and a sealed "
        f"commitment to the data left, no number"
    )


def _share(entry: Entry) -> str:
    asked: dict[str, int] = {}
    for question in entry["sums"]:
        asked[question["sum"]] = asked.get(question["sum"], 0) + 1
    sums = ", ".join(f"{name} x {count}" for name, count in sorted(asked.items()))
    round_of = f"{_of(entry)}, round {entry['round']}"
    return f"{round_of}: masked sums left, {entry['bytes']} bytes ({sums})"


def _closed(entry: Entry) -> str:
    return (
        f"{_of(entry)} closed after {entry['rounds']} rounds over result {entry['result'][:16]}; "
        f"a signed receipt left, keys erased"
    )


def _burned(entry: Entry) -> str:
    return f"{_of(entry)} was given up; keys erased, nothing left"


def _refused(entry: Entry) -> str:
    return f"refused ({entry['code']}): {entry['reason']}; nothing left"


def _other(entry: Entry) -> str:
    return str(entry["event"])


WORDS: Final[Mapping[str, Callable[[Entry], str]]] = {
    "approved": _approved,
    "revoked": _revoked,
    "ready": _ready,
    "share": _share,
    "closed": _closed,
    "burned": _burned,
    "refused": _refused,
}
