"""Gray's test on eight patients in two groups, in exact fractions.

time   at risk a, b   of the cause a, b   of others a, b   S- a, b      F- a, b     R a, b   of a
1      4, 4           1, 0                0, 0             1, 1         0, 0        4, 4     1/2
2      3, 4           0, 1                1, 1             3/4, 1       1/4, 0      3, 4     3/7
3      2, 2           1, 0                0, 0             1/2, 1/2     1/4, 1/4    3, 3     1/2
One patient of a is censored at 4, two of b at 3 and 4.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from site_agent.contract.analyses.counts import COUNTS
from site_agent.contract.analyses.gray_test import (
    WITHIN_SITE,
    by_stratum,
    gray_sums,
    gray_tests,
)
from site_agent.contract.analyses.logrank import score_sums
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.sums import Arrays, Ask
from tests.site_agent.contract.analyses.by_hand import DAYS, F, groups, rows

TIMES = [1, 2, 3, 4, 2, 2, 3, 4]
CAUSES = [1, 2, 1, 0, 1, 2, 0, 0]
GROUPS = [0] * 4 + [1] * 4
EIGHT = rows(TIMES, CAUSES, group=GROUPS)


def sums_of(given: Rows = EIGHT, *, by: int = 2, strata: int = 1) -> Arrays:
    return gray_sums(by_stratum(groups(given, by=by, strata=strata, causes=2), by), 2)


def slow(cause: int) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Return score and variance of both groups as sums over times, in fractions."""
    both = range(2)
    s, f, common = [F(1)] * 2, [F(0)] * 2, F(0)
    score, c, past = [F(0)] * 2, [[F(0)] * 2 for _ in both], []
    for t in sorted(set(TIMES)):
        left = [[TIMES[i] == t and GROUPS[i] == g and CAUSES[i] for i in range(8)] for g in both]
        n = [F(sum(TIMES[i] >= t and GROUPS[i] == g for i in range(8))) for g in both]
        own = [F(sum(found is not False and found == cause for found in left[g])) for g in both]
        all_ = [F(sum(bool(found) for found in left[g])) for g in both]
        h = [n[g] / s[g] for g in both]
        risk = [h[g] * (1 - f[g]) for g in both]
        m, total = sum(own), sum(h)
        a = [[h[k] * ((k == r) - h[r] / total) for r in both] for k in both]
        for k in both:
            score[k] += own[k] - m * risk[k] / sum(risk)
            for r in both:
                c[k][r] += a[k][r] * m / total / (1 - common)
        common += m / total
        after = [s[g] * (1 - all_[g] / n[g]) for g in both]
        past.append((n, s, after, h, m, own, all_, a, [row[:] for row in c], common))
        f, s = [f[g] + s[g] * own[g] / n[g] for g in both], after
    return score, _slow_variance(past, c)


def _slow_variance(past: list, c: list[list[Fraction]]) -> list[list[Fraction]]:
    both, found = range(2), [[F(0)] * 2 for _ in range(2)]
    for n, s, after, h, m, own, all_, a, c_now, common in past:
        for r in both:
            g = (1 - common) / after[r] if after[r] else F(0)
            b = [c[k][r] - c_now[k][r] for k in both]
            others = all_[r] - own[r]
            tie = 1 - (m - 1) / (sum(h) * s[r] - 1) if m > 1 else 1
            tied = 1 - (others - 1) / (n[r] - 1) if others > 1 else 1
            for k in both:
                for j in both:
                    u, v = (a[x][r] + (1 - g) * b[x] for x in (k, j))
                    found[k][j] += u * v * tie * m / sum(h) / h[r]
                    found[k][j] += g**2 * b[k] * b[j] * tied * others / h[r] ** 2
    return found


def test_score_by_hand() -> None:
    """Of the three events of the cause 1/2, 3/7 and 1/2 are expected in a; two happen."""
    difference = float(2 - F(10, 7))
    assert sums_of()["scores"][0] == pytest.approx([difference, -difference], rel=1e-14)


