"""Write the synthetic cohort of the mgh study: 14 patients who never lived.

    python studies/mgh/generate.py --out DIR

writes for each of five hospitals `DIR/<site>/patients.parquet` and `samples.parquet`, and
`DIR/SYNTHETIC.txt`. The same version writes the same bytes each time. The paper is of one
hospital; its patients are spread over five here.

The cohort adds up to the published numbers of Wehrli 2022. Treatment, outcome and laboratory
values are a table (`course.py`); cytokines are drawn so that those fall or rise at p < 0.05 of
which the paper says so (`cytokines.py`). Where the paper contradicts itself or leaves a choice:

- CRS has a median peak of 2 and 7 of 14 reach grade 2: nobody peaks at 2 (`course.py`).
- Neutropenia and thrombocytopenia 3 to 4 weeks later are 55.55 % and 77.77 %, that is 5 and 7 of
  9: these nine have counts, and the paired tests of counts are over them, although the
  caption of Figure 2 says 14. Both percentages are cut off, not rounded.
- The median of the ten days of death is 29, and two died on day 29. The median survival of 2.8
  months lies between the seventh and the eighth death, days 75 and 95.
- 23.7 months are the median follow-up of the four who live, and by reverse Kaplan-Meier.
- The text says that anakinra follows steroids, but in one patient it came two days earlier: the
  latest starts, days 23 and 25, are of this patient.
- Which asterisk belongs to which cytokine is only in the picture; the text has p < 0.05. The
  assay had 27 analytes; here are the 17 that the paper names.
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

from studies.mgh.course import read_patients
from studies.mgh.cytokines import ANALYTES, make_samples
from studies.synthetic import write_hospitals

SEED: Final = 2022
SITE_SIZE: Final = {"site-1": 4, "site-2": 3, "site-3": 3, "site-4": 2, "site-5": 2}
SENTENCE: Final = (
    "These are no patients: every row was made by studies/mgh/generate.py so that the table, "
    "counts and survival add up to those published in Wehrli et al., J Immunother Cancer "
    "2022;10:e003847."
)
NOTICE: Final = (
    f"{SENTENCE} Nothing beyond those numbers is true of anyone, and no conclusion about anakinra "
    "can be drawn from them."
)
_WHOLE, _REAL, _TEXT = pa.int64(), pa.float64(), pa.string()
PATIENTS: Final = pa.schema(
    [
        ("patient", _TEXT),
        *((name, _TEXT) for name in ("disease", "cns", "product", "sex")),
        *((name, _WHOLE) for name in ("age", "ecog", "stage", "lines")),
        ("asct", _TEXT),
        *((name, _WHOLE) for name in ("ldh", "hospital_days", "peak_crs", "peak_icans")),
        *((name, _WHOLE) for name in ("icans_at_start", "steroid_day", "steroid_days")),
        *((name, _WHOLE) for name in ("steroid_mg", "anakinra_day", "anakinra_doses")),
        *((name, _WHOLE) for name in ("anakinra_mg", "tocilizumab_day", "tocilizumab_doses")),
        *((name, _TEXT) for name in ("improved", "response", "kept", "infection")),
        *((name, _REAL) for name in ("temp_before", "temp_after", "crp_before", "crp_after")),
        *((name, _WHOLE) for name in ("ferritin_before", "ferritin_after", "counts_day")),
        *((name, _REAL) for name in ("neutrophils_before", "neutrophils_after")),
        *((name, _WHOLE) for name in ("platelets_before", "platelets_after")),
        *((name, _WHOLE) for name in ("death_day", "last_seen_day")),
        ("death_cause", _TEXT),
    ]
)
SAMPLES: Final = pa.schema(
    [
        ("patient", _TEXT),
        ("day", _WHOLE),
        ("moment", _TEXT),
        *((analyte.name, _REAL) for analyte in ANALYTES),
    ]
)


def make_cohort() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make the cohort in memory.

    Returns:
        Patients, one row each, and samples of serum, one row a patient and day; both with
        `site` before the columns of `PATIENTS` and `SAMPLES`, sorted by site and patient, which
        tells nothing of the order of making. Missing numbers are NaN, missing words None.
    """
    patients = read_patients()
    rng = np.random.default_rng([SEED, 0])
    sites = rng.permutation([site for site, size in SITE_SIZE.items() for _ in range(size)])
    marks = 101 + rng.permutation(899)[: len(sites)]
    names = pd.Series([f"{s}-{n}" for s, n in zip(sites, marks, strict=True)], patients.index)
    samples = make_samples(patients, np.random.default_rng([SEED, 1]))
    samples = samples.assign(patient=samples["number"].map(names))
    return _sorted(patients.assign(patient=names), PATIENTS), _sorted(samples, SAMPLES)


def _sorted(frame: pd.DataFrame, schema: pa.Schema) -> pd.DataFrame:
    """Return the columns of `schema` behind the site, by site and patient."""
    frame = frame.assign(site=frame["patient"].str.rpartition("-")[0])
    by = [name for name in ("patient", "day") if name in schema.names]
    return frame[["site", *schema.names]].sort_values(by, ignore_index=True)


def write_sites(out: Path) -> None:
    """Write one folder a hospital and the notice under `out`, which is made if absent."""
    patients, samples = make_cohort()
    tables = {"patients": (patients, PATIENTS), "samples": (samples, SAMPLES)}
    write_hospitals(out, SITE_SIZE, tables, sentence=SENTENCE, notice=NOTICE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and write the cohort."""
    parser = argparse.ArgumentParser(description="Write the synthetic cohort of the study.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, made if absent")
    out = parser.parse_args(arguments).out
    write_sites(out)
    print(f"{len(SITE_SIZE)} sites written under {out}", file=sys.stderr)


if __name__ == "__main__":
    main()
