"""JSON as it comes over the wire: read strictly, so that what is kept can be stored and shown."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, Never

from helix_lab.domain.model.errors import InvalidRequest

MAX_DEPTH = 100
"""Nesting that is accepted; far below where Python, SQLite or a browser gives up."""


def read_json(body: bytes) -> Any:
    """The value that a body holds; an empty body is an empty object.

    Raises:
        InvalidRequest: it is not UTF-8, not JSON, names a key twice, is nested too deeply, or
            holds a number or a character that cannot be stored. The message says which and where.
    """
    if not body.strip():
        return {}
    value = _parse(_decode(body))
    _refuse_unusable(value)
    return value


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"the body is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}"
        raise InvalidRequest(message, field="body", byte=error.start) from None


def _parse(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_to_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        message = f"the body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise InvalidRequest(message, field="body") from None
    except RecursionError:
        raise _too_deep() from None
    except InvalidRequest:
        raise
    except ValueError:
        # Python refuses to read an integer of more than some thousand digits.
        message = "the body holds a number that is too long"
        raise InvalidRequest(message, field="body") from None


def _to_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        message = f"field {twice!r}: is given twice in one object"
        raise InvalidRequest(message, field=twice)
    return found


def _refuse_constant(name: str) -> Never:
    message = f"the body is not JSON: {name} is not a JSON number"
    raise InvalidRequest(message, field="body")


def _refuse_unusable(root: Any) -> None:
    """Walk without recursion: the value may be nested as deeply as its sender likes."""
    waiting: list[tuple[str, int, Any]] = [("", 1, root)]
    while waiting:
        path, depth, value = waiting.pop()
        if isinstance(value, str):
            _refuse_characters(path, value)
        elif isinstance(value, float):
            if math.isinf(value):
                raise _fault(path, "the number is out of range")
        elif isinstance(value, dict | list):
            if depth > MAX_DEPTH:
                raise _too_deep()
            waiting.extend((name, depth + 1, child) for name, child in _children(path, value))


def _children(path: str, value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    prefix = f"{path}." if path else ""
    if isinstance(value, list):
        yield from ((f"{prefix}{index}", child) for index, child in enumerate(value))
        return
    for name, child in value.items():
        _refuse_characters(path, name)
        yield f"{prefix}{name}", child


def _refuse_characters(path: str, text: str) -> None:
    if "\0" in text:
        raise _fault(path, "must not contain the NUL character")
    # Only an escape such as \ud800 can bring in half of a pair; ASCII is the cheap common case.
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise _fault(path, "must not contain unpaired surrogates") from None


def _fault(path: str, problem: str) -> InvalidRequest:
    field = path.encode("utf-8", "replace").decode() or "body"
    return InvalidRequest(f"field {field!r}: {problem}", field=field)


def _too_deep() -> InvalidRequest:
    message = f"the body is nested more than {MAX_DEPTH} levels deep"
    return InvalidRequest(message, field="body")
