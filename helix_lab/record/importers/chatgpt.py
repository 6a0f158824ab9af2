"""ChatGPT exports: conversations as trees of nodes (`mapping`, `current_node`).

All branches are kept: every message names its parent, and where there are several ways
through the tree, the one that was shown last is selected. What a person did not see (the
root, hidden prompts) is left out; a call of a tool and its output have the role "tool";
what the model thought is metadata of the answer that came of it.

Only facts that do not change from one export to the next are kept of a message's own
metadata: the same message must give the same event.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.drafts import (
    add_message,
    describe_conversation,
    select_branch,
    start_conversation,
)
from helix_lab.record.importers.chatgpt_content import read_content
from helix_lab.record.importers.fields import (
    ROLES,
    present,
    read_id,
    read_list,
    read_object,
    read_text,
    read_time,
    refuse_role,
    require_id,
    split_title,
)
from helix_lab.record.importers.items import Item, make_item
from helix_lab.record.importers.tree import Node, Placed, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helix_lab.domain.model.event import Draft

_REASONING = ("thoughts", "reasoning_recap")
_STABLE_MESSAGE_FACTS = ("attachments", "finish_details", "gizmo_id", "voice_mode_message")
_CONVERSATION_FACTS = ("default_model_slug", "gizmo_id", "is_archived", "is_starred")


@dataclass(frozen=True, slots=True)
class _Said:
    """What a node says; without a role it is only thought."""

    role: str = ""
    text: str = ""
    name: str | None = None
    provider: str | None = None
    model: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    reasoning: Mapping[str, Any] | None = None


def is_chatgpt(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the shape of a ChatGPT conversation."""
    return isinstance(value.get("mapping"), dict)


def read_conversation(value: Mapping[str, Any], name: str) -> Item:
    """One conversation of a ChatGPT export.

    Raises:
        InvalidRequest: it has no id, its nodes form a circle, or a field is not what it should be.
    """
    conversation_id = read_id(value.get("conversation_id"), "conversation_id") or require_id(
        value.get("id"), "conversation_id"
    )
    created_at = read_time(value.get("create_time"), "create_time")
    tree = Tree(_read_nodes(read_object(value.get("mapping"), "mapping")))
    drafts = [start_conversation(conversation_id, source="chatgpt", created_at=created_at)]
    drafts += _describe(conversation_id, value)
    drafts += [_to_draft(conversation_id, placed) for placed in tree.messages]
    leaf = tree.find_leaf(_fit(read_text(value.get("current_node"), "current_node")))
    if tree.has_branches and leaf is not None:
        # Said again with each change of the conversation, for a branch may be chosen twice.
        at = f"chatgpt {value.get('update_time')}"
        updated_at = read_time(value.get("update_time"), "update_time")
        drafts.append(select_branch(conversation_id, leaf, at=at, time=updated_at))
    return make_item(name, drafts)


def _describe(conversation_id: str, value: Mapping[str, Any]) -> list[Draft]:
    title, metadata = split_title(read_text(value.get("title"), "title"))
    metadata |= present(value, *_CONVERSATION_FACTS)
    if not title and not metadata:
        return []
    time = read_time(value.get("update_time") or value.get("create_time"), "update_time")
    known = metadata or None
    return [describe_conversation(conversation_id, title=title, metadata=known, time=time)]


def _read_nodes(mapping: Mapping[str, Any]) -> list[Node[_Said]]:
    nodes = {node_id: read_object(node, f"mapping.{node_id}") for node_id, node in mapping.items()}
    parents = {
        child: node_id
        for node_id, node in nodes.items()
        for child in read_list(node.get("children"), "children")
        if isinstance(child, str)
    }
    return [_read_node(node_id, node, parents.get(node_id)) for node_id, node in nodes.items()]


def _read_node(node_id: str, node: Mapping[str, Any], listed_under: str | None) -> Node[_Said]:
    try:
        parent_id = read_text(node.get("parent"), "parent") or listed_under
        message = read_object(node.get("message"), "message")
        said = _read_message(message)
        time = read_time(message.get("create_time"), "create_time")
    except InvalidRequest as error:
        text = f"message {node_id}: {error.message}"
        raise InvalidRequest(text, **error.details) from None
    is_message = said is not None and bool(said.role)
    return Node(require_id(node_id, "node"), _fit(parent_id), said, is_message, time)


def _fit(node_id: str | None) -> str | None:
    return read_id(node_id, "node")


def _read_message(message: Mapping[str, Any]) -> _Said | None:
    """What a message says; None where a person saw nothing of it."""
    metadata = read_object(message.get("metadata"), "metadata")
    content = read_object(message.get("content"), "content")
    if not message or metadata.get("is_visually_hidden_from_conversation"):
        return None
    if content.get("content_type") in _REASONING:
        return _Said(reasoning=content)
    text, facts = read_content(content)
    facts |= present(metadata, *_STABLE_MESSAGE_FACTS)
    if not text and not facts:
        return None
    return _attribute(message, metadata, text, facts)


def _attribute(
    message: Mapping[str, Any], metadata: Mapping[str, Any], text: str, facts: dict[str, Any]
) -> _Said:
    author = read_object(message.get("author"), "author")
    role, name = author.get("role"), read_text(author.get("name"), "author.name")
    if role not in ROLES:
        raise refuse_role(role)
    if role != "assistant":
        return _Said(role, text, name, metadata=facts | _tool_fact(role, "output"))
    model = read_text(metadata.get("model_slug"), "model_slug")
    recipient = read_text(message.get("recipient"), "recipient") or "all"
    if recipient == "all":
        return _Said("assistant", text, name, "openai", model, facts)
    facts |= _tool_fact("tool", "call")
    return _Said("tool", text, recipient, "openai", model, facts)


def _tool_fact(role: str, kind: str) -> dict[str, Any]:
    return {"tool": kind} if role == "tool" else {}


def _to_draft(conversation_id: str, placed: Placed[_Said]) -> Draft:
    said = placed.node.content or _Said()
    metadata = dict(said.metadata)
    if placed.carried:
        metadata["reasoning"] = [above.reasoning for above in placed.carried]
    return add_message(
        conversation_id,
        placed.node.node_id,
        role=said.role,
        content=said.text,
        created_at=placed.node.time,
        parent_id=placed.parent_id,
        name=said.name,
        provider=said.provider,
        model=said.model,
        metadata=metadata,
    )
