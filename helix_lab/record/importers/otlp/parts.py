"""One message of a span: its role, its text, and all in it that is no text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_ROLES = {
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "tool",
    "function": "tool",
}
_TEXT_KINDS = frozenset({"text", "input_text", "output_text"})
_TOOL_ANSWERS = frozenset({"tool_call_response", "tool_result"})
_WRAPPERS = ("message", "message_content")
# What tells of the call that made a message, not of the message: it comes and goes.
_OF_THE_CALL = frozenset({"finish_reason", "index", "role", "content", "parts", "contents", "name"})
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Said:
    """One message.

    Attributes:
        content: its text; empty where it only calls a tool.
        metadata: what is no text, such as calls of tools, as it came.
    """

    role: str
    content: str
    name: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_message(value: Any, *, role: str) -> Said | None:
    """A message; None if nothing is said in it.

    Args:
        value: an object with a role and parts or a content, or a text.
        role: of a message that names none.
    """
    if isinstance(value, str):
        return Said(role, value) if value else None
    if not isinstance(value, Mapping):
        return None
    value = _unwrap(value)
    named = _ROLES.get(str(value.get("role", role)).lower(), role)
    parts = value.get("parts", value.get("contents", value.get("content")))
    texts, others = _read_parts(parts)
    metadata = {k: v for k, v in value.items() if k not in _OF_THE_CALL and v not in (None, "")}
    if others:
        metadata["parts"] = others
    if not texts and not metadata:
        return None
    is_answer = any(part.get("type") in _TOOL_ANSWERS for part in others)
    # Some conventions let the user give what a tool said.
    spoken_by = "tool" if is_answer and not _has_text(parts) else named
    return Said(spoken_by, "\n".join(texts), _read_name(value.get("name")), metadata)


def _unwrap(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """OpenInference puts a message into an object of its own."""
    for name in _WRAPPERS:
        inner = value.get(name)
        if isinstance(inner, Mapping):
            return inner
    return value


def _has_text(parts: Any) -> bool:
    return isinstance(parts, list) and any(
        isinstance(part, str) or (isinstance(part, Mapping) and part.get("type") in _TEXT_KINDS)
        for part in parts
    )


def _read_parts(parts: Any) -> tuple[list[str], list[Mapping[str, Any]]]:
    texts: list[str] = []
    others: list[Mapping[str, Any]] = []
    for part in parts if isinstance(parts, list) else [parts]:
        if isinstance(part, Mapping):
            _read_part(_unwrap(part), texts, others)
        elif part not in (None, ""):
            texts.append(part if isinstance(part, str) else json.dumps(part, ensure_ascii=False))
    return texts, others


def _read_part(part: Mapping[str, Any], texts: list[str], others: list[Mapping[str, Any]]) -> None:
    kind = part.get("type", part.get("kind"))
    text = part.get("content", part.get("text"))
    if kind in _TEXT_KINDS and isinstance(text, str):
        texts.append(text)
        return
    others.append(part)
    if kind in _TOOL_ANSWERS:
        answer = next((part[k] for k in ("response", "result", "content") if k in part), None)
        texts.append(answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False))


def _read_name(value: Any) -> str | None:
    return value[:_LONGEST_NAME] if isinstance(value, str) and value else None
