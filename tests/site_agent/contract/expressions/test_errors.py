from __future__ import annotations

import pickle

from site_agent.contract.expressions import EvaluationError, ExpressionError
from site_agent.contract.expressions.errors import nearest


def test_expression_error_reads_as_its_message() -> None:
    """An expression error reads as its message alone."""
    assert str(ExpressionError("No.", 3, "a + ?")) == "No."


def test_expression_error_survives_pickling() -> None:
    """An expression error comes back whole from another process."""
    back = pickle.loads(pickle.dumps(ExpressionError("No.", 3, "a + ?")))
    assert (back.message, back.position, back.text) == ("No.", 3, "a + ?")


def test_evaluation_error_survives_pickling() -> None:
    """An evaluation error comes back whole from another process."""
    back = pickle.loads(pickle.dumps(EvaluationError("No.", 2, 1, "log(x)")))
    assert (str(back), back.rows, back.position, back.text) == ("No.", 2, 1, "log(x)")


def test_nearest_ignores_case() -> None:
    """The nearest name is found whatever its case."""
    assert nearest("AGE", ["age", "kps"]) == " Did you mean 'age'?"


def test_nearest_lists_all_when_none_is_near() -> None:
    """Without a near name the known ones are listed."""
    assert nearest("zzz", ["kps", "age"]) == " Known here: age, kps."


def test_nearest_lists_at_most_twelve() -> None:
    """A long list of names is cut after twelve."""
    assert nearest("zzz", [f"a{i:02}" for i in range(13)]).endswith("a11 and 1 more.")


def test_nearest_of_nothing() -> None:
    """With no names at all it says so."""
    assert nearest("zzz", []) == " None is known here."
