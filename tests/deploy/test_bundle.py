from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from deploy import bundle
from tests.deploy.files import ROOT, copied

WHEELS: Final = ("click-8.5.1-py3-none-any.whl", "quorum-0.1.0-py3-none-any.whl")


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A bundle around empty files that are named like wheels."""
    folder = tmp_path / "bundle"
    (folder / "wheels").mkdir(parents=True)
    for name in WHEELS:
        (folder / "wheels" / name).touch()
    bundle.complete(folder)
    return folder


def install(folder: Path, *words: str, **variables: str) -> tuple[int, str]:
    """Run a bundle's script; its code and what it says to people."""
    done = subprocess.run(
        [str(folder / "install"), *words],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr


def test_the_project_is_built_from_what_the_image_of_a_hospital_has() -> None:
    """The bundle's own wheel and a hospital's image come from the same files."""
    assert sorted(copied("hospital")) == sorted(bundle.SOURCES)


@pytest.mark.parametrize(("figures", "wanted"), [(False, "/s"), (True, "/s[figures]")])
def test_pip_is_asked_for_pinned_wheels(figures: bool, wanted: str) -> None:
    """Pip is asked for the agent under the constraints; for its figures only if they are wanted."""
    words = bundle.question(Path("/s"), Path("/w"), figures=figures)
    assert words[:4] == [sys.executable, "-m", "pip", "wheel"] and words[-5:] == [
        "--constraint",
        "/s/constraints.txt",
        "--wheel-dir",
        "/w",
        wanted,
    ]


def test_names_are_compared_as_an_index_does() -> None:
    """PyYAML of the constraints is the pyyaml of a wheel's name."""
    found = bundle.versions(["pyyaml-6.0.3-cp311-cp311-manylinux_2_28_x86_64.whl"])
    assert bundle.unpinned(found, bundle.pins("# versions\nPyYAML==6.0.3\n")) == {}


def test_another_version_is_refused(tmp_path: Path) -> None:
    """A wheel that is not at the version of the constraints ends the building, by name."""
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "click-1.0-py3-none-any.whl").touch()
    with pytest.raises(bundle.BundleError, match=r"found click 1\.0, not as in constraints\.txt"):
        bundle.complete(tmp_path)


def test_a_folder_with_something_else_stays(tmp_path: Path) -> None:
    """A folder that holds no bundle is refused with 78 and not emptied."""
    (tmp_path / "thesis.txt").touch()
    said = CliRunner().invoke(bundle.main, ["--out", str(tmp_path)])
    assert (said.exit_code, (tmp_path / "thesis.txt").exists()) == (78, True)


def test_every_file_has_its_sum(built: Path) -> None:
    """SHA256SUMS names all other files of the bundle, and `sha256sum` agrees."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"],
        cwd=built,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {f"{p.relative_to(built)}: OK" for p in built.rglob("*") if p.is_file()}
    assert set(done.stdout.splitlines()) == names - {"SHA256SUMS: OK"}


def test_no_file_has_an_address(built: Path) -> None:
    """What is written beside the wheels names no place to fetch something from."""
    texts = [path.read_text(encoding="utf-8") for path in built.iterdir() if path.is_file()]
    assert [text for text in texts if re.search(r"\w+://|index-url", text)] == []


def test_the_archive_has_the_same_bytes_for_the_same_files(built: Path) -> None:
    """A file that was only written again changes nothing in the archive."""
    first = bundle.pack(built).read_bytes()
    os.utime(built / "install", (1, 1))
    assert bundle.pack(built).read_bytes() == first


def test_a_damaged_bundle_is_not_installed(built: Path, tmp_path: Path) -> None:
    """A wheel that is not as it was built ends the script with 78, before anything is made."""
    (built / "wheels" / WHEELS[0]).write_bytes(b"damaged")
    code, said = install(built, str(tmp_path / "place"))
    assert (code, "copy it again" in said, (tmp_path / "place").exists()) == (78, True, False)


def test_a_missing_python_is_named(built: Path, tmp_path: Path) -> None:
    """Without the Python that the wheels are for, the script says which it looked for."""
    code, said = install(built, str(tmp_path / "place"), PYTHON="python0.9")
    assert code == 78 and "found no 'python0.9'" in said


def test_a_relative_folder_is_refused(built: Path) -> None:
    """A folder that is not a full path would be taken from the bundle's place: 78."""
    code, said = install(built, "quorum")
    assert code == 78 and "expected a full path" in said


@pytest.mark.campaign
def test_it_installs_without_a_network(tmp_path: Path) -> None:
    """Installed where there is no interface, the agent starts, without Prefect."""
    alone = ["unshare", "--net"]
    if os.getuid() != 0 or subprocess.run([*alone, "true"], capture_output=True).returncode != 0:
        pytest.skip("a namespace without a network needs root and `unshare`")
    script = str(ROOT / "deploy" / "bundle.py")
    subprocess.run([sys.executable, script, "--out", str(tmp_path / "b")], check=True, timeout=300)
    unpacked = tmp_path / "hospital"
    unpacked.mkdir()
    subprocess.run(["tar", "-xf", str(tmp_path / "b.tar"), "-C", str(unpacked)], check=True)
    place = tmp_path / "place"
    done = subprocess.run(
        [*alone, str(unpacked / "b" / "install"), str(place)],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        timeout=300,
    )
    there = {path.name for path in (place / "lib").glob("python*/site-packages/*")}
    assert (done.stdout, there & {"prefect", "coordinator", "flows", "fastapi"}) == (
        "site-agent, version 0.1.0\n",
        set(),
    ), done.stderr
