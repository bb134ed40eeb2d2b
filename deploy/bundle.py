"""Builds what a hospital without internet installs the agent from: wheels, their sums, a script.

`python deploy/bundle.py` writes `build/bundle/` and `build/bundle.tar`. Of the project the bundle
has what the image of a hospital has: the agent, and nothing of the center. This machine needs a
package index; the hospital's needs none.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import click
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final = "quorum"
SOURCES: Final = ("README.md", "constraints.txt", "pyproject.toml", "site_agent")
UNIT: Final = ROOT / "deploy" / "hospital" / "quorum-agent.service"
INSTALL: Final = ROOT / "deploy" / "hospital" / "install"
# Times in archives: the first that a wheel can hold, so that the same files give the same bytes.
EPOCH_S: Final = 315532800
BAD_CONFIGURATION: Final = 78


class BundleError(click.ClickException):
    """No bundle can be built; what is to be done is in the text."""

    exit_code = BAD_CONFIGURATION


def question(source: Path, wheels: Path, *, figures: bool) -> list[str]:
    """Return the command that builds or fetches all wheels of the agent into a folder."""
    wanted = f"{source}[figures]" if figures else str(source)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    pinned = ["--constraint", str(source / "constraints.txt")]
    return [*pip, *pinned, "--wheel-dir", str(wheels), wanted]


def pins(text: str) -> dict[str, str]:
    """Return the versions of a file of constraints, by the name as an index writes it."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    pairs = (line.split("==") for line in lines if line)
    return {canonicalize_name(name): version for name, version in pairs}


def versions(wheels: Iterable[str]) -> dict[str, str]:
    """Return name and version of files of wheels."""
    read = (parse_wheel_filename(name)[:2] for name in sorted(wheels))
    return {name: str(version) for name, version in read}


def unpinned(found: Mapping[str, str], pinned: Mapping[str, str]) -> dict[str, str]:
    """Return what is not of this project and not at the version of the constraints."""
    return {n: v for n, v in found.items() if n != PROJECT and pinned.get(n) != v}


def gather(wheels: Path, *, figures: bool) -> None:
    """Put the wheels into a folder; the project's own is built from the agent's files only."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name)
        for part in SOURCES:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, source / part)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH_S)}
        done = subprocess.run(question(source, wheels, figures=figures), env=environment)
    if done.returncode:
        raise BundleError(
            "pip could not get all wheels, its message is above; is an index in reach?"
        )


def complete(folder: Path) -> None:
    """Write beside `wheels/` what installs them, and the sums of everything."""
    found = versions(path.name for path in (folder / "wheels").iterdir())
    stray = unpinned(found, pins((ROOT / "constraints.txt").read_text(encoding="utf-8")))
    if stray:
        listed = ", ".join(f"{name} {version}" for name, version in stray.items())
        raise BundleError(f"found {listed}, not as in constraints.txt: pin these versions there")
    lines = [f"{name}=={version}\n" for name, version in found.items()]
    (folder / "wheels.txt").write_text("".join(lines), encoding="utf-8")
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    text = INSTALL.read_text(encoding="utf-8").replace("@PYTHON@", python)
    text = text.replace("@MACHINE@", f"{platform.system()} {platform.machine()}")
    (folder / "install").write_text(text, encoding="utf-8")
    (folder / "install").chmod(0o755)
    shutil.copyfile(UNIT, folder / UNIT.name)
    (folder / "SHA256SUMS").write_text(sums(folder), encoding="utf-8")


def sums(folder: Path) -> str:
    """Return the sums of all files of a folder, as `sha256sum --check` reads them."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    named = [(path.relative_to(folder).as_posix(), path.read_bytes()) for path in files]
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in named)


def pack(folder: Path) -> Path:
    """Write a folder into an archive beside it; owners and times of this machine stay out."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = EPOCH_S
        member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
        return member

    archive = folder.with_name(f"{folder.name}.tar")
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as file:
        file.add(folder, folder.name, filter=plain)
    return archive


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/bundle"),
    show_default=True,
    help="Folder of the bundle; what it held is replaced. The archive is written beside it.",
)
@click.option("--figures", is_flag=True, help="With the libraries that draw a hospital's figures.")
def main(out: Path, figures: bool) -> None:
    """Build the bundle of the agent for a hospital without internet."""
    if out.exists() and any(out.iterdir()) and not (out / "wheels").is_dir():
        raise BundleError(
            f"{out} holds something that is no bundle; name another folder with --out"
        )
    shutil.rmtree(out, ignore_errors=True)
    (out / "wheels").mkdir(parents=True)
    gather(out / "wheels", figures=figures)
    complete(out)
    archive = pack(out)
    click.echo(f"{hashlib.sha256(archive.read_bytes()).hexdigest()}  {archive}")


if __name__ == "__main__":
    main()
