"""A hospital's folder against the dictionary: what is read, and what is said of bad data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from site_agent.contract.errors import DataError
from site_agent.contract.frames import Frame
from site_agent.contract.rows import FrameBuilder
from site_agent.contract.study.model import Study
from site_agent.data.tables import Snapshot, check_frames, read_snapshot
from tests.studytext import study

Frames = tuple[pd.DataFrame, pd.DataFrame]


def good() -> Frames:
    """Return four patients and the grades of two of them."""
    patients = pd.DataFrame(
        {
            "patient": ["a", "b", "c", "d"],
            "age": [61.0, 44.5, 70.0, 18.0],
            "sex": [1, 2, 2, 1],
            "kps": pd.array([90, None, 70, 80], dtype="Int64"),
            "smoker": pd.array([True, False, None, True], dtype="boolean"),
            "start_day": [3, 4, 5, 6],
            "relapse_day": pd.array([None, 20, None, None], dtype="Int64"),
            "death_day": pd.array([30, 20, None, None], dtype="Int64"),
            "last_seen_day": [30, 40, 50, 6],
        }
    )
    grades = pd.DataFrame({"patient": ["a", "a", "c"], "day": [1, 2, 1], "crs": [1, 3, 2]})
    return patients, grades


def write(folder: Path, frames: Frames) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in zip(("patients", "grades"), frames, strict=True):
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def read(folder: Path, of: Study | None = None) -> Snapshot:
    """Read and check as an agent does before it answers anything."""
    found = of or study()
    snapshot = read_snapshot(found, folder, "one", {"country": "US"})
    check_frames(found, FrameBuilder(found, snapshot.tables), "one")
    return snapshot


def findings(folder: Path, change: Callable[[Frames], Any]) -> list[str]:
    """Return what is said of the good data after a change."""
    frames = good()
    replaced = change(frames)
    try:
        read(write(folder, replaced if isinstance(replaced, tuple) else frames))
    except DataError as error:
        return [str(finding) for finding in error.findings]
    return []


def put(column: str, row: int, value: Any, table: int = 0) -> Callable[[Frames], None]:
    """Return a change of one value."""

    def change(frames: Frames) -> None:
        frame = frames[table]
        if isinstance(value, float):
            frame[column] = frame[column].astype("float64")
        frame.loc[row, column] = value

    return change


def test_good_data_are_read(tmp_path: Path) -> None:
    """Levels become codes, missing values a mask."""
    sex = read(write(tmp_path, good())).tables.rows["patients"].columns["sex"]
    assert (sex.data.tolist(), sex.missing.any()) == ([0, 1, 1, 0], False)


def test_derived_columns_use_child_tables(tmp_path: Path) -> None:
    """The peak is the greatest grade; without grades it is missing."""
    peak = read(write(tmp_path, good())).tables.rows["patients"].columns["peak"]
    assert np.where(peak.missing, -1, peak.data).tolist() == [3, -1, 2, -1]


def test_the_first_of_ties_decides(tmp_path: Path) -> None:
    """Relapse and death on one day: the study says that relapse counts."""
    built = FrameBuilder(study(), read(write(tmp_path, good())).tables)
    rows = built.rows(Frame(table="patients", endpoint="trm"))
    assert rows.cause.tolist() == [1, 2, 0]


def test_entry_at_the_end_is_left_out_and_counted(tmp_path: Path) -> None:
    """Patient d enters on the day he is last seen: at risk at no time."""
    built = FrameBuilder(study(), read(write(tmp_path, good())).tables)
    rows = built.rows(Frame(table="patients", endpoint="trm"))
    assert rows.left_out["entry at the end"] == 1


def test_rows_with_a_missing_covariate_are_left_out_and_counted(tmp_path: Path) -> None:
    """Complete cases of each frame by itself."""
    built = FrameBuilder(study(), read(write(tmp_path, good())).tables)
    rows = built.rows(Frame(table="patients", endpoint="survival", covariates=("kps",)))
    assert (len(rows), rows.left_out["a value missing"]) == (3, 1)


def test_times_within_rounding_of_a_day_are_snapped(tmp_path: Path) -> None:
    """5e-9 of a day is rounding, not a fraction."""
    assert findings(tmp_path, put("last_seen_day", 2, 50 + 5e-9)) == []


def test_codes_may_be_read_as_floats(tmp_path: Path) -> None:
    """1.0 is the code 1: pandas writes integers so when some are missing."""
    assert findings(tmp_path, put("sex", 0, 2.0)) == []


BAD = {
    "unknown level": (
        put("sex", 1, 3),
        "table patients, column sex: 1 row: a value that is none of the study's levels; expected "
        "one of: 1, 2",
    ),
    "negative time": (
        put("death_day", 0, -3),
        "endpoint survival: 1 row has a negative time; correct the data",
    ),
    "time before entry": (
        put("start_day", 0, 31),
        "endpoint trm: 1 row has a time before its entry; correct the data",
    ),
    "fraction of a day": (
        put("last_seen_day", 2, 50.5),
        "table patients, column last_seen_day: 1 row: a value that is no whole number of days; "
        "correct or round it at the source",
    ),
    "beyond the horizon": (
        put("last_seen_day", 2, 401),
        "table patients, column last_seen_day: 1 row: a value outside of -400 to 400 days; check "
        "value and unit",
    ),
    "out of range": (
        put("age", 0, 610.0),
        "table patients, column age: 1 row: a value outside of 0 to 110 years; check value and "
        "unit",
    ),
    "missing where none may be": (
        put("age", 0, float("nan")),
        "table patients, column age: 1 row: a missing value where the study allows none "
        "(missing: allowed)",
    ),
    "infinite": (
        put("age", 0, float("inf")),
        "table patients, column age: 1 row: an infinite value",
    ),
    "text for a number": (
        lambda frames: (frames[0].assign(age=["x", "y", "z", "w"]), frames[1]),
        "table patients, column age: 4 rows: found string, expected numbers",
    ),
    "duplicate patient": (
        put("patient", 1, "a"),
        "table patients: 1 row: the key (patient) stands more than once",
    ),
    "duplicate day": (
        put("day", 1, 1, table=1),
        "table grades: 1 row: the key (patient, day) stands more than once",
    ),
    "orphan": (
        put("patient", 2, "zz", table=1),
        "table grades: 1 row: a patient who is not in table patients",
    ),
    "missing column": (
        lambda frames: (frames[0].rename(columns={"kps": "kpss"}), frames[1]),
        "table patients: the column 'kps' is missing; did you mean 'kpss'?",
    ),
}


@pytest.mark.parametrize("case", list(BAD))
def test_bad_data_are_named_by_place_and_rule(tmp_path: Path, case: str) -> None:
    """Each finding names table, column, rule and count."""
    change, message = BAD[case]
    assert message in findings(tmp_path, change)


def test_tied_causes_without_an_order_are_a_finding(tmp_path: Path) -> None:
    """Two causes on one day, and the study does not say which counts."""
    of = study(("    first_of_ties: [relapse, death]\n", ""))
    with pytest.raises(DataError, match="more than one of death, relapse on the same day"):
        read(write(tmp_path, good()), of)


LOGARITHM = ("covariates: [age, sex, kps]", "covariates: [age, log(kps)]")


def test_an_undefined_value_of_an_analysis_names_its_expression(tmp_path: Path) -> None:
    """A logarithm of 0 is found where it is written, without a value and without an endpoint."""
    frames = good()
    put("kps", 0, 0)(frames)
    with pytest.raises(DataError) as told:
        read(write(tmp_path, frames), study(LOGARITHM))
    assert [one.place for one in told.value.findings] == ["table patients, expression log(kps)"]


def test_an_endpoint_that_no_analysis_takes_is_checked(tmp_path: Path) -> None:
    """Times from the start of treatment, which nothing is estimated from, are not negative."""
    found = findings(tmp_path, put("start_day", 0, 45))
    assert "endpoint trm_from_start: 1 row has a negative time; correct the data" in found


def test_an_undefined_derived_value_is_a_finding(tmp_path: Path) -> None:
    """The logarithm of zero is told with the column's name and a count."""
    of = study(("peak: max(grades.crs)", "peak: log10(age - 18)"))
    with pytest.raises(DataError, match="derived column peak: .* in 1 row"):
        read(write(tmp_path, good()), of)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The finding says which file, what is there, and where it belongs."""
    folder = write(tmp_path, good())
    (folder / "grades.parquet").unlink()
    with pytest.raises(DataError, match=r"grades.parquet is missing \(the folder has: patients\)"):
        read(folder)


@pytest.mark.parametrize("keep", [0, 3, 100, -40])
def test_a_corrupt_file_is_named(tmp_path: Path, keep: int) -> None:
    """A file cut short is told as such."""
    folder = write(tmp_path, good())
    path = folder / "patients.parquet"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match="patients.parquet is not a readable Parquet file"):
        read(folder)


@pytest.mark.parametrize("seed", range(60))
def test_a_flipped_byte_gives_data_or_a_finding(tmp_path: Path, seed: int) -> None:
    """No damage to a file gives anything but data that fit, or findings."""
    folder = write(tmp_path, good())
    path = folder / "patients.parquet"
    data = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for at in rng.integers(0, len(data), 3):
        data[at] ^= int(rng.integers(1, 256))
    path.write_bytes(bytes(data))
    try:
        outcome = read(folder).digest
    except DataError as error:
        outcome = error.findings[0].rule
    assert outcome


@pytest.mark.parametrize("case", list(BAD))
def test_no_finding_holds_a_value(tmp_path: Path, case: str) -> None:
    """Values of the bad rows (610, 50.5, zz, ...) do not stand in any message."""
    change, _ = BAD[case]
    text = " ".join(findings(tmp_path, change))
    assert not [value for value in ("610", "50.5", "zz", "401", "-3", "44.5") if value in text]


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    """Nobody has to mend one to hear of the next."""

    def change(frames: Frames) -> None:
        put("sex", 1, 3)(frames)
        put("age", 0, 610.0)(frames)

    assert len(findings(tmp_path, change)) == 2


def test_an_empty_hospital_is_fine(tmp_path: Path) -> None:
    """A site without patients yet takes part with no rows."""
    patients, grades = good()
    folder = write(tmp_path, (patients.iloc[:0], grades.iloc[:0]))
    assert read(folder).tables.rows["patients"].count == 0


def test_a_repeated_column_is_named(tmp_path: Path) -> None:
    """Two columns of one name: nobody can say which is meant."""
    folder = write(tmp_path, good())
    table = pq.read_table(folder / "patients.parquet")
    pq.write_table(table.append_column("age", table.column("age")), folder / "patients.parquet")
    with pytest.raises(DataError, match="the column 'age' stands 2 times; keep one"):
        read(folder)
