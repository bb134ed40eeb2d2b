from __future__ import annotations

import re
from typing import Final

import pytest

from tests.deploy.commands import PROGRAMS
from tests.deploy.files import DEPLOY, ROOT, SIDES, copied, entry, instructions

PYTHON: Final = "python:3.11-slim-bookworm"


@pytest.mark.parametrize("side", SIDES)
def test_what_is_copied_is_there(side: str) -> None:
    """Each source of COPY is a file or folder of the repository."""
    assert [source for source in copied(side) if not (ROOT / source).exists()] == []


@pytest.mark.parametrize("side", SIDES)
def test_what_is_copied_is_not_ignored(side: str) -> None:
    """The image's list of what may be copied names what is copied, and no more."""
    text = (DEPLOY / side / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    allowed = re.findall(r"^!(.+)$", text, re.MULTILINE)
    assert sorted(allowed) == sorted(copied(side)) and "\n*\n" in text


@pytest.mark.parametrize("side", SIDES)
def test_the_base_is_python(side: str) -> None:
    """Both stages stand on the same image of Python 3.11."""
    assert {rest.split()[0] for name, rest in instructions(side) if name == "FROM"} == {PYTHON}


@pytest.mark.parametrize("side", SIDES)
def test_it_does_not_run_as_root(side: str) -> None:
    """The last USER is the one of the service."""
    assert [rest for name, rest in instructions(side) if name == "USER"][-1] == "quorum"


@pytest.mark.parametrize("side", SIDES)
def test_the_entry_is_a_program_of_ours(side: str) -> None:
    """The image starts one of the two programs."""
    assert entry(side)[0] in PROGRAMS


def test_a_hospital_gets_the_agent_only() -> None:
    """Of the packages, the image of a hospital has the agent's, without the center's extra."""
    packages = {source for source in copied("hospital") if (ROOT / source).is_dir()}
    text = (DEPLOY / "hospital" / "Dockerfile").read_text(encoding="utf-8")
    assert packages == {"site_agent"} and "[coordinator]" not in text


def test_the_pages_of_prefect_are_written_out_by_a_function_that_is_there() -> None:
    """What the image of the center calls to write Prefect's pages exists in this version."""
    pytest.importorskip("prefect")
    from prefect.server.api import server

    text = (DEPLOY / "center" / "Dockerfile").read_text(encoding="utf-8")
    assert "create_ui_app(False)" in text and callable(server.create_ui_app)
