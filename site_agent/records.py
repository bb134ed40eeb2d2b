"""What patients contributed to earlier releases, kept beside the ledger for later comparison.

contributions/key                     the secret of the digests, mode 600
contributions/<study>-<number>.parquet    one record a release, mode 600

A record is on disk before the first share of its release leaves. One that is missing, damaged or
made with another secret cannot be compared with: everybody would seem changed, and a difference
of one patient would pass for a large one. So it is refused ("lost"), never passed over.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from site_agent.contract.errors import Refused
from site_agent.contract.identity import Entropy
from site_agent.contributions import SECRET_BYTES, Contributions, secret_mark
from site_agent.data.arrays import words_array, words_of
from site_agent.runtime.files import write_private

FOLDER: Final = "contributions"
FORMAT: Final = "quorum/1/contributions"
PATIENT: Final = "patient"
WHOLE: Final = "whole"
OF_ANALYSIS: Final = "analysis "


class Records:
    """The records in a site's folder."""

    def __init__(self, folder: Path, entropy: Entropy) -> None:
        self._folder = folder
        self._entropy = entropy

    def secret(self) -> bytes:
        """Return the secret of the digests, made at its first use."""
        path = self._folder / "key"
        if not path.exists():
            self._write(path, self._entropy(SECRET_BYTES))
        return path.read_bytes()

    def put(self, study: str, number: int, found: Contributions) -> None:
        """Keep what patients contribute to a release; it is on disk when this returns."""
        said = {
            "format": FORMAT,
            "study": study,
            "release": number,
            "secret": secret_mark(self.secret()),
            "identified": dict(found.identified),
            "selected": [[label, list(frames)] for label, frames in found.selected.items()],
            "columns": {name: sorted(columns) for name, columns in found.columns.items()},
        }
        events = {f"{OF_ANALYSIS}{name}": words for name, words in found.events.items()}
        arrays = {PATIENT: found.patients, WHOLE: found.whole, **events, **found.parts}
        table = pa.Table.from_arrays([*map(words_array, arrays.values())], list(arrays))
        buffer = io.BytesIO()
        pq.write_table(
            table.replace_schema_metadata({FORMAT: json.dumps(said)}),
            buffer,
            compression="none",
            use_dictionary=False,
        )
        self._write(self._path(study, number), buffer.getvalue())

    def get(self, study: str, number: int) -> Contributions:
        """Return what patients contributed to a release; Refused("lost") if it is not known."""
        path = self._path(study, number)
        try:
            table = pq.ParquetFile(pa.BufferReader(path.read_bytes())).read()
            said = json.loads((table.schema.metadata or {})[FORMAT.encode()])
            arrays = {name: words_of(table.column(name)) for name in table.column_names}
        except (OSError, pa.ArrowException, KeyError, ValueError):
            raise _lost(number, "is missing or damaged") from None
        if (said["study"], said["release"]) != (study, number):
            raise _lost(number, "is that of another release")
        if said["secret"] != secret_mark(self.secret()):
            raise _lost(number, "was made with another secret")
        return _read(arrays, said)

    def erase(self, study: str, number: int) -> None:
        """Remove the record of a release that gave nothing."""
        self._path(study, number).unlink(missing_ok=True)

    def _path(self, study: str, number: int) -> Path:
        return self._folder / f"{study[:16]}-{number}.parquet"

    def _write(self, path: Path, data: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, data, durable=True)


def _read(arrays: dict[str, NDArray[np.uint64]], said: Mapping[str, Any]) -> Contributions:
    patients, whole = arrays.pop(PATIENT), arrays.pop(WHOLE)
    events = {
        name.removeprefix(OF_ANALYSIS): arrays.pop(name)
        for name in list(arrays)
        if name.startswith(OF_ANALYSIS)
    }
    columns = {name: frozenset(found) for name, found in said["columns"].items()}
    named = said["identified"], {label: tuple(frames) for label, frames in said["selected"]}
    return Contributions(patients, whole, events, arrays, columns, *named)


def _lost(number: int, how: str) -> Refused:
    return Refused(
        "lost",
        f"the record of what patients contributed to release {number} {how}, and without it "
        f"nobody can tell how many have changed since. Restore the folder 'contributions' beside "
        f"the ledger from its backup",
    )
