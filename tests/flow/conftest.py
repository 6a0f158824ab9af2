"""Labs for the tests of the flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab.lab import Lab
from tests.flow.labs import open_at
from tests.flow.workshop import Gate, Workshop


@pytest.fixture
def lab(tmp_path: Path, records_url: str | None) -> Iterator[Lab]:
    """An open lab in an empty folder, with each of the record stores."""
    with open_at(tmp_path / "lab", records_url=records_url) as opened:
        yield opened


@pytest.fixture
def workshop(tmp_path: Path, records_url: str | None) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path, records_url=records_url)
    yield workshop
    workshop.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.is_open.set()
