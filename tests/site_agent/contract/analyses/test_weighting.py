"""Weightings by hand, beside the models that name them, and what they say of bad input.

Eight patients, a covariate x of two values: of four with x = 0 one is treated, of four with x = 1
three. The logistic regression of both is saturated, so the score is 1/4 and 3/4, and every weight
is a fraction. In the order of `ROWS` the weights for the average effect (ate) are

    treated      4, 4/3, 4/3, 4/3      untreated      4/3, 4/3, 4/3, 4
"""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import pandas as pd
import pytest

from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import StudyError
from site_agent.contract.study.read import read_study
from tests.pooling import pool, pool_by_round

STUDY = """
quorum: 1
study: made
title: Made-up patients
time: {{unit: day, resolution: 1, horizon: 100}}
tables:
  patients:
    key: id
    columns:
      treated: {{type: {treated}, missing: allowed}}
      x: {{type: number, range: [-100, 100], missing: allowed}}
      entry: {{type: day, range: [0, 99]}}
      day: {{type: day, range: [0, 99]}}
      died: {{type: boolean}}
cohorts:
  positive: {{table: patients, where: x > 0}}
endpoints:
  death: {{time: day, event: {{death: died}}}}
  late: {{time: day, entry: entry, event: {{death: died}}}}
disclosure:
  classes: [A, B, C]
  compute: {{sites: 3}}
  accepted:
    - {{analysis: w, because: eight made-up patients}}
{accepted}
analyses:
  w: {{kind: weighting, treatment: treated, covariates: [x]{fields}}}
{further}
"""
ROWS = pd.DataFrame(
    {
        "id": [f"p{n}" for n in range(8)],
        "treated": [True] * 4 + [False] * 4,
        "x": [0.0, 1, 1, 1, 0, 0, 0, 1],
        "entry": [0] * 8,
        "day": [1, 2, 3, 4, 1, 2, 3, 4],
        "died": [True, True, False, True, True, True, True, False],
    }
)


def text(fields: str = "", treated: str = "boolean", **further: str) -> str:
    """The study; `further` analyses by name are accepted too."""
    return STUDY.format(
        fields=f", {fields}" if fields else "",
        treated=treated,
        accepted="\n".join(f"    - {{analysis: {n}, because: made-up}}" for n in further),
        further="\n".join(f"  {name}: {{{item}}}" for name, item in further.items()),
    )


def spread(rows: pd.DataFrame) -> dict[str, dict[str, pd.DataFrame]]:
    """The rows over three sites, one without any."""
    parts = {"one": rows[::2], "two": rows[1::2], "none": rows[:0]}
    return {name: {"patients": part} for name, part in parts.items()}


def results(study: str, rows: pd.DataFrame = ROWS) -> dict[str, Any]:
    """The results over these sites."""
    return dict(pool(study, spread(rows)).results)


def document(found: Any) -> dict[str, Any]:
    assert not isinstance(found, Failure), found.because
    document: dict[str, Any] = found.document()
    return document


def arms(fields: str, column: str) -> list[float]:
    """A column of the untreated, then of the treated."""
    return [arm[column] for arm in document(results(text(fields))["w"])["arms"]]


def exactly(*values: Any) -> Any:
    return pytest.approx([float(value) for value in values], rel=1e-12, abs=1e-13)


def test_the_score_by_hand() -> None:
    """One of four and three of four are treated: odds of 1/3, and nine times that."""
    terms = document(results(text())["w"])["terms"]
    assert [term["odds_ratio"] for term in terms] == exactly(F(1, 3), 9)


def test_the_scores_of_the_arms_by_hand() -> None:
    """Scores of 3/4, 1/4, 1/4, 1/4 and the other way round."""
    assert arms("", "score_mean") == exactly(F(3, 8), F(5, 8))


@pytest.mark.parametrize(
    ("fields", "sums", "squares"),
    [
        ("", (8, 8), (F(64, 3), F(64, 3))),
        ("variant: stabilised", (4, 4), (F(16, 3), F(16, 3))),
        ("variant: att", (4, 4), (F(28, 3), 4)),
        ("variant: overlap", (F(3, 2), F(3, 2)), (F(3, 4), F(3, 4))),
        ("truncate: 2", (6, 6), (F(28, 3), F(28, 3))),
        ("truncate: [1.5, 2]", (F(13, 2), F(13, 2)), (F(43, 4), F(43, 4))),
    ],
)
def test_weights_by_hand(fields: str, sums: tuple[F, F], squares: tuple[F, F]) -> None:
    """Sums of weights and of their squares, of each variant."""
    assert [*arms(fields, "weight"), *arms(fields, "weight_square")] == exactly(*sums, *squares)


