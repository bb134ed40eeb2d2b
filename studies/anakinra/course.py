"""The 43 invented courses: treatment, outcome and days, one line a patient.

These are no patients. The lines were found by a search over permutations so that Table 2
of Gazeau 2023 with its p-values, its deaths and its two curves come out (see
`published.py`), and so that one-covariate Cox models lean the paper's way. The columns that
days tie together stand here, because dealing them at random would break the totals; the
others are dealt in `covariates.py` and `care.py`.

Days count from the infusion. `-` is "never" or "not evaluable". `peak` is the day of the
worst ICANS, but for grade 5, which is the day of death; `mild` the first day after it below
grade 2; `clear` the first of three days without CRS and ICANS. `mg` is dose times days but
for one patient, whose 12,600 mg in 44 days the paper's low group needs and 200 mg/day
cannot give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# disease product dose_mg weight route indication response onset anakinra_day anakinra_days
# anakinra_mg steroid_days steroid_mg peak_crs peak_icans peak mild clear relapse last_seen state
_COURSES: Final = """
DLBCL axi-cel    150  91.8 SC   ICANS -     5  8  6   900  3  250 2 5  8  -  -   -  14 ICANS
DLBCL axi-cel    100  55.4 SC   ICANS -     2  9  7   700 13  610 2 5  9  -  -   -  21 ICANS
DLBCL axi-cel    100  64.9 SC   ICANS none  9 12  5   500  9  494 1 4 10 16  -   -  28 infection
PMBCL axi-cel    200  73.9 SC   ICANS none 11 16  2   400  5  430 1 4 16  -  -   -  33 ICANS
DLBCL axi-cel    200  67.6 IV   ICANS PR   18 21  9  1800 21  911 3 4 21 30  -   -  40 infection
DLBCL axi-cel    100  59.0 SC   ICANS PR   10 12  4   400 26 2267 1 4 14 24  -   -  36 infection
DLBCL axi-cel    100  73.1 SC   ICANS none  9 41  2   200 22 2083 2 5 41  -  -   -  50 ICANS
DLBCL axi-cel    100  67.4 SC   ICANS PR    7  9 24  2400  8  475 2 4  9 15 23   -  44 infection
B-ALL tisa-cel   100  50.2 SC   ICANS CR    1 10 14  1400 50 3932 2 4  8 14 28   -  57 infection
B-ALL tisa-cel   100  39.6 SC   CRS   CR    4  6  6   600  2  234 3 0  -  - 11   - 240 alive
DLBCL axi-cel    200  76.1 IV   ICANS CR    7  7 44 12600 51 8000 2 4  7 45  -   -  66 alive
PMBCL axi-cel    100  72.1 SC   ICANS CR    1  7  1   100  3  360 1 3  7 11 16   - 148 alive
DLBCL JCAR014    100  77.9 SC   ICANS PR    4  8  6   600  1   25 2 2  8 11 14   -  92 alive
DLBCL axi-cel    200  96.2 SC   ICANS none  7  8 11  2200 42 2481 1 4  8 13 20  30  52 progression
PMBCL axi-cel    150  61.0 SC   ICANS none  6 18  7  1050 13  615 3 4 18 29  -  41 118 progression
DLBCL axi-cel    400  73.1 SC   CRS   -     1  4  1   400  4  144 3 0  -  -  -   5   6 progression
DLBCL axi-cel    300 104.3 SC   ICANS none  7  8 13  3900  8  270 2 4  8 11 18  29  48 progression
MCL   brexu-cel  500  81.4 IV   ICANS none  6  9 11  5500 35 2700 3 4  9 16  -  31  97 progression
DLBCL liso-cel   600  86.9 IV   ICANS PR    6  9  8  4800  8  238 1 4 11 16 30  88 171 progression
DLBCL tisa-cel   400  67.3 IV   ICANS none 10 14  3  1200 11  526 2 4 14 17 25  28  55 alive
MCL   brexu-cel  500  70.2 IV   ICANS none  4  6 11  5500 18  904 1 3  4  7 12  30  88 alive
FL    axi-cel    700  81.8 IV   ICANS PR    4  6  7  4900  5  218 2 3  6  7  8  95 140 alive
DLBCL axi-cel    500  71.1 IV   ICANS PR    4 13 10  5000 25 1548 2 4 15 19 29 121 203 alive
DLBCL axi-cel    500  64.6 both ICANS CR    8  8  3  1500 43 1260 2 4  8 15 35 190 260 alive
MCL   JCAR017    600  64.9 IV   ICANS CR    8 11  7  4200  5  124 2 3 11 13 18   -  30 alive
B-ALL tisa-cel   600  50.0 IV   ICANS CR   13 15  7  4200 15  833 0 3 15 16 18   -  31 alive
DLBCL JCAR021    300 114.0 SC   ICANS CR   13 19 13  3900  4  120 1 3 19 21 24   -  32 alive
MM    anti-BCMA  600  87.8 IV   ICANS CR    3  5 18 10800  3  140 1 3  5  6  7   -  36 alive
DLBCL tisa-cel   400  68.7 both ICANS PR    2  9  5  2000 24  981 1 4  9 16  -   -  37 alive
DLBCL liso-cel   500  52.3 IV   ICANS CR    3  6  4  2000  9  380 2 4  4 10  -   -  45 alive
B-ALL tisa-cel   400  33.8 SC   CRS   CR    4  8  4  1600  9  311 4 2  9 10 16   -  60 alive
DLBCL axi-cel    400  54.6 SC   ICANS CR    5 10  4  1600 20  874 0 4  8 12 23   -  61 alive
MCL   brexu-cel  700  79.0 IV   ICANS PR    6  7  6  4200 12  487 2 4  7  8 12   -  62 alive
DLBCL tisa-cel   300  98.9 SC   ICANS CR    1  6 29  8700 20  866 1 4  6  8 12   -  64 alive
DLBCL JCAR021    900  88.6 IV   ICANS CR    6  6 20 18000 15  783 2 2  6  7  7   -  70 alive
B-ALL tisa-cel   600  74.8 IV   ICANS CR    4  8 12  7200 41 1473 2 4  6 12  -   -  75 alive
DLBCL JCAR021    700  73.0 IV   ICANS CR    9 11  6  4200 10  598 1 4 11 13 15   -  84 alive
DLBCL axi-cel    700  76.9 IV   ICANS CR    5  7  9  6300  7  174 2 4  7  9 16   -  96 alive
MCL   brexu-cel  400  64.4 SC   ICANS CR    6  7 20  8000 20 1099 2 4  7  8 12   - 110 alive
FL    axi-cel    800  83.7 IV   ICANS PR    8  8  4  3200  8  274 1 3  8  9 12   - 133 alive
DLBCL liso-cel   400  74.1 IV   ICANS CR    4  5 28 11200  8  155 2 3  5  6  8   - 182 alive
MCL   brexu-cel  400  57.5 IV   ICANS CR   10 22  7  2800 19  933 2 3 22 24 29   - 365 alive
MCL   brexu-cel  300  73.9 SC   ICANS CR   13 17 11  3300 34 1590 0 4 15 18 24   - 474 alive
"""

HIGH_DOSE_MG_DAY: Final = 200
TRIAL_PRODUCTS: Final = frozenset({"JCAR014", "JCAR017", "JCAR021", "anti-BCMA"})


@dataclass(frozen=True, slots=True)
class Course:
    """One invented patient's treatment and outcome; days from infusion, doses in mg."""

    disease: str
    product: str
    dose_mg: int
    weight_kg: float
    route: str
    indication: str
    response: str | None
    onset_day: int
    anakinra_day: int
    anakinra_days: int
    anakinra_mg: float
    steroid_days: int
    steroid_mg: float
    peak_crs: int
    peak_icans: int
    peak_day: int | None
    mild_day: int | None
    resolved_day: int | None
    relapse_day: int | None
    last_seen_day: int
    death_cause: str | None

    @property
    def high_dose(self) -> bool:
        """More than 200 mg a day, by dose alone."""
        return self.dose_mg > HIGH_DOSE_MG_DAY

    @property
    def on_trial(self) -> bool:
        """Given an investigational product."""
        return self.product in TRIAL_PRODUCTS

    @property
    def died_of_treatment(self) -> bool:
        """Dead without relapse or progression."""
        return self.death_cause is not None and self.relapse_day is None

    @property
    def frailty(self) -> float:
        """0 for the quickest recovery, 1 for a death of treatment: what covariates lean on."""
        if self.died_of_treatment:
            return 1.0
        if self.resolved_day is None:
            return 0.7
        return min(0.6, (self.resolved_day - self.anakinra_day) / 20)


def read_courses() -> tuple[Course, ...]:
    """Give the 43 courses in the order of the table above, 15 low-dose patients first."""
    return tuple(_course(line.split()) for line in _COURSES.strip().splitlines())


def _course(words: list[str]) -> Course:
    disease, product, dose, weight, route, indication, response = words[:7]
    onset, start, days, mg, steroid_days, steroid_mg, crs, icans = map(int, words[7:15])
    peak, mild, clear, relapse, last, state = words[15:]
    return Course(
        disease=disease,
        product=product,
        dose_mg=int(dose),
        weight_kg=float(weight),
        route=route,
        indication=indication,
        response=None if response == "-" else response,
        onset_day=onset,
        anakinra_day=start,
        anakinra_days=days,
        anakinra_mg=float(mg),
        steroid_days=steroid_days,
        steroid_mg=float(steroid_mg),
        peak_crs=crs,
        peak_icans=icans,
        peak_day=_day(peak),
        mild_day=_day(mild),
        resolved_day=_day(clear),
        relapse_day=_day(relapse),
        last_seen_day=int(last),
        death_cause=None if state == "alive" else state,
    )


def _day(word: str) -> int | None:
    return None if word == "-" else int(word)
