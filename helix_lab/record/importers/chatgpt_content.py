"""What the contents of ChatGPT messages say, and what else is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from helix_lab.record.importers.fields import read_list, read_text

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEXT_FIELDS = ("text", "result", "content", "summary")


def read_content(content: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The text of a message's content; and as metadata its type, its files, all that is no text."""
    kind = read_text(content.get("content_type"), "content_type") or "text"
    if "parts" in content:
        text, files = _read_parts(read_list(content["parts"], "parts"))
        rest: dict[str, Any] = {"files": files} if files else {}
    else:
        key = next((key for key in _TEXT_FIELDS if _is_text(content.get(key))), "")
        text = content.get(key, "")
        others = {k: v for k, v in content.items() if k not in (key, "content_type") and v}
        rest = {"content": others} if others else {}
    is_told = kind != "text" and (text or rest)
    return text, {"content_type": kind, **rest} if is_told else rest


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _read_parts(parts: list[Any]) -> tuple[str, list[Any]]:
    """The texts of the parts, with a mark where there is none; and the parts that are objects."""
    lines = [_read_part(part) for part in parts if part is not None]
    objects = [part for part in parts if part is not None and not isinstance(part, str)]
    return "\n".join(line for line in lines if line), objects


def _read_part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return str(part["text"])
    return _mark(part)


def _mark(part: Any) -> str:
    """A word in the text for what is no text: "[image: file-abc]"."""
    if not isinstance(part, dict):
        return "[part]"
    kind = str(part.get("content_type") or "file").removesuffix("_asset_pointer")
    pointer = part.get("asset_pointer")
    if not isinstance(pointer, str):
        return f"[{kind}]"
    return f"[{kind}: {pointer.rsplit('/', 1)[-1]}]"
