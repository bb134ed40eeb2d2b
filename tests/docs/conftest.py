from __future__ import annotations

import pytest

from coordinator.report.page import print_report, write_report
from coordinator.simulate import simulate
from tests.docs.example import Written, every_kind, pooled
from tests.docs.pages import fences, page, section


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A release with an analysis of every kind, run once."""
    home = tmp_path_factory.mktemp("release")
    for hospital, rows in pooled().groupby("hospital"):
        folder = home / "sites" / str(hospital)
        folder.mkdir(parents=True)
        rows.drop(columns="hospital").to_parquet(folder / "patients.parquet", index=False)
    (home / "study.yaml").write_text(every_kind(), encoding="utf-8")
    done = simulate(home / "study.yaml", home / "sites", home / "out")
    (text,) = fences(section(page("results.md"), "Published numbers"), "yaml")
    (home / "published.yaml").write_text(text, encoding="utf-8")
    write_report(done.folder, home / "published.yaml")
    print_report(done.folder)
    assert done.release.outcome is not None
    return Written(home / "out", done.folder, done.release.outcome.results)
