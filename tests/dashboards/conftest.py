"""Fixtures of the dashboards: labs in this process, and one server with its dashboards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from helix_lab import Client, Lab, open_lab
from helix_lab.settings import Settings
from tests.server.live import TOKEN, WITH_DASHBOARDS, LiveServer, serve

SAMPLES = Path(__file__).parents[2] / "notebooks" / "samples"
BASE = "/user/ada/"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(settings=Settings(tmp_path / "lab", node_id="node-1")) as lab:
        yield lab


@pytest.fixture
def sampled(lab: Lab) -> Lab:
    """The lab with the samples of the notebooks."""
    take_samples(lab)
    assert lab.services.projections.catch_up(timeout_s=60)
    return lab


def take_samples(lab: Lab | Client) -> None:
    for name in ("conversations", "debates"):
        lab.start_import(str(SAMPLES / f"{name}.jsonl"), wait_s=60)


@pytest.fixture(scope="session")
def dashboards(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server below a prefix, whose dashboards answer."""
    home = tmp_path_factory.mktemp("dashboards")
    with serve(home, f"--ServerApp.base_url={BASE}", WITH_DASHBOARDS) as live:
        with live.client() as client:
            client.get("helix-dash/overview").raise_for_status()
        yield live


@pytest.fixture
def remote(dashboards: LiveServer) -> Iterator[Client]:
    """The lab of that server."""
    with Client(dashboards.url, TOKEN) as client:
        yield client


@pytest.fixture
def stranger(dashboards: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=dashboards.url, timeout=60) as client:
        yield client
