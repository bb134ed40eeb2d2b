from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

from coordinator import home
from site_agent import site
from site_agent.runtime.settings import Setting, read_settings
from tests.deploy.files import DEPLOY

TABLES: Final = {"hospital/agent.toml": site.SETTINGS, "center/center.toml": home.SETTINGS}


def load() -> ModuleType:
    """The script that writes the samples."""
    spec = importlib.util.spec_from_file_location("deploy_samples", DEPLOY / "samples.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SAMPLES: Final[dict[Path, str]] = load().samples()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_the_sample_is_what_the_code_writes(path: Path) -> None:
    """A sample equals the text made from the settings; else run deploy/samples.py."""
    assert path.read_text(encoding="utf-8") == SAMPLES[path]


@pytest.mark.parametrize(("name", "table"), TABLES.items())
def test_the_sample_loads(name: str, table: tuple[Setting, ...]) -> None:
    """A sample is read without a complaint, and its host is the one of the examples."""
    assert read_settings(table, DEPLOY / name, {})["exchange.url"] == "https://quorum.example.org"


@pytest.mark.parametrize(("name", "table"), TABLES.items())
def test_every_key_is_in_the_sample(name: str, table: tuple[Setting, ...], tmp_path: Path) -> None:
    """With its lines opened, a sample gives every setting, and each the value that holds."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    keys = {setting.key.rpartition(".")[2] for setting in table}
    lines = [
        line.removeprefix("# ") if line.removeprefix("# ").split(" = ")[0] in keys else line
        for line in text.splitlines()
    ]
    (tmp_path / "opened.toml").write_text("\n".join(lines), encoding="utf-8")
    opened = read_settings(table, tmp_path / "opened.toml", {})
    assert dict(opened) == dict(read_settings(table, DEPLOY / name, {}))
    assert {value.source for value in opened.values_by_key.values()} == {
        str(tmp_path / "opened.toml")
    }
