"""What an answer's body tells of a problem, whatever the body is."""

from __future__ import annotations

import pytest

from site_agent.contract.problems import Problem, read_problem


def test_a_problem_of_the_list_is_read() -> None:
    """Code and words as they were written."""
    found = read_problem(Problem("clock", "two hours ahead").document())
    assert found is not None
    assert (found.code, str(found.detail)) == ("clock", "two hours ahead")


@pytest.mark.parametrize(
    "document",
    [None, [], "clock", 7, {}, {"code": "made_up"}, {"code": []}, {"code": {}}, {"code": None}],
)
def test_anything_else_is_no_problem_of_ours(document: object) -> None:
    """A proxy's JSON may be of any shape; it is never an error."""
    assert read_problem(document) is None
