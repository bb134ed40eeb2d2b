"""What a revision changes against the study whose place it takes, in words.

Keys come first: a hospital with other keys may be another party. The old key's signature says
that whoever had that key wants the new one; only a telephone call says who that is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from site_agent.contract.enrolment import succeeds
from site_agent.contract.identity import fingerprint
from site_agent.contract.party import Member
from site_agent.contract.study.model import Study
from site_agent.review.wording import listed

SHORT = 16


def revision_document(study: Study, before: Study | None) -> dict[str, Any] | None:
    """Return what a revision changes, as JSON; None if the study is none.

    before: the study that it revises, None if that is not here.
    """
    if not study.revises:
        return None
    told = {"revises": study.revises, "here": before is not None}
    if before is None:
        sentence = (
            f"It takes the place of the study {study.revises[:SHORT]}, which is not here: what it "
            f"changes cannot be told. Read all of it as a new study."
        )
        return {**told, "keys": [], "sentences": [sentence]}
    return {**told, "keys": _keys(study, before), "sentences": list(_sentences(study, before))}


def _sentences(study: Study, before: Study) -> Iterator[str]:
    yield (
        f"It takes the place of the study {before.hash[:SHORT]}. When you approve it, no release "
        f"of that one is opened here any more; one that is under way is closed, or burned."
    )
    yield from _key_sentences(study, before)
    yield from _roster_sentences(study, before)
    changed = [*_changed(study, before)]
    yield from changed
    if not changed:
        yield "Besides the hospitals and their keys, nothing is changed."


def _keys(study: Study, before: Study) -> list[dict[str, Any]]:
    """Return each party whose keys are others now: old and new fingerprint, signed or not."""
    return [
        {
            "name": new.name,
            "old": fingerprint(old),
            "new": fingerprint(new),
            "signed_by_old": succeeds(new, old),
        }
        for old, new in _parties(study, before)
        if old.keys != new.keys
    ]


def _parties(study: Study, before: Study) -> Iterator[tuple[Member, Member]]:
    assert study.roster is not None and before.roster is not None
    yield before.roster.center, study.roster.center
    for name, member in study.roster.sites.items():
        if name in before.roster.sites:
            yield before.roster.sites[name], member


def _key_sentences(study: Study, before: Study) -> Iterator[str]:
    for changed in _keys(study, before):
        said = f"{changed['name']} has new keys: {changed['old']} before, {changed['new']} now."
        if changed["signed_by_old"]:
            yield f"{said} The key before signed this. Compare by telephone all the same."
        else:
            yield (
                f"WARNING: {said} The key before did NOT sign this: it was lost or stolen, or "
                f"somebody takes this party's place. Compare the new fingerprint with "
                f"{changed['name']} by telephone, at a number that you had before, and approve "
                f"only then."
            )


def _roster_sentences(study: Study, before: Study) -> Iterator[str]:
    assert study.roster is not None and before.roster is not None
    new, old = study.roster.sites, before.roster.sites
    joined, left = [n for n in new if n not in old], [n for n in old if n not in new]
    if joined:
        prints = [f"{name} ({fingerprint(new[name])})" for name in joined]
        yield f"Hospitals that join: {listed(prints)}."
    if left:
        yield f"Hospitals that leave: {listed(left)}."
    if joined or left:
        yield (
            "Totals of releases before and after differ by these hospitals, too: see the "
            "earlier rosters that the study accepts."
        )
    for name in [name for name in new if name in old]:
        if new[name].attributes != old[name].attributes:
            yield f"What is fixed for {name} is changed: {_pairs(new[name].attributes)}."


def _pairs(attributes: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in attributes.items()) or "nothing"


def _changed(study: Study, before: Study) -> Iterator[str]:
    """Yield a sentence for each part that is another one, with the names of what is changed."""
    new, old = study.document(), before.document()
    for part, noun in NAMED.items():
        yield from _named(noun, dict(new[part]), dict(old[part]))
    for part, words in WHOLE.items():
        if new[part] != old[part]:
            yield f"Changed: {words}. It is told below as it is now."


def _named(noun: str, new: Mapping[str, Any], old: Mapping[str, Any]) -> Iterator[str]:
    sets = {
        "New": [name for name in new if name not in old],
        "Gone": [name for name in old if name not in new],
        "Changed": [name for name in new if name in old and new[name] != old[name]],
    }
    for what, names in sets.items():
        if names:
            yield f"{what} among the {noun}: {listed(names)}."


NAMED = {
    "tables": "tables",
    "endpoints": "endpoints",
    "cohorts": "cohorts",
    "analyses": "analyses",
    "disclosure": "rules of disclosure",
    "site_attributes": "attributes of hospitals",
}
WHOLE = {
    "study": "the name",
    "title": "the title",
    "synthetic": "whether the patients are made up",
    "time": "the time scale",
    "at_center": "which hospital is the center's own",
}
