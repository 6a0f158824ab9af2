"""Fixtures of the server tests: one real process for most of them, pytest-jupyter for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_jupyter.jupyter_server import *  # noqa: F403 - fixtures and hooks

from tests.server.live import LiveServer, serve


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with serve(tmp_path_factory.mktemp("server")) as live:
        yield live


@pytest.fixture(scope="session")
def client(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


@pytest.fixture  # type: ignore[no-redef] # it overrides the one of pytest-jupyter
def jp_server_config(tmp_path: Path) -> dict[str, Any]:
    return {
        "ServerApp": {
            "jpserver_extensions": {"helix_lab_server": True},
            "allow_unauthenticated_access": False,
        },
        "HelixLabApp": {"data_dir": str(tmp_path / "lab")},
    }
