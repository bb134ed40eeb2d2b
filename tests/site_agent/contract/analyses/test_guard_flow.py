"""Numbers spread over columns, against Hall's condition looked at set by set."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.analyses.guard_flow import Spread

Models = list[tuple[int, tuple[str, ...]]]


def every_set_has_room(models: Models, capacity: int) -> bool:
    """Return whether no set of columns is asked for more numbers than it has values."""
    columns = sorted({column for _, own in models for column in own})
    sets = chain.from_iterable(combinations(columns, k) for k in range(1, len(columns) + 1))
    return all(
        sum(numbers for numbers, own in models if set(own) <= set(chosen)) <= capacity * len(chosen)
        for chosen in sets
    )


def accepted(models: Models, capacity: int) -> Models:
    """Return the models that fit, one after the other; what does not is left out."""
    spread, taken = Spread(capacity), []
    for numbers, own in models:
        if spread.fits(numbers, own):
            assert spread.put(numbers, own) == 0
            taken.append((numbers, own))
    return taken


MODELS = st.lists(
    st.tuples(
        st.integers(0, 25),
        st.lists(st.sampled_from("abcde"), min_size=1, max_size=4, unique=True).map(tuple),
    ),
    max_size=7,
)


@given(MODELS, st.integers(1, 20))
def test_what_is_taken_has_room_in_every_set(models: Models, capacity: int) -> None:
    """Hall's condition holds for all models that were taken."""
    assert every_set_has_room(accepted(models, capacity), capacity)


@given(MODELS, st.integers(1, 20))
def test_what_is_refused_has_none(models: Models, capacity: int) -> None:
    """The first model that is refused would break the condition."""
    taken: Models = []
    spread = Spread(capacity)
    for model in models:
        if not spread.fits(*model):
            assert not every_set_has_room([*taken, model], capacity)
            return
        spread.put(*model)
        taken.append(model)


def test_five_columns_are_not_hidden_by_six_others() -> None:
    """43 values a column: eleven models of 21 numbers fit, another of 151 about five does not."""
    names = tuple("abcdefghijk")
    models: Models = [*((21, (name,)) for name in names), (151, names[:5])]
    assert accepted(models, 43) == models[:11]


def test_a_refusal_changes_nothing() -> None:
    """A smaller model behind a refused one is looked at as if it had not been there."""
    assert accepted([(5, ("a",)), (9, ("a", "b")), (5, ("b",))], 5) == [(5, ("a",)), (5, ("b",))]


def test_numbers_of_others_are_moved() -> None:
    """The first takes either column, so the second can have the one that it needs."""
    assert len(accepted([(5, ("a", "b")), (5, ("a",))], 5)) == 2
