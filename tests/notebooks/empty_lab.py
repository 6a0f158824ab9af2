"""A pytest plugin: notebooks that look for the lab find an empty one, never the user's own."""

from __future__ import annotations

import os
import tempfile

import pytest

_FOLDER = pytest.StashKey["tempfile.TemporaryDirectory[str]"]()


def pytest_configure(config: pytest.Config) -> None:
    """Point kernels at an empty folder."""
    folder = tempfile.TemporaryDirectory(prefix="helix-lab-", ignore_cleanup_errors=True)
    config.stash[_FOLDER] = folder
    os.environ["HELIX_DATA_DIR"] = folder.name
    os.environ.pop("HELIX_LAB_URL", None)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder."""
    config.stash[_FOLDER].cleanup()
