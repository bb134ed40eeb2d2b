"""How many patients differ between two releases, counted by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from site_agent.comparison import NOBODY, changed, shared
from site_agent.contributions import Contributions

Digests = Mapping[int, int]


def item(
    whole: Digests,
    *,
    curve: Digests | None = None,
    columns: Mapping[str, set[str]] | None = None,
    **parts: Digests,
) -> Contributions:
    """Contributions of the patients of `whole`; what is not given is 0."""
    patients = sorted(whole)

    def words(digests: Digests) -> Any:
        return np.array([digests.get(patient, 0) for patient in patients], dtype=np.uint64)

    behind = {name: frozenset(found) for name, found in (columns or {}).items()}
    if not columns:
        behind = {name: frozenset({name}) for name in parts}
    return Contributions(
        np.array(patients, dtype=np.uint64),
        words(whole),
        {"curve": words(whole if curve is None else curve)},
        {name.replace("__", "/"): words(found) for name, found in parts.items()},
        behind,
    )


THEN = item({1: 11, 2: 22, 3: 33})


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (THEN, 0),
        (item({1: 11, 2: 22, 3: 34}), 1),
        (item({1: 11, 2: 22, 3: 33, 4: 44}), 1),
        (item({1: 11, 2: 22}), 1),
        (item({1: 12, 2: 22, 4: 44}), 3),
        (item({}), 3),
    ],
    ids=["the same", "one corrected", "one came", "one is gone", "one of each", "all are gone"],
)
def test_two_releases_of_a_study(now: Contributions, expected: int) -> None:
    """Who came, who is gone, and whose digest is another one."""
    assert changed(now, THEN, same_study=True) == expected


def test_with_a_release_that_this_site_does_not_know() -> None:
    """All of its patients are new."""
    assert changed(THEN, NOBODY, same_study=True) == 3


def test_new_to_an_analysis() -> None:
    """Three patients came, of whom one is in the analysis."""
    now = item({1: 11, 2: 22, 3: 33, 4: 44, 5: 55, 6: 66}, curve={1: 11, 2: 22, 3: 33, 4: 44})
    assert changed(now, THEN, "curve", same_study=True) == 1


def test_gone_from_an_analysis() -> None:
    """A value that is missing now takes a patient out of it, though not out of the data."""
    now = item({1: 11, 2: 22, 3: 34}, curve={1: 11, 2: 22})
    assert changed(now, THEN, "curve", same_study=True) == 1


def test_in_another_analysis_only() -> None:
    """What changed elsewhere does not count in this one."""
    now = item({1: 11, 2: 23, 3: 34}, curve={1: 11, 2: 22, 3: 33})
    assert changed(now, THEN, "curve", same_study=True) == 0


def test_two_studies_on_what_both_have() -> None:
    """Age is in both, and one age is another; of dose and sex nothing can be told."""
    then = item({1: 1, 2: 2}, age={1: 5, 2: 6}, sex={1: 1, 2: 1})
    now = item({1: 8, 2: 9}, age={1: 5, 2: 7}, dose={1: 3, 2: 3})
    assert changed(now, then, same_study=False) == 1


def test_two_studies_with_nothing_in_common() -> None:
    """Who came and who is gone counts in any case."""
    then = item({1: 1, 2: 2}, sex={1: 1, 2: 1})
    now = item({2: 9, 3: 9, 4: 9}, dose={2: 3, 3: 3, 4: 3})
    assert changed(now, then, same_study=False) == 3


def test_two_studies_without_ends_of_follow_up() -> None:
    """Patient 1 was followed longer, patient 2 had the event."""
    then = item({1: 1, 2: 2}, columns={"os": {"day"}}, os={1: 5, 2: 6}, os__events={1: 3, 2: 4})
    now = item({1: 1, 2: 2}, columns={"os": {"day"}}, os={1: 7, 2: 8}, os__events={1: 3, 2: 9})
    found = [changed(now, then, respect, same_study=False) for respect in ("", "events")]
    assert found == [2, 1]


def test_columns_behind_different_expressions() -> None:
    """Twice the dose and the dose have the dose in common."""
    then = item({}, columns={"dose": {"dose"}}, dose={})
    now = item({}, columns={"double": {"dose"}}, double={}, dose={})
    assert shared(now, then) == {"dose"}


def test_columns_behind_one_expression() -> None:
    """Where both group age alike, age itself is not compared: it opens in neither."""
    both = item({}, columns={"old": {"age"}}, old={}, age={})
    assert shared(both, both) == {"old"}
