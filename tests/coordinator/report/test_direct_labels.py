"""Labels beside curves do not overlap, whatever the curves do."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from coordinator.report.direct_labels import apart, shortened, text_width, wrapped

LABELS = st.lists(st.tuples(st.floats(0, 200), st.floats(8, 40)), min_size=1, max_size=12)


def test_labels_far_apart_stay_where_they_are() -> None:
    """Nothing moves without need."""
    assert apart([20, 100], [10, 10], 0, 200) == (20, 100)


def test_two_labels_at_one_place_move_equally() -> None:
    """Each moves by half of what is needed."""
    assert apart([50, 50], [10, 10], 0, 200) == (45, 55)


def test_labels_stay_within_the_plot() -> None:
    """At the lower edge the stack moves up."""
    assert apart([200, 200], [10, 10], 0, 200) == (185, 195)


@given(LABELS)
def test_labels_never_overlap(labels: list[tuple[float, float]]) -> None:
    """Neighbours are at least half their heights apart, and all are inside."""
    wanted, heights = [w for w, _ in labels], [h for _, h in labels]
    high = max(200.0, sum(heights))
    placed = apart(wanted, heights, 0.0, high)
    boxes = sorted((x - h / 2, x + h / 2) for x, h in zip(placed, heights, strict=True))
    gaps = [after[0] - before[1] for before, after in itertools.pairwise(boxes)]
    inside = boxes[0][0] >= -1e-6 and boxes[-1][1] <= high + 1e-6
    assert (min(gaps, default=0) >= -1e-6, inside) == (True, True)


def test_a_long_label_breaks_at_spaces() -> None:
    """Two lines hold what one does not."""
    assert wrapped("high dose group", 60, 10) == ("high dose", "group")


def test_a_label_too_long_for_its_lines_is_cut() -> None:
    """What does not fit ends in an ellipsis within the width."""
    lines = wrapped("extraordinarilylongname " * 4, 80, 10)
    assert (len(lines), lines[-1][-1], max(text_width(x, 10) for x in lines) <= 80) == (
        2, "…", True,
    )  # fmt: skip


def test_a_short_label_is_left_alone() -> None:
    """A text that fits is not cut."""
    assert shortened("low", 60, 10) == "low"


def test_a_nameless_group_has_no_label() -> None:
    """One curve over everybody needs no name."""
    assert wrapped("", 60, 10) == ()
