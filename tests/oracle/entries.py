"""Every entry of R's results that is compared, with the analysis that must give its numbers.

An entry becomes one analysis for each way of forming limits that R's entry has. `study` is the
file of tests/oracle/studies; `data` the data set and, with `topic`, the file of results.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

CONF_TYPES = ("log", "log-log", "plain", "logit", "arcsin")
MULTISTATE = ("log", "log-log", "plain")
ETM_NAMES = {"cloglog": "cloglog", "plain": "linear", "log-log": "loglog", "log": "log"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: where R's numbers stand, and the fields of the analysis."""

    data: str
    topic: str
    name: str
    fields: Mapping[str, Any]
    study: str
    conf_types: tuple[str, ...] = ()
    truncated: bool = False

    @property
    def id(self) -> str:
        """Return the name under which a test of the entry runs."""
        return f"{self.study}.{self.topic}.{self.name}"

    def analysis(self, conf_type: str = "") -> str:
        """Return the name of its analysis in the study, of at most 40 characters."""
        words = f"{self.topic} {conf_type} {self.name}"
        return re.sub("[^a-z0-9]+", "_", words)[:40]

    def analyses(self, result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return its analyses; what R gives at certain times is asked for at these."""
        wanted = {**self.fields, **ASKED[self.topic](result)}
        if not self.conf_types:
            return {self.analysis(): wanted}
        return {self.analysis(kind): {**wanted, "conf_type": kind} for kind in self.conf_types}


def _asked_of_curves(result: Mapping[str, Any]) -> dict[str, Any]:
    curves = list(result.values())
    return {
        "at": curves[0]["landmarks"]["time"],
        "quantiles": curves[0]["quantiles"]["probs"],
        "restricted_mean": [
            value["tau"] for name, value in curves[0].items() if name.startswith("rmst_tau")
        ],
    }


def _asked_of_cuminc(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": next(iter(result["curves"].values()))["landmarks"]["time"]}


def _asked_of_states(result: Mapping[str, Any]) -> dict[str, Any]:
    curve = next(value for name, value in result.items() if name != "states")
    return {"at": curve["landmarks"]["time"]}


def _nothing(_: Mapping[str, Any]) -> dict[str, Any]:
    return {}


ASKED = {
    "km": _asked_of_curves,
    "logrank": _nothing,
    "cuminc": _asked_of_cuminc,
    "ms": _asked_of_states,
    "etm": _nothing,
    "cox": _nothing,
    "crr": _nothing,
}


@dataclass(slots=True)
class _Source:
    """One study and its data set, from which entries are made."""

    data: str
    study: str = ""
    made: list[Entry] = field(default_factory=list)

    def _add(self, topic: str, name: str, fields: Mapping[str, Any], **more: Any) -> None:
        study = self.study or self.data
        self.made.append(Entry(self.data, topic, name, fields, study, **more))

    def km(self, name: str, endpoint: str, *, truncated: bool = False, **fields: Any) -> None:
        """Add Kaplan-Meier curves."""
        self._add(
            "km",
            name,
            {"kind": "survival", "endpoint": endpoint, **fields},
            conf_types=CONF_TYPES,
            truncated=truncated,
        )

    def logrank(self, name: str, endpoint: str, **fields: Any) -> None:
        """Add a log-rank test."""
        self._add("logrank", f"logrank.{name}", {"kind": "logrank", "endpoint": endpoint, **fields})

    def peto(self, name: str, endpoint: str, **fields: Any) -> None:
        """Add a test with the weights of Peto and Peto."""
        weighted = {"kind": "logrank", "endpoint": endpoint, "rho": 1, **fields}
        self._add("logrank", f"peto.{name}", weighted)

    def incidence(
        self, name: str, endpoint: str, *, truncated: bool = False, **fields: Any
    ) -> None:
        """Add curves of incidence; the name tells the package whose variance they have."""
        topic = next(part for part in ("cuminc", "ms", "etm") if part in name.split("."))
        jackknife = "greenwood" if truncated else "jackknife"
        conf_types = {"cuminc": ("log-log",), "ms": MULTISTATE, "etm": tuple(ETM_NAMES)}[topic]
        self._add(
            topic,
            name,
            {
                "kind": "incidence",
                "endpoint": endpoint,
                "variance": {"cuminc": "gray", "ms": jackknife, "etm": "greenwood"}[topic],
                **fields,
            },
            conf_types=conf_types[:1] if topic == "ms" and truncated else conf_types,
            truncated=truncated,
        )

    def cox(self, name: str, endpoint: str, covariates: Iterable[str], **fields: Any) -> None:
        """Add a Cox model; the name tells the ties and whether hospitals are strata."""
        ties = "breslow" if "breslow" in name else "efron"
        by_site = re.search(r"strata_(sex_|size_)?site", name)
        self._add(
            "cox",
            name,
            {
                "kind": "cox",
                "endpoint": endpoint,
                "covariates": list(covariates),
                "ties": ties,
                "baseline": "by_site" if by_site else "pooled",
                **fields,
            },
        )

    def fine_gray(self, name: str, endpoint: str, covariates: Iterable[str], **fields: Any) -> None:
        """Add a subdistribution hazard; the name tells package, ties and strata."""
        by_site = "strata_site" in name
        self._add(
            "crr",
            name,
            {
                "kind": "fine_gray",
                "endpoint": endpoint,
                "covariates": list(covariates),
                "convention": "finegray" if "finegray" in name else "crr",
                "ties": "efron" if "efron" in name else "breslow",
                **({"baseline": "by_site"} if by_site else {"risk_sets": "open"}),
                **fields,
            },
        )


def _lung() -> list[Entry]:
    lung = _Source("lung")
    lung.km("all", "survival")
    lung.km("sex", "survival", by="sex")
    lung.km("ph_ecog", "survival", by="ecog")
    lung.km("reverse", "survival", reverse=True)
    lung.km("reverse.sex", "survival", by="sex", reverse=True)
    lung.logrank("sex", "survival", by="sex")
    lung.logrank("sex.strata_site", "survival", by="sex", by_site=True)
    lung.peto("sex", "survival", by="sex")
    lung.logrank("ecog", "survival", by="ecog")
    lung.logrank("ecog.strata_sex_site", "survival", by="ecog", strata=["sex"], by_site=True)
    plain = ("age", "sex", "ph_ecog")
    for name in ("efron", "breslow", "strata_site", "strata_site.breslow", "robust"):
        lung.cox(name, "survival", plain)
    lung.cox("cluster_site", "survival", plain)
    lung.cox("strata_sex_cluster_site", "survival", ("age", "ph_ecog"), strata=["sex"])
    lung.cox("factor_ecog", "survival", ("ecog",))
    lung.cox("complete_case_trap", "survival", ("age", "sex", "wt_loss"))
    lung.cox("offset", "survival", ("sex", "ph_ecog"), offset="0.02 * age")
    lung.cox("poly_age", "survival", ("age", "age ** 2", "sex"))
    karnofsky = ("ph_karno", "pat_karno", "wt_loss", "log10(meal_cal)")
    lung.cox("full_missing", "survival", ("age", "sex", "ecog", *karnofsky))
    return lung.made


def _mgus2() -> list[Entry]:
    mgus2 = _Source("mgus2")
    mgus2.km("os.all", "survival")
    mgus2.km("os.sex", "survival", by="sex")
    mgus2.km("os.reverse", "survival", reverse=True)
    mgus2.km("os.age_scale_months", "survival_by_age", by="sex", truncated=True)
    mgus2.logrank("sex", "survival", by="sex")
    mgus2.logrank("sex.strata_site", "survival", by="sex", by_site=True)
    mgus2.incidence("cuminc.all", "pcm")
    mgus2.incidence("cuminc.sex", "pcm", by="sex")
    mgus2.incidence("cuminc.sex.strata_site", "pcm", by="sex", by_site=True)
    mgus2.incidence("ms.all", "pcm")
    mgus2.incidence("ms.sex", "pcm", by="sex")
    mgus2.incidence("etm.sex", "pcm", by="sex")
    for package in ("ms", "etm"):
        name = f"lt.{package}.months"
        mgus2.incidence(name, "pcm_by_age", truncated=True)
        mgus2.incidence(f"{name}.sex", "pcm_by_age", by="sex", truncated=True)
        mgus2.incidence(f"{name}.entry60", "pcm_by_age", cohort="from_60", truncated=True)
    full = ("age", "sex", "hgb", "log10(creat)", "mspike")
    for cause in ("pcm", "death"):
        mgus2.fine_gray(f"crr.{cause}", cause, ("age / 10", *full[1:]))
    for ties in ("breslow", "efron", "strata_site.breslow", "strata_site.efron"):
        mgus2.fine_gray(f"finegray.complete.{ties}", "pcm", ("age / 10", "sex", "mspike"))
    whole = {"censoring_rows": "endpoint"}
    for ties in ("breslow", "efron"):
        mgus2.fine_gray(f"finegray.pcm.{ties}", "pcm", ("age / 10", "sex", "mspike"), **whole)
    mgus2.fine_gray("lt.finegray.pcm", "pcm_by_age", ("sex", "mspike"), **whole)
    for ties in ("breslow", "efron"):
        short = ("sex", "mspike")
        mgus2.fine_gray(f"finegray.complete.lt.{ties}", "pcm_by_age", short)
        late = f"finegray.complete.lt.entry60.{ties}"
        mgus2.fine_gray(late, "pcm_by_age", short, cohort="from_60")
    for name in ("os.efron", "os.breslow", "os.strata_site", "os.strata_site.breslow"):
        mgus2.cox(name, "survival", full)
    mgus2.cox("cs.pcm", "pcm", ("age", "sex", "hgb", "mspike"))
    mgus2.cox("cs.death", "death", full[:4])
    mgus2.cox("cs.pcm.strata_sex_site", "pcm", ("age", "mspike"), strata=["sex"])
    mgus2.cox("lt.cs.pcm.months", "pcm_by_age", ("sex", "hgb", "mspike"))
    mgus2.cox("lt.cs.death.months.strata_site", "death_by_age", ("sex", "hgb"))
    mgus2.cox("lt.cs.death.months.breslow.cluster_site", "death_by_age", ("sex", "hgb"))
    years = _Source("mgus2", "mgus2_years")
    years.incidence("lt.ms.years", "pcm_by_age", truncated=True)
    years.cox("lt.cs.pcm.years", "pcm_by_age", ("sex", "hgb", "mspike"))
    return mgus2.made + years.made


def _heart() -> list[Entry]:
    heart = _Source("heart")
    heart.km("all", "survival")
    heart.km("transplant", "survival", by="transplant == 1")
    full = ("age", "year", "surgery", "transplant")
    for name in ("efron", "breslow", "strata_site", "strata_site.breslow", "cluster_id"):
        heart.cox(name, "survival", full)
    heart.cox("cluster_site", "survival", ("age", "transplant"))
    heart.cox(
        "interaction",
        "survival",
        ("age", "surgery", "transplant", "age * transplant", "interaction(surgery, transplant)"),
    )
    return heart.made


def _cgd() -> list[Entry]:
    cgd = _Source("cgd")
    cgd.km("first.treat", "first", by="treat", cohort="first")
    cgd.km("gap.treat", "gap", by="treat")
    cgd.km("startstop.treat", "infections", by="treat")
    first: dict[str, Any] = {"by": "treat", "cohort": "first"}
    cgd.logrank("first.treat", "first", **first)
    cgd.logrank("first.treat.strata_site", "first", **first, by_site=True)
    cgd.logrank("first.treat.strata_hos", "first", **first, strata=["hos_cat"])
    for name in ("ag.efron", "ag.breslow", "ag.cluster_id"):
        cgd.cox(name, "infections", ("treat", "sex", "age", "inherit", "steroids"))
    short = ("treat", "inherit", "steroids")
    cgd.cox("ag.strata_site.cluster_id", "infections", short)
    cgd.cox("ag.cluster_site", "infections", short)
    cgd.cox("ag.strata_hos.cluster_id", "infections", short[:2], strata=["hos_cat"])
    cgd.cox("pwp_ct", "infections", short, strata=["cut(enum, [2, 3, 4, 5, 6, 7, 8])"])
    cgd.cox("pwp_gap", "gap", short[:2], strata=["cut(enum, [2, 3])"])
    covariates = ("treat", "log10(age)", "propylac")
    cgd.cox("first.efron", "first", covariates, cohort="first")
    cgd.cox("first.strata_site", "first", covariates, cohort="first")
    return cgd.made


def _rotterdam() -> list[Entry]:
    rotterdam = _Source("rotterdam")
    rotterdam.km("os.all", "survival")
    rotterdam.km("os.size", "survival", by="size")
    rotterdam.km("rfs.hormon", "relapse_free", by="hormon")
    rotterdam.km("os.reverse", "survival", reverse=True)
    rotterdam.logrank("os.size", "survival", by="size")
    rotterdam.logrank("os.size.strata_site", "survival", by="size", by_site=True)
    rotterdam.logrank(
        "rfs.hormon.strata_meno", "relapse_free", by="hormon", strata=["cut(meno, [1])"]
    )
    rotterdam.incidence("cuminc.size", "relapse", by="size")
    rotterdam.incidence("cuminc.hormon.strata_site", "relapse", by="hormon", by_site=True)
    rotterdam.incidence("ms.all", "relapse")
    rotterdam.incidence("ms.size", "relapse", by="size")
    logs = ("log10(nodes + 1)", "log10(pgr + 1)", "log10(er + 1)")
    full = ("age", "meno", "size", "grade", *logs, "hormon", "chemo")
    for name in ("os.efron", "os.breslow", "os.strata_site"):
        rotterdam.cox(name, "survival", full)
    rotterdam.cox("os.cluster_site", "survival", ("age", "size", "grade", logs[0], "hormon"))
    rotterdam.cox(
        "rfs.strata_size_site.breslow",
        "relapse_free",
        ("age", "grade", "nodes", "hormon"),
        strata=["size"],
    )
    causes = ("age / 10", "size", logs[0], "grade", "hormon")
    rotterdam.cox("cs.relapse", "relapse", causes)
    rotterdam.cox("cs.death", "death_first", causes)
    competing = ("age / 10", "size", logs[0], "grade == 3", "hormon")
    for name, endpoint in (("crr.relapse", "relapse"), ("crr.death", "death_first")):
        rotterdam.fine_gray(name, endpoint, competing)
    return rotterdam.made


def _colon() -> list[Entry]:
    colon = _Source("colon")
    for name, endpoint in (("os", "survival"), ("rec", "recurrence")):
        colon.km(f"{name}.rx", endpoint, by="rx")
        colon.logrank(f"{name}.rx", endpoint, by="rx")
    colon.logrank("os.rx.strata_site", "survival", by="rx", by_site=True)
    strata = ["cut(extent, [2, 3, 4])", "cut(differ, [2, 3])"]
    colon.logrank("os.rx.strata_extent_differ", "survival", by="rx", strata=strata)
    invaded = ("obstruct", "perfor", "adhere")
    full = ("rx", "sex", "age", *invaded, "nodes", "grade", "extent", "surg")
    colon.cox("os.efron", "survival", full)
    short = ("rx", "sex", "age", "obstruct", "nodes", "extent")
    colon.cox("os.strata_site.breslow", "survival", short)
    recurrence = ("rx", "node4", "obstruct")
    colon.cox("rec.strata_extent_cluster_site", "recurrence", recurrence, strata=["depth"])
    return colon.made


def _edge_ties() -> list[Entry]:
    ties = _Source("edge_ties")
    ties.km("all", "event")
    ties.km("x1", "event", by="x1 == 1")
    ties.km("left_truncated", "event_truncated", truncated=True)
    ties.km("left_truncated.with_invalid_rows", "event_truncated", truncated=True)
    ties.km("reverse", "event", reverse=True)
    x2 = "cut(x2, [1, 2, 3])"
    ties.logrank("x1", "event", by="x1 == 1")
    ties.logrank("x2", "event", by=x2)
    ties.peto("x1", "event", by="x1 == 1")
    ties.logrank("x1.strata_site", "event", by="x1 == 1", by_site=True)
    ties.incidence("cuminc.all", "a")
    ties.incidence("cuminc.x1", "a", by="x1 == 1")
    ties.incidence("cuminc.x1.strata_site", "a", by="x1 == 1", by_site=True)
    ties.incidence("cuminc.x2", "a", by=x2)
    ties.incidence("ms.all", "a")
    ties.incidence("ms.x1", "a", by="x1 == 1")
    ties.incidence("ms.lt", "a_truncated", truncated=True)
    ties.incidence("ms.time_gt_0", "a", cohort="after_0")
    ties.incidence("etm.all", "a", cohort="after_0")
    ties.incidence("etm.lt", "a_truncated", truncated=True)
    for name in ("efron", "breslow", "strata_site", "cluster_site", "cluster_site.breslow"):
        ties.cox(name, "event", ("x1", "x2"))
    for name in ("weighted.efron", "weighted.breslow"):
        ties.cox(name, "event", ("x1", "x2"), weights="w")
    ties.cox("lt.weighted.cluster_site", "event_truncated", ("x1", "x2"), weights="w")
    for name in ("lt.efron", "lt.breslow", "lt.strata_site", "lt.invalid_rows"):
        ties.cox(name, "event_truncated", ("x1", "x2"))
    ties.cox("collinear", "event", ("x1", "x3", "x2"))
    ties.fine_gray("crr.1", "a", ("x1", "x2"))
    for name in ("crr.1.time_gt_0", "finegray.a.breslow"):
        ties.fine_gray(name, "a", ("x1", "x2"), cohort="after_0")
    return ties.made


def _edge_timefix() -> list[Entry]:
    made = []
    for unit, suffix in (("days", ""), ("years", ".default")):
        source = _Source("edge_timefix", "edge_timefix" if unit == "days" else "edge_timefix_years")
        source.km(f"{unit}{suffix}", "event")
        source.incidence(f"ms.{unit}", "a")
        source.cox(f"{unit}.efron", "event", ("x",))
        if unit == "days":
            source.incidence("cuminc.days", "a")
        else:
            source.cox("years.strata_site", "event", ("x",))
        made += source.made
    return made


ENTRIES: tuple[Entry, ...] = (
    *_lung(),
    *_mgus2(),
    *_heart(),
    *_cgd(),
    *_rotterdam(),
    *_colon(),
    *_edge_ties(),
    *_edge_timefix(),
)


def entries(*topics: str) -> list[Entry]:
    """Return the entries of some topics."""
    return [entry for entry in ENTRIES if entry.topic in topics]