@pytest.mark.parametrize("cause", [1, 2])
def test_score(cause: int) -> None:
    """The score of each cause is that in fractions."""
    score, _ = slow(cause)
    assert sums_of()["scores"][cause - 1] == pytest.approx([float(v) for v in score], rel=1e-14)


@pytest.mark.parametrize("cause", [1, 2])
def test_variance(cause: int) -> None:
    """The variance of each cause is that in fractions, tied events and all."""
    _, variance = slow(cause)
    theirs = [float(v) for row in variance for v in row]
    assert sums_of()["variance"][cause - 1].ravel() == pytest.approx(theirs, rel=1e-13)


def test_no_competing_cause() -> None:
    """Without competing causes and censoring the score is that of the log-rank test."""
    plain = rows([1, 2, 3, 4, 2, 2, 5, 4], [1] * 8, group=GROUPS)
    test = score_sums([groups(plain, by=2, causes=2)])
    difference = (test["observed"] - test["expected"]).tolist()
    assert sums_of(plain)["scores"][0] == pytest.approx(difference, rel=1e-14)


def test_statistic() -> None:
    """Chi-square of two groups is the squared score over its variance."""
    score, variance = slow(1)
    (test, _) = gray_tests(sums_of(), ("relapse", "death"))
    assert (test.statistic, test.df) == (
        pytest.approx(float(score[0] ** 2 / variance[0][0]), rel=1e-12),
        1,
    )


def test_strata_add_up() -> None:
    """Two strata of the same patients double scores and variances; an empty one adds nothing."""
    stratum = [0] * 8 + [2] * 8
    twice = rows(TIMES * 2, CAUSES * 2, group=GROUPS * 2, stratum=stratum)
    one, two = sums_of(), sums_of(twice, strata=3)
    doubled = [2 * value for name in one for value in one[name].ravel()]
    assert [v for name in one for v in two[name].ravel()] == pytest.approx(doubled, rel=1e-14)


def test_within_a_site() -> None:
    """A hospital's part of the stratified test is that of its rows alone."""
    fixed = {"causes": 2, "by": 2, "strata": 1, "ticks": DAYS.ticks, "truncated": False}
    found = WITHIN_SITE.compute(EIGHT, Ask(COUNTS.name, Frame("patients"), fixed, {}))
    assert [v.tolist() for v in found.values()] == [v.tolist() for v in sums_of().values()]


def test_a_site_without_rows() -> None:
    """A hospital without patients adds nothing."""
    assert not any(values.any() for values in sums_of(rows([], [])).values())


def test_an_empty_group_is_not_compared() -> None:
    """A group without rows costs no degree of freedom."""
    three = rows(TIMES, CAUSES, group=[0] * 4 + [2] * 4)
    one, two = (gray_tests(s, ("a", "b"))[0] for s in (sums_of(three, by=3), sums_of()))
    assert (one.statistic, one.df) == (pytest.approx(two.statistic, rel=1e-13), two.df)


def test_one_group() -> None:
    """One group alone has no test."""
    assert gray_tests(sums_of(rows([1, 2], [1, 2]), by=1), ("a", "b")) == ()


def test_no_event_of_a_cause() -> None:
    """A cause that nobody has is said so; the other is tested."""
    found = gray_tests(sums_of(rows(TIMES, [min(c, 1) for c in CAUSES], group=GROUPS)), ("a", "b"))
    assert [("nobody has" in t.because, np.isnan(t.statistic)) for t in found] == [
        (False, False),
        (True, True),
    ]


def test_groups_that_do_not_meet() -> None:
    """A group that has left before the first event of the cause is said not to be compared."""
    apart = rows([1, 1, 2, 3], [0, 0, 1, 1], group=[0, 0, 1, 1])
    (test, _) = gray_tests(sums_of(apart), ("a", "b"))
    assert "not at risk together" in test.because
