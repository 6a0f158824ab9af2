"""What holds for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
from jupyter_server.extension.manager import ExtensionManager

from tests.data.loaders import find_data
from tests.tiers import check_tiers, records_url, running_services

# Failures inside the suites that ship show their values, like those in test files: told before
# anything of these is imported, whatever is collected first.
pytest.register_assert_rewrite("helix_lab.testing")

__all__ = ["records_url", "running_services"]


@pytest.fixture(autouse=True)
def own_order_of_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what notebook_shim, once linked, does to every server of the process."""
    monkeypatch.setattr(ExtensionManager, "sorted_extensions", ExtensionManager.sorted_extensions)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the data sets; without it the test is skipped."""
    folder = find_data()
    if folder is None:
        pytest.skip("no data sets: set HELIX_TEST_DATA to their folder")
    return folder


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the modules marked `long`: one that comes last keeps a single worker busy."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    check_tiers(item)
