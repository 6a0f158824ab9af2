"""Fixtures of the dashboards: labs in this process, and one server with its dashboards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab import Lab, open_lab
from helix_lab.settings import Settings

SAMPLES = Path(__file__).parents[2] / "notebooks" / "samples"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(settings=Settings(tmp_path / "lab", node_id="node-1")) as lab:
        yield lab


@pytest.fixture
def sampled(lab: Lab) -> Lab:
    """The lab with the samples of the notebooks."""
    for name in ("conversations", "debates"):
        lab.start_import(str(SAMPLES / f"{name}.jsonl"), wait_s=60)
    return lab
