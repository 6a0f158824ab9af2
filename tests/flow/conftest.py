"""Labs for the tests of the flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab.lab import Lab
from tests.flow.labs import open_at
from tests.flow.workshop import Gate, Workshop


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """An open lab in an empty folder."""
    with open_at(tmp_path / "lab") as opened:
        yield opened


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path)
    yield workshop
    workshop.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.is_open.set()
