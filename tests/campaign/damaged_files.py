"""A hospital's files with planted values, damaged in named ways, given to the agent's commands."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from site_agent.contract.study.read import read_study
from site_agent.importing.run import import_tables
from tests.site_agent.importing.formats import WRITERS, frame
from tests.site_agent.importing.hospital_files import EXAMPLE, MAPPING, STUDY

PEOPLE: Final = 9
SURNAME: Final = "Qüixottle"
PLANTED: Final = "peculiarity"  # what is put in the place of a value
HEAD: Final = "pid,birth,sex,alb,smoker,start,died,seen"
SMALL: Final = "\n".join(
    [
        HEAD,
        *(
            f"canary-{n},19{61 + n}-07-1{n},M,3.{1717 + n},no,2021-02-0{1 + n},,2021-11-2{n}"
            for n in range(PEOPLE)
        ),
        "",
    ]
)
# What may stand in no message: identifiers, names, dates and figures of patients.
WORDS: Final = (
    *("canary", "ixottle", PLANTED, "7717", "2021-02-", "2021-11-", "2021-0", "4711"),
    *(f"3.{1717 + n}" for n in range(PEOPLE)),
    *(f"19{61 + n}-07" for n in range(PEOPLE)),
)


@dataclass(frozen=True, slots=True)
class Case:
    """A command over damaged files. places: one of them is named when it is refused."""

    arguments: list[str]
    places: tuple[str, ...]


def flipped(data: bytes, random: Random) -> bytes:
    """Some bits are turned."""
    found = bytearray(data)
    for _ in range(random.choice((1, 2, 8, 64))):
        found[random.randrange(len(found))] ^= 1 << random.randrange(8)
    return bytes(found)


def cut(data: bytes, random: Random) -> bytes:
    """The end is missing."""
    return data[: random.randrange(len(data))]


def holed(data: bytes, random: Random) -> bytes:
    """A stretch is zeros, as a disk that fails leaves it."""
    start = random.randrange(len(data))
    length = random.choice((1, 16, 512))
    return data[:start] + bytes(min(length, len(data) - start)) + data[start + length :]


def doubled(data: bytes, random: Random) -> bytes:
    """A stretch stands twice."""
    start = random.randrange(len(data))
    end = min(len(data), start + random.choice((1, 20, 300)))
    return data[:end] + data[start:]


BYTES: Final[dict[str, Callable[[bytes, Random], bytes]]] = {
    "flipped": flipped,
    "cut": cut,
    "holed": holed,
    "doubled": doubled,
}

# Damage to a cell of a text file: column, and what is put there.
CELLS: Final = {
    "words for a number": ("alb", PLANTED),
    "words for a date": ("seen", PLANTED),
    "words for a level": ("sex", PLANTED),
    "not a number": ("alb", "NaN"),
    "infinity": ("alb", "-inf"),
    "too large a number": ("alb", "4711e307"),
    "a negative time": ("seen", "2011-11-21"),
    "no such day": ("start", "2021-02-30"),
    "beyond the horizon": ("seen", "2051-11-21"),
    "nobody": ("pid", ""),
    "a broken identifier": ("pid", "canary\x07"),
    "two figures": ("birth", "61-07-11"),
    "a line too many": ("sex", 'M",\n"'),
}
ENCODINGS: Final = ("utf-16", "utf-16-le", "utf-32", "cp1252", "shift_jis")


def text(random: Random, damage: str) -> bytes:
    """The small CSV file, damaged."""
    rows = [line.split(",") for line in SMALL.splitlines()]
    if damage in CELLS:
        column, value = CELLS[damage]
        rows[random.randrange(1, len(rows))][rows[0].index(column)] = value
    elif damage == "a duplicate":
        rows.insert(random.randrange(1, len(rows)), random.choice(rows[1:]))
    elif damage == "no header":
        rows = rows[1:]
    elif damage == "another delimiter":
        return "\n".join(";".join(row) for row in rows).encode()
    elif damage == "another encoding":
        rows[random.randrange(1, len(rows))][0] = f"{SURNAME} canary"
        return "\n".join(",".join(row) for row in rows).encode(random.choice(ENCODINGS), "replace")
    found = "\n".join(",".join(row) for row in rows).encode()
    return BYTES[damage](found, random) if damage in BYTES else found


def of_draft(folder: Path, random: Random, damage: str) -> Case:
    """A mapping drafted from a damaged CSV file."""
    case = of_text(folder, random, damage)
    files = [str(folder / "data.csv"), "--draft", str(folder / "draft.yaml")]
    return Case([*case.arguments[:2], *files], case.places)


def of_text(folder: Path, random: Random, damage: str) -> Case:
    """Import of a damaged CSV file."""
    (folder / "data.csv").write_bytes(text(random, damage))
    return _small(folder, "data.csv", MAPPING)


def _small(folder: Path, name: str, mapping: str) -> Case:
    (folder / "study.yaml").write_text(STUDY, "utf-8")
    (folder / "mapping.yaml").write_text(mapping.replace("data.csv", name), "utf-8")
    return Case(_importing(folder), (name, "table patients", "endpoint survival"))


def _importing(folder: Path) -> list[str]:
    return [
        "import",
        str(folder / "study.yaml"),
        str(folder / "mapping.yaml"),
        *("--out", str(folder / "out")),
    ]


def of_format(name: str) -> Callable[[Path, Random, str], Case]:
    """Import of a damaged file of a spreadsheet or of a statistical program."""

    def case(folder: Path, random: Random, damage: str) -> Case:
        rows = frame(SMALL)
        row = random.randrange(len(rows))
        if damage == "infinity" and name == "data.xpt":
            damage = "a negative time"  # a transport file has no infinity
        if damage == "infinity":
            rows.loc[row, "alb"] = math.inf
        elif damage == "a negative time":
            rows.loc[row, "seen"] = pd.Timestamp("2011-11-21").date()
        elif damage == "a duplicate":
            rows = pd.concat([rows, rows.iloc[[row]]], ignore_index=True)
        elif damage == "words for a number":
            rows["alb"] = PLANTED
        elif damage == "out of range":
            rows.loc[row, "alb"] = 47117.0
        WRITERS[name](folder / name, rows)
        if damage in BYTES:
            path = folder / name
            path.write_bytes(BYTES[damage](path.read_bytes(), random))
        mapping = MAPPING.replace("{M: male, F: female}", "{1: male, 2: female}")
        return _small(folder, name, mapping)

    return case


def of_redcap(folder: Path, random: Random, damage: str) -> Case:
    """Import of a damaged export of REDCap, or with a damaged data dictionary."""
    with (EXAMPLE / "export.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    at = {name: place for place, name in enumerate(header)}
    for row in rows:
        row[0] = f"canary-{row[0]}"
        row[at["surname"]] = SURNAME if row[at["surname"]] else ""
    chosen = random.choice([row for row in rows if row[at["crs_grade"]]])
    if damage == "a grade of words":
        chosen[at["crs_grade"]] = PLANTED
    elif damage == "a grade twice":
        rows.append(chosen)
    elif damage == "an event renamed":
        header, rows = header, [[row[0], "first_arm_1", *row[2:]] for row in rows]
    elif damage == "two births":
        rows.append(
            [
                cell if name != "birth_date" else "1971-07-11"
                for name, cell in zip(header, rows[0], strict=True)
            ]
        )
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    files = {
        "export.csv": out.getvalue().encode(),
        "dictionary.csv": (EXAMPLE / "dictionary.csv").read_bytes(),
        "study.yaml": (EXAMPLE / "study.yaml").read_bytes(),
        "mapping.yaml": (EXAMPLE / "mapping.yaml").read_bytes(),
    }
    if damage in BYTES:
        hit = random.choice(("export.csv", "dictionary.csv"))
        files[hit] = BYTES[damage](files[hit], random)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    places = ("export.csv", "dictionary.csv", "table patients", "table grades", "endpoint survival")
    return Case(_importing(folder), places)


def of_parquet(folder: Path, random: Random, damage: str) -> Case:
    """A check of damaged tables."""
    study = read_study((EXAMPLE / "study.yaml").read_text("utf-8"), "study.yaml")
    (folder / "study.yaml").write_bytes((EXAMPLE / "study.yaml").read_bytes())
    data = folder / "hospital" / "data"
    import_tables(study, EXAMPLE / "mapping.yaml", data, "north", {})
    for name in study.tables:
        rows = pq.read_table(data / f"{name}.parquet").to_pandas()
        rows["patient"] = "canary-" + rows["patient"]
        rows = _spoilt(rows, name, damage, random)
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), data / f"{name}.parquet")
    if damage in BYTES:
        path = data / random.choice(("patients.parquet", "grades.parquet"))
        path.write_bytes(BYTES[damage](path.read_bytes(), random))
    places = ("patients", "grades", "endpoint survival")
    return Case(["check", str(folder / "study.yaml")], places)


def _spoilt(rows: pd.DataFrame, name: str, damage: str, random: Random) -> pd.DataFrame:
    row = random.randrange(len(rows))
    if damage == "a duplicate":
        return pd.concat([rows, rows.iloc[[row]]], ignore_index=True)
    if name == "grades" and damage == "an orphan":
        rows.loc[row, "patient"] = "canary-lost"
    if name == "patients" and damage == "infinity":
        rows.loc[row, "ferritin"] = math.inf
    if name == "patients" and damage == "a negative time":
        rows.loc[row, "last_seen_day"] = -47
    if name == "patients" and damage == "words for a level":
        rows.loc[row, "disease"] = PLANTED
    if name == "patients" and damage == "words for a number":
        rows["age"] = PLANTED
    if name == "patients" and damage == "not a number":
        rows["age"] = math.nan
    return rows


TYPED: Final = ("infinity", "a negative time", "a duplicate", "words for a number", "out of range")
Maker = Callable[[Path, Random, str], Case]
# What each kind of file is damaged by, beside BYTES. All of this must be refused; a flipped bit may
# do no harm, or give a file that nobody can tell from a good one.
DAMAGES: Final[dict[str, tuple[Maker, tuple[str, ...]]]] = {
    "csv": (
        of_text,
        (*CELLS, "a duplicate", "no header", "another delimiter", "another encoding"),
    ),
    "draft": (of_draft, ("a line too many",)),
    "redcap": (
        of_redcap,
        ("a grade of words", "a grade twice", "an event renamed", "two births"),
    ),
    "excel": (of_format("data.xlsx"), tuple(d for d in TYPED if d != "infinity")),
    "spss": (of_format("data.sav"), tuple(d for d in TYPED if d != "infinity")),
    "stata": (of_format("data.dta"), tuple(d for d in TYPED if d != "infinity")),
    "sas": (of_format("data.xpt"), TYPED),
    "parquet": (
        of_parquet,
        (
            *("a duplicate", "an orphan", "infinity", "a negative time"),
            *("words for a level", "words for a number", "not a number"),
        ),
    ),
}
