"""Stacks of a test's own, and looking at processes from outside."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab.doors.cli.stacking import find_cache
from helix_lab.stack.stack import Stack


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that a service which runs as another user can get to."""
    with tempfile.TemporaryDirectory(prefix="helix-stack-") as name:
        path = Path(name)
        path.chmod(0o711)
        yield path


@pytest.fixture
def stack(folder: Path) -> Iterator[Stack]:
    """A stack that is taken down at the end, whatever the test did to it."""
    stack = Stack(folder, find_cache())
    yield stack
    stack.down()
