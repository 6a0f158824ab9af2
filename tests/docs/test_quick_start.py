"""What the quick start and the README tell people to type works as it is written."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from helix_lab.data_folder import read_owner

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(sys.executable).parent
ADDRESS = "http://localhost:7061"
TOKEN = "a-secret-of-this-test"
START_S = 60
MISSING = object()

# A refused request fails, and the block with it; what curl is told stays as it is written.
PRELUDE = """
set -eu
curl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; }
"""

OF_THE_GUIDE = [
    "curl ADDRESS/health",
    """curl -X POST ADDRESS/v1/debates -H "Content-Type: application/json" -d '{
    "topic": "Explain microservices architecture", "conversation_id": "my-first-conversation"
    }'""",
    """curl -X POST ADDRESS/v1/debates -H "Content-Type: application/json" -d '{
    "topic": "What about service discovery?", "conversation_id": "my-first-conversation"
    }'""",
    """curl -X POST ADDRESS/v1/debates -d '{"topic": "Tell me about Docker and Kubernetes"}'""",
    """curl "ADDRESS/v1/analytics/providers?window=24h" """,
    """curl "ADDRESS/v1/analytics/conversations/trends?days=7" """,
    """curl "ADDRESS/v1/analytics/debates/winners?limit=10" """,
]


@dataclass(frozen=True, slots=True)
class Block:
    """A code block of a document."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Server:
    """A running lab, and a folder to type in."""

    url: str
    data_dir: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a person who follows the document has set."""
        path = f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', '')}"
        inherited = {name: value for name, value in os.environ.items() if not _is_ours(name)}
        return {
            **inherited,
            "PATH": path,
            "JUPYTER_TOKEN": TOKEN,
            "HELIX_DATA_DIR": str(self.data_dir),
        }

    def type(self, command: list[str]) -> str:
        """The output of a command that must succeed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def type_shell(self, text: str) -> str:
        """The output of a block of shell commands."""
        return self.type(["sh", "-c", PRELUDE + text.replace(ADDRESS, self.url)])


def _is_ours(name: str) -> bool:
    return name.startswith(("HELIX_", "JUPYTER_")) or name.lower().endswith("_proxy")


def blocks(document: str) -> list[Block]:
    """The code blocks of a document, in order."""
    text = (ROOT / document).read_text()
    return [Block(*found) for found in re.findall(r"^```(\w+)\n(.*?)^```", text, re.M | re.S)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`helix-lab serve` on a free port with an empty data folder."""
    folder = tmp_path_factory.mktemp("typing")
    data_dir = tmp_path_factory.mktemp("lab") / "data"
    plan = Server("", data_dir, folder)
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(PROGRAMS / "helix-lab"), "serve"],
            cwd=folder,
            env={**plan.environment, "HELIX_PORT": "0"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = _wait_for_address(process, data_dir, log)
        yield Server(url, data_dir, folder)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for_address(process: subprocess.Popen[bytes], data_dir: Path, log: Path) -> str:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended:\n{log.read_text()}"
        owner = read_owner(data_dir)
        if owner is not None and owner.url is not None:
            return f"http://localhost:{urlsplit(owner.url).port}"
        try:
            process.wait(timeout=0.1)
        except subprocess.TimeoutExpired:
            continue
    pytest.fail(f"no address within {START_S} s:\n{log.read_text()}")


def last_json(output: str) -> Any:
    """The last JSON value that was printed."""
    decoder, found, position = json.JSONDecoder(), None, 0
    while position < len(output):
        found, end = decoder.raw_decode(output, position)
        position = end + len(output[end:]) - len(output[end:].lstrip())
    return found


def differing(shown: Any, real: Any, path: str = "answer") -> list[str]:
    """Where an answer is not what a document shows.

    Fields that are not shown do not count. A text may be cut by "…"; of lists and numbers only
    the type counts.
    """
    if isinstance(shown, Mapping) and isinstance(real, Mapping):
        return [
            fault
            for name, value in shown.items()
            for fault in differing(value, real.get(name, MISSING), f"{path}.{name}")
        ]
    if isinstance(shown, str) and isinstance(real, str):
        start, cut, _ = shown.partition("…")
        return [] if real.startswith(start) and (cut or real == shown) else [f"{path}: {real!r}"]
    return [] if isinstance(real, type(shown)) else [f"{path}: {real!r}"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_quick_start_works_from_an_empty_folder_as_it_is_written(server: Server) -> None:
    answer: Any = None
    commands = 0
    for block in blocks("docs/quick-start.md"):
        if block.language == "sh":
            output = server.type_shell(block.text)
            answer = last_json(output) if block.text.startswith("curl") else None
            commands += len(re.findall(r"^(?:curl|helix-lab) ", block.text, re.MULTILINE))
        elif block.language == "json":
            assert [] == differing(json.loads(block.text), answer)
        elif block.language == "python":
            assert "my-first-conversation" in server.type([sys.executable, "-c", block.text])

    assert commands > 15


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_examples_of_the_readme_work(server: Server) -> None:
    shown = blocks("README.md")

    for block in shown:
        if block.language == "sh":
            assert server.type_shell(block.text).strip()
        elif block.language == "python":
            assert server.type([sys.executable, "-c", block.text]).strip()

    assert {"sh", "python"} <= {block.language for block in shown}


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_health_is_public_and_everything_else_asks_for_the_token(server: Server) -> None:
    health = json.loads(server.type_shell(f"curl {ADDRESS}/health"))
    status = "command curl --silent --output answer --write-out '%{http_code}'"

    assert "healthy" == health["status"]
    assert "403" == server.type_shell(f"{status} {ADDRESS}/v1/info")
    assert "403" == server.type_shell(f"{status} -X POST {ADDRESS}/v1/debates -d '{{}}'")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_corrections_of_the_guide_hold(server: Server) -> None:
    send = 'command curl --silent -H "Authorization: token $JUPYTER_TOKEN"'
    body = """-d '{"topic": "What is a log?", "conversation_id": "corrected"}'"""

    head = server.type_shell(f"{send} --include --output - {ADDRESS}/v1/debates {body}")
    refused = server.type_shell(
        f"{send} {ADDRESS}/v1/context/replay "
        """-d '{"conversation_id": "corrected", "max_tokens": 1}' """
    )

    assert head.startswith("HTTP/1.1 202")
    assert "\nLocation: /v1/debates/" in head
    assert "BUDGET_TOO_SMALL" == json.loads(refused)["error"]["code"]


@pytest.mark.parametrize("line", OF_THE_GUIDE)
def test_the_quick_start_has_the_lines_of_the_guide_with_no_more_than_the_token(line: str) -> None:
    words = " ".join(line.replace("ADDRESS", ADDRESS).split())
    extras = r' -H "Authorization: token \$JUPYTER_TOKEN"| -H "Prefer: wait=30"'
    typed = [
        " ".join(re.sub(extras, "", " ".join(block.text.replace("\\\n", " ").split())).split())
        for block in blocks("docs/quick-start.md")
    ]

    assert any(words in text for text in typed)
