"""How many patients contribute otherwise now than to an earlier release.

A patient differs who came, who is gone, or whose digest is another one. Of one study everything
is compared. Of two studies what both have in common: equal components, and columns on which both
rest in components of their own.
"""

from __future__ import annotations

from collections.abc import Set

import numpy as np

from site_agent.contract.earlier import EVENTS, SELECTED
from site_agent.contributions import Contributions, Words, without_ends

NOBODY = Contributions(np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.uint64), {}, {}, {})


def changed(
    now: Contributions,
    then: Contributions,
    respect: str = "",
    *,
    same_study: bool,
    opened: Set[str] = frozenset(),
) -> int:
    """Return how many patients differ in a respect: "" for anything, or one of `respects`.

    opened: the hashes of the frames over which anything was opened then.
    """
    if not same_study and respect.startswith(f"{SELECTED}/"):
        label, number = respect.removeprefix(f"{SELECTED}/").rsplit("/", 1)
        return _apart(now, then, label, _opened(then, int(number), opened))
    if same_study and respect:
        return _differing(now, then, [respect], in_events=True)
    names = frozenset() if same_study else shared(now, then)
    if respect == EVENTS:
        names = frozenset(_ended(now, name) for name in names)
    return _differing(now, then, sorted(names), whole=same_study)


def _opened(then: Contributions, number: int, opened: Set[str]) -> str:
    """Return the first analysis of a selection over which something was opened; "" if none was."""
    label, frames = dict(enumerate(then.selected.items())).get(number, ("", ()))
    return label if opened & set(frames) else ""


def _apart(now: Contributions, then: Contributions, label: str, other: str) -> int:
    """Return how many patients belong to an analysis now, or to another one then, and not to both.

    Of an analysis that opened nothing, or that there was not, nobody is compared with.
    """
    here = now.patients[_digests(now, label, in_events=True) != 0]
    there = then.patients[_digests(then, other, in_events=True) != 0]
    return len(np.setxor1d(here, there, assume_unique=True))


def _differing(
    now: Contributions,
    then: Contributions,
    names: list[str],
    *,
    whole: bool = False,
    in_events: bool = False,
) -> int:
    """Return how many patients differ in any of these digests; new and gone ones differ.

    in_events: the digests of an analysis, to which a patient may be new without being so.
    """
    common, here, there = np.intersect1d(
        now.patients, then.patients, assume_unique=True, return_indices=True
    )
    differs = np.zeros(len(common), dtype=bool)
    if whole:
        differs |= now.whole[here] != then.whole[there]
    for name in names:
        differs |= _digests(now, name, in_events)[here] != _digests(then, name, in_events)[there]
    found = int(differs.sum())
    for item, known in ((now, here), (then, there)):
        apart = np.ones(len(item.patients), dtype=bool)
        apart[known] = False
        if in_events:
            apart &= _digests(item, names[0], in_events) != 0
        found += int(apart.sum())
    return found


def _digests(item: Contributions, name: str, in_events: bool) -> Words:
    """Return digests by name; those of nobody if there are none of this name."""
    found = (item.events if in_events else item.parts).get(name)
    return np.zeros(len(item.patients), dtype=np.uint64) if found is None else found


def _ended(now: Contributions, name: str) -> str:
    """Return a component without ends of follow-up, if it is an endpoint."""
    return without_ends(name) if without_ends(name) in now.parts else name


def shared(now: Contributions, then: Contributions) -> frozenset[str]:
    """Return the components on which two studies can be compared."""
    equal = now.columns.keys() & then.columns.keys()
    return frozenset(equal) | (_behind(now, equal) & _behind(then, equal))


def _behind(item: Contributions, but: Set[str]) -> frozenset[str]:
    """Return the columns behind the components of a study other than `but`."""
    own = [columns for name, columns in item.columns.items() if name not in but]
    return frozenset().union(*own)
