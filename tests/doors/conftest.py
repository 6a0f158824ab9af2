"""Fixtures of the doors: a lab in this process, and a real server under a prefix."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab import Client, Lab, open_lab
from helix_lab.settings import Settings
from tests.server.live import TOKEN, LiveServer, serve

SAMPLES = Path(__file__).parents[2] / "notebooks" / "samples"
ENDLESS_SQL = (
    "SELECT count(*) FROM range(100000000) a, range(1000000) b WHERE a.range * b.range % 7 = 3"
)
"""Runs for minutes if nobody stops it."""

FAR_BELOW_THE_LIMIT_S = 40
"""On the slowest machine; the statements that are interrupted would run for two minutes."""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HELIX_LAB_URL", "HELIX_LAB_TOKEN", "HELIX_PROVIDERS", "HELIX_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HELIX_DATA_DIR", str(tmp_path / "lab"))


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(settings=Settings(tmp_path / "lab", node_id="node-1")) as lab:
        yield lab


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    home = tmp_path_factory.mktemp("door-server")
    with serve(home, "--ServerApp.base_url=/user/ana/") as live:
        yield live


@pytest.fixture
def client(server: LiveServer) -> Iterator[Client]:
    with Client(server.url, TOKEN) as client:
        yield client
