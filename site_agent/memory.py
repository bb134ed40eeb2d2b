"""What a site remembers: of its own earlier releases, and of the other sites' ledgers.

Everything is read from the ledger and from the records beside it, so it holds over restarts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from site_agent import witness
from site_agent.contract.earlier import earlier_releases
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.messages import Message, Open, Ready
from site_agent.contract.party import Member
from site_agent.contract.study.model import Study
from site_agent.contributions import Contributions, contributions
from site_agent.earlier import FIRST, Folders, RowSource, changes, given, names_to_compare
from site_agent.ledger import Ledger
from site_agent.records import Records

CODE: Final = re.compile(r"[a-z_]{1,40}\Z")
DEFERRED: Final = "deferred"


@dataclass(slots=True)
class Present:
    """The data that a release runs on, with what they have in common with earlier releases.

    earlier: the releases to compare with, as all READY messages together name them.
    """

    memory: Memory
    source: RowSource
    identifiers: tuple[str, ...]
    earlier: tuple[str, ...] = ()
    _contributions: Contributions | None = None
    _changed: Mapping[str, int] = field(default_factory=dict)

    def rows(self, frame: Frame) -> Rows:
        """Return the rows of a frame; those of the whole first table tell who has changed."""
        found = self.source(frame)
        if self.earlier and frame == Frame(table=next(iter(self.memory.study.tables))):
            return replace(found, changed=self.changed())
        return found

    def changed(self) -> Mapping[str, int]:
        """Return by earlier release how many patients contribute otherwise than to it."""
        if not self._changed:
            self._changed = self.memory.changes(self)
        return self._changed

    def contributions(self) -> Contributions:
        """Return what each patient contributes, worked out once."""
        if self._contributions is None:
            memory = self.memory
            self._contributions = contributions(
                memory.study, self.source, self.identifiers, memory.records.secret()
            )
        return self._contributions


class Memory:
    """What one site remembers when it answers releases of one study.

    `folder` gives the folder from which the study of a name is read at this hospital.
    """

    def __init__(
        self, study: Study, site: str, ledger: Ledger, records: Records, folder: Folders
    ) -> None:
        self.study = study
        self.records = records
        self._site = site
        self._ledger = ledger
        self._folder = folder

    @property
    def _key(self) -> str:
        """Return the signing key by which the study knows this site."""
        pinned = self.study.roster.sites.get(self._site) if self.study.roster else None
        return pinned.signing_key if pinned else ""

    def present(self, source: RowSource, identifiers: tuple[str, ...]) -> Present:
        """Return the data of a release that is opened."""
        return Present(self, source, identifiers)

    def said_when_ready(self) -> dict[str, Any]:
        """Return what the entry of a READY tells, for releases of other studies to be compared."""
        return {"name": self.study.name, "tables": sorted(self.study.tables)}

    def said_when_burned(self, code: str) -> dict[str, str]:
        """Return why a release was given up, and until when it is put off."""
        if not CODE.match(code):
            return {}
        policy = self.study.policy
        until = (
            f"at least {policy.changed_patients} patients of at least {policy.changed_sites} "
            f"hospitals differ from each earlier release, or none"
        )
        return {"code": code, **({"until": until} if code == DEFERRED else {})}

    def earlier(self, number: int) -> tuple[str, ...]:
        """Return the releases that this site knows and compares release `number` with."""
        return names_to_compare(self.study, number, self._ledger.entries, self._folder)

    def refuse_overtaken(self, number: int, present: Present) -> None:
        """Refuse if another release has opened totals that release `number` is not compared with.

        It had not when this one was READY. What counts is what the ledger tells before this one's
        own first share of totals: of two that run side by side, one at most goes on.
        """
        entries = self._ledger.entries
        named = {"study": self.study.hash, "release": number}
        own = [e["number"] for e in self._ledger.find("share", **named) if e["round"] > FIRST]
        before = entries[: own[0] - 1] if own else entries
        known = names_to_compare(self.study, number, before, self._folder)
        missing = sorted(set(known) - set(present.earlier))
        if missing:
            study, _, other = missing[0].partition("/")
            raise Refused(
                "overtaken",
                f"release {other} of study {study[:12]} has opened totals of the same tables since "
                f"this release began, which is not compared with it. Burn this one, open the next",
            )

    def marks(self, opened: Open) -> tuple[str, ...]:
        """Return the marks of this site's ledger that the others of a roster have seen."""
        return witness.own_marks(self._ledger, (s for s in opened.roster if s != self._site))

    def witnessed(
        self, members: Mapping[str, Member], readies: Mapping[str, Message]
    ) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Return the releases to compare with, and what to witness of the others' ledgers.

        Raises Refused("rewound") if a ledger was set back, "malformed".
        """
        said = {site: Ready.from_document(message.content) for site, message in readies.items()}
        others = {site: ready for site, ready in said.items() if site != self._site}
        fresh = witness.new_marks(members, others, self._ledger.entries)
        return earlier_releases(said.values()), fresh

    def changes(self, present: Present) -> dict[str, int]:
        """Return by earlier release how many patients contribute otherwise than to it."""
        return changes(
            self.study,
            present.earlier,
            present.contributions,
            self._ledger.entries,
            self.records,
            key=self._key,
        )

    def keep(self, number: int, present: Present) -> None:
        """Write down what patients contribute to a release, before its first share leaves."""
        if not self._gave(number):
            self.records.put(self.study.hash, number, present.contributions())

    def forget(self, number: int) -> None:
        """Remove the record of a release that ended before its first share."""
        if not self._gave(number):
            self.records.erase(self.study.hash, number)

    def _gave(self, number: int) -> bool:
        named = (self.study.hash, number)
        return any((item.study, item.release) == named for item in given(self._ledger.entries))
