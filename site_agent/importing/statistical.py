"""Files of SPSS, Stata and SAS, by pyreadstat (the extra `statistical`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from site_agent.contract.errors import ConfigurationError
from site_agent.importing.mapping import SourceFile
from site_agent.importing.quietly import quietly
from site_agent.importing.sources import Source, check_header, from_rows, word


def read_statistical(spec: SourceFile) -> Source:
    """Return a file with its labels; what is missing there, in whatever way, is blank."""
    try:
        import pyreadstat
    except ImportError:
        raise ConfigurationError(
            f"{spec.file.name}: files of SPSS, Stata and SAS need pyreadstat; install Quorum with "
            f"its extra: pip install 'quorum[statistical]', or export CSV"
        ) from None
    readers: dict[str, Callable[..., Any]] = {
        ".sav": pyreadstat.read_sav,
        ".zsav": pyreadstat.read_sav,
        ".por": pyreadstat.read_por,
        ".dta": pyreadstat.read_dta,
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
    }
    encoding = None if spec.encoding == "utf-8" else spec.encoding
    given: dict[str, Any] = {"encoding": encoding, "output_format": "dict"}
    suffix = spec.file.suffix.lower()
    if suffix == ".por":
        del given["encoding"]
    with quietly(spec.file.name):
        cells, meta = readers[suffix](str(spec.file), **given)
        names = [name or "" for name in cells]  # a damaged file has columns without a name
        rows = [list(row) for row in zip(*cells.values(), strict=True)]
    header = check_header(spec.file, names)
    found = from_rows(spec.file.name, header, rows, first=1)
    labels = {name: label for name, label in meta.column_names_to_labels.items() if label}
    choices = {
        name: {str(word(code)): str(label) for code, label in coded.items()}
        for name, coded in meta.variable_value_labels.items()
    }
    return Source(found.file, found.columns, found.rows, labels, choices)
