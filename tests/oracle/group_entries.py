"""R's tests between groups, with the analysis of the kind `compare` that must give each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.oracle.reading import names_of_file

# What R was told, by the last words of an entry's name.
CALLS: Final[Mapping[str, Mapping[str, Any]]] = {
    "wilcox.normal_cc": {"test": "wilcoxon", "exact": "never"},
    "wilcox.normal_nocc": {"test": "wilcoxon", "exact": "never", "correct": False},
    "wilcox.default": {"test": "wilcoxon"},
    "wilcox.exact": {"test": "wilcoxon", "exact": "always", "shift": True},
    "wilcox.hodges_lehmann": {"test": "wilcoxon", "exact": "never", "shift": True},
    "t.welch": {"test": "welch"},
    "t.pooled": {"test": "t"},
    "kruskal": {"test": "kruskal"},
    "anova": {"test": "anova"},
    "anova_lm": {"test": "anova"},
    "anova_welch": {"test": "welch_anova"},
    "fisher": {"test": "fisher"},
    "chisq_nocc": {"test": "chi_square", "correct": False},
    "chisq_yates": {"test": "chi_square"},
}
# The names of columns in an entry's name, and those of the study.
COLUMNS: Final[Mapping[str, str]] = {
    "ph_ecog": "ecog",
    "ecog": "ecog",
    "os": "os_status",
    "differ": "differs",
    "extent": "extents",
    "surgery": "surgery == 1",
    "year": "year > 5",
}
OTHERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "cmh.sex_event_by_site": {"by": "sex", "variables": ["event"], "by_site": True},
    "cmh.obstruct_os_by_site": {"by": "obstruct", "variables": ["os_status"], "by_site": True},
    "cmh.rx_os_by_site": {"by": "rx", "variables": ["os_status"], "by_site": True},
    "trend.os_by_extent": {"by": "extents", "variables": ["os_status"]},
}
TESTS: Final = {"cmh": "mantel_haenszel", "trend": "trend"}


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """One entry: its data, its name there, and the fields of the analysis."""

    data: str
    name: str
    fields: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Return the name under which a test of the entry runs."""
        return f"{self.data}.{self.name}"

    @property
    def analysis(self) -> str:
        """Return the name of its analysis."""
        return re.sub("[^a-z0-9]+", "_", self.name)[:40]

    @property
    def variable(self) -> str:
        """Return the one variable."""
        return str(self.fields["variables"][0])


def _entry(data: str, name: str) -> GroupEntry | None:
    if name in OTHERS:
        fields = {"test": TESTS[name.split(".")[0]], **OTHERS[name]}
        return GroupEntry(data, name, {"kind": "compare", **fields})
    columns, _, call = name.removeprefix("h2.").partition(".")
    if call not in CALLS or columns.startswith("site_"):
        return None
    pair = columns.split("~") if "~" in columns else columns.split("_x_")[::-1]
    variable, by = (COLUMNS.get(column, column) for column in pair)
    fields = {"by": by, "variables": [variable], **CALLS[call]}
    if data == "heart":
        fields["cohort"] = "first"
    return GroupEntry(data, name, {"kind": "compare", **fields})


def group_entries(data: str) -> list[GroupEntry]:
    """Return the entries of a data set that are compared."""
    found = (_entry(data, name) for name in names_of_file(f"{data}.tests"))
    return [entry for entry in found if entry is not None]
