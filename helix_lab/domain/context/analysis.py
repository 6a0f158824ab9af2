"""Analysis: what compression, quality and recall need to know of a conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from helix_lab.domain.context.digest import TokenCounter, speaker_of
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.tokens import count_tokens as count_built_in


@dataclass(frozen=True)
class Analysis:
    """A conversation, taken apart. Made by `analyse`; never changed."""

    messages: tuple[Message, ...]
    count_tokens: TokenCounter
    sizes: tuple[int, ...]

    @property
    def original_tokens(self) -> int:
        """The whole conversation as it would be sent: speakers and texts."""
        return sum(self.sizes)


def analyse(
    messages: Sequence[Message],
    count_tokens: TokenCounter = count_built_in,
    previous: Analysis | None = None,
) -> Analysis:
    """Take a conversation apart, oldest message first.

    `previous` is the analysis of a beginning of the same messages: only what is new is read.
    """
    known: tuple[int, ...] = ()
    if (
        previous is not None
        and previous.count_tokens is count_tokens
        and previous.messages == tuple(messages[: len(previous.messages)])
    ):
        known = previous.sizes
    sizes = known + tuple(count_tokens(render_message(m)) for m in messages[len(known) :])
    return Analysis(tuple(messages), count_tokens, sizes)


def render_message(message: Message) -> str:
    """A message as it is sent: who, and what."""
    return f"{speaker_of(message)}: {message.content}\n"


SENTENCES = re.compile(r"[^.!?。！？\n]+[.!?。！？\n]*")
