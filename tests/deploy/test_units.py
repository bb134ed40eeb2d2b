from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.commands import understood
from tests.deploy.files import SIDES, UNITS, unit

RUNS: Final = {"hospital": "site-agent run", "center": "coordinator up"}
needs_systemd: Final = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


@pytest.mark.parametrize("side", SIDES)
def test_the_unit_runs_a_command_of_ours(side: str) -> None:
    """What a unit starts is a command that exists, with options that it takes."""
    (line,) = unit(side)["ExecStart"]
    assert understood(shlex.split(line)) == RUNS[side]


@pytest.mark.parametrize("side", SIDES)
def test_the_unit_is_closed(side: str) -> None:
    """A unit runs as its own user, starts again, and has the locks that matter most."""
    keys = ("User", "Restart", "KillMode", "ProtectSystem", "NoNewPrivileges", "UMask")
    found = [unit(side)[key] for key in keys]
    assert found == [["quorum"], ["always"], ["control-group"], ["strict"], ["yes"], ["0077"]]


@pytest.mark.parametrize("side", SIDES)
def test_the_state_is_where_the_command_looks(side: str) -> None:
    """A unit may write into the folder that its command uses."""
    (name,) = unit(side)["StateDirectory"]
    said = [*unit(side)["ExecStart"], *unit(side)["Environment"]]
    assert any(f"/var/lib/{name}" in text for text in said)


def test_memory_with_records_is_not_written_out() -> None:
    """Neither a core file nor the swap gets the memory of an agent."""
    found = unit("hospital")
    assert (found["LimitCORE"], found["MemorySwapMax"]) == (["0"], ["0"])


@needs_systemd
@pytest.mark.parametrize("side", SIDES)
def test_systemd_takes_the_unit(side: str, tmp_path: Path) -> None:
    """systemd finds nothing wrong with a unit whose program is there."""
    there = tmp_path / UNITS[side].name
    text = UNITS[side].read_text(encoding="utf-8")
    folder = Path(sys.executable).parent
    there.write_text(text.replace("/opt/quorum/bin", str(folder)), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(there)], capture_output=True, text=True
    )
    own = [line for line in done.stderr.splitlines() if there.name in line]
    assert (done.returncode, own) == (0, [])


@needs_systemd
@pytest.mark.parametrize("side", SIDES)
def test_systemd_finds_the_unit_closed(side: str) -> None:
    """Of what systemd can take from a service, little is left: an exposure of at most 2 of 10."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(UNITS[side])],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
