"""Replay: a conversation read again from the log."""

from __future__ import annotations

from helix_lab.domain.context.history import History, build_history
from helix_lab.domain.model.errors import UnknownConversation
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.collecting import collecting_seldom


def replay(log: EventLog, conversation_id: str) -> tuple[History, int]:
    """The history of a conversation, and how many events tell it.

    Raises:
        UnknownConversation: the log has nothing of it.
    """
    with collecting_seldom():
        entries = log.read_key(CONVERSATIONS, conversation_id)
        if not entries:
            raise UnknownConversation(conversation_id)
        return build_history(entry.event for entry in entries), len(entries)


def has_conversation(log: EventLog, conversation_id: str) -> bool:
    """Whether anything of a conversation is recorded."""
    return any(log.read_key(topic, conversation_id, limit=1) for topic in (CONVERSATIONS, DEBATES))
