from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.expressions import Category, Columns, Number, Rows, Value
from site_agent.contract.expressions.types import Type

NONE = np.zeros(2, np.bool_)


def test_contrasts_leave_out_the_reference() -> None:
    """The contrasts of a category are its other levels in order."""
    assert Category(("a", "b", "c"), "b").contrasts == ("a", "c")


@pytest.mark.parametrize(("levels", "reference"), [(("a", "a"), "a"), (("a",), "b")])
def test_a_category_needs_different_levels(levels: tuple[str, ...], reference: str) -> None:
    """A repeated level, or a reference that is no level, is refused."""
    with pytest.raises(ValueError, match="expected different levels, the reference among them"):
        Category(levels, reference)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Number(), np.zeros(3)),
        (Number(), np.zeros(2, np.int64)),
        (Columns(("a", "b")), np.zeros((2, 1))),
    ],
)
def test_a_value_has_the_shape_and_dtype_of_its_kind(kind: Type, data: np.ndarray) -> None:
    """Data of another shape or dtype than the kind's are refused."""
    with pytest.raises(ValueError, match="data of shape"):
        Value(kind, data, NONE)


def test_missing_is_bool() -> None:
    """A mask that is not bool is refused."""
    with pytest.raises(ValueError, match="'missing' of dtype float64: expected bool"):
        Value(Number(), np.zeros(2), np.zeros(2))  # type: ignore[arg-type]


def test_columns_have_one_length() -> None:
    """A column of another length than the table is refused."""
    with pytest.raises(ValueError, match="Column 'x' has 2 rows: expected 3"):
        Rows(3, {"x": Value(Number(), np.zeros(2), NONE)})


@pytest.mark.parametrize("index", [[0, 3], [-1, 0], [0], [0.0, 1.0]])
def test_an_index_points_to_rows_of_the_parent(index: list[float]) -> None:
    """An index that points nowhere is refused, for a parent and for a child."""
    with pytest.raises(ValueError, match="The index of 'patient' must hold"):
        Rows(2, {}, parent=("patient", Rows(3, {}), np.array(index)))  # type: ignore[arg-type]


def test_a_child_without_rows() -> None:
    """A child table without rows has an empty index."""
    rows = Rows(2, {}, children={"grades": (Rows(0, {}), np.zeros(0, np.int64))})
    assert rows.children["grades"][0].count == 0
