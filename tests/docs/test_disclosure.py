from __future__ import annotations

import re
from functools import cache

import pytest

from site_agent.contract.catalogue import KINDS, SUMS
from tests.docs.pages import first_cells, page, rows, section
from tests.privacy import slow
from tests.privacy.cases import WEAKENED
from tests.privacy.inversion import measure
from tests.privacy.rank import Model, scalars

PAGE = page("disclosure.md")
THREATS = page("threat-model.md")
RUNS = 200
SOME_CELLS = [(3, 8), (5, 5), (10, 8), (20, 5)]


def test_every_sum_is_on_the_page() -> None:
    """The table has a row for each sum of the catalogue, in its order."""
    assert first_cells(section(PAGE, "Sums")) == list(SUMS)


@pytest.mark.parametrize("name", SUMS)
def test_the_class_of_a_sum(name: str) -> None:
    """The table states the class of the catalogue."""
    (row,) = [row for row in rows(section(PAGE, "Sums")) if row[0] == f"`{name}`"]
    assert row[1] == SUMS[name].disclosure


@pytest.mark.parametrize("name", SUMS)
def test_who_sees_a_sum(name: str) -> None:
    """Other hospitals see the same, but for sums whose totals the center reduces."""
    (row,) = [row for row in rows(section(PAGE, "Sums")) if row[0] == f"`{name}`"]
    assert (row[3] == "the same") == (SUMS[name].reduce is None)


def test_every_kind_of_analysis_is_on_the_page() -> None:
    """The table has a row for each kind."""
    assert first_cells(section(PAGE, "Kinds of analysis")) == list(KINDS)


@cache
def inferred() -> dict[tuple[int, int], str]:
    """The cells of the first table of inference, by carriers and deaths."""
    text = section(PAGE, "Inference from class A")
    first = text[text.index("43 patients, from") : text.index("100 patients:")]
    deaths = [int(n) for n in re.findall(r"(\d+) deaths", first)]
    return {
        (int(row[0]), n): cell
        for row in rows(first)
        for n, cell in zip(deaths, row[1:], strict=True)
    }


@pytest.mark.parametrize(("carriers", "deaths"), SOME_CELLS)
def test_the_figures_of_inference_are_those_measured(carriers: int, deaths: int) -> None:
    """Some cells of the table, computed anew with the same seeds."""
    found = measure(patients=43, carriers=carriers, deaths=deaths, steps=0, runs=RUNS)
    assert inferred()[carriers, deaths] == f"{found.unique:.0%}, {found.pinned:.0f} of 43"


def test_the_numbers_of_models_are_those_counted() -> None:
    """The table of rank has as many numbers as the models open."""
    pairs = [Model((i, j)) for i in range(4) for j in range(i)]
    ones = [Model((j,)) for j in range(11)]
    models = [
        *([Model((0,))], [Model(tuple(range(8)))], ones),
        *([*ones, Model((0, 1, 2))], [*ones, Model((0, 1, 2, 3, 4))], pairs),
    ]
    text = section(PAGE, "Inference from class A")
    told = [int(row[1]) for row in rows(text[text.index("| models |") :])]
    assert told == [scalars(some) for some in models]


def test_every_weakened_form_has_its_attack_on_the_page() -> None:
    """A precaution of sealing for each switch of the slow implementation."""
    assert len(WEAKENED) == len(slow.Switches.__dataclass_fields__) == 5


@pytest.mark.parametrize(
    "who",
    [
        *("center that keeps", "center that does not", "exchange", "Another hospital"),
        *("colludes", "reader of the report", "quantum", "thief of a hospital", "insider"),
    ],
)
def test_who_might_attack_is_on_the_page(who: str) -> None:
    """Each of them has a row with what stops them and what does not."""
    found = [row for row in rows(section(THREATS, "Who")) if who in row[0]]
    assert len(found) == 1 and all(found[0]) and len(found[0]) == 4
