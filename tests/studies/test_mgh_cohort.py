"""The synthetic cohort adds up to what Wehrli 2022 prints, by other means than Quorum's."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest, ttest_ind, ttest_rel

from studies.mgh import generate
from studies.mgh.cytokines import ANALYTES, SAMPLED

RISE = {"il_6r"}
FALL = {"il_1a", "il_15", "ccl3", "ccl4", "il_6"}


@cache
def patients() -> pd.DataFrame:
    return generate.make_cohort()[0]


@cache
def samples() -> dict[str, pd.DataFrame]:
    """The samples by moment, each with a row a patient in one order."""
    found = generate.make_cohort()[1]
    return {str(m): rows.set_index("patient") for m, rows in found.groupby("moment")}


def p_value(name: str) -> str:
    """Paired t test of a value before and after, to four decimals."""
    pairs = patients()[[f"{name}_before", f"{name}_after"]].dropna()
    return f"{ttest_rel(*pairs.to_numpy(float).T).pvalue:.4f}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("age", (58, 26, 75)),
        ("ecog", (1, 0, 2)),
        ("stage", (4, 1, 4)),
        ("peak_icans", (3, 1, 5)),
        ("peak_crs", (2, 1, 4)),
        ("ldh", (524, 163, 17624)),
        ("lines", (4, 2, 8)),
        ("hospital_days", (20.5, 11, 29)),
        ("steroid_day", (4.5, 1, 25)),
        ("steroid_mg", (297, 26, 1228)),
        ("steroid_days", (12.5, 3, 26)),
        ("anakinra_day", (8.5, 5, 23)),
        ("anakinra_doses", (3, 1, 3)),
        ("tocilizumab_day", (4, 1, 12)),
        ("tocilizumab_doses", (2, 1, 3)),
        ("death_day", (29, 18, 198)),
        ("platelets_after", (26, 13, 158)),
    ],
)
def test_medians_and_ranges(name: str, expected: tuple[float, ...]) -> None:
    """As in Table 1, and platelets as in Results."""
    known = patients()[name].dropna().astype(float)
    assert (known.median(), known.min(), known.max()) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sex", {"M": 8, "F": 6}),
        (
            "disease",
            {"DLBCL": 6, "tFL": 3, "MCL": 2, "lymphoblastic": 1, "Burkitt": 1, "PMBCL": 1},
        ),
        ("product", {"axi-cel": 7, "tisa-cel": 7}),
        ("asct", {"no": 12, "yes": 2}),
        ("cns", {"no": 9, "yes": 5}),
        ("improved", {"yes": 9, "no": 5}),
        ("kept", {"yes": 3, "no": 3}),
        ("death_cause", {"progression": 6, "infection": 3, "ICANS": 1}),
    ],
)
def test_counts(name: str, expected: dict[str, int]) -> None:
    """As in Table 1 and Results."""
    assert patients()[name].value_counts().to_dict() == expected


def test_crs_of_grade_2_and_tocilizumab() -> None:
    """Seven patients have either, and they are the same."""
    given, severe = patients()["tocilizumab_day"].notna(), patients()["peak_crs"] >= 2
    assert (int(given.sum()), given.equals(severe)) == (7, True)


def test_response() -> None:
    """6 of 11 is 55 % (23 to 83)."""
    known = patients()["response"].dropna()
    test = binomtest(int(known.isin(["CR", "PR"]).sum()), len(known))
    found = (test.statistic, *test.proportion_ci(0.95))
    assert [round(100 * share) for share in found] == [55, 23, 83]


@pytest.mark.parametrize(("months", "alive"), [(6, 5), (12, 4)])
def test_survival(months: int, alive: int) -> None:
    """36 % and 29 % of 14, nobody being censored before."""
    assert int((patients()["last_seen_day"] > months * 30.4375).sum()) == alive


def test_median_survival_and_follow_up() -> None:
    """2.8 months between the seventh and the eighth death; 23.7 months among the living."""
    days = patients()["last_seen_day"].astype(float)
    living = days[patients()["death_day"].isna()]
    assert [round(x / 30.4375, 1) for x in (days.median(), living.median())] == [2.8, 23.7]


@pytest.mark.parametrize(
    ("name", "expected"), [("temp", "0.0002"), ("neutrophils", "0.0286"), ("platelets", "0.4588")]
)
def test_paired_tests(name: str, expected: str) -> None:
    """The p-values of Figure 2."""
    assert p_value(name) == expected


@pytest.mark.parametrize(("name", "fell"), [("crp", 12), ("ferritin", 7)])
def test_how_many_fell(name: str, fell: int) -> None:
    """CRP in 12 of 14, ferritin in 7."""
    assert int((patients()[f"{name}_after"] < patients()[f"{name}_before"]).sum()) == fell


@pytest.mark.parametrize(
    ("name", "below", "expected"), [("neutrophils", 1.0, (5, 9)), ("platelets", 50, (7, 9))]
)
def test_grades_3_and_4(name: str, below: float, expected: tuple[int, int]) -> None:
    """5 and 7 of the 9 who have counts."""
    known = patients()[f"{name}_after"].dropna()
    assert (int((known < below).sum()), len(known)) == expected


def test_nine_have_all_samples() -> None:
    """At infusion, before and after anakinra."""
    assert {moment: len(rows) for moment, rows in samples().items()} == dict.fromkeys(
        ("baseline", "before", "after"), len(SAMPLED)
    )


@pytest.mark.parametrize("name", [analyte.name for analyte in ANALYTES])
def test_direction_of_cytokines(name: str) -> None:
    """Five fall and one rises at p < 0.05, the others at none."""
    before, after = (np.log(samples()[moment][name]) for moment in ("before", "after"))
    test = ttest_rel(after, before.loc[after.index])
    found = 0 if test.pvalue >= 0.05 else int(np.sign(test.statistic))
    assert found == (1 if name in RISE else -1 if name in FALL else 0)


@pytest.mark.parametrize("name", [analyte.name for analyte in ANALYTES if analyte.trend])
def test_trends_by_response(name: str) -> None:
    """Of those with peak ICANS 3 or 4 those who eased fall more, at no p < 0.05."""
    change = np.log(samples()["after"][name]) - np.log(samples()["before"][name])
    who = patients().set_index("patient").loc[change.index]
    severe, eased = who["peak_icans"].isin([3, 4]), who["improved"] == "yes"
    test = ttest_ind(change[severe & ~eased], change[severe & eased], equal_var=False)
    assert (test.statistic > 0, test.pvalue > 0.05) == (True, True)


def test_order_of_days() -> None:
    """Nobody is treated, in hospital or counted after the last day."""
    frame = patients()
    ends = {
        "hospital": frame["hospital_days"],
        "steroids": frame["steroid_day"] + frame["steroid_days"] - 1,
        "anakinra": frame["anakinra_day"] + frame["anakinra_doses"] - 1,
        "counts": frame["counts_day"].dropna(),
    }
    late = {name for name, end in ends.items() if (end > frame["last_seen_day"][end.index]).any()}
    assert late == set()


def test_sizes_of_sites() -> None:
    """Fourteen patients at five hospitals, each of which hides among ten others."""
    assert patients()["site"].value_counts().to_dict() == generate.SITE_SIZE


def test_command_writes_the_cohort_and_the_same_bytes(tmp_path: Path) -> None:
    """The script runs from anywhere; two runs write the same files, and types hold at each site."""
    script = Path(generate.__file__)
    subprocess.run([sys.executable, str(script), "--out", "a"], cwd=tmp_path, check=True)
    generate.write_sites(tmp_path / "b")
    written = [
        {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (tmp_path / "a", tmp_path / "b")
    ]
    schemas = {pq.read_schema(path).remove_metadata() for path in tmp_path.glob("a/*/patients.*")}
    assert (written[0], schemas) == (written[1], {generate.PATIENTS})


def test_every_file_says_what_it_is(tmp_path: Path) -> None:
    """In the folder, and in the metadata of each table."""
    generate.write_sites(tmp_path)
    marks = {pq.read_schema(path).metadata[b"synthetic"] for path in tmp_path.glob("*/*.parquet")}
    notice = (tmp_path / "SYNTHETIC.txt").read_text(encoding="utf-8")
    assert (marks, generate.SENTENCE in notice) == ({generate.SENTENCE.encode()}, True)
