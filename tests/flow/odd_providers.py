"""Providers that answer as a test says, and a lab that knows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from helix_lab.domain.model.errors import RunCancelled
from helix_lab.lab import Lab
from helix_lab.ports.chat import ChatProvider, ChatRequest, Reply
from tests.flow.labs import PATIENCE_S, wait_until

Say = Callable[[ChatRequest], str]


class Odd(ChatProvider):
    """A provider that answers as the test says, and knows how often it was asked for a turn."""

    default_model = "m"

    def __init__(self, name: str, say: Say) -> None:
        self.name = name
        self.asked: Counter[str] = Counter()
        self._say = say

    def complete(
        self,
        request: ChatRequest,
        *,
        on_text: Callable[[str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Reply:
        self.asked[request.key.partition("/")[2]] += 1
        text = self._say(request)
        if text == "hang":
            assert should_stop is not None
            wait_until(should_stop)
            message = "stopped"
            raise RunCancelled(message)
        return Reply(text, self.name, request.model, response_time_ms=1.0)

    def close(self) -> None:
        """Nothing to release."""


def add(lab: Lab, *providers: ChatProvider) -> None:
    """Let the lab know more providers than its settings name."""
    cast("dict[str, ChatProvider]", lab.services.providers).update({p.name: p for p in providers})


def seats(*names: str) -> list[dict[str, Any]]:
    """Participants of a debate."""
    return [{"provider": name} for name in names]


def finish(lab: Lab, debate_id: str) -> Any:
    """The debate once it has ended."""
    assert lab.services.jobs.wait(debate_id, timeout_s=PATIENCE_S).is_ended
    return lab.get_debate(debate_id)
