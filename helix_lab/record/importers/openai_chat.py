"""Messages in OpenAI's chat form: roles and contents, shared by both kinds of JSON Lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.importers.fields import ROLES, check_content, refuse_role

if TYPE_CHECKING:
    from collections.abc import Mapping

_ROLES: Mapping[Any, str] = {
    **dict(zip(ROLES, ROLES, strict=True)),
    "developer": "system",
    "function": "tool",
}


def read_role(role: object) -> str:
    """Our name of a role: OpenAI's `developer` is our system, its old `function` our tool.

    Raises:
        InvalidRequest: the role is none of these.
    """
    known = _ROLES.get(role) if isinstance(role, str) else None
    if known is None:
        raise refuse_role(role, tuple(_ROLES))
    return known


def read_content(content: object) -> tuple[str, list[Any]]:
    """The text of a content (a text, a list of parts, or null), and the parts if there are any.

    A part that is no text leaves a mark in the text, such as "[image_url]".

    Raises:
        InvalidRequest: it is something else.
    """
    if isinstance(content, str):
        return check_content(content), []
    if content is None:
        return "", []
    if isinstance(content, list):
        return check_content("\n".join(_read_part(part) for part in content)), content
    message = f"content is a {type(content).__name__}; a text or a list of parts is needed"
    raise InvalidRequest(message, field="content")


def _read_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    if kind is None:
        message = "a part of the content has no type"
        raise InvalidRequest(message, field="content")
    text = part.get("text") or part.get("refusal")
    return text if isinstance(text, str) else f"[{kind}]"
