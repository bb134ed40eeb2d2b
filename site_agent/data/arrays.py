"""Arrow's arrays of fixed width as NumPy's, and back.

By their buffers: Arrow's own conversions load pandas, for which a process that computes would wait
at each start.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import DTypeLike, NDArray


def missing_in(array: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return which values are missing, NaN among them; (n,)."""
    found = values_of(pc.is_null(array, nan_is_null=True).cast(pa.uint8()), np.uint8)
    return np.asarray(found != 0)


def values_of(array: pa.Array | pa.ChunkedArray, dtype: DTypeLike) -> NDArray[Any]:
    """Return the values of an array of this fixed width, read-only; any where one is missing."""
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if not len(whole):
        return np.zeros(0, dtype)
    width = np.dtype(dtype).itemsize
    return np.frombuffer(whole.buffers()[1], dtype, len(whole), whole.offset * width)


def words_array(words: NDArray[np.uint64]) -> pa.Array:
    """Return words of 64 bits as an array without missing values."""
    buffers = [None, pa.py_buffer(np.ascontiguousarray(words))]
    return pa.Array.from_buffers(pa.uint64(), len(words), buffers)


def words_of(array: pa.ChunkedArray) -> NDArray[np.uint64]:
    """Return the words of an array again; ValueError if it holds anything else."""
    if array.type != pa.uint64() or array.null_count:
        raise ValueError(f"found {array.type}, expected words of 64 bits")
    return values_of(array, np.uint64)
