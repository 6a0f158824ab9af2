"""The first client of a process is made though another thread parses source at that moment."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.chat.conftest import MakeProvider
from tests.chat.requests import ask


def test_a_transport_that_could_not_be_loaded_is_loaded_again(
    make_provider: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = httpx.AsyncClient
    made: list[str] = []

    def make_at_second(*arguments: Any, **named: Any) -> httpx.AsyncClient:
        made.append("asked for")
        if len(made) == 1:
            message = "AST constructor recursion depth mismatch (before=195, after=210)"
            raise SystemError(message)
        return make(*arguments, **named)

    monkeypatch.setattr(httpx, "AsyncClient", make_at_second)
    reply = make_provider().complete(ask())

    assert reply.text
    assert 2 == len(made)
