from __future__ import annotations

import numpy as np
import pytest

from tests.privacy.cases import ONE, patients
from tests.privacy.cohort import study
from tests.privacy.holding import hold
from tests.privacy.rank import Model, determined, reduced, scalars, unblinded, unit_vectors

PATIENTS, DEATHS = 43, 10


def found(models: list[Model], columns: int) -> list[float]:
    """The fraction of each column's values that the models determine, ten deaths of 43."""
    draw = np.random.default_rng(1)
    time = draw.permutation(PATIENTS).tolist()
    dies = np.isin(np.arange(PATIENTS), draw.choice(PATIENTS, DEATHS, replace=False)).tolist()
    return determined(models, time, dies, columns, seed=2).mean(axis=0).tolist()


def test_a_rank_by_hand() -> None:
    """x + y, x - y and z + w determine x and y, and nothing else."""
    rows = np.array([[1, 1, 0, 0], [1, -1, 0, 0], [0, 0, 1, 1]])
    assert unit_vectors(rows).tolist() == [True, True, False, False]


def test_a_reduced_form_by_hand() -> None:
    """Rows that are multiples of each other are one."""
    assert reduced(np.array([[2, 4], [1, 2]])).tolist() == [[1, 2]]


@pytest.mark.parametrize("columns", [1, 3])
def test_open_risk_sets_determine_everything(columns: int) -> None:
    """One open model fixes every value of its covariates."""
    models = [Model(tuple(range(columns)), opened=True)]
    assert found(models, columns) == [1.0] * columns


@pytest.mark.parametrize("columns", [1, 3, 5, 8])
def test_totals_of_one_model_determine_nothing(columns: int) -> None:
    """Up to eight covariates, six points: fewer numbers than values, and none is fixed."""
    model = Model(tuple(range(columns)))
    assert (scalars([model]) <= PATIENTS * columns, found([model], columns)) == (
        True,
        [0.0] * columns,
    )


def test_a_screen_determines_nothing() -> None:
    """Eleven models of one covariate each."""
    assert found([Model((j,)) for j in range(11)], 11) == [0.0] * 11


def test_more_numbers_than_values_determine_them() -> None:
    """The attack can see: fifteen points of one covariate are 45 numbers and three moments."""
    assert found([Model((0,), points=15)], 1) == [1.0]


def test_columns_are_not_protected_by_others() -> None:
    """Eleven models of one covariate and one of five of them fix these five.

    Over all columns together there are fewer numbers than values, over the five there are more. So
    numbers must be weighed against the values of the columns that they are about.
    """
    models = [*(Model((j,)) for j in range(11)), Model(tuple(range(5)))]
    own = [model for model in models if set(model.columns) <= set(range(5))]
    assert (scalars(models) < PATIENTS * 11, scalars(own) > PATIENTS * 5, found(models, 11)) == (
        True,
        True,
        [1.0] * 5 + [0.0] * 6,
    )


def test_columns_within_their_own_values_are_protected() -> None:
    """Eleven models of one covariate and one of three: fewer numbers than values in each."""
    models = [*(Model((j,)) for j in range(11)), Model(tuple(range(3)))]
    assert found(models, 11) == [0.0] * 11


def test_many_models_over_few_columns_determine_them() -> None:
    """All six pairs of four covariates."""
    models = [Model((i, j)) for i in range(4) for j in range(i)]
    assert found(models, 4) == [1.0] * 4


def test_a_test_of_proportional_hazards_undoes_no_sealing() -> None:
    """One transform of time beside the fit determines E and V of no death."""
    text = study({"model": {"covariates": ONE, "zph": ("km",)}})
    rounds = hold(text, patients(0).at_sites()).of("cox_sealed")[-2:]
    assert not (unblinded(rounds, "score").any() or unblinded(rounds, "information").any())


def test_as_many_weighted_sums_as_deaths_undo_the_sealing() -> None:
    """The attack can see: 1, t and t^2 over three deaths fix what is summed at each."""
    rows = np.array([[1, 1, 1], [3, 5, 9], [9, 25, 81]])
    assert unit_vectors(rows).all()
