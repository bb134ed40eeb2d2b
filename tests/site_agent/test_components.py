"""Components: equal definitions have equal names in any two studies, others have not."""

from __future__ import annotations

import pytest

from site_agent.components import components
from site_agent.contract.study.model import Study
from tests.studytext import study


def used(found: Study) -> set[str]:
    """The names of what analyses name."""
    return {item.name for item in components(found).values() if item.used}


def modelling(text: str, *changes: tuple[str, str]) -> Study:
    """The study with other covariates in its model."""
    return study(("covariates: [age, sex, kps]", f"covariates: [{text}]"), *changes)


def test_what_the_analyses_are_made_of() -> None:
    """Two endpoints, sex, age, kps and the peak; the cohort is used by no analysis."""
    assert len(used(study())) == 6


def test_columns_behind_others_are_there_too() -> None:
    """Of the endpoints four days, of the peak crs of the grades, and sex as it stands there."""
    found = components(study()).values()
    behind = [item.frame for item in found if not item.used]
    assert sorted((*frame.covariates, *([frame.by] if frame.by else [])) for frame in behind) == [
        ("day", "crs"),
        ("death_day",),
        ("last_seen_day",),
        ("relapse_day",),
        ("sex",),
        ("start_day",),
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (modelling("age"), modelling("age", ("title: A small", "title: Another"))),
        (modelling("age"), modelling("age", ("range: [0, 110]", "range: [0, 99]"))),
        (modelling("dose"), modelling("level", ("dose: {high", "level: {high"))),
        (modelling("dose"), modelling("dose", ("age > 60", "(age > 60.0)"))),
        (
            study(),
            study(
                ("  trm:\n", "  mortality:\n"),
                *[("endpoint: trm,", "endpoint: mortality,")],
                ("like: trm,", "like: mortality,"),
            ),
        ),
    ],
    ids=["another title", "another range", "renamed", "spelled otherwise", "endpoint renamed"],
)
def test_what_is_defined_alike(one: Study, other: Study) -> None:
    """Names, ranges and spelling make no difference."""
    assert used(one) == used(other)


@pytest.mark.parametrize(
    "other",
    [
        modelling("dose", ("age > 60", "age > 61")),
        modelling("dose", ("2: female}, reference: male", "2: female}, reference: female")),
        modelling("dose", ("first_of_ties: [relapse, death]", "first_of_ties: [death, relapse]")),
        modelling("dose", ("resolution: 1, horizon: 400", "resolution: 0.5, horizon: 400")),
    ],
    ids=["another limit", "another reference", "another order of ties", "another tick"],
)
def test_what_is_defined_otherwise(other: Study) -> None:
    """Whatever changes a value of an analysis changes a name."""
    assert used(modelling("dose")) != used(other)


def test_a_column_of_its_own_name_is_the_column() -> None:
    """A derived column that is a column by another name is that column."""
    alias = modelling("years", ("dose: {high", "years: age\n    dose: {high"))
    assert used(alias) == used(modelling("age"))
