"""Without Chromium the browser tests say so, and in CI they fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chromium import HOW

ROOT = Path(__file__).parents[2]
PYTEST = ["-m", "pytest", "-p", "no:nbval", "tests/browser/test_panel.py", "-k", "cookie"]


@pytest.mark.parametrize(("ci", "status", "word"), [("true", 1, "ERROR"), ("", 0, "SKIPPED")])
def test_a_missing_browser_is_a_reason_to_skip_but_not_in_ci(
    ci: str, status: int, word: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, *PYTEST],
        cwd=ROOT,
        env=os.environ | {"CI": ci, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert status == done.returncode, done.stdout
    assert word in done.stdout
    assert HOW in done.stdout