def test_effective_sizes_by_hand() -> None:
    """Eight rows count as six: each arm as 8^2 / (64/3) = 3."""
    found = document(results(text())["w"])
    assert [found["ess"], *(arm["ess"] for arm in found["arms"])] == exactly(6, 3, 3)


@pytest.mark.parametrize(
    ("fields", "counted"), [("", [0, 0]), ("truncate: 2", [1, 1]), ("truncate: [1.5, 9]", [3, 3])]
)
def test_truncated_rows(fields: str, counted: list[int]) -> None:
    """Of how many rows the weight lies at a declared limit."""
    assert arms(fields, "truncated") == counted


@pytest.mark.parametrize(
    ("fields", "after"),
    [
        ("", (F(1, 2), F(1, 2), 0)),
        ("variant: att", (F(3, 4), F(3, 4), 0)),
        ("truncate: 2", (F(2, 3), F(1, 3), F(2, 3))),
    ],
)
def test_balance_by_hand(fields: str, after: tuple[F, F, F]) -> None:
    """Means of 3/4 and 1/4 with variances of 1/4 are one deviation apart, before weights."""
    (row,) = document(results(text(fields))["w"])["balance"]
    assert list(row.values())[1:] == exactly(F(3, 4), F(1, 4), 1, *after)


CURVE = "kind: survival, endpoint: death, by: treated, weights: w, restricted_mean: [3]"


def test_a_weighted_curve_by_hand() -> None:
    """Of the treated 4 of 8 die on day 1, 4/3 of 4 on day 2 and the last 4/3 on day 4."""
    curve = document(results(text(km=CURVE))["km"])["curves"][1]
    assert [
        *curve["estimate"],
        *(curve["std_error"][0], curve["std_error_hazard"][0]),
        *(curve["weight_risk"][1], curve["weight_event"][1]),
        curve["restricted_mean"][0]["restricted_mean"],
    ] == exactly(
        *(F(1, 2), F(1, 3), F(1, 3), 0),
        *(F(1, 12) ** 0.5, F(1, 12) ** 0.5),
        *(4, F(4, 3)),
        1 + F(1, 2) + F(1, 3),
    )


def test_counts_of_a_weighted_curve_are_of_rows() -> None:
    """Weights move the curve; at risk, with the event and censored are counted as ever."""
    curve = document(results(text(km=CURVE))["km"])["curves"][1]
    counts = [curve[name] for name in ("n_risk", "n_event", "n_censor")]
    assert counts == [[4, 3, 2, 1], [1, 1, 0, 1], [0, 0, 1, 0]]


def test_weights_of_one_give_greenwoods_errors() -> None:
    """The jackknife of rows that count as one each is Greenwood's, of the area too."""
    analyses = {
        "plain": CURVE.replace(", weights: w", ""),
        "ones": CURVE.replace(": w,", ": 1 + 0 * day,"),
    }
    plain, ones = (document(found) for found in list(results(text(**analyses)).values())[1:])
    names = ("std_error", "conf_low", "restricted_mean")
    values = [
        [value for curve in one["curves"] for name in names for value in _flat(curve[name])]
        for one in (plain, ones)
    ]
    assert values[1] == pytest.approx(values[0], rel=1e-12)


def _flat(values: list[Any]) -> list[float]:
    rows = [list(v.values()) if isinstance(v, dict) else [v] for v in values]
    return [-1.0 if value is None else value for row in rows for value in row]


def test_a_weighted_regression_is_the_weighted_means() -> None:
    """A line through the weighted means of days: 2 of the treated, 8/3 less of the others."""
    line = "kind: glm, table: patients, outcome: day, family: gaussian, covariates: [treated]"
    terms = document(results(text(line=f"{line}, weights: w"))["line"])["terms"]
    treated, others = F(4 + 12, 8), F(8 + 16, 8)
    assert [term["estimate"] for term in terms] == exactly(others, treated - others)


