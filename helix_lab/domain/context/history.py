"""History: the messages of a conversation, put in order, along its current branch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from helix_lab.domain.model.event import BRANCH_SELECTED, MESSAGE_ADDED, Event


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance, exactly as it was recorded.

    Attributes:
        time: when it was said, as its source tells; else when it was recorded.
        data: all facts of the event (content, role, model, …).
    """

    message_id: str
    time: datetime
    data: Mapping[str, Any]

    @property
    def role(self) -> str:
        """Who spoke: user, assistant, system or tool."""
        return str(self.data["role"])

    @property
    def content(self) -> str:
        """What was said, unaltered."""
        return str(self.data["content"])

    @property
    def model_tokens(self) -> int:
        """Size of the content in model tokens."""
        return int(self.data["model_tokens"])


@dataclass(frozen=True, slots=True)
class History:
    """A conversation as it reads now.

    Attributes:
        messages: the current branch, oldest first.
        alternatives: messages of other branches, in the order of recording.
    """

    messages: Sequence[Message]
    alternatives: Sequence[Message]

    @property
    def model_tokens(self) -> int:
        """Size of the current branch in model tokens."""
        return sum(message.model_tokens for message in self.messages)


def is_readable(event: Event) -> bool:
    """Whether a message has what every message has: a newer or foreign program may have added it.

    The projections keep what is not readable as dead letters.
    """
    data = event.data
    return (
        event.version <= MESSAGE_ADDED.version
        and isinstance(data.get("message_id"), str)
        and isinstance(data.get("role"), str)
        and isinstance(data.get("content"), str)
        and isinstance(data.get("model_tokens"), int)
    )


def build_history(events: Iterable[Event]) -> History:
    """The history that the events of one conversation tell, given in their order.

    A message without a parent follows the current leaf. A message whose parent is the
    current leaf moves the leaf; any other one is an alternative, until a branch that
    holds it is selected. A parent that is not known counts as the current leaf.
    """
    messages: dict[str, Message] = {}
    parents: dict[str, str | None] = {}
    leaf: str | None = None
    has_branches = False
    added = MESSAGE_ADDED.name
    for event in events:
        if event.type == added and is_readable(event):
            data = event.data
            message_id = data["message_id"]
            parent = data.get("parent_id")
            if parent is None or parent not in messages:
                parent = leaf
            has_branches = has_branches or parent != leaf
            if parent == leaf:
                leaf = message_id
            messages[message_id] = Message(message_id, event.time, data)
            parents[message_id] = parent
        elif event.type == BRANCH_SELECTED.name and event.data.get("message_id") in messages:
            has_branches = has_branches or event.data["message_id"] != leaf
            leaf = event.data["message_id"]
    if not has_branches:
        return History(list(messages.values()), [])
    return _split(messages, _walk(leaf, parents))


def _walk(leaf: str | None, parents: Mapping[str, str | None]) -> list[str]:
    """Ids from the root to the leaf. Parents are recorded before children, so it ends."""
    path: list[str] = []
    current = leaf
    while current is not None:
        path.append(current)
        current = parents[current]
    path.reverse()
    return path


def _split(messages: Mapping[str, Message], path: Sequence[str]) -> History:
    chosen = set(path)
    return History(
        [messages[message_id] for message_id in path],
        [message for message_id, message in messages.items() if message_id not in chosen],
    )
