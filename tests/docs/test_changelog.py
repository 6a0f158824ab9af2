"""The changelog is made from fragments, and none is lost."""

from __future__ import annotations

import datetime
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DAY = datetime.date(2027, 1, 31)


@pytest.fixture
def collect() -> Callable[[Path, str, datetime.date], int]:
    function: Callable[[Path, str, datetime.date], int] = runpy.run_path(
        str(ROOT / "changes/collect.py")
    )["collect"]
    return function


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "changes").mkdir()
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\nHead.\n\n## 0.1.0 (2026-12-01)\n\nOld.\n"
    )
    (tmp_path / "changes/README.md").write_text("How.\n")
    (tmp_path / "changes/faster.feature.md").write_text("Replay is\nfaster.\n")
    (tmp_path / "changes/port.break.md").write_text("The port is 7061.\n")
    return tmp_path


def test_a_release_goes_above_the_older_ones_with_what_breaks_first(
    collect: Callable[[Path, str, datetime.date], int], project: Path
) -> None:
    assert 2 == collect(project, "0.2.0", DAY)

    assert (project / "CHANGELOG.md").read_text() == (
        "# Changelog\n\nHead.\n\n"
        "## 0.2.0 (2027-01-31)\n\n"
        "### What you must change\n\n- The port is 7061.\n\n"
        "### New\n\n- Replay is faster.\n\n"
        "## 0.1.0 (2026-12-01)\n\nOld.\n"
    )


def test_fragments_are_taken_once(
    collect: Callable[[Path, str, datetime.date], int], project: Path
) -> None:
    collect(project, "0.2.0", DAY)

    assert ["README.md"] == [path.name for path in (project / "changes").iterdir()]