def test_a_regression_with_a_weighting_has_robust_errors() -> None:
    """By patient, unless the study says otherwise."""
    line = "kind: glm, table: patients, outcome: day, family: gaussian, weights: w"
    assert document(results(text(line=line))["line"])["robust"] == "patient"


COX = "kind: cox, endpoint: death, covariates: [treated], weights: w"


def test_weights_that_are_a_column_give_the_same_model() -> None:
    """A model by the fitted weights is that by the same numbers in a column."""
    rows = ROWS.assign(x=ROWS.x.where(ROWS.treated, 1 - ROWS.x))
    by_hand = "if(x > 0.5, 4 / 3, 4)"
    analyses = {
        "fitted": f"{COX}, risk_sets: open",
        "given": f"{COX.replace('weights: w', f'weights: {by_hand!r}')}, risk_sets: open, "
        f"robust: true",
    }
    study = text(**analyses).replace("covariates: [x]", "covariates: ['if(treated, x, 1 - x)']")
    fitted, given = (
        document(found)["terms"][0] for found in list(results(study, rows).values())[1:]
    )
    names = ("estimate", "std_error")
    assert [fitted[n] for n in names] == pytest.approx([given[n] for n in names], rel=1e-9)


def test_sealed_risk_sets_give_the_same() -> None:
    """Sealed or open, the weighted hazard ratio is one; sealed has no robust errors."""
    analyses = {
        "open": f"{COX}, risk_sets: open, robust: false",
        "sealed": f"{COX}, robust: false",
    }
    opened, sealed = (
        document(found)["terms"] for found in list(results(text(**analyses)).values())[1:]
    )
    names = ("estimate", "std_error")
    assert [sealed[0][n] for n in names] == pytest.approx([opened[0][n] for n in names], rel=1e-12)


def test_a_category_can_be_the_treatment() -> None:
    """Its second level is the treated arm, and both arms have their names."""
    rows = ROWS.assign(treated=ROWS.treated.map({True: "drug", False: "none"}))
    study = text(treated="category, levels: [none, drug]")
    found = document(results(study, rows)["w"])["arms"]
    assert [(arm["arm"], arm["weight"]) for arm in found] == [
        ("none", pytest.approx(8)),
        ("drug", pytest.approx(8)),
    ]


def test_a_row_without_a_score_has_no_weight() -> None:
    """A patient whose covariate is missing is left out of the score and of what is weighted."""
    rows = pd.concat([ROWS, ROWS.iloc[:1].assign(id="p8", x=float("nan"))])
    found = results(text(km=CURVE), rows)
    assert [document(found[n])["left_out"]["a value missing"] for n in ("w", "km")] == [1, 1]


def test_a_weighting_and_what_names_it_share_rounds() -> None:
    """The score is fitted once; its balance and the weighted curve follow in one round."""
    _, rounds = pool_by_round(text(km=CURVE), spread(ROWS))
    names = [sorted(ask.sum for ask in asks) for asks in rounds]
    assert (
        names[:2],
        {tuple(found) for found in names[2:-1]},
        names[-1],
    ) == (
        [["enrolled"], ["regression_moments"]],
        {("regression_point",)},
        ["weighted_counts_by_time", "weighting_balance"],
    )


def test_every_weighted_question_carries_the_score() -> None:
    """Its coefficients and the share of the treated, to the bit the same in each."""
    _, rounds = pool_by_round(text(km=CURVE, cox=f"{COX}, baseline: by_site"), spread(ROWS))
    carried = {
        (ask.floats["propensity"].tobytes(), ask.floats["prevalence"].tobytes())
        for asks in rounds
        for ask in asks
        if ask.frame.weighting is not None
    }
    assert len(carried) == 1


MISTAKES = {
    "no rows": ({"x": None}, "no row has the treatment and all covariates"),
    "everybody": ({"treated": True}, "everybody of 8 rows is treated (treated)"),
    "nobody": ({"treated": False}, "nobody of 8 rows is treated (treated)"),
    "separation": ({"x": ROWS.treated.astype(float)}, "in some group everybody is treated"),
}


@pytest.mark.parametrize(("values", "words"), MISTAKES.values(), ids=MISTAKES.keys())
def test_no_score(values: dict[str, Any], words: str) -> None:
    """A sentence says why there is no score, and what names it ends with the same; others go on."""
    plain = CURVE.replace(", weights: w", "")
    found = results(text(km=CURVE, plain=plain), ROWS.assign(**values))
    assert (
        words in found["w"].because,
        found["km"].because,
        isinstance(found["plain"], Failure),
    ) == (True, f"there are no weights 'w': {found['w'].because}", False)


