"""Which earlier releases of a site a new one is compared with, as its ledger tells.

A release in which a share of a round after the first was given has opened totals; one that ended
at the guard's first question opened counts of patients only. Compared are all releases that
opened totals, of this study and of any other over a common table of the same data, finished or
burned. The name of a release among all parties is `<hash of its study>/<number>`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from site_agent.comparison import NOBODY, changed
from site_agent.contract.canonical import digest
from site_agent.contract.catalogue import GUARD
from site_agent.contract.earlier import respects
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.messages import MOST_EARLIER
from site_agent.contract.study.model import Study
from site_agent.contributions import Contributions
from site_agent.records import Records

Entry = Mapping[str, Any]
Folders = Callable[[str], str]
RowSource = Callable[[Frame], Rows]
FIRST: Final = 0  # the round of the guard's first question
RESTORED: Final = "restored"
ENDS: Final = frozenset({"closed", "burned"})


@dataclass(frozen=True, slots=True)
class Given:
    """A release in which this site has given a share.

    named: the study's own name. tables: the names of its tables. last_round: of the last share.
    """

    study: str
    release: int
    named: str
    tables: frozenset[str]
    roster: tuple[str, ...]
    attempt: int
    last_round: int

    @property
    def name(self) -> str:
        """Return the name of the release among all parties."""
        return f"{self.study}/{self.release}"

    @property
    def opened_totals(self) -> bool:
        """Return whether more may have opened than counts of patients."""
        return self.last_round > FIRST


def given(entries: Iterable[Entry]) -> list[Given]:
    """Return the releases in which shares were given, by a ledger's entries, oldest first."""
    opened: dict[tuple[str, int], Entry] = {}
    found: dict[tuple[str, int], Given] = {}
    for entry in entries:
        if entry["event"] == "ready":
            opened[entry["study"], entry["release"]] = entry
        elif entry["event"] == "share":
            key = entry["study"], entry["release"]
            ready = opened.get(key, {})
            found[key] = Given(
                *key,
                ready.get("name", ""),
                frozenset(ready.get("tables", ())),
                tuple(entry["roster"]),
                entry["attempt"],
                entry.get("round", FIRST),
            )
    return list(found.values())


def over_same_tables(study: Study, earlier: Iterable[Given], folder: Folders) -> list[Given]:
    """Return the releases of this study, and of others over a common table of the same data.

    `folder` gives the folder from which the study of a name is read at this hospital.
    """
    own = folder(study.name)
    return [
        item
        for item in earlier
        if item.study == study.hash
        or (item.tables & study.tables.keys() and folder(item.named) == own)
    ]


def names_to_compare(
    study: Study, number: int, entries: Iterable[Entry], folder: Folders
) -> tuple[str, ...]:
    """Return the names of the releases with which release `number` is to be compared, sorted."""
    known = over_same_tables(study, given(entries), folder)
    found = sorted(
        item.name
        for item in known
        if item.opened_totals and (item.study, item.release) != (study.hash, number)
    )
    if len(found) > MOST_EARLIER:
        raise Refused(
            "too_many_releases",
            f"{len(found)} earlier releases over these tables, and at most {MOST_EARLIER} can be "
            f"compared with; the hospital's data must go on under another name",
        )
    return tuple(found)


def changes(
    study: Study,
    earlier: Iterable[str],
    now: Callable[[], Contributions],
    entries: Iterable[Entry],
    records: Records,
    *,
    key: str = "",
) -> dict[str, int]:
    """Return how many patients contribute otherwise than to each of these releases, by respect.

    To a release of which this site has no share all of its patients are new. key: the signing key
    by which the study knows this site. Refused("lost") if the ledger was restored and may have
    forgotten what it gave to one of them, and no other site can tell.
    """
    entries = list(entries)
    _refuse_forgotten(earlier, entries, key)
    known = {item.name: item for item in given(entries)}
    found = {}
    for name in earlier:
        item, then, opened = known.get(name), NOBODY, frozenset[str]()
        if item is not None:
            then = records.get(item.study, item.release)
            opened = frames_opened(entries, item)
            _refuse_other_identifiers(now(), then, item)
        for respect in respects(study, [name]):
            aspect = respect.removeprefix(name).removeprefix("/")
            same = name.startswith(f"{study.hash}/")
            found[respect] = changed(now(), then, aspect, same_study=same, opened=opened)
    return found


def _refuse_forgotten(earlier: Iterable[str], entries: Sequence[Entry], key: str) -> None:
    """Refuse to call everybody new where the ledger may have forgotten a release.

    Under the keys of the time of a restore the other sites know the ledger's newest mark, and
    refuse an older one. Under later keys they know none: there only what has ended in this
    ledger is known whole.
    """
    if all(key in entry["keys"] for entry in entries if entry["event"] == RESTORED):
        return
    ended = {f"{e['study']}/{e['release']}" for e in entries if e["event"] in ENDS}
    unknown = sorted(set(earlier) - ended)
    if unknown:
        study, _, number = unknown[0].partition("/")
        raise Refused(
            "lost",
            f"this hospital's state was restored from a backup, and its keys were changed since: "
            f"nobody can tell what it gave to release {number} of study {study[:12]}, of which its "
            f"ledger has no end. Restore its newest ledger, or let it go on with new data under "
            f"another name",
        )


def frames_opened(entries: Iterable[Entry], item: Given) -> frozenset[str]:
    """Return the hashes of the frames of which a release's shares told more than the guard asks."""
    guards = {entry.name for entry in GUARD}
    return frozenset(
        digest(asked["frame"])
        for entry in entries
        if entry["event"] == "share"
        and (entry["study"], entry["release"]) == (item.study, item.release)
        for asked in entry.get("sums", ())
        if asked["sum"] not in guards
    )


def _refuse_other_identifiers(now: Contributions, then: Contributions, item: Given) -> None:
    """Refuse if patients of a common table go by another column: all would seem changed."""
    for table in sorted(now.identified.keys() & then.identified.keys()):
        if now.identified[table] != then.identified[table]:
            raise Refused(
                "other_identifiers",
                f"the study names the patients of table '{table}' by '{now.identified[table]}', "
                f"release {item.release} of study {item.study[:12]} did by "
                f"'{then.identified[table]}': nobody can tell how many differ. Take the same key "
                f"column as before",
            )
