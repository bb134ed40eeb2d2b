"""Arrow's arrays as NumPy's by their buffers, and what is not loaded for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from site_agent.data.arrays import missing_in, values_of, words_array, words_of
from tests.site_agent.data.test_tables import good, write
from tests.studytext import STUDY

WORDS = np.array([0, 1, 2**64 - 1], dtype=np.uint64)


def test_values_by_their_buffers() -> None:
    """The values of a slice and of several chunks are those that Arrow itself tells."""
    whole = pa.array([1.5, 2.5, 3.5, 4.5])
    assert values_of(whole[1:3], np.float64).tolist() == [2.5, 3.5]
    parts = pa.chunked_array([whole[3:], whole[:1]])
    assert values_of(parts, np.float64).tolist() == [4.5, 1.5]
    assert values_of(pa.chunked_array([], pa.int32()), np.int32).tolist() == []


@pytest.mark.parametrize(
    "array",
    [
        pa.array([None, 1.0, float("nan")]),
        pa.array([None, "a", None]),
        pa.array([None, "a", None]).dictionary_encode(),
        pa.nulls(3),
    ],
    ids=["numbers", "words", "encoded", "nothing"],
)
def test_what_is_missing(array: pa.Array) -> None:
    """Null is missing in columns of any type, and NaN among numbers."""
    expected = [value is None or value != value for value in array.to_pylist()]
    assert missing_in(pa.chunked_array([array])).tolist() == expected


def test_words_come_back() -> None:
    """All 64 bits of each."""
    assert words_of(pa.chunked_array([words_array(WORDS)])).tolist() == WORDS.tolist()


@pytest.mark.parametrize("other", [pa.array([1, 2]), pa.array([1, None], pa.uint64())])
def test_what_are_no_words_is_refused(other: pa.Array) -> None:
    """A column of another type, or with a gap, is not read as words."""
    with pytest.raises(ValueError, match="expected words of 64 bits"):
        words_of(pa.chunked_array([other]))


READS = """
import sys
from pathlib import Path
import numpy as np
from site_agent.contributions import Contributions
from site_agent.records import Records
from site_agent.worker import read_data
from site_agent.contract.study.read import read_study
folder = Path(sys.argv[1])
study = read_study((folder / "study.yaml").read_text("utf-8"), "study.yaml")
assert len(read_data(study, folder, "one", {"country": "US"}).identifiers) == 4
words = np.arange(2, dtype=np.uint64)
records = Records(folder / "records", lambda size: bytes(size))
records.put("ab" * 32, 1, Contributions(words, words, {}, {}, {}))
assert records.get("ab" * 32, 1).patients.tolist() == [0, 1]
print([name for name in ("pandas", "pyarrow.dataset", "scipy.optimize") if name in sys.modules])
"""


def test_a_process_that_computes_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """Reading data and keeping records loads neither pandas nor other slow starters."""
    write(tmp_path, good())
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", READS, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr
