"""Fields of foreign JSON objects, read with reasons that name the field and the value."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.event import make_event_id
from helix_lab.record.drafts import to_utc

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ID_CHARACTERS = 200
MAX_TITLE_CHARACTERS = 1000
MAX_CONTENT_CHARACTERS = 8_388_608
ROLES = ("user", "assistant", "system", "tool")

_MAX_SHOWN_CHARACTERS = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds of today have ten digits; more digits mean milliseconds, microseconds, nanoseconds.
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))
_CONTROLS = frozenset(map(chr, (*range(32), 127)))


def read_time(value: object, field: str) -> datetime | None:
    """A time in UTC; None for null.

    Taken are ISO 8601 with any offset (without one it is UTC) and numbers since 1970:
    seconds, or milliseconds, microseconds, nanoseconds from 10**11, 10**14, 10**17 on.

    Raises:
        InvalidRequest: it is no time, or lies outside of the years 1 to 9999.
    """
    if value is None:
        return None
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return to_utc(time.replace(tzinfo=UTC) if time.tzinfo is None else time, field=field)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _EPOCH + _since_epoch(value)
    except (ValueError, OverflowError):
        pass
    message = f"{field} {_show(value)} is no time of the years 1 to 9999 (ISO 8601, or seconds or "
    raise InvalidRequest(message + "milliseconds since 1970)", field=field, value=_show(value))


def _since_epoch(value: float) -> timedelta:
    if not math.isfinite(value):
        raise ValueError
    for limit, per_second in _UNITS:
        if abs(value) < limit:
            return timedelta(microseconds=round(value / per_second * 1e6))
    raise OverflowError


def read_id(value: object, field: str) -> str | None:
    """An id as the source has it, or one derived from it where it does not fit; None for null.

    An id fits with 1 to 200 characters, none of them a control character.

    Raises:
        InvalidRequest: it is neither a text nor a whole number.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value if is_usable_id(value) else make_event_id("import.id", value)
    if isinstance(value, int) and not isinstance(value, bool):
        return read_id(str(value), field)
    message = f"{field} {_show(value)} is no id: a text or a whole number is needed"
    raise InvalidRequest(message, field=field, value=_show(value))


def is_usable_id(text: str) -> bool:
    """Whether a text can be an id of ours as it is."""
    # Printable is the quick answer; the slow one is for ids with, say, a no-break space.
    is_clean = text.isprintable() or _CONTROLS.isdisjoint(text)
    return is_clean and 0 < len(text) <= MAX_ID_CHARACTERS


def require_id(value: object, field: str) -> str:
    """Like `read_id`, but the id must be there."""
    found = read_id(value, field)
    if found is None:
        message = f"{field} is missing"
        raise InvalidRequest(message, field=field)
    return found


def read_text(value: object, field: str) -> str | None:
    """A text; None for null.

    Raises:
        InvalidRequest: it is something else.
    """
    if value is None or isinstance(value, str):
        return value
    message = f"{field} {_show(value)} is no text"
    raise InvalidRequest(message, field=field, value=_show(value))


def read_word(value: object, field: str) -> str | None:
    """A short text, such as a name; None for null.

    Raises:
        InvalidRequest: it is something else, or longer than 200 characters.
    """
    text = read_text(value, field)
    if text is not None and (len(text) > MAX_ID_CHARACTERS or "\0" in text):
        message = (
            f"{field} {_show(value)} is longer than {MAX_ID_CHARACTERS} characters or holds NUL"
        )
        raise InvalidRequest(message, field=field, value=_show(value))
    return text


def check_content(content: str) -> str:
    """The content itself, if it can be the content of a message.

    Raises:
        InvalidRequest: it is too long, or holds a NUL character.
    """
    if len(content) > MAX_CONTENT_CHARACTERS:
        message = f"content has {len(content)} characters; allowed are {MAX_CONTENT_CHARACTERS}"
        raise InvalidRequest(message, field="content")
    if "\0" in content:
        message = f"content holds a NUL character (at {content.index(chr(0))})"
        raise InvalidRequest(message, field="content")
    return content


def read_object(value: object, field: str) -> Mapping[str, Any]:
    """A JSON object; an empty one for null.

    Raises:
        InvalidRequest: it is something else.
    """
    if value is None:
        return {}
    if isinstance(value, dict):
        return value
    message = f"{field} {_show(value)} is no JSON object"
    raise InvalidRequest(message, field=field, value=_show(value))


def read_list(value: object, field: str) -> list[Any]:
    """A JSON list; an empty one for null.

    Raises:
        InvalidRequest: it is something else.
    """
    if value is None:
        return []
    if isinstance(value, list):
        return value
    message = f"{field} {_show(value)} is no JSON list"
    raise InvalidRequest(message, field=field, value=_show(value))


def refuse_role(value: object, allowed: tuple[str, ...] = ROLES) -> InvalidRequest:
    """The error for a role that nobody knows; it lists those that are known."""
    message = f"role {_show(value)} is unknown; allowed are {', '.join(allowed)}"
    return InvalidRequest(message, field="role", value=_show(value))


def split_title(title: str | None) -> tuple[str | None, dict[str, Any]]:
    """A title of a length that fits, and the whole of it as metadata where it was cut."""
    if title is None or len(title) <= MAX_TITLE_CHARACTERS:
        return title or None, {}
    return title[: MAX_TITLE_CHARACTERS - 1] + "…", {"full_title": title}


def present(source: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    """The named fields of an object that say something: not null, false or empty."""
    return {field: source[field] for field in fields if source.get(field)}


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else text[: _MAX_SHOWN_CHARACTERS - 1] + "…"
