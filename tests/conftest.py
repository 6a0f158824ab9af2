"""What holds for every test."""

from __future__ import annotations

import pytest
from jupyter_server.extension.manager import ExtensionManager


@pytest.fixture(autouse=True)
def own_order_of_extensions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what notebook_shim, once linked, does to every server of the process."""
    monkeypatch.setattr(ExtensionManager, "sorted_extensions", ExtensionManager.sorted_extensions)
