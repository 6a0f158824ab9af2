"""Chat: one question to one LLM provider, one reply."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

DEFAULT_WINDOW_TOKENS = 16_384
"""Of a provider that nothing is known about: most models take more, few take less."""

MIN_WINDOW_TOKENS = 256
MAX_WINDOW_TOKENS = 100_000_000

Task = Literal["chat", "answer", "vote", "judge"]
"""What the caller wants: free talk, a debate answer, a vote among answers, a judge's decision."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A prompt and how to answer it.

    Attributes:
        task: lets a provider without a model (offline, replay) answer in the expected form.
            It is not sent over the wire.
        key: names the turn, (debate id, round, role, seat) joined by "/"; `replay` answers by it.
        options: labels that a vote or a judge may choose from, as shown in the prompt.
        timeout_s: for the whole answer.
    """

    messages: Sequence[ChatMessage]
    model: str
    task: Task = "chat"
    key: str = ""
    options: Sequence[str] = field(default_factory=tuple)
    temperature: float | None = None
    max_output_tokens: int | None = None
    seed: int | None = None
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A provider's answer and what it took.

    Attributes:
        response_time_ms: from sending to the last byte, without waiting for a retry.
        ttft_ms: to the first text; None where the answer was not streamed.
        input_tokens, output_tokens: as the provider counted; None where it did not say.
        cost_usd: None where the price is not known, never 0 for "unknown".
    """

    text: str
    provider: str
    model: str
    response_time_ms: float
    finish_reason: str | None = None
    ttft_ms: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None


class ChatProvider(abc.ABC):
    """An LLM provider. Safe in threads; holds no conversation."""

    name: str
    """How debates and analytics call it: `offline`, `claude`, `deepseek`, …"""

    default_model: str

    context_window_tokens: int = DEFAULT_WINDOW_TOKENS
    """What a prompt and its reply may have together; whoever configures the provider says so."""

    problem: str | None = None
    """What is known, without asking it, to keep it from answering; None where nothing is."""

    @abc.abstractmethod
    def complete(
        self,
        request: ChatRequest,
        *,
        on_text: Callable[[str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Reply:
        """Ask once, with the provider's own retries for errors that may pass (one place only).

        Args:
            request: the prompt.
            on_text: called with each piece of text as it arrives, where the provider streams.
            should_stop: asked between pieces and before a retry; True ends the call.

        Raises:
            ProviderError: or a child; secrets are never in its message or details.
            RunCancelled: `should_stop` answered True.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Release connections; closing twice is harmless."""
