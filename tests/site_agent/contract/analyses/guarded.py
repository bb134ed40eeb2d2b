"""A study whose analyses are given by each test, for tests of the guard."""

from __future__ import annotations

from collections.abc import Sequence

from site_agent.contract.study.model import Study
from tests.studytext import study

HEAD = """\
quorum: 1
study: guarded
title: A study whose analyses the guard looks at
time: {unit: day, resolution: 1, horizon: 400}
sites:
  attributes: {country: [US, Spain]}
tables:
  patients:
    key: patient
    columns:
      age: {type: number}
      ldh: {type: number, missing: allowed}
      sex: {type: category, levels: [male, female]}
      stage: {type: category, levels: [one, two, three]}
      start: {type: day}
      death: {type: day, missing: allowed}
      seen: {type: day}
      left: {type: day, missing: allowed}
  episodes:
    key: [patient, day]
    columns:
      day: {type: day}
      until: {type: day}
      dies: {type: boolean}
      doubtful: {type: boolean, missing: allowed}
      ward: {type: category, levels: [a, b]}
derive:
  patients:
    old: age > 60
    log10_ldh: log10(ldh)
    dose: {high: age > 60, low: otherwise}
    gapped: {high: age > 60, low: age < 40}
    worst: {high: ldh > 60, low: otherwise}
endpoints:
  survival: {event: {death: death}, censored: seen}
  from_start: {event: {death: death}, censored: seen, origin: start}
  entered: {event: {death: death}, censored: seen, entry: start}
  lost: {event: {death: death}, censored: left}
  relative: {event: {death: death}, censored: seen, origin: left}
  ward: {table: episodes, entry: day, time: until, event: {death: dies}}
  stay: {table: episodes, time: until, event: {death: dies}}
  doubt: {table: episodes, time: until, event: {death: doubtful}}
cohorts:
  adults: age >= 18
  elders: age >= 60
disclosure:
  classes: [A, B, C]
  compute: {sites: 3, patients: 5, others: 3}
  between_releases: {patients: 5, sites: 3}
"""


def text(*analyses: str, accepted: Sequence[str] = ()) -> str:
    """The text of the study with analyses a, b, c ... of these fields; some accepted by name."""
    named = zip("abcdefgh", analyses, strict=False)
    lines = [f"  {name}: {{{fields}}}" for name, fields in named]
    sentences = [f"    - {{analysis: {name}, because: it is needed}}" for name in accepted]
    exceptions = ["  accepted:", *sentences] if accepted else []
    return HEAD + "\n".join([*exceptions, "analyses:", *lines]) + "\n"


def guarded(*analyses: str, accepted: Sequence[str] = ()) -> Study:
    """The study with these analyses."""
    return study(text=text(*analyses, accepted=accepted))


CURVE = "kind: survival, endpoint: survival"
MODEL = "kind: cox, endpoint: survival, baseline: by_site, covariates: "
SCREEN = "kind: cox_screen, endpoint: survival, baseline: by_site, covariates: "
