"""Sealed risk sets give what open ones give: every pooled model of every data set.

Both forms are summed over the hospitals of a data set in fixed point. All numbers of a result agree
within 1e-12 of 1 or of the number, and so does how often the likelihood was evaluated, and with it
the number of rounds. Those of many deaths take seconds each and are for the campaign; of each data
set some are compared here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import pytest

from site_agent.contract.analyses.results import Failure
from tests.oracle.entries import ENTRIES
from tests.oracle.reading import (
    HEAVY,
    analyses_of,
    in_the_open,
    is_pooled,
    sites_of,
    study_text,
)
from tests.pooling import pool

SAME: Final = 1e-12
STUDIES = sorted({entry.study for entry in ENTRIES})


def models(study: str) -> dict[str, dict[str, Any]]:
    """All models of a study with one risk set over all hospitals, with their own variance."""
    found = analyses_of(ENTRIES, study)
    alike = {"fine_gray": {"variance": "model"}}
    return {
        name: fields | alike.get(fields["kind"], {})
        for name, fields in found.items()
        if is_pooled(fields)
    }


EVERY = [
    pytest.param(
        *(study, name),
        marks=[pytest.mark.campaign] if name in HEAVY.get(study, ()) else [],
        id=f"{study}-{name}",
    )
    for study in STUDIES
    for name in models(study)
]
LIGHT = [study for study in STUDIES if set(models(study)) - set(HEAVY.get(study, ()))]


@cache
def documents(study: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The result of a model with sealed risk sets, and with open ones."""
    fields = models(study)[name]
    sealed = fields | {"risk_sets": "sealed"}
    both = {"sealed": sealed, "open": in_the_open({name: fields})[name]}
    outcome = pool(study_text(study, both), sites_of(study))
    found = [outcome.results[form] for form in ("sealed", "open")]
    assert not [one.because for one in found if isinstance(one, Failure)]
    one, other = (result.document() for result in found)
    return one, other


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All values of a document with their places."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def apart(one: Any, other: Any) -> float:
    """How far two values are from one another; infinite if they are no numbers and differ."""
    numbers = isinstance(one, float) and isinstance(other, float)
    if one == other or (numbers and math.isnan(one) and math.isnan(other)):
        return 0.0
    return abs(one - other) / max(1.0, abs(other)) if numbers else math.inf


@pytest.mark.parametrize(("study", "name"), EVERY)
def test_sealed_equals_open(study: str, name: str) -> None:
    """Each number of the result, and every count exactly."""
    sealed, opened = documents(study, name)
    one, other = dict(leaves(sealed)), dict(leaves(opened))
    assert one.keys() == other.keys()
    assert {path: one[path] for path in one if apart(one[path], other[path]) > SAME} == {}


def test_every_data_set_is_compared() -> None:
    """Each study with a pooled model has one that is sealed by default."""
    assert [study for study in STUDIES if models(study)] == LIGHT
