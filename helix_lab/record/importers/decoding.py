"""JSON objects from bytes, with the reason in words where there is none."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from helix_lab.domain.model.errors import InvalidRequest

_decode = msgspec.json.Decoder().decode
NOT_DECODABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding may raise."""


def decode_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in a text.

    Raises:
        InvalidRequest: it is not valid JSON, or no object.
    """
    try:
        value = _decode(raw)
    except NOT_DECODABLE as error:
        raise InvalidRequest(explain_decode_error(raw, error)) from None
    if type(value) is dict:
        return value
    message = "not a JSON object"
    raise InvalidRequest(message)


def explain_decode_error(raw: bytes, error: Exception) -> str:
    """What is wrong with a text that could not be decoded, for a person."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "not UTF-8 text"
    try:
        json.loads(raw)
    except RecursionError:
        return "nested too deeply"
    except ValueError:
        return f"not valid JSON: {error}"
    # What only the standard parser takes.
    if b"\\ud" in raw.lower():
        return "a text holds half of a surrogate pair (\\ud800 to \\udfff), which is no character"
    return f"not valid JSON: {error}"
