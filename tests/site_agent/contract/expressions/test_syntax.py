from __future__ import annotations

from site_agent.contract.expressions import parse
from site_agent.contract.expressions.syntax import constant, walk


def test_nodes_compare_by_what_they_say() -> None:
    """Two spellings of one expression are equal nodes."""
    assert parse("a+1") == parse("(a)  +  1.0")


def test_equal_nodes_have_one_hash() -> None:
    """Two spellings of one expression are one key of a mapping."""
    assert len({parse("a+1"), parse("a + 1.0")}) == 1


def test_walk_yields_nodes_in_order_of_the_text() -> None:
    """A walk goes through every kind of node in the order of the text."""
    node = parse("not f(-a, [b], k = c ** d) and e in [1] or g + h == true")
    names = [below.parts[0] for below, _ in walk(node) if hasattr(below, "parts")]
    assert names == ["a", "b", "c", "d", "e", "g", "h"]


def test_walk_yields_depths() -> None:
    """The root is at depth 0 and an operand one deeper."""
    assert [depth for _, depth in walk(parse("-a + 1"))] == [0, 1, 2, 1]


def test_constant_with_sign() -> None:
    """A number that is written out may have a sign."""
    assert [constant(parse(text)) for text in ("5", "-5", "--5", "a")] == [5.0, -5.0, None, None]


def test_constant_of_nothing() -> None:
    """What is not given is no constant."""
    assert constant(None) is None
