"""Write the NCCTG lung data as 19 institutions' private folders of Parquet.

    python studies/lung/export.py --out DIR

writes DIR/<institution>/patients.parquet. The data are those that lifelines ships
(`load_lung`): 228 patients, 18 institutions, and one patient without, who becomes the site
inst-99. Real patients, published; nothing is changed but column names to lower case with _.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from lifelines.datasets import load_lung

UNKNOWN_INSTITUTION: Final = 99
WHOLE: Final = ("time", "status", "age", "sex")
OPTIONAL: Final = ("ph_ecog", "ph_karno", "pat_karno", "meal_cal", "wt_loss")


def pooled() -> pd.DataFrame:
    """Return all 228 patients with their site."""
    lung: pd.DataFrame = load_lung().rename(columns=lambda name: name.replace(".", "_"))
    code = lung["inst"].fillna(UNKNOWN_INSTITUTION).astype(int)
    lung["site"] = [f"inst-{number:02d}" for number in code]
    lung["patient"] = [f"L{number:03d}" for number in range(1, len(lung) + 1)]
    for name in WHOLE:
        lung[name] = lung[name].astype("int64")
    for name in OPTIONAL:
        lung[name] = lung[name].astype("Int64")
    return lung[["site", "patient", *WHOLE, *OPTIONAL]]


def write_sites(out: Path) -> list[str]:
    """Write one folder a site; return their names."""
    names = []
    for site, rows in pooled().groupby("site", sort=True):
        folder = out / str(site)
        folder.mkdir(parents=True, exist_ok=True)
        table = pa.Table.from_pandas(rows.drop(columns="site"), preserve_index=False)
        pq.write_table(table.replace_schema_metadata(None), folder / "patients.parquet")
        names.append(str(site))
    return names


def main() -> None:
    """Write the folders and say where they are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the site folders")
    out = parser.parse_args().out
    names = write_sites(out)
    print(f"{len(names)} institutions in {out}")


if __name__ == "__main__":
    main()
