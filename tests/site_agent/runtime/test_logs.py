"""Lines of the log, for people and for collectors."""

from __future__ import annotations

import json
import logging

import pytest

from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.logs import Lines, log


def test_a_line_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The instant, then the words; on stderr."""
    log("text", "agent")("'north' runs")
    out, err = capsys.readouterr()
    assert (out, err[20:]) == ("", " 'north' runs\n")


def test_a_line_for_a_collector(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON object a line, whatever the words hold."""
    log("json", "agent")('release 1: unfit_data: "crs"\nis missing — twice')
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert found.pop("time").endswith("Z")
    words = 'release 1: unfit_data: "crs"\nis missing — twice'
    assert found == {"process": "agent", "message": words}


def test_another_form_is_refused() -> None:
    """A form that is none is said, with those that are."""
    with pytest.raises(ConfigurationError, match="log.format is 'xml', expected text or json"):
        log("xml", "agent")


def test_what_a_module_logs_has_no_traceback() -> None:
    """An error's text may hold a value: the record's own words pass, and nothing else."""
    lines: list[str] = []
    logger = logging.Logger("made up")
    logger.addHandler(Lines(lines.append))
    try:
        raise ValueError("61 years")
    except ValueError:
        logger.exception("internal error: %s", "a place")
    assert lines == ["internal error: a place"]
