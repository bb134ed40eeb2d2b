from __future__ import annotations

import numpy as np
import pytest

from tests.privacy import divisors, factors, lattice, neighbours, two_openings
from tests.privacy.cases import (
    HOSPITALS,
    ONE,
    SEEDS,
    THREE,
    firth,
    points_and_thirds,
    public_at_risk,
    thirds,
    truth,
)
from tests.privacy.recovery import fraction_recovered, steps

FINER = 192  # bits of b beyond the point of S
OTHERS = ("c", "g", "q", "t")
each_seed = pytest.mark.parametrize("seed", SEEDS)


@each_seed
def test_the_slow_sealing_is_the_product_s(seed: int) -> None:
    """Written a second time from the design, every number that opens is the same."""
    product, slowly = thirds(seed), thirds(seed, THREE, "slow")
    assert all(
        np.array_equal(one.opened[name], other.opened[name])
        for one, other in zip(product, slowly, strict=True)
        for name in one.opened
    )


@each_seed
def test_without_fuzz_divisors_give_every_risk_set(seed: int) -> None:
    """The divisor of the twenty numbers of a time is R, and c over it S0."""
    held = thirds(seed, THREE, "no fuzz")[-1]
    found = divisors.zeroths(held, held.hidden["S0"][:, 0].tolist(), OTHERS)
    assert factors.right(found, held) == 1.0


@each_seed
def test_with_fuzz_divisors_give_no_risk_set(seed: int) -> None:
    """No S0 is found at any point, even if it is told to a factor of two."""
    rounds = thirds(seed)
    found = [divisors.zeroths(h, h.hidden["S0"][:, 0].tolist(), OTHERS) for h in rounds]
    assert {factors.right(f, h) for f, h in zip(found, rounds, strict=True)} == {0.0}


@each_seed
def test_open_thirds_give_back_those_who_left_alone(seed: int) -> None:
    """Differences of open third moments at beta = 0 give more than a quarter of all patients."""
    found = neighbours.from_open_thirds(thirds(seed, THREE, "open")[0])
    assert fraction_recovered(found, truth(seed)) > 0.25


@each_seed
def test_sealed_thirds_give_back_nobody(seed: int) -> None:
    """The same differences of sealed ones, of all points, give no patient."""
    (counts,) = firth(seed).of("counts_by_time")
    found = [x for h in thirds(seed) for x in neighbours.from_sealed(h, counts, point=320)]
    assert fraction_recovered(found, truth(seed)) == 0.0


def by_lattice(seed: int, form: str, *, times: bool) -> float:
    """The fraction of patients that S0 over all points gives back, with one covariate."""
    rounds, values = thirds(seed, ONE, form), truth(seed, ONE)
    n = public_at_risk(seed, pseudo=True)
    if times:
        found = [
            lattice.same_for_times(h, factors.expected(h, n, float(values.var()))) for h in rounds
        ]
    else:
        found = lattice.same_for_rounds(rounds, n)
    known = [(float(h.beta[0]), f) for h, f in zip(rounds, found, strict=True)]
    centre = float(rounds[0].ask.floats["centre"][0])
    return fraction_recovered(np.array(factors.leavers(known, centre, float(values.std()))), values)


@each_seed
@pytest.mark.parametrize(
    ("times", "weakened"), [(True, "one R for all times"), (False, "one R for all rounds")]
)
def test_one_factor_for_several_falls_and_the_product_stands(
    seed: int, times: bool, weakened: str
) -> None:
    """An R that serves twice gives back more than a fifth of all patients, a fresh one none."""
    found = by_lattice(seed, weakened, times=times)
    assert (found > 0.2, by_lattice(seed, "sealed", times=times)) == (True, 0.0)


def behind_the_fuzz(seed: int, form: str) -> float:
    """The fraction of patients that S1 at beta = 0 gives back."""
    held, n = thirds(seed, THREE, form)[0], public_at_risk(seed, pseudo=False)
    firsts = lattice.firsts(held, n, HOSPITALS, finer=FINER)
    return fraction_recovered(
        neighbours.from_firsts(firsts, n, held.ask.floats["centre"]), truth(seed)
    )


@each_seed
def test_fuzz_that_does_not_scale_falls_and_the_product_stands(seed: int) -> None:
    """v of a fixed size gives S1 of some times, and patients; v that grows with R gives nobody.

    Fewer than in test_lattice.py: b is finer by 48 bits, and only an R beyond 2^432 shows what is
    below them.
    """
    found = behind_the_fuzz(seed, "fuzz of v and w not scaled with R")
    assert (found > 0.0, behind_the_fuzz(seed, "sealed")) == (True, 0.0)


def by_common_zeroths(seed: int, form: str) -> list[float]:
    """Which part of all S0 the divisors of c and c' give, at each beta but 0.

    At 0 S0 is a public whole number, which a divisor of 1 hits if it is a power of two.
    """
    both = points_and_thirds(seed, THREE, form)[1:]
    return [
        factors.right(two_openings.zeroths(one, third, one.hidden["S0"][:, 0].tolist()), one)
        for one, third in both
    ]


@each_seed
def test_two_openings_without_fuzz_have_every_risk_set_in_common(seed: int) -> None:
    """The divisor of c and c' alone is S0 times a small number: most S0 at each beta."""
    assert min(by_common_zeroths(seed, "no fuzz")) > 0.5


@each_seed
def test_two_openings_of_the_product_have_no_risk_set_in_common(seed: int) -> None:
    """With fuzz no S0 at any beta, even if it is told to a factor of two."""
    assert set(by_common_zeroths(seed, "sealed")) == {0.0}


def by_common_means(seed: int, form: str) -> float:
    """The fraction of patients that h and h' at beta = 0 give back."""
    one, third = points_and_thirds(seed, THREE, form)[0]
    n, centre = public_at_risk(seed, pseudo=False), one.ask.floats["centre"]
    firsts = two_openings.firsts(one, third, n, steps(one))
    return fraction_recovered(neighbours.from_firsts(firsts, n, centre), truth(seed))


@each_seed
def test_two_openings_with_one_b_give_back_those_who_left_alone(seed: int) -> None:
    """The points differ, so the same whole number b blinds E twice: more than a quarter."""
    assert by_common_means(seed, "one b for both openings") > 0.25


@each_seed
def test_two_openings_of_the_product_give_back_nobody(seed: int) -> None:
    """With b and b' drawn apart the same combination gives no patient."""
    assert by_common_means(seed, "sealed") == 0.0
