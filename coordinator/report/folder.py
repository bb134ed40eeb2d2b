"""Reading a release's folder: the manifest and the document of each analysis it lists."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from site_agent.contract.canonical import sha256
from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.files import write_at_once

SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class Document:
    """One analysis as its file tells it."""

    name: str
    kind: str
    options: Mapping[str, Any]
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReleaseFolder:
    """A release on disk; `altered` names files that are not what the manifest hashed."""

    manifest: Mapping[str, Any]
    documents: tuple[Document, ...]
    altered: tuple[str, ...]

    @property
    def marks(self) -> tuple[str, ...]:
        """Return the parts of the watermark, none if the study has none."""
        text = str(self.manifest["watermark"])
        return tuple(part.strip() for part in text.split(";") if part.strip())


def read_release(folder: Path) -> ReleaseFolder:
    """Return the release in `folder`; ConfigurationError if a file is absent or no release's."""
    manifest, _ = _read(folder / "manifest.json")
    hashes = manifest.get("files", {})
    documents, altered = [], []
    for name in manifest.get("opened", {}):
        document, digest = _read(folder / f"{name}.json")
        documents.append(Document(name, document["kind"], document["options"], document["result"]))
        if hashes.get(f"{name}.json", digest) != digest:
            altered.append(f"{name}.json")
    return ReleaseFolder(manifest, tuple(documents), tuple(altered))


def read_previous(folder: Path, release: ReleaseFolder) -> ReleaseFolder | None:
    """Return the release before, of the same study, beside this one; None where there is none."""
    manifest = release.manifest
    numbers = range(int(manifest["release"]) - 1, 0, -1)
    beside = (folder.absolute().parent / f"release-{number}" for number in numbers)
    for place in beside:
        if not (place / "manifest.json").exists():
            continue
        found = read_release(place)
        if found.manifest["study_hash"] == manifest["study_hash"]:
            return found
    return None


def note_reports(folder: Path, reports: Mapping[str, bytes]) -> None:
    """Write the hash of each report into the manifest, under `reports`; nothing else is changed."""
    path = folder / "manifest.json"
    manifest, _ = _read(path)
    manifest["reports"] = {name: sha256(data) for name, data in sorted(reports.items())}
    text = json.dumps(manifest, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_at_once(path, text.encode("utf-8"))


def _read(path: Path) -> tuple[dict[str, Any], str]:
    """Return a JSON object of this schema, and the hash of its bytes."""
    try:
        data = path.read_bytes()
        found = json.loads(data)
    except OSError:
        raise ConfigurationError(
            f"{path} cannot be read; expected a release's folder, with manifest.json and a JSON "
            f"file for each analysis; give the folder release-<number>"
        ) from None
    except ValueError:
        raise ConfigurationError(
            f"{path} is not JSON; expected a file as the release wrote it; run the release again"
        ) from None
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise ConfigurationError(
            f"{path} has schema {schema!r}, expected {SCHEMA}; report it with the version of this "
            f"software that wrote it"
        )
    return found, sha256(data)
