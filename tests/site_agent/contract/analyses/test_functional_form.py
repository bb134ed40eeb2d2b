"""The log hazard as a spline: the basis by hand, the band against another basis and library."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from patsy import dmatrix
from statsmodels.duration.hazard_regression import PHReg

from site_agent.contract.analyses.functional_form import FunctionalForm, functional_form
from site_agent.contract.errors import StudyError
from site_agent.contract.expressions import parse, spline_basis
from site_agent.contract.study.model import Study
from tests.pooling import pool, split
from tests.site_agent.contract.analyses.by_hand import F, floats
from tests.site_agent.contract.analyses.guarded import text
from tests.site_agent.contract.analyses.test_meta_analysis import episodes, patients
from tests.studytext import study

SPLINE = "spline(age, knots = [0, 1, 3])"


def test_the_basis_by_hand() -> None:
    """Harrell's with norm 2: at 2, (8 - 1 * 3/2 + 0) / 9; at 4, (64 - 27 * 3/2 + 1 * 1/2) / 9."""
    found = spline_basis(parse(SPLINE), np.array([-1.0, 0.5, 2.0, 4.0]))
    assert found is not None
    expected = [F(0), F(1, 72), (8 - F(3, 2)) / 9, (64 - 27 * F(3, 2) + F(1, 2)) / 9]
    assert found[:, 1] == pytest.approx(floats(expected), rel=1e-15)


def test_the_basis_is_linear_outside() -> None:
    """Beyond the outer knots equal steps make equal differences."""
    basis = spline_basis(parse(SPLINE), np.array([3.0, 4.0, 5.0, 9.0]))
    assert basis is not None
    steps = np.diff(basis[:, 1]) / [1, 1, 4]
    assert steps == pytest.approx([steps[0]] * 3, rel=1e-12)


def form(values: list[float], reference: float) -> Any:
    """The form of coefficients 1 and 2 with variances 1 and 4, covariance 1/2."""
    asked = FunctionalForm(SPLINE, tuple(values), reference)
    variance = np.array([[1.0, 0.5], [0.5, 4.0]])
    found = functional_form(asked, {SPLINE: range(2)}, np.array([1.0, 2.0]), variance, level=0.95)
    assert found is not None
    return found


def test_a_contrast_by_hand() -> None:
    """From 0.5 to 2 d is 3/2 and 13/18 - 1/72: log HR d1 + 2 d2, variance d1^2 + d1 d2 + 4 d2^2."""
    ((_, estimate, error, *_),) = form([2.0], 0.5).points
    one, two = F(3, 2), F(13, 18) - F(1, 72)
    expected = [float(one + 2 * two), float(one**2 + one * two + 4 * two**2) ** 0.5]
    assert [estimate, error] == pytest.approx(expected, rel=1e-14)


def test_at_the_reference() -> None:
    """There the hazard ratio is 1, without error."""
    assert form([0.5], 0.5).points == ((0.5, 0.0, 0.0, 0.0, 0.0),)


def test_the_test_of_linearity() -> None:
    """Wald's of the second column alone: 4/4 on one degree of freedom."""
    tests = {name: (statistic, df) for name, statistic, df, _ in form([2.0], 0.5).tests}
    assert tests["nonlinear"] == (pytest.approx(1.0), 1)


def test_the_test_of_association() -> None:
    """(1, 2) V^-1 (1, 2)' is (4 - 2 + 4) / 3.75."""
    tests = {name: (statistic, df) for name, statistic, df, _ in form([2.0], 0.5).tests}
    assert tests["overall"] == (pytest.approx(6 / 3.75), 2)


# Against natural cubic splines of patsy, another basis of the same curves, and PHReg

VALUES = [40.0, 58.5, 80.0]
MODEL = (
    "kind: cox, endpoint: survival, covariates: [sex, 'spline(age, knots = [45, 55, 65, 75])'], "
    "functional_form: {covariate: 'spline(age, knots=[45,55,65,75])', values: [40, 58.5, 80], "
    "reference: 60}"
)


def everybody() -> pd.DataFrame:
    """The patients of all hospitals."""
    return pd.concat(patients().values(), ignore_index=True)


