"""Write the synthetic cohort of the anakinra study: 43 patients who never lived.

    python studies/anakinra/generate.py --out DIR

writes for each of nine hospitals `DIR/<site>/patients.parquet`, `grades.parquet` and
`site.toml`, and `DIR/SYNTHETIC.txt`. The same version writes the same bytes each time.

The cohort adds up to the published counts of Gazeau 2023 (`published.py`). Treatment and
outcome are a table (`course.py`); what patients brought with them is dealt from lists by a
seeded generator (`covariates.py`), and so is what was seen and given beside (`care.py`);
grades follow from the course (`grades.py`). The seed was chosen among some 10,000, and the
courses by a search, for hazard ratios near the paper's: that they agree is by construction,
and says nothing about anakinra.

Quartiles of Tables 1 and 2 hold in both groups and in total, and so does each p-value that
the paper prints for them; no total contradicts its groups. Where the paper contradicts
itself, the choice made:

- The high-dose group is "IV", but 20 IV patients cannot hold 28. Dose alone decides here:
  high is above 200 mg/day. Route keeps its totals: SC 21, IV 20, both 2.
- The low group's largest cumulative dose, 12,600 mg, is more than 44 days of 200 mg. One
  patient has both; the dose was raised later and `dose_mg` is the first one.
- Four die of ICANS, but quartiles of 4 and 4 leave room for three grades 5: the fourth
  peaks at 4.
- Marrow involvement is "missing" in 2 of 28, but 15 and 8 are known: 5 are missing here.
- Responders by disease sum to 29, in all 31: the other two are the two with FL. By disease
  the paper counts of all patients (41, with the three who died too early to be evaluated),
  in all of the 40 evaluable. 31 of 40 is 77.5 %, printed as 77. Complete responses are 49 %
  of all 43 and 63 % of the evaluable with a high dose.
- Follow-up starts at day 6, but the low group starts anakinra at day 6 or later. So the
  shortest is a high-dose progression: relapse on day 5, before the first deaths of
  treatment. It competes, and leaves 3 of 43 at day 28 as it is.
- ICANS lasts a median of 6 days (1 to 38), but anakinra starts a median of 3 days after
  onset, and half of the high-dose patients are not clear a week later. So its days are
  those of grade 2 or more here; the paper speaks of prolonged grade 1 toxicities.
- Encephalopathy in 31 is 76 % of the 41 with ICANS, and seizures in 8 are 19 % of all 43.
- Ferritin of the low group is Table 1's 1720, not the text's 1,724. Anakinra and steroids
  began together in 8, which is 19 % and not the 9 % printed; 12 with further therapies are
  28 % and not 27 %. The abstract lets 3 discontinue anakinra; in the text 2 do, and in the
  third the route is changed.
- Of the US patients 84 % have a high dose and of the Spanish 39 % (Table 2), not the text's
  75 % and 21 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa

if not __package__:  # started as a script: the repository is not yet on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from studies.anakinra.care import MARKS, deal_mark, deal_therapies
from studies.anakinra.course import Course, read_courses
from studies.anakinra.covariates import DEALS, deal_covariate
from studies.anakinra.grades import daily_grades
from studies.synthetic import write_hospitals

SEED: Final = 3241
SITE_SIZE: Final = {
    "us-1": 17,
    "us-2": 8,
    "es-1": 5,
    "es-2": 4,
    "es-3": 3,
    "es-4": 2,
    "es-5": 2,
    "es-6": 1,
    "es-7": 1,
}
COUNTRY: Final = {"us": "US", "es": "Spain"}
US_PATIENTS: Final = {False: 4, True: 21}  # by high dose
TRIAL_SITE: Final = "us-1"

SENTENCE: Final = (
    "These are no patients: every row was made by studies/anakinra/generate.py so that the "
    "tables, deaths and curves add up to the counts published in Gazeau et al., Transplant "
    "Cell Ther 2023;29:430-437."
)
NOTICE: Final = (
    f"{SENTENCE} Nothing beyond those counts is true of anyone, and no conclusion about "
    "anakinra can be drawn from them."
)

_WHOLE, _REAL, _TEXT = pa.int64(), pa.float64(), pa.string()
PATIENTS: Final = pa.schema(
    [
        ("patient", _TEXT),
        ("age", _WHOLE),
        ("sex", _WHOLE),
        ("disease", _TEXT),
        ("product", _TEXT),
        ("weight_kg", _REAL),
        ("kps", _WHOLE),
        ("ferritin", _WHOLE),
        ("ldh", _WHOLE),
        ("albumin", _REAL),
        ("platelets", _REAL),
        ("crp", _REAL),
        ("bulky", _TEXT),
        ("marrow", _TEXT),
        ("dose_mg", _WHOLE),
        ("dose_mg_kg", _REAL),
        ("route", _TEXT),
        ("indication", _TEXT),
        ("trial", _TEXT),
        ("cns_history", _TEXT),
        ("vasopressors", _TEXT),
        ("encephalopathy", _TEXT),
        ("seizures", _TEXT),
        ("oedema", _TEXT),
        ("steroid_change", _TEXT),
        ("siltuximab", _TEXT),
        ("intrathecal", _TEXT),
        ("etoposide", _TEXT),
        ("ruxolitinib", _TEXT),
        ("rerouted", _TEXT),
        ("stopped", _TEXT),
        ("response", _TEXT),
        ("onset_day", _WHOLE),
        ("anakinra_day", _WHOLE),
        ("anakinra_days", _WHOLE),
        ("anakinra_mg", _REAL),
        ("steroid_days", _WHOLE),
        ("steroid_mg", _REAL),
        ("relapse_day", _WHOLE),
        ("death_day", _WHOLE),
        ("death_cause", _TEXT),
        ("last_seen_day", _WHOLE),
    ]
)
GRADES: Final = pa.schema([("patient", _TEXT), ("day", _WHOLE), ("crs", _WHOLE), ("icans", _WHOLE)])
NULLABLE_WHOLE: Final = frozenset({"kps", "ferritin", "ldh", "relapse_day", "death_day"})


def make_cohort() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cohort in memory.

    Returns:
        Patients, one row each, with `site` and `country` before the columns of `PATIENTS`;
        grades, one row a patient and day, with `site` before the columns of `GRADES`. Both
        are sorted by site and patient, which tells nothing of the order of making. Missing
        whole numbers are `pd.NA` (Int64), missing reals NaN, missing words None.
    """
    courses = read_courses()
    sites = _draw_sites(courses, np.random.default_rng([SEED, 100]))
    names = _draw_names(sites, np.random.default_rng([SEED, 101]))
    patients = _patients(courses)
    patients["patient"] = names
    patients.insert(0, "country", [COUNTRY[site[:2]] for site in sites])
    patients.insert(0, "site", sites)
    patients = patients[["site", "country", *PATIENTS.names]]
    grades = _grades(courses, sites, names)
    return (
        patients.sort_values("patient", ignore_index=True),
        grades.sort_values(["patient", "day"], ignore_index=True),
    )


