from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.effort import choose
from tests.server.live import TOKEN, LiveServer, serve

pytestmark = pytest.mark.long

CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = os.environ.get("HELIX_SCHEMATHESIS_EXAMPLES") or str(choose(full=8, quick=2))
SEED = os.environ.get("HELIX_SCHEMATHESIS_SEED", "7061")
"""Fixed, so that a run says something about the change at hand; vary it to look for more."""


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LiveServer]:
    """A server that nobody else asks, since thousands of odd requests will be made."""
    with serve(tmp_path) as live:
        yield live


@pytest.mark.timeout(400)
def test_the_server_keeps_its_contract_under_odd_requests(
    own_server: LiveServer, tmp_path: Path
) -> None:
    program = Path(sys.executable).with_name("st")
    command: list[str | Path] = [
        *(program, "--config-file", CONFIG, "run", f"{own_server.url}v1/openapi.json"),
        *("--header", f"Authorization: token {TOKEN}", "--checks", "all"),
        *("--max-examples", EXAMPLES, "--seed", SEED, "--no-shrink"),
    ]

    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=380
    )

    assert 0 == done.returncode, done.stdout[-20_000:] + done.stderr
    assert "Traceback" not in own_server.read_log()
