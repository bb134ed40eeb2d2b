"""The 14 invented courses of the mgh study: one line a patient, then counts before and after.

These are no patients. The lines were written so that Table 1 of Wehrli 2022, its response, its
survival and its median follow-up come out. Days count from the infusion; `-` is "never", "not
evaluable" or "not measured". Steroids are mg of dexamethasone. `kept` is whether a response
lasted to the data cut, `improved` whether ICANS or CRS was less within a day of the last dose.

The peak of CRS has a median of 2 over a range from 1 to 4, and 7 of 14 reach grade 2: the middle
of 14 values lies between a 1 and a 3, so nobody peaks at 2 here.
"""

from __future__ import annotations

from typing import Final

import pandas as pd

# number disease cns product sex age ecog stage lines asct ldh hospital_days peak_crs peak_icans
# icans_at_start steroid_day steroid_days steroid_mg anakinra_day anakinra_doses anakinra_mg
# tocilizumab_day tocilizumab_doses improved response kept infection last_seen_day state
_COURSES: Final = """
 1 DLBCL         no  axi-cel  M 68 2 4 5 no   3900 18 4 4 3  3 13  640  6 3 200  2 3 no  -    -   mucormycosis            18 infection
 2 DLBCL         yes tisa-cel F 61 1 4 8 no   1400 20 1 3 3  4 12  420  8 2 100  - - no  none -   -                       21 progression
 3 Burkitt       no  tisa-cel M 34 2 4 4 no  17624 24 4 4 4  2 20  900  7 3 200  1 3 no  -    -   Candida+Pseudomonas     24 infection
 4 DLBCL         yes tisa-cel M 66 1 4 6 no    620 27 3 3 3  5 18  510  9 3 100  4 2 yes none -   -                       27 progression
 5 MCL           yes tisa-cel F 71 2 4 7 no    980 29 3 5 4  4 26 1228  7 3 200  3 2 no  -    -   -                       29 ICANS
 6 tFL           no  axi-cel  M 75 1 4 4 yes   760 29 1 4 3  2 22  360  5 2 100  - - no  none -   Enterococcus+fungus     29 infection
 7 lymphoblastic no  tisa-cel F 26 1 4 5 no    550 19 3 3 2  1 16  304  8 3 200  6 2 yes none -   -                       75 progression
 8 DLBCL         no  axi-cel  M 59 1 4 4 no    498 11 1 3 3  3 14  290  5 3 100  - - yes PR   no  -                       95 progression
 9 tFL           no  axi-cel  F 63 1 3 4 no    230 15 1 2 2  6 10  214 10 1 100  - - yes PR   no  -                      150 progression
10 DLBCL         yes tisa-cel M 57 1 4 3 no    410 17 3 3 3  5  8  160 11 3 200  9 1 yes CR   no  -                      198 progression
11 MCL           yes tisa-cel M 56 1 4 4 yes   340 22 3 2 1  8 11  250 13 3 100 12 1 yes none -   -                      400 alive
12 PMBCL         no  axi-cel  F 43 0 2 2 no    280 14 1 3 2  6  7  110  9 3 100  - - yes CR   yes -                      703 alive
13 DLBCL         no  axi-cel  M 52 0 3 3 no    190 21 1 2 1  7  5   60 12 1 100  - - yes CR   yes -                      739 alive
14 tFL           no  axi-cel  F 49 0 1 2 no    163 26 1 1 0 25  3   26 23 3 100  - - yes CR   yes -                     1100 alive
"""  # noqa: E501
# number temp_before temp_after crp_before crp_after ferritin_before ferritin_after counts_day
# neutrophils_before neutrophils_after platelets_before platelets_after
#
# Highest temperature in F within 24 hours before the first and after the last dose; CRP in mg/L and
# ferritin in ug/L within 48 hours; neutrophils and platelets in K/uL at the first dose and on
# `counts_day`, 22 to 32 days after it.
_LABORATORY: Final = """
 1 102.6  98.9 188.0  61.0  9800 14200  -    -    -   -   -
 2 100.9  98.6  42.0  18.0  1450  1210  -    -    -   -   -
 3 103.4 100.8 265.0 120.0 38500 52100  -    -    -   -   -
 4 100.2  99.0  77.0  30.0  2300  2640  -    -    -   -   -
 5 101.5  98.9  96.0 118.0  6100  8900  -    -    -   -   -
 6  99.8 100.6  55.0  83.0  3200  4050 27 0.10 0.25  38  13
 7 101.9 100.1 134.0  22.0  7400  5200 31 0.05 0.56  11  15
 8 100.4 100.0  28.0   9.0  1120   860 28 0.42 0.21  34  22
 9  99.3  97.9  12.0   4.0   640   690 38 0.70 1.25  72  26
10 102.2 100.3 151.0  35.0  5600  3900 43 0.30 0.92  36  18
11 101.0  98.0  63.0  27.0  2900  3350 41 1.60 2.83  60  45
12  99.1  98.6  19.0   5.0   880   610 33 0.60 0.52  21  38
13 100.7  99.9  33.0   7.0  1010   720 36 1.15 3.41  55  72
14  98.9  97.7   9.0   3.0   410   395 47 2.20 4.25 134 158
"""

_WORDS: Final = (
    *("disease", "cns", "product", "sex", "asct", "improved", "response", "kept", "infection"),
    "state",
)
_NAMES: Final = (
    *("number", "disease", "cns", "product", "sex", "age", "ecog", "stage", "lines", "asct"),
    *("ldh", "hospital_days", "peak_crs", "peak_icans", "icans_at_start", "steroid_day"),
    *("steroid_days", "steroid_mg", "anakinra_day", "anakinra_doses", "anakinra_mg"),
    *("tocilizumab_day", "tocilizumab_doses", "improved", "response", "kept", "infection"),
    *("last_seen_day", "state"),
)
_MEASURED: Final = (
    *("number", "temp_before", "temp_after", "crp_before", "crp_after", "ferritin_before"),
    *("ferritin_after", "counts_day", "neutrophils_before", "neutrophils_after"),
    *("platelets_before", "platelets_after"),
)


def read_patients() -> pd.DataFrame:
    """Give the 14 patients, one row each, in the order above; unknown values are None or NaN."""
    frame = _table(_COURSES, _NAMES).join(_table(_LABORATORY, _MEASURED))
    dead = frame["state"] != "alive"
    return frame.assign(
        death_day=frame["last_seen_day"].where(dead),
        death_cause=frame["state"].where(dead, None),
    ).drop(columns="state")


def _table(text: str, names: tuple[str, ...]) -> pd.DataFrame:
    """Read one line a patient; words stay, all else are numbers."""
    rows = [
        [None if word == "-" else word for word in line.split()]
        for line in text.split("\n")
        if line
    ]
    frame = pd.DataFrame(rows, columns=list(names), dtype=object)
    numbers = {name: pd.to_numeric(frame[name]) for name in names if name not in _WORDS}
    return frame.assign(**numbers).set_index("number")
