"""Adjustment sets of small diagrams by hand, and of published ones."""

from __future__ import annotations

import pytest

from site_agent.contract.analyses.causal_graph import Graph, closes_back_doors, layers, minimal_sets


def graph(text: str) -> Graph:
    """Return a diagram written as `a -> b, b -> c`."""
    arrows = [tuple(part.strip() for part in arrow.split("->")) for arrow in text.split(",")]
    nodes = tuple(dict.fromkeys(node for arrow in arrows for node in arrow))
    return Graph(nodes, tuple((a, b) for a, b in arrows))


def sets(
    text: str, exposure: str, outcome: str, unmeasured: tuple[str, ...] = ()
) -> list[list[str]]:
    found = minimal_sets(graph(text), exposure, outcome, unmeasured=frozenset(unmeasured))
    return [sorted(one) for one in found]


# Shrier and Platt, BMC Med Res Methodol 2008;8:70, figure 2: does warming up prevent injuries?
WARM_UP = (
    "coach -> motivation, coach -> fitness, fitness -> proprioception, fitness -> fatigue, "
    "genetics -> fitness, genetics -> fatigue, genetics -> tissue, tissue -> fatigue, "
    "tissue -> weakness, fatigue -> injury, weakness -> injury, motivation -> warm_up, "
    "motivation -> previous, proprioception -> warm_up, warm_up -> intra, contact -> previous, "
    "contact -> intra, intra -> injury"
)


def test_confounder() -> None:
    """A common cause must be adjusted for."""
    assert sets("z -> x, z -> y, x -> y", "x", "y") == [["z"]]


def test_mediator() -> None:
    """What lies between exposure and outcome needs no adjustment."""
    assert sets("x -> m, m -> y", "x", "y") == [[]]


def test_collider_is_closed() -> None:
    """M-bias: two unmeasured causes meet in m, and to adjust for m would open the path."""
    bias = graph("u -> x, u -> m, v -> m, v -> y, x -> y")
    assert [closes_back_doors(bias, "x", "y", frozenset(given)) for given in ((), ("m",))] == [
        True,
        False,
    ]


def test_descendants_are_refused() -> None:
    """A set with a descendant of the exposure does not meet the criterion."""
    assert not closes_back_doors(graph("x -> m, m -> y"), "x", "y", frozenset({"m"}))


def test_unmeasured_confounder() -> None:
    """Where the only confounder is unmeasured there is no set."""
    assert sets("u -> x, u -> y, x -> y", "x", "y", ("u",)) == []


def test_front_of_an_unmeasured_confounder() -> None:
    """A measured node on the way closes the path of an unmeasured one."""
    assert sets("u -> z, z -> x, u -> y, x -> y", "x", "y", ("u",)) == [["z"]]


def test_published_warm_up() -> None:
    """The seven minimal sets of the warm-up diagram, as dagitty lists them."""
    assert sorted(sets(WARM_UP, "warm_up", "injury")) == [
        ["coach", "fitness"],
        ["coach", "proprioception"],
        ["fatigue", "tissue"],
        ["fatigue", "weakness"],
        ["fitness", "genetics"],
        ["fitness", "motivation"],
        ["motivation", "proprioception"],
    ]


def test_published_butterfly() -> None:
    """Greenland, Pearl and Robins 1999: b is confounder and collider, so it needs a or c beside."""
    butterfly = "a -> x, a -> b, c -> b, c -> y, b -> x, b -> y, x -> y"
    assert sets(butterfly, "x", "y") == [["a", "b"], ["b", "c"]]


def test_cycle() -> None:
    """A cycle is found and told in its order."""
    assert graph("a -> b, b -> c, c -> a").cycle() == ("a", "b", "c", "a")


def test_layers() -> None:
    """A node stands behind the longest way to it."""
    assert layers(graph("a -> b, b -> c, a -> c")) == {"a": 0, "b": 1, "c": 2}


def test_too_many_candidates() -> None:
    """More nodes than can be tried are refused in words."""
    arrows = ", ".join(f"z{k} -> x, z{k} -> y" for k in range(17))
    with pytest.raises(ValueError, match="17 nodes to choose adjustment sets from"):
        sets(arrows, "x", "y")
