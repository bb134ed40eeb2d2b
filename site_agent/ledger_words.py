"""A ledger's entries in plain words: what left, when, for what.

Entries name sums and the rows that they ran over. For which analyses a sum was asked follows from
the study, where that is still at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from site_agent.contract.catalogue import SUMS
from site_agent.contract.study.model import Study
from site_agent.review.document import plain
from site_agent.review.wording import counted, listed
from site_agent.serving import Serving, of_guard

Entry = Mapping[str, Any]
SHORT: Final = 16  # characters of a hash


@dataclass(frozen=True)
class _Known:
    """The studies at hand, by their hash, and what their sums serve."""

    studies: Mapping[str, Study]
    serving: dict[str, Serving] = field(default_factory=dict)

    def study(self, digest: str) -> str:
        """Return a study by its name and the beginning of its hash."""
        found, short = self.studies.get(digest), digest[:SHORT]
        return f"study {short}" if found is None else f"study {found.name} ({short})"

    def release(self, entry: Entry) -> str:
        """Return the release that an entry is of."""
        return f"release {entry['release']} of {self.study(entry['study'])}"

    def served(self, digest: str, question: Entry) -> tuple[str, ...]:
        """Return the analyses that a sum was asked for; none if the study is not at hand."""
        found = self.studies.get(digest)
        if found is None:
            return ()
        if digest not in self.serving:
            self.serving[digest] = Serving(found)
        return self.serving[digest].served(question["sum"], question["frame"])


def in_words(entries: Iterable[Entry], studies: Mapping[str, Study] | None = None) -> Iterator[str]:
    """Yield a line for each entry: when, for which study and release, what.

    `studies` are those at hand, by their hash. Of others the hash is told, and no analysis.
    """
    for entry, words in with_words(entries, studies or {}):
        yield f"{entry['number']:>5}  {entry['at']}  {words}"


def with_words(
    entries: Iterable[Entry], studies: Mapping[str, Study]
) -> Iterator[tuple[Entry, str]]:
    """Yield each entry with what it says, in words."""
    known = _Known(studies)
    for entry in entries:
        yield entry, plain(WORDS.get(entry["event"], _other)(entry, known))


def _approved(entry: Entry, known: _Known) -> str:
    until = f" until {entry['until']}" if entry.get("until") else ""
    return f"the steward approved {known.study(entry['study'])}{until}; nothing left"


def _revoked(entry: Entry, known: _Known) -> str:
    return f"the steward revoked {known.study(entry['study'])}; nothing left"


def _superseded(entry: Entry, known: _Known) -> str:
    keys = listed(entry["distrusted"])
    trust = f"; the keys that it replaces of {keys} may be in other hands" if keys else ""
    return (
        f"the revision {known.study(entry['by'])} took the place of "
        f"{known.study(entry['study'])}{trust}; nothing left"
    )


def _rekeyed(entry: Entry, _: _Known) -> str:
    return (
        f"this hospital's keys with the fingerprint {entry['old']} were replaced by "
        f"{entry['new']}, and erased; nothing left"
    )


def _restored(entry: Entry, _: _Known) -> str:
    return f"this hospital's state was restored from its backup of {entry['made']}; nothing left"


def _ready(entry: Entry, known: _Known) -> str:
    return (
        f"{known.release(entry)} opened with {counted(len(entry['roster']), 'hospital')}: fresh "
        f"keys, length and head of this ledger and a sealed commitment to the data left, no number "
        f"of patients"
    )


def _share(entry: Entry, known: _Known) -> str:
    sums = "; ".join(_sums(entry, known))
    round_of = f"{known.release(entry)}, round {entry['round']}"
    return f"{round_of}: masked sums left, {entry['bytes']} bytes: {sums}"


def _sums(entry: Entry, known: _Known) -> Iterator[str]:
    """Yield each sum of a round: its name and class, how often, for which analyses."""
    asked: dict[str, list[Entry]] = {}
    for question in entry["sums"]:
        asked.setdefault(question["sum"], []).append(question)
    for name, questions in sorted(asked.items()):
        times = f" x {len(questions)}" if len(questions) > 1 else ""
        of_class = f" (class {SUMS[name].disclosure})" if name in SUMS else ""
        purpose = _purpose(name, [known.served(entry["study"], each) for each in questions])
        yield f"{name}{of_class}{times}{purpose}"


def _purpose(name: str, served: list[tuple[str, ...]]) -> str:
    """Return for what a sum was asked, as far as that is known."""
    if name in SUMS and of_guard(name):
        return " for the guard"
    analyses = list(dict.fromkeys(analysis for each in served for analysis in each))
    return f" for {listed(analyses)}" if analyses else ""


def _closed(entry: Entry, known: _Known) -> str:
    return (
        f"{known.release(entry)} closed after {counted(entry['rounds'], 'round')} over result "
        f"{entry['result'][:SHORT]}; a signed receipt left, keys erased"
    )


def _burned(entry: Entry, known: _Known) -> str:
    if "until" in entry:
        return (
            f"{known.release(entry)} was deferred until {entry['until']}; only counts of patients "
            f"had left, keys erased"
        )
    why = f" ({entry['code']})" if entry.get("code") else ""
    return f"{known.release(entry)} was given up{why}; keys erased, nothing left"


def _witnessed(entry: Entry, known: _Known) -> str:
    return (
        f"{known.release(entry)}: the ledgers of {listed(sorted(entry['ledgers']))} witnessed, so "
        f"that one that is set back is noticed; no number left"
    )


def _refused(entry: Entry, _: _Known) -> str:
    return f"refused ({entry['code']}): {entry['reason']}; nothing left"


def _other(entry: Entry, _: _Known) -> str:
    return str(entry["event"])


WORDS: Final[Mapping[str, Callable[[Entry, _Known], str]]] = {
    "approved": _approved,
    "revoked": _revoked,
    "superseded": _superseded,
    "rekeyed": _rekeyed,
    "restored": _restored,
    "ready": _ready,
    "witnessed": _witnessed,
    "share": _share,
    "closed": _closed,
    "burned": _burned,
    "refused": _refused,
}
