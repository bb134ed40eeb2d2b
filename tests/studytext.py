"""A small complete study file, and its variations by replacing text, for tests."""

from __future__ import annotations

from typing import Final

from site_agent.contract.errors import StudyError
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study

STUDY: Final = """\
quorum: 1
study: small
title: A small study
time: {unit: day, resolution: 1, horizon: 400}
sites:
  attributes: {country: [US, Spain]}
tables:
  patients:
    key: patient
    columns:
      age: {type: number, unit: years, range: [0, 110]}
      sex: {type: category, codes: {1: male, 2: female}, reference: male}
      kps: {type: integer, range: [0, 100], missing: allowed}
      smoker: {type: boolean, missing: allowed}
      start_day: {type: day}
      relapse_day: {type: day, missing: allowed}
      death_day: {type: day, missing: allowed}
      last_seen_day: {type: day}
  grades:
    key: [patient, day]
    columns:
      day: {type: day}
      crs: {type: integer, range: [0, 5]}
derive:
  patients:
    dose: {high: age > 60, low: otherwise}
    peak: max(grades.crs)
endpoints:
  survival:
    event: {death: death_day}
    censored: last_seen_day
  trm:
    entry: start_day
    event: {death: death_day}
    competing: {relapse: relapse_day}
    censored: last_seen_day
    first_of_ties: [relapse, death]
  trm_from_start: {like: trm, origin: start_day, entry: none}
cohorts:
  adults: age >= 18
analyses:
  curve: {kind: survival, endpoint: survival, by: sex, at: [28, 60]}
  incidence: {kind: incidence, endpoint: trm, at: [28]}
  test: {kind: logrank, endpoint: survival, by: sex}
  model: {kind: cox, endpoint: trm, covariates: [age, sex, kps], baseline: by_site}
  screen: {kind: cox_screen, endpoint: trm, covariates: [age, peak], baseline: by_site}
disclosure:
  classes: [A, B]
  compute: {sites: 3, patients: 5, others: 3}
  accepted:
    - {analysis: curve, because: it is the primary result}
presentation:
  labels: {age: Age in years}
schedule: "0 6 * * 1"
"""


def study(*replacements: tuple[str, str], text: str = STUDY) -> Study:
    """Return the study after replacing texts, each of which must be there."""
    return read_study(varied(*replacements, text=text), "small.yaml")


def varied(*replacements: tuple[str, str], text: str = STUDY) -> str:
    """Return the study's text after replacing texts, each of which must be there."""
    for old, new in replacements:
        assert old in text, old
        text = text.replace(old, new)
    return text


def issues(*replacements: tuple[str, str], text: str = STUDY) -> list[str]:
    """Return what is found wrong with the varied study, an issue a line."""
    try:
        study(*replacements, text=text)
    except StudyError as error:
        return [str(issue) for issue in error.issues]
    return []
