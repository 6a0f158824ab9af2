"""What the tests of chat look at: what was sent, and what failed."""

from __future__ import annotations

from typing import Any

from helix_lab.domain.model.event import CONVERSATIONS, REPLY_FAILED
from helix_lab.lab import Lab
from helix_lab.testing.fake_llm import FakeLLM

WINDOW = 2_000


def sent(fake: FakeLLM, number: int = -1) -> list[tuple[str, str]]:
    """What the provider's server really got."""
    return [(m["role"], m["content"]) for m in fake.requests[number].body["messages"]]


def failures(lab: Lab) -> list[dict[str, Any]]:
    return [
        dict(entry.event.data)
        for entry in lab.services.log.read_key(CONVERSATIONS, "c")
        if entry.event.type == REPLY_FAILED.name
    ]
