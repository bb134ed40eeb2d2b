"""From a pooled table to a study: the steps of docs/study-file.md, as somebody would take them."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from coordinator.cli import cli, run
from tests.docs.example import pooled
from tests.docs.pages import fences, page, section, studies

TEXT = section(page("study-file.md"), "From a pooled table to a study")
LINES = [shlex.split(line) for line in fences(TEXT, "sh")[0].splitlines()]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pooled table, split by the program of the page."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "study.yaml").write_text(studies(TEXT)[0], encoding="utf-8")
    pooled().drop(columns="empty").to_parquet(folder / "pooled.parquet", index=False)
    subprocess.run([sys.executable, "-c", fences(TEXT, "python")[0]], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def codes(home: Path) -> list[int]:
    """The exit codes of the page's lines, one after the other."""
    before = Path.cwd()
    os.chdir(home)
    try:
        return [run(cli, words[1:]) for words in LINES]
    finally:
        os.chdir(before)


def test_every_line_of_the_page_is_done(codes: list[int]) -> None:
    """Each command of the page leaves with 0 on sixty patients of three hospitals."""
    assert codes == [0, 0, 0, 0]


def test_without_the_policy_all_is_watermarked(codes: list[int], home: Path) -> None:
    """What `--policy none` wrote says so."""
    manifest = json.loads((home / "try/release-1/manifest.json").read_text())
    assert manifest["watermark"].startswith("NO DISCLOSURE POLICY")


def test_with_the_policy_nothing_is_watermarked(codes: list[int], home: Path) -> None:
    """What the study's own policy allowed carries no mark."""
    manifest = json.loads((home / "out/release-1/manifest.json").read_text())
    assert manifest["watermark"] == ""


def test_below_the_limits_the_code_is_that_of_a_refusal(home: Path) -> None:
    """With fewer patients than the study's limits the release is refused."""
    strict = (home / "study.yaml").read_text().replace("patients: 30", "patients: 100")
    (home / "strict.yaml").write_text(strict)
    words = ["simulate", "strict.yaml", "--sites", "sites", "--out", "strict"]
    assert run(cli, [*words[:1], *(str(home / w) if w[0] != "-" else w for w in words[1:])]) == 77
