from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY


def made(folder: Path) -> dict[str, str]:
    """The secrets that the script draws in a folder."""
    subprocess.run([folder / "make-secrets"], check=True, capture_output=True)
    return {path.name: path.read_text("utf-8") for path in (folder / "secrets").iterdir()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the script."""
    shutil.copy(DEPLOY / "center" / "make-secrets", tmp_path)
    return tmp_path


def test_the_addresses_have_the_passwords(folder: Path) -> None:
    """The address of a database has the password of its user."""
    found = made(folder)
    password = found["exchange_password"]
    assert found["exchange__database"] == f"postgresql://exchange:{password}@database/exchange"


def test_the_address_of_prefect_names_its_driver(folder: Path) -> None:
    """Prefect's address is for the driver that it needs."""
    found = made(folder)
    password = found["prefect_password"]
    assert found["prefect__database"] == f"postgresql+asyncpg://prefect:{password}@database/prefect"


def test_passwords_differ(folder: Path) -> None:
    """Each user has a password of 48 hexadecimal digits of its own."""
    found = made(folder)
    passwords = {found[f"{name}_password"] for name in ("postgres", "exchange", "prefect")}
    assert [len(password) for password in passwords] == [48, 48, 48]


def test_a_second_run_changes_nothing(folder: Path) -> None:
    """What is there stays."""
    assert made(folder) == made(folder)


def test_the_folder_is_closed_to_others(folder: Path) -> None:
    """Nobody but the owner may look into the folder."""
    made(folder)
    assert (folder / "secrets").stat().st_mode & 0o777 == 0o700


def test_the_script_of_the_databases_is_a_script() -> None:
    """The shell can read the script that makes the databases."""
    script = DEPLOY / "center" / "databases.sh"
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