def test_a_treatment_of_other_numbers() -> None:
    """A treatment that is neither 0 nor 1 is counted in words, and not shown."""
    rows = ROWS.assign(treated=[1.0, 1, 1, 7, 0, 0, 0, 0])
    study = text(treated="number, range: [0, 9]")
    assert "'treated' of 1 of 8 rows is not 0 or 1" in results(study, rows)["w"].because


def issues(study: str, *, development: bool = False) -> str:
    with pytest.raises(StudyError) as refused:
        read_study(study, "test", development=development)
    return str(refused.value)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("variant: atc", "expected one of ate, stabilised, att, overlap"),
        ("truncate: [5, 2]", "expected the largest weight, or the smallest and the largest"),
        ("truncate: [1, 2, 3]", "expected the largest weight, or the smallest and the largest"),
        ("weights: 1", "unknown field 'weights'"),
    ],
)
def test_mistakes_in_a_weighting(fields: str, said: str) -> None:
    """What was found, what was expected."""
    assert said in issues(text(fields))


def test_a_treatment_is_not_its_own_covariate() -> None:
    """A score of the treatment on itself would be perfect."""
    study = text().replace("covariates: [x]", "covariates: [x, treated]")
    assert "covariate 'treated' is the treatment 'treated'" in issues(study)


def test_a_treatment_has_two_levels() -> None:
    """A category of three is no treatment."""
    study = text(treated="category, levels: [a, b, c]")
    assert "'treated' has 3 levels; expected a condition" in issues(study)


@pytest.mark.parametrize(
    ("analysis", "said"),
    [
        (COX, "robust standard errors, which weights by a propensity score bring along, need sums"),
        (CURVE.replace(": death", ": late"), "a weighted curve is not offered with an entry"),
        (CURVE.replace(": w,", ": ww,"), "'ww' is neither a column nor a weighting; did you mean"),
        (
            "kind: gee, table: patients, outcome: x, family: gaussian, weights: w",
            "unknown field 'weights'",
        ),
        (f"{COX}, baseline: by_site, zph: [km]", "'zph' is not offered with weights"),
    ],
)
def test_mistakes_in_what_names_it(analysis: str, said: str) -> None:
    """What is not offered is said, with what is instead."""
    assert said in issues(text(a=analysis))


def test_rows_outside_of_the_weightings_cohort() -> None:
    """Weights of a cohort are for analyses of that cohort."""
    assert "its weights 'w' are those of the cohort 'positive'" in issues(
        text("cohort: positive", km=CURVE)
    )


def test_rows_of_another_table() -> None:
    """A weighting weighs the rows of its own table."""
    study = text(a="kind: glm, table: visits, outcome: y, family: gaussian, weights: w")
    visits = (
        "  visits:\n    key: [id, visit]\n    columns:\n"
        "      visit: {type: integer, range: [0, 9]}\n      y: {type: number, range: [0, 9]}\n"
    )
    assert "its rows are of table 'visits', those of its weights 'w' of 'patients'" in issues(
        study.replace("cohorts:", f"{visits}cohorts:", 1)
    )


def test_weights_are_accepted_by_name() -> None:
    """A weight can leave a patient out, so stewards sign for a weighting and what names it."""
    study = text(km=CURVE)
    start, end = study.index("  accepted:"), study.index("analyses:")
    told = issues(study[:start] + study[end:])
    assert [f"analyses.{name}: its weights can leave" in told for name in ("w", "km")] == [True] * 2


@pytest.mark.parametrize("name", ["w", "km", "plain"])
def test_weights_close_back_doors(name: str) -> None:
    """Beside a causal diagram a weighted analysis adjusts for what its weights are made from."""
    diagram = (
        "kind: adjustment, diagram: [x -> treated, x -> death, treated -> death], "
        f"exposure: treated, outcome: death, models: [{name}]"
    )
    plain = CURVE.replace(", weights: w", "")
    (model,) = document(results(text(km=CURVE, plain=plain, dag=diagram))["dag"])["checked"]
    assert (model["closes_back_doors"], model["warnings"] == []) == (name != "plain",) * 2
