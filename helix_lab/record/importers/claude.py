"""Claude exports: a flat list of conversations (`chat_messages`).

A message keeps all that it has: its text blocks are its content, every other block (what
the model thought, calls of tools, their results) and its attachments are metadata as they
came, and a mark in the content tells of each attachment. Newer exports name the parent of
each message: then branches are kept as in `chatgpt`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.drafts import (
    add_message,
    describe_conversation,
    select_branch,
    start_conversation,
)
from helix_lab.record.importers.fields import (
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
from helix_lab.record.importers.tree import Node, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from helix_lab.domain.model.event import Draft

_ROLES = {"human": "user", "assistant": "assistant"}
_FILES = ("attachments", "files", "files_v2", "sync_sources")
# What an export writes into `text` in place of a block that is in `content`.
_PLACEHOLDER = "This block is not supported on your current device yet."


def is_claude(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object has the shape of a Claude conversation."""
    return isinstance(value.get("chat_messages"), list)


def read_conversation(value: Mapping[str, Any], name: str) -> Item:
    """One conversation of a Claude export.

    Raises:
        InvalidRequest: it has no id, or a field is not what it should be.
    """
    conversation_id = require_id(value.get("uuid"), "uuid")
    created_at = read_time(value.get("created_at"), "created_at")
    user_id = read_id(read_object(value.get("account"), "account").get("uuid"), "account.uuid")
    model = read_text(value.get("model"), "model")
    nodes = [
        _read_node(read_object(message, "chat_messages"), position)
        for position, message in enumerate(read_list(value.get("chat_messages"), "chat_messages"))
    ]
    drafts = [
        start_conversation(
            conversation_id, user_id=user_id, source="claude", created_at=created_at
        ),
        *_describe(conversation_id, value, created_at),
        *_read_messages(conversation_id, nodes, value, model),
    ]
    return make_item(name, drafts)


def _describe(
    conversation_id: str, value: Mapping[str, Any], created_at: datetime | None
) -> list[Draft]:
    title, metadata = split_title(read_text(value.get("name"), "name"))
    metadata |= present(value, "summary", "is_starred", "project", "project_uuid")
    if not title and not metadata:
        return []
    known = metadata or None
    return [describe_conversation(conversation_id, title=title, metadata=known, time=created_at)]


def _read_messages(
    conversation_id: str,
    nodes: list[Node[Mapping[str, Any]]],
    value: Mapping[str, Any],
    model: str | None,
) -> list[Draft]:
    ids = {node.node_id for node in nodes}
    if not any(node.parent_id in ids for node in nodes):
        return [_to_draft(conversation_id, node, None, model) for node in nodes]
    tree = Tree(nodes)
    drafts = [_to_draft(conversation_id, p.node, p.parent_id, model) for p in tree.messages]
    current = read_id(value.get("current_leaf_message_uuid"), "current_leaf_message_uuid")
    leaf = tree.find_leaf(current or nodes[-1].node_id)
    if tree.has_branches and leaf is not None:
        at = f"claude {value.get('updated_at')}"
        updated_at = read_time(value.get("updated_at"), "updated_at")
        drafts.append(select_branch(conversation_id, leaf, at=at, time=updated_at))
    return drafts


def _read_node(message: Mapping[str, Any], position: int) -> Node[Mapping[str, Any]]:
    try:
        message_id = require_id(message.get("uuid"), "uuid")
        parent_id = read_id(message.get("parent_message_uuid"), "parent_message_uuid")
        time = read_time(message.get("created_at"), "created_at")
    except InvalidRequest as error:
        text = f"chat_messages[{position}]: {error.message}"
        raise InvalidRequest(text, **error.details) from None
    return Node(message_id, parent_id, message, is_message=True, time=time)


def _to_draft(
    conversation_id: str,
    node: Node[Mapping[str, Any]],
    parent_id: str | None,
    model: str | None,
) -> Draft:
    message = node.content or {}
    role = _ROLES.get(str(message.get("sender")))
    if role is None:
        raise refuse_role(message.get("sender"), tuple(_ROLES))
    is_answer = role == "assistant"
    content, metadata = _read_content(message)
    return add_message(
        conversation_id,
        node.node_id,
        role=role,
        content=content,
        created_at=node.time,
        parent_id=parent_id,
        provider="anthropic" if is_answer else None,
        model=read_text(message.get("model"), "model") or model if is_answer else None,
        metadata=metadata,
    )


def _read_content(message: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    blocks = [
        read_object(block, "content") for block in read_list(message.get("content"), "content")
    ]
    text = read_text(message.get("text"), "text") or ""
    texts = [block["text"] for block in blocks if _is_text(block)]
    metadata = present(message, *_FILES)
    others = [{"position": i, **block} for i, block in enumerate(blocks) if _says_more(block)]
    if others:
        metadata["blocks"] = others
    if texts and not _is_made_of(text, texts):
        metadata["text"] = text
    lines = ["\n\n".join(texts) or text]
    lines += [_mark(file) for kind in _FILES for file in read_list(message.get(kind), kind)]
    return "\n\n".join(line for line in lines if line), metadata


def _is_text(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text" and isinstance(block.get("text"), str)


def _says_more(block: Mapping[str, Any]) -> bool:
    """Whether a block holds more than a text and its times."""
    return not _is_text(block) or bool(block.get("citations"))


def _is_made_of(text: str, texts: list[str]) -> bool:
    """Whether a message's `text` says nothing that its text blocks do not say."""
    rest = text.replace(_PLACEHOLDER, "").replace("`", "")
    for part in texts:
        rest = rest.replace(part.replace("`", ""), "", 1)
    return not rest.strip()


def _mark(file: Any) -> str:
    file = file if isinstance(file, dict) else {}
    name = file.get("file_name") or file.get("name") or file.get("file_uuid") or "without a name"
    kind = "attachment" if "extracted_content" in file else "file"
    return f"[{kind}: {name}]"
