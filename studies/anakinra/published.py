"""What Gazeau 2023 prints, as figures to compare a cohort with.

Reference: N. Gazeau et al., "Anakinra for refractory CRS or ICANS after CAR T-cell
therapy", Transplant Cell Ther 29 (2023) 430-437, Tables 1 and 2 and Results.

Quartiles are R's type 7. Each figure carries the unit of its last printed place: three
significant digits, or whole numbers in full where Table 2 prints them so.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

GROUPS: Final = ("low", "high", "total")
GROUP_SIZE: Final = MappingProxyType({"low": 15, "high": 28, "total": 43})


@dataclass(frozen=True, slots=True)
class Spread:
    """Median, quartiles and, if printed, range; `unit` is the last place of `quartiles`."""

    median: float
    first: float
    third: float
    unit: tuple[float, float, float]
    minimum: float | None = None
    maximum: float | None = None

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """First quartile, median, third quartile."""
        return (self.first, self.median, self.third)


def _spread(text: str) -> Spread:
    """Read "median first third [minimum maximum]"; the last place of each is its unit."""
    printed = text.split()
    median, first, third = (float(word) for word in printed[:3])
    units = tuple(_last_place(word) for word in (printed[1], printed[0], printed[2]))
    minimum, maximum = (float(word) for word in printed[3:]) if printed[3:] else (None, None)
    return Spread(median, first, third, (units[0], units[1], units[2]), minimum, maximum)


def _last_place(word: str) -> float:
    """Unit of the last place printed: "1720" is in tens, "1040." in ones, "43.5" in tenths."""
    whole, point, decimals = word.partition(".")
    if point:
        return float(10.0 ** -len(decimals))
    return float(10.0 ** max(0, len(whole) - 3))


def _by_group(low: str, high: str, total: str) -> MappingProxyType[str, Spread]:
    return MappingProxyType(
        {group: _spread(text) for group, text in zip(GROUPS, (low, high, total), strict=True)}
    )


# Median, first quartile, third quartile; a point at the end: printed in full.
TABLE_1: Final = MappingProxyType(
    {
        "age": _by_group("51.0 32.0 63.0", "63.5 50.0 71.0", "58.0 44.5 67.5"),
        "weight_kg": _by_group("67.6 60.0 75.0", "73.5 64.8 82.3", "73.0 64.5 80.2"),
        "kps": _by_group("80.0 65.0 90.0", "80.0 80.0 90.0", "80.0 77.5 90.0"),
        "ferritin": _by_group("1720. 705 3400.", "534 236 1370.", "809 310 2270."),
        "platelets": _by_group("93.0 43.5 244", "106 58.0 158", "103 47.0 163"),
        "ldh": _by_group("609 288 1300.", "216 168 392", "295 192 579"),
        "albumin": _by_group("39.0 29.8 40.8", "34.0 27.8 40.0", "35.5 28.0 40.0"),
        "crp": _by_group("8.75 2.50 14.4", "8.54 3.68 26.9", "8.54 3.22 16.7"),
    }
)
# As above, then minimum and maximum.
TABLE_2: Final = MappingProxyType(
    {
        "peak_crs": _by_group("2 1 2 1 3", "2 1 2 0 4", "2 1 2 0 4"),
        "peak_icans": _by_group("4 4 4 0 5", "4 3 4 0 4", "4 3 4 0 5"),
        "anakinra_day": _by_group("9 8 14 6 41", "8 6 11 4 22", "8 7 12 4 41"),
        "steroid_days": _by_group("13 4 24 1 51", "12 8 20 3 43", "12 8 21.5 1 51"),
        "steroid_mg": _by_group(
            "610 395 2175. 25 8000", "562 233 945 120 2700", "598 260 1040. 25 8000"
        ),
        "anakinra_mg": _by_group(
            "700 450 1600. 100 12600", "4200. 2600. 5700. 400 18000", "2800. 1125. 4950. 100 18000"
        ),
        "anakinra_days": _by_group("6 4.5 10 1 44", "7.5 4.75 12.2 1 29", "7 4.5 11.5 1 44"),
    }
)

MISSING: Final = MappingProxyType(
    {
        "kps": (0, 3),
        "ferritin": (1, 6),
        "ldh": (0, 1),
        "albumin": (1, 0),
        "crp": (1, 10),
        "marrow": (1, 5),  # what the counts of known status leave of 15 and 28
    }
)
# Level: patients in the low and in the high group.
COUNTS: Final = MappingProxyType(
    {
        "disease": MappingProxyType(
            {
                "DLBCL": (10, 15),
                "MCL": (0, 7),
                "B-ALL": (2, 3),
                "PMBCL": (3, 0),
                "FL": (0, 2),
                "MM": (0, 1),
            }
        ),
        "product": MappingProxyType(
            {
                "axi-cel": (12, 8),
                "tisa-cel": (2, 6),
                "brexu-cel": (0, 6),
                "liso-cel": (0, 3),
                "JCAR021": (0, 3),
                "JCAR014": (1, 0),
                "JCAR017": (0, 1),
                "anti-BCMA": (0, 1),
            }
        ),
        "bulky": MappingProxyType({"no": (8, 16), "yes": (7, 12)}),
        "marrow": MappingProxyType({"no": (12, 15), "yes": (2, 8)}),
        "country": MappingProxyType({"Spain": (11, 7), "US": (4, 21)}),
    }
)
TOTALS: Final = MappingProxyType(
    {
        "route": MappingProxyType({"SC": 21, "IV": 20, "both": 2}),
        "indication": MappingProxyType({"ICANS": 40, "CRS": 3}),
        "trial": MappingProxyType({"no": 37, "yes": 6}),
        "death_cause": MappingProxyType({"progression": 6, "infection": 5, "ICANS": 4}),
        "cns_history": MappingProxyType({"none": 37, "lymphoma": 3, "stroke": 2, "meningioma": 1}),
        "vasopressors": MappingProxyType({"no": 37, "yes": 6}),
        "encephalopathy": MappingProxyType({"no": 12, "yes": 31}),
        "seizures": MappingProxyType({"no": 35, "yes": 8}),
        "oedema": MappingProxyType({"no": 36, "yes": 7}),
        "steroid_change": MappingProxyType({"increased": 22, "neither": 13, "started": 8}),
        "siltuximab": MappingProxyType({"no": 32, "yes": 11}),
        "intrathecal": MappingProxyType({"no": 41, "yes": 2}),
        "etoposide": MappingProxyType({"no": 42, "yes": 1}),
        "ruxolitinib": MappingProxyType({"no": 42, "yes": 1}),
        "rerouted": MappingProxyType({"no": 42, "yes": 1}),
        "stopped": MappingProxyType({"no": 41, "yes": 2}),
        "peak_timing": MappingProxyType({"at start": 30, "before": 7, "after": 6}),
    }
)
FURTHER_TREATED: Final = 12
# Wilcoxon's test of the dose groups as R's `wilcox.test`, Fisher's for the country; as printed.
P_VALUES: Final = MappingProxyType(
    {
        "age": "0.018",
        "ferritin": "0.049",
        "ldh": "0.002",
        "peak_crs": "0.4",
        "peak_icans": "0.069",
        "anakinra_day": "0.13",
        "steroid_days": ">0.9",
        "steroid_mg": "0.3",
        "anakinra_mg": "0.0001",
        "anakinra_days": "0.41",
    }
)
P_COUNTRY: Final = "0.004"
# Days of CRS, and of ICANS of grade 2 or more, in those who had any: median, range.
DURATIONS: Final = MappingProxyType({"crs_days": (4, 3, 18), "icans_days": (6, 1, 38)})
# Disease: (responders, patients); the two responders that the paper leaves unplaced are in FL.
RESPONDERS: Final = MappingProxyType(
    {
        "DLBCL": (17, 25),
        "MCL": (5, 7),
        "B-ALL": (5, 5),
        "PMBCL": (1, 3),
        "FL": (2, 2),
        "MM": (1, 1),
    }
)
