"""What the log says of one person: which events go, and what stays of those that others need.

Two passes over the events in the order of the log. `Traces.learn` finds the conversations, debates
and memories that are the person's; `Traces.decide` tells for each event what becomes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from helix_lab.domain.model.errors import Conflict
from helix_lab.domain.model.event import (
    CONVERSATION_STARTED,
    DEBATE_STARTED,
    ENTITY_UPDATES,
    MEMORY_CONFLICTS,
    MEMORY_EVENTS,
    MEMORY_SNAPSHOTS,
    MESSAGE_ADDED,
    SNAPSHOT_COMPLETED,
    SNAPSHOT_WRITTEN,
    Event,
)

ERASED = "[erased]"
"""Stands for what a person said in a conversation that is not theirs: its answers stay."""

Fate = Literal["stays", "goes"] | Event
"""An event stays as it is, goes, or is replaced by one that tells nothing of the person."""

_OF_A_MESSAGE = frozenset(
    {"message_id", "conversation_id", "role", "parent_id", "created_at", "model_tokens"}
)
_SNAPSHOTS = frozenset({SNAPSHOT_WRITTEN.name, SNAPSHOT_COMPLETED.name})
_OF_A_MEMORY = frozenset({"memory_id", "seq", "seen", "depth", "clock"})


@dataclass(slots=True)
class Traces:
    """What is known to be of one person.

    Attributes:
        conversations, debates, memories: ids of theirs.
    """

    user_id: str
    conversations: set[str] = field(default_factory=set)
    debates: set[str] = field(default_factory=set)
    memories: set[str] = field(default_factory=set)

    @property
    def ids(self) -> frozenset[str]:
        """The person's id, and those of all that is theirs."""
        return frozenset({self.user_id, *self.conversations, *self.debates, *self.memories})

    def learn(self, topic: str, event: Event) -> None:
        """Take in an event of the first pass."""
        if topic == MEMORY_EVENTS:
            self._learn_memory(event.data)
        elif event.type == CONVERSATION_STARTED.name and self._is_by_them(event):
            self.conversations.add(event.key)
        elif event.type == DEBATE_STARTED.name and self._is_by_them(event):
            self.debates.add(str(event.data.get("debate_id", event.subject)))

    def decide(self, topic: str, event: Event) -> Fate:
        """What becomes of an event, in the second pass.

        Raises:
            Conflict: a snapshot that this node began from holds a memory of theirs.
        """
        if topic == MEMORY_EVENTS:
            return self._decide_memory(event)
        if topic in {MEMORY_CONFLICTS, MEMORY_SNAPSHOTS}:
            return "goes" if self.memories & _texts_in(event.data, event.key) else "stays"
        if event.key in self.conversations or event.data.get("debate_id") in self.debates:
            return "goes"
        return _tell_less(topic, event) if self._is_by_them(event) else "stays"

    def _learn_memory(self, data: Mapping[str, Any]) -> None:
        changes = data.get("changes")
        if isinstance(changes, Mapping) and changes.get("user_id") == self.user_id:
            self.memories.add(str(data.get("memory_id")))

    def _decide_memory(self, event: Event) -> Fate:
        if event.type in _SNAPSHOTS:
            return self._decide_snapshot(event)
        if event.data.get("memory_id") not in self.memories:
            return "stays"
        # Every update of a node bears a number, and the next one waits for it.
        data = {name: value for name, value in event.data.items() if name in _OF_A_MEMORY}
        return "stays" if data == dict(event.data) else replace(event, data=data)

    def _decide_snapshot(self, event: Event) -> Fate:
        if not self.ids & _texts_in(event.data):
            return "stays"
        message = (
            "this node began from a snapshot of another one, which holds memories of the user and "
            "cannot be taken apart; erase them on the node that wrote it, and start this node with "
            "a new data folder"
        )
        raise Conflict(message, snapshot_id=str(event.data.get("snapshot_id")))

    def _is_by_them(self, event: Event) -> bool:
        return bool(event.data.get("user_id") == self.user_id)


def _tell_less(topic: str, event: Event) -> Fate:
    """What stays of an event by them among those of others."""
    if event.type == MESSAGE_ADDED.name:
        return replace(event, data=_keep_place(event.data))
    if topic == ENTITY_UPDATES:
        data = {name: value for name, value in event.data.items() if name != "user_id"}
        return replace(event, data=data)
    return "goes"


def _keep_place(data: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in data.items() if name in _OF_A_MESSAGE}
    return {**kept, "content": ERASED, "model_tokens": 0}


def _texts_in(value: Any, *found: str) -> set[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        return {value, *found}
    if isinstance(value, Mapping):
        parts = [*value, *value.values()]
    elif isinstance(value, list | tuple):
        parts = list(value)
    else:
        return set(found)
    return set(found).union(*(_texts_in(part) for part in parts))
