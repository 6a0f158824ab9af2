"""What an event must be so that every log gives it back as it was, and its data as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from helix_lab.domain.model.errors import InvalidEvent

if TYPE_CHECKING:
    from helix_lab.domain.model.event import Event

MAX_DEPTH = 200
"""Deepest nesting of an event's data: what is written must be readable from any call stack."""

COMPUTED = frozenset({"model_tokens", "model_call"})
"""Fields of the data that the lab computes from the others."""

_TEXTS = ("event_id", "type", "node_id", "key", "subject")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def encode_data(event: Event) -> bytes:
    """The event's data as compact JSON in UTF-8.

    Raises:
        InvalidEvent: the data would not come back equal: a value that JSON does not know (NaN,
            a date, a tuple), a lone surrogate, nesting deeper than `MAX_DEPTH`.
    """
    data = dict(event.data)
    try:
        raw = _encode(data)
        # Counting brackets is cheap and can only overestimate the depth.
        if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
            raise RecursionError
        is_same = _decode(raw) == data
    except RecursionError:
        raise _invalid(event, "data", f"it is nested deeper than {MAX_DEPTH} levels") from None
    except UnicodeEncodeError:
        raise _invalid(event, "data", "a text in it holds a lone surrogate") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise _invalid(event, "data", str(error)) from None
    if not is_same:
        raise _invalid(event, "data", "only JSON values may be in it; no NaN, date, tuple, bytes")
    return raw


def decode_data(raw: bytes) -> dict[str, Any]:
    """The data that `encode_data` encoded."""
    data: dict[str, Any] = _decode(raw)
    return data


def check_fields(event: Event) -> None:
    """Refuse what a log cannot keep in the fields beside `data`.

    Raises:
        InvalidEvent: a lone surrogate in a text, a number that is negative or needs more than
            63 bits, a time without zone.
    """
    for name in _TEXTS:
        text: str = getattr(event, name)
        if not (text.isascii() or _is_unicode(text)):
            raise _invalid(event, name, f"{text!r} holds a lone surrogate")
    if not 0 <= event.clock < 1 << 63:
        raise _invalid(event, "clock", f"{event.clock} is not in 0 … 2^63 - 1")
    if not 0 <= event.version < 1 << 63:
        raise _invalid(event, "version", f"{event.version} is not in 0 … 2^63 - 1")
    if event.time.tzinfo is None:
        raise _invalid(event, "time", "it has no time zone; give an aware datetime")


def differing_fields(first: Event, second: Event) -> list[str]:
    """Which of type, key, subject and data differ in two events that bear the same id.

    Data are compared as JSON: the order of names does not count, 1 and true differ.
    """
    differing = [
        name for name in ("type", "key", "subject") if getattr(first, name) != getattr(second, name)
    ]
    if _encode_sorted(_given(first)) != _encode_sorted(_given(second)):
        differing.append("data")
    return differing


def _given(event: Event) -> dict[str, Any]:
    """The data without what the lab computed: another version may compute it otherwise."""
    return {name: value for name, value in event.data.items() if name not in COMPUTED}


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(event: Event, field: str, reason: str) -> InvalidEvent:
    return InvalidEvent(
        f"event {event.event_id!r} cannot be written to the log: {field}: {reason}",
        event_id=event.event_id,
        field=field,
    )
