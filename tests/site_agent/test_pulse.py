"""Signs of life of an agent: what the files say, and when it is called ill."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from site_agent.contract.errors import ConfigurationError, NotReady
from site_agent.contract.version import VERSION
from site_agent.pulse import EVERY_S, SILENT_S, Beat, Pulse, health, pulse_file
from site_agent.site import Site
from tests.site_agent.hospital import set_up

NOW = 1_800_000_000.0
STUDY = "ab" * 32


class Bench:
    """A pulse of one agent, at an instant that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.metrics = folder / "agent.prom"
        self.site: Site = set_up(folder, more=f'[metrics]\nfile = "{self.metrics}"\n')
        self.now = NOW
        self.lines: list[str] = []
        self.ledger = self.site.ledger()
        self.pulse = Pulse(self.site, self.ledger, self.lines.append, lambda: self.now)

    def values(self) -> dict[str, float]:
        """The metrics as Prometheus reads them, by name and labels."""
        text = self.metrics.read_text(encoding="utf-8")
        return {
            " ".join([sample.name.removeprefix("quorum_agent_"), *sample.labels.values()]): (
                sample.value
            )
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    @property
    def at(self) -> float:
        """When the last sign of life was written."""
        return float(json.loads(pulse_file(self.site).read_text(encoding="utf-8"))["at"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An agent that has not beaten yet."""
    return Bench(tmp_path)


def test_the_metrics_are_what_prometheus_reads(bench: Bench) -> None:
    """Every number by its name, the approval's end among them; none of a patient."""
    bench.ledger.append("approved", study=STUDY, until="2027-01-15T08:00:00Z")
    bench.pulse.beat(Beat(reached=True, hindered=("unfit_data", "unfit_data", "disk"), answered=7))
    assert bench.values() == {
        f"info {VERSION}": 1,
        "last_beat_timestamp_seconds": NOW,
        "exchange_reached_timestamp_seconds": NOW,
        "answering": 0,
        "answered_messages": 7,
        "hindered_releases disk": 1,
        "hindered_releases unfit_data": 2,
        "ledger_entries": 1,
        f"approval_end_timestamp_seconds {STUDY[:16]}": 1_800_000_000,
    }


def test_the_collector_may_read_the_metrics(bench: Bench) -> None:
    """The collector is another user, whatever the agent's mask says."""
    before = os.umask(0o077)
    try:
        bench.pulse.beat(Beat(reached=True))
    finally:
        os.umask(before)
    assert stat.S_IMODE(bench.metrics.stat().st_mode) == 0o644


def test_news_is_written_at_once_and_the_rest_every_few_seconds(bench: Bench) -> None:
    """The same again waits; that it answers now, or that its clock was set back, does not."""
    written = []
    for seconds, beat in (
        (0.0, Beat(reached=True)),
        (1.0, Beat(reached=True, answered=1)),
        (2.0, Beat("1 of study ab", reached=True, answered=1)),
        (3.0, Beat(reached=True, answered=2)),
        (3.0 + EVERY_S, Beat(reached=True, answered=2)),
        (-60.0, Beat(reached=True, answered=2)),
    ):
        bench.now = NOW + seconds
        bench.pulse.beat(beat)
        written.append(bench.at - NOW)
    assert written == [0.0, 0.0, 2.0, 3.0, 3.0 + EVERY_S, -60.0]


def test_an_exchange_that_is_away_keeps_when_it_answered(bench: Bench) -> None:
    """Unreached since ten seconds: the agent lives, the exchange answered then."""
    bench.pulse.beat(Beat(reached=True))
    bench.now += 10
    bench.pulse.beat(Beat(reached=False))
    assert bench.values()["exchange_reached_timestamp_seconds"] == NOW
    with bench.site.running():
        found = health(bench.site, bench.now)
    assert (found["alive"], found["exchange"]) == ("0 s ago", "answered 10 s ago")


def test_a_file_that_cannot_be_written_ends_nothing(bench: Bench) -> None:
    """The log says it once, with the path, and the beats go on."""
    bench.metrics.mkdir()
    for _ in range(2):
        bench.now += EVERY_S
        bench.pulse.beat(Beat(reached=True))
    (line,) = bench.lines
    assert line.startswith("no sign of life can be written: ")
    assert bench.at == bench.now


@pytest.mark.parametrize("name", ["/", "state/ledger.jsonl", "agent.toml"])
def test_metrics_take_no_place_of_another_file(tmp_path: Path, name: str) -> None:
    """Only a name that a collector reads: the ledger and the settings have others."""
    site = set_up(tmp_path, more=f'[metrics]\nfile = "{name}"\n')
    with pytest.raises(
        ConfigurationError, match=f"metrics.file is '{name}', expected a file .prom"
    ):
        Pulse(site, site.ledger(), print)


def test_a_path_that_no_file_can_have_ends_nothing(tmp_path: Path) -> None:
    """A name with a zero in it."""
    site, lines = set_up(tmp_path, more='[metrics]\nfile = "/a\\u0000b.prom"\n'), list[str]()
    Pulse(site, site.ledger(), lines.append, lambda: NOW).beat(Beat(reached=True))
    assert lines == ["no sign of life can be written: check the path"]


@pytest.mark.parametrize(
    ("beaten", "answering", "words"),
    [
        (SILENT_S, "", "waits"),
        (SILENT_S + 1, "", "is 181 s old, expected one within 180 s"),
        (7200, "3 of study ab", "answers release 3 of study ab"),
        (None, "", "given no sign of life yet"),
    ],
    ids=["in time", "stuck", "computing", "starting"],
)
def test_who_is_well(bench: Bench, beaten: float | None, answering: str, words: str) -> None:
    """An agent that computes may take hours; one that waits has to beat."""
    if beaten is not None:
        bench.pulse.beat(Beat(answering, reached=True))
        bench.now += beaten
    with bench.site.running():
        assert words in said(lambda: health(bench.site, bench.now))


def said(look: Callable[[], dict[str, str]]) -> str:
    """The agent's state, or why it is called ill."""
    try:
        return look()["agent"]
    except NotReady as error:
        return str(error)


def test_an_agent_that_does_not_run_is_not_well(bench: Bench) -> None:
    """Its last sign of life may be a second old."""
    bench.pulse.beat(Beat(reached=True))
    assert "no agent runs" in said(lambda: health(bench.site, bench.now))
