"""How often a study could be refreshed: three patients by hand, and the figures of the design."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from coordinator.cadence import Accrual, cadence, document, in_words, release_days, states, varied

# Looked at on days 10, 20, ..., 60; two releases differ by 2 patients of 2 hospitals.
SMALL = Accrual(
    patients=3,
    accrual_days=60,
    sites=2,
    k=2,
    m=2,
    every_days=10,
    follow_up_days=0,
    at_least_patients=1,
    at_least_sites=1,
)
ALL = Accrual(patients=43, accrual_days=730, sites=9)


def days(*state: list[int], sites: tuple[int, ...] = (0, 1, 1)) -> list[int]:
    """The days of releases if the patients are in these states on days 10, 20, ..."""
    rows = [*state, *[state[-1]] * (len(SMALL.slots) - len(state))]
    return release_days(SMALL, np.array(rows), np.array(sites))


def test_the_days_on_which_the_study_is_looked_at() -> None:
    """Each tenth day up to the end."""
    assert SMALL.slots.tolist() == [10, 20, 30, 40, 50, 60]


def test_two_years_and_one_more_are_156_weeks() -> None:
    """730 days of accrual and 365 of follow-up."""
    assert len(ALL.slots) == 156


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ([[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]], [20, 40]),
        ([[1, 0, 0], [1, 1, 0], [1, 1, 0], [2, 1, 0]], [10, 40]),
        ([[1, 0, 0], [1, 1, 0], [1, 1, 1]], [10]),
        ([[0, 0, 0]], []),
    ],
    ids=["two more came", "one came and one had the event", "both of one hospital", "nobody"],
)
def test_releases_by_hand(state: list[list[int]], expected: list[int]) -> None:
    """The first goes with one patient, later ones with two changes of two hospitals."""
    found = days(*state) if expected != [20, 40] else days(*state, sites=(0, 0, 1))
    assert found == expected


def test_a_patient_counts_once() -> None:
    """Who came and had the event since is one change."""
    assert days([1, 0, 0], [1, 2, 0]) == [10]


def test_patients_come_and_have_events() -> None:
    """In the end everybody came, and everybody had the event."""
    state, _ = states(replace(ALL, event_share=1.0), np.random.default_rng(1))
    assert (state[-1].tolist(), (np.diff(state, axis=0) >= 0).all()) == ([2] * 43, True)


def test_patients_are_seen_again() -> None:
    """Without events, seen every 90 days of 365: four times behind the first."""
    seen = replace(ALL, event_share=0.0, seen_every_days=90)
    state, _ = states(seen, np.random.default_rng(1))
    assert state[-1].tolist() == [5] * 43


@pytest.mark.parametrize(("k", "gap", "releases"), [(3, 35, 19), (5, 56, 13), (10, 115, 7)])
def test_the_figures_of_the_design(k: int, gap: int, releases: int) -> None:
    """43 patients over two years: median gaps of 35, 56 and 119 days, 13 releases for k = 5.

    New patients alone cannot give 13 releases (43 / 5 is 8): four in five have an event as well.
    """
    found = cadence(replace(ALL, k=k, event_share=0.8))
    assert (found.median_gap_days, found.releases) == (
        pytest.approx(gap, abs=10),
        pytest.approx(releases, abs=1),
    )


def test_new_patients_alone() -> None:
    """At most 43 / 5, whatever the seed."""
    assert cadence(replace(ALL, event_share=0.0)).releases <= 8


def test_the_same_seed_gives_the_same() -> None:
    """A number in a plan can be had again."""
    assert cadence(ALL, seed=7, runs=20) == cadence(ALL, seed=7, runs=20)


def test_no_release_at_all() -> None:
    """Five patients are no study of ten."""
    found = cadence(replace(ALL, patients=5), runs=5)
    assert (found.releases, np.isnan(found.median_gap_days)) == (0, True)


def test_limits_are_varied() -> None:
    """The study's own, and others around them."""
    found = varied(replace(ALL, k=4), runs=2)
    assert [(item.k, item.m) for item in found] == [(3, 3), (4, 1), (4, 3), (4, 5), (5, 3), (10, 3)]


def test_as_json() -> None:
    """A gap that does not exist is null."""
    few = replace(ALL, patients=5)
    told = json.loads(json.dumps(document(few, varied(few, runs=2), runs=2)))
    assert (told["slots"], told["cadence"][0]["median_gap_days"]) == (156, None)


def test_in_words() -> None:
    """What counts as a change is said, and which line was asked for."""
    lines = list(in_words(ALL, varied(ALL, runs=2), runs=2))
    assert (lines[1], sum(line.startswith("5 *") for line in lines)) == (
        "Counted as changes: a new patient, an event (50% of patients).",
        1,
    )
