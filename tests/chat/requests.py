"""Requests that tests of providers share."""

from __future__ import annotations

from typing import Any

from helix_lab.ports.chat import ChatMessage, ChatRequest


def ask(content: str = "Is tea good?", **fields: Any) -> ChatRequest:
    return ChatRequest(**{"messages": [ChatMessage("user", content)], "model": "", **fields})