def released(fields: str, sites: int) -> dict[str, Any]:
    """The functional form of a release over so many hospitals."""
    parts = split(everybody(), sites, 3, patient="patient")
    tables = {f"s{n}": {"patients": part, "episodes": episodes()} for n, part in enumerate(parts)}
    document = pool(text(fields), tables).results["a"].document()
    found: dict[str, Any] = document["functional_form"]
    return found


def natural(x: Any) -> np.ndarray:
    """Another basis, not centred: linear outside the outer knots, as ours."""
    inside = "cr(x, knots=[55, 65], lower_bound=45, upper_bound=75) - 1"
    return np.asarray(dmatrix(inside, {"x": np.asarray(x)}))[:, 1:]


def test_against_another_basis_and_library() -> None:
    """Log hazard ratios and their errors at three ages, against age 60."""
    frame = everybody()
    basis = natural(np.clip(frame.age, 45, 75))
    inside = frame.age.between(45, 75)
    frame, basis = frame[inside], basis[inside]
    x = np.column_stack([frame.sex == "female", basis]).astype(float)
    fit = PHReg(frame.seen, x, status=frame.death.notna(), ties="efron").fit(tol=1e-14)
    apart = natural([50.0, 58.5, 70.0]) - natural([60.0])
    covariance = fit.cov_params()[1:, 1:]
    expected = [apart @ fit.params[1:], np.sqrt(np.diag(apart @ covariance @ apart.T))]
    parts = split(frame, 4, 3, patient="patient")
    tables = {f"s{n}": {"patients": p, "episodes": episodes()} for n, p in enumerate(parts)}
    fields = MODEL.replace("[40, 58.5, 80]", "[50, 58.5, 70]")
    points = pool(text(fields), tables).results["a"].document()["functional_form"]["points"]
    ours = [[point[name] for point in points] for name in ("estimate", "std_error")]
    assert ours == [pytest.approx(row, rel=1e-8) for row in expected]


@pytest.mark.parametrize("sites", [2, 6])
def test_any_spread(sites: int) -> None:
    """However the patients are spread, the curve is the pooled one."""
    one, other = released(MODEL, 1)["points"], released(MODEL, sites)["points"]
    assert [list(p.values()) for p in other] == [
        pytest.approx(list(p.values()), rel=1e-9, abs=1e-11) for p in one
    ]


def test_a_range() -> None:
    """A range has 101 values, its ends included."""
    fields = MODEL.replace("values: [40, 58.5, 80]", "range: [40, 80]")
    values = [point["value"] for point in released(fields, 2)["points"]]
    assert (len(values), values[0], values[50], values[-1]) == (101, 40, 60, 80)


# The study file

COX = "model: {kind: cox, endpoint: trm, covariates: [age, sex, kps], baseline: by_site}"


def _study(form_: str) -> Study:
    fields = f"covariates: ['{SPLINE}', sex], baseline: by_site, functional_form: {form_}"
    return study((COX, f"model: {{kind: cox, endpoint: trm, {fields}}}"))


WRONG = {
    "{covariate: sex, values: [1], reference: 1}": "found",
    "{covariate: 'spline(kps, knots = [0, 1, 3])', values: [1], reference: 1}": "none of the",
    f"{{covariate: '{SPLINE}', reference: 1}}": "expected either 'values'",
    f"{{covariate: '{SPLINE}', values: [1], range: [1, 2], reference: 1}}": "expected either",
    f"{{covariate: '{SPLINE}', range: [2, 1], reference: 1}}": "two ascending",
    f"{{covariate: '{SPLINE}', range: [1, 2]}}": "'reference' is missing",
    f"{{covariate: '{SPLINE}', range: [1, 2], reference: x}}": "expected a number",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_said(wrong: str) -> None:
    """Every mistake has its sentence."""
    with pytest.raises(StudyError) as found:
        _study(wrong)
    assert WRONG[wrong] in str(found.value) or "is a category" in str(found.value)


def test_the_spelling_is_free() -> None:
    """The covariate is found in its one spelling."""
    options = _study("{covariate: 'spline(age, knots=[0,1,3])', values: [2, 1], reference: 1}")
    found = options.analyses["model"].options["functional_form"]
    assert (found["covariate"], found["values"]) == (SPLINE, [1.0, 2.0])
