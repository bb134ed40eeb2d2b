"""A release's folder, from the last round to the end of the release.

Results are on disk before a release is closed, so that none is closed and lost; the folder takes
its name, release-<n>, when all is there.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

from coordinator.release import Release
from coordinator.results import Circumstances, write_manifest, write_results

SHORT: Final = 16
NAME: Final = re.compile(r"release-([1-9][0-9]*)", re.ASCII)


def release_folder(out: Path, number: int) -> Path:
    """Return the folder of a finished release."""
    return out / f"release-{number}"


def finished(out: Path) -> list[int]:
    """Return the numbers of the finished releases in a folder, the first one first."""
    named = (NAME.fullmatch(path.parent.name) for path in out.glob("release-*/manifest.json"))
    return sorted(int(match[1]) for match in named if match)


def _draft(out: Path, number: int) -> Path:
    return out / f".release-{number}.part"


def write_draft(out: Path, release: Release) -> None:
    """Write the results of a release whose last round is done; what was there is replaced."""
    drop_draft(out, release.number)
    folder = _draft(out, release.number)
    folder.mkdir(parents=True)
    write_results(folder, release)


def aside(out: Path, study: str) -> Path:
    """Return the folder of the releases of the study with this hash, when it was revised."""
    return out / f"of-{study[:SHORT]}"


def put_aside(out: Path, study: str) -> Path:
    """Put the releases of the study with this hash into a folder of their own; return it.

    Its revision counts releases from 1 again.
    """
    folder = aside(out, study)
    for path in sorted(out.glob("release-*")):
        folder.mkdir(exist_ok=True)
        path.rename(folder / path.name)
    return folder


def drop_draft(out: Path, number: int) -> None:
    """Remove the results of a release that was not closed."""
    shutil.rmtree(_draft(out, number), ignore_errors=True)


def finish_draft(out: Path, release: Release, circumstances: Circumstances) -> Path:
    """Write the manifest of a closed release and give its folder its name; return the folder."""
    folder = release_folder(out, release.number)
    write_manifest(_draft(out, release.number), release, circumstances)
    _draft(out, release.number).rename(folder)
    return folder
