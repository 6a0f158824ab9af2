"""Fixtures of the command line: run a command in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from helix_lab.doors.cli import run

Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command: exit code, stdout, stderr."""

    def ask(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


@pytest.fixture
def ask_json(ask: Ask) -> Callable[..., Any]:
    """Run a command that succeeds, and read its JSON."""

    def ask_json(*arguments: str) -> Any:
        code, out, err = ask("--json", *arguments)
        assert (0, "") == (code, err)
        return json.loads(out)

    return ask_json