def write_sites(out: Path) -> None:
    """Write one folder a hospital and the notice under `out`, which is made if absent."""
    patients, grades = make_cohort()
    tables = {"patients": (patients, PATIENTS), "grades": (grades, GRADES)}
    write_hospitals(out, SITE_SIZE, tables, sentence=SENTENCE, notice=NOTICE)
    for site in SITE_SIZE:
        country = COUNTRY[site[:2]]
        (out / site / "site.toml").write_text(f'country = "{country}"\n', encoding="utf-8")


def _patients(courses: Sequence[Course]) -> pd.DataFrame:
    """Columns of `PATIENTS` but for the names, in the order of `courses`."""
    frame = pd.DataFrame([_course_columns(course) for course in courses])
    for stream, deal in enumerate(DEALS):
        rng = np.random.default_rng([SEED, stream])
        frame[deal.name] = deal_covariate(deal, courses, rng)
    for stream, mark in enumerate(MARKS):
        frame[mark.name] = deal_mark(mark, courses, np.random.default_rng([SEED, 200 + stream]))
    therapies = deal_therapies(courses, np.random.default_rng([SEED, 103]))
    frame = frame.assign(**therapies)
    return frame.astype({name: _dtype(name) for name in frame.columns})


def _course_columns(course: Course) -> dict[str, object]:
    names = [name for name in PATIENTS.names if hasattr(course, name)]
    return {name: getattr(course, name) for name in names} | {
        "dose_mg_kg": round(course.dose_mg / course.weight_kg, 2),
        "trial": "yes" if course.on_trial else "no",
        "death_day": course.last_seen_day if course.death_cause else None,
    }


def _dtype(name: str) -> str:
    if name in NULLABLE_WHOLE:
        return "Int64"
    return {_WHOLE: "int64", _REAL: "float64", _TEXT: "object"}[PATIENTS.field(name).type]


def _draw_sites(courses: Sequence[Course], rng: np.random.Generator) -> list[str]:
    """Give each patient a hospital: trial products to one, dose groups to countries as counted."""
    american = [i for i, course in enumerate(courses) if course.on_trial]
    for high_dose, count in US_PATIENTS.items():
        group = [i for i, c in enumerate(courses) if c.high_dose is high_dose and not c.on_trial]
        on_trial = sum(c.high_dose is high_dose and c.on_trial for c in courses)
        american += [group[k] for k in rng.permutation(len(group))[: count - on_trial]]
    spanish = rng.permutation([i for i in range(len(courses)) if i not in american])
    # Trial patients stand first among the Americans, and the trial's hospital comes first.
    trials = sum(course.on_trial for course in courses)
    americans = [*american[:trials], *rng.permutation(american[trials:])]
    places = [site for site, size in SITE_SIZE.items() for _ in range(size)]
    site_of = dict(zip([*americans, *spanish], places, strict=True))
    return [site_of[i] for i in range(len(courses))]


def _draw_names(sites: Sequence[str], rng: np.random.Generator) -> list[str]:
    """Give each patient an unrelated three-digit number within the hospital."""
    numbers = 101 + rng.permutation(899)[: len(sites)]
    return [f"{site}-{number}" for site, number in zip(sites, numbers, strict=True)]


def _grades(courses: Sequence[Course], sites: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    rng = np.random.default_rng([SEED, 102])
    rows = [
        (site, name, *row)
        for course, site, name in zip(courses, sites, names, strict=True)
        for row in daily_grades(course, rng)
    ]
    return pd.DataFrame(rows, columns=["site", *GRADES.names])


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the cohort."""
    parser = argparse.ArgumentParser(description="Write the synthetic cohort of the study.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, made if absent")
    out = parser.parse_args(arguments).out
    write_sites(out)
    print(f"{len(SITE_SIZE)} sites written under {out}", file=sys.stderr)


if __name__ == "__main__":
    main()
