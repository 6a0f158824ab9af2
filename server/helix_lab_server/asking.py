"""From an HTTP request to the field values of an operation."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.openapi_bodies import HIDDEN_IN_UPLOADS
from helix_lab.operations.operation import Operation
from helix_lab_server.json_body import read_json

_JUPYTERS_OWN = frozenset({"token", "no_track_activity"})
"""Query parameters that belong to Jupyter, on every route."""

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,9})\"?\s*(?=$|[,;])", re.IGNORECASE)

_ENTITY_TAG = re.compile(r'"?([1-9]\d{0,15})"?', re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client sent, not yet understood.

    Attributes:
        path: values out of the path, in the order of `Operation.path_fields`.
        query: every value of each query parameter, as raw bytes.
        body: the JSON body; unused where the operation takes an upload.
        upload: the file that holds an uploaded body.
        prefer: the header `Prefer` (RFC 7240).
        if_match: the header `If-Match` (RFC 9110), with a version as its entity tag.
    """

    path: Sequence[str] = ()
    query: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    body: bytes = b""
    upload: Path | None = None
    prefer: str = ""
    if_match: str = ""


def read_values(operation: Operation, asked: Asked) -> dict[str, Any]:
    """The field values that a request holds, unchecked but for their form.

    Raises:
        InvalidRequest: the body cannot be read, or a query parameter is unknown, given twice or
            not UTF-8.
    """
    values: dict[str, Any] = dict(zip(operation.path_fields, asked.path, strict=True))
    values |= read_query(operation, asked.query)
    if operation.body == "upload":
        values |= {"path": str(asked.upload), "is_upload": True}
    elif takes_body(operation):
        values |= _read_body(operation, asked.body)
    wait_s = _read_wait(operation, asked.prefer)
    if wait_s is not None:
        values.setdefault("wait_s", wait_s)
    version = _read_version(operation, asked.if_match)
    if version is not None:
        values.setdefault("if_version", version)
    return values


def takes_body(operation: Operation) -> bool:
    """Whether fields of the request lie in a JSON body."""
    return operation.method in {"POST", "PATCH"} and operation.body != "upload"


def is_lenient(operation: Operation) -> bool:
    """Whether values come as text, from a query string, and are to be read out of it."""
    return not takes_body(operation)


def query_fields(operation: Operation) -> list[str]:
    """Fields of the request that are query parameters, in order."""
    if takes_body(operation):
        return []
    in_body = HIDDEN_IN_UPLOADS if operation.body == "upload" else frozenset[str]()
    return [
        name
        for name in operation.request.model_fields
        if name not in operation.path_fields and name not in in_body
    ]


def read_query(operation: Operation, query: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """The field values of a query string."""
    allowed = query_fields(operation)
    values: dict[str, Any] = {}
    for raw_name, raw_values in query.items():
        if _is_jupyters_own(raw_name, raw_values):
            continue
        # Tornado reads names as Latin-1, so that any bytes will do.
        name = raw_name.encode("latin-1", "replace").decode("utf-8", "replace")
        if name not in allowed:
            raise InvalidRequest(_explain_unknown(operation, name, allowed), field=name)
        texts = [_decode(name, raw) for raw in raw_values]
        if _takes_many(_type_of(operation, name)):
            values[name] = texts
        elif len(texts) > 1:
            message = f"query parameter {name!r} is given {len(texts)} times; it takes one value"
            raise InvalidRequest(message, field=name)
        else:
            values[name] = texts[0]
    return values


def _is_jupyters_own(name: str, values: Sequence[bytes]) -> bool:
    """JupyterLab also appends the time as a bare number, lest a proxy answers from its cache."""
    return name in _JUPYTERS_OWN or (name.isdecimal() and list(values) == [b""])


def _explain_unknown(operation: Operation, name: str, allowed: Sequence[str]) -> str:
    if takes_body(operation):
        return f"unknown query parameter {name!r}; send fields as a JSON body"
    return f"unknown query parameter {name!r}; allowed: {', '.join(allowed) or 'none'}"


def _decode(name: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        message = f"query parameter {name!r} is not UTF-8"
        raise InvalidRequest(message, field=name) from None


def _type_of(operation: Operation, name: str) -> Any:
    return operation.request.model_fields[name].annotation


def _takes_many(annotation: Any) -> bool:
    origin = typing.get_origin(annotation)
    if origin in {typing.Union, types.UnionType, typing.Annotated}:
        return any(_takes_many(inner) for inner in typing.get_args(annotation))
    return origin in {list, tuple, set, frozenset, Sequence}


def _read_body(operation: Operation, body: bytes) -> dict[str, Any]:
    value = read_json(body)
    if operation.body_field is not None:
        return {operation.body_field: _read_one_or_many(operation, operation.body_field, value)}
    if not isinstance(value, dict):
        kind = "a list" if isinstance(value, list) else "one bare value"
        message = f"the body must be a JSON object, not {kind}"
        raise InvalidRequest(message, field="body")
    for name in operation.path_fields:
        if name in value:
            message = f"field {name!r}: lies in the path; leave it out of the body"
            raise InvalidRequest(message, field=name)
    return value


def _read_one_or_many(operation: Operation, name: str, value: Any) -> Any:
    if isinstance(value, dict) and list(value) == [name]:
        value = value[name]
    if not isinstance(value, dict | list):
        message = "the body must be one JSON object or a list of them"
        raise InvalidRequest(message, field="body")
    is_single = isinstance(value, dict)
    return [value] if is_single and _takes_many(_type_of(operation, name)) else value


def _read_version(operation: Operation, if_match: str) -> int | None:
    """The version that `If-Match: "3"` asks for; `*` asks for any.

    Raises:
        InvalidRequest: it is no version. A condition that is not understood must not be met.
    """
    if "if_version" not in operation.request.model_fields or if_match.strip() in {"", "*"}:
        return None
    found = _ENTITY_TAG.fullmatch(if_match.strip())
    if found is None:
        message = f'header If-Match is {if_match[:40]!r}; it must be one version, such as "3"'
        raise InvalidRequest(message, field="If-Match")
    return int(found.group(1))


def _read_wait(operation: Operation, prefer: str) -> int | None:
    """The seconds of `Prefer: wait=N`, at most what the operation allows.

    A preference that cannot be met is no error (RFC 7240, section 2), unlike a field.
    """
    found = _WAIT.search(prefer)
    if found is None or "wait_s" not in operation.request.model_fields:
        return None
    limits = [
        limit
        for rule in operation.request.model_fields["wait_s"].metadata
        if (limit := getattr(rule, "le", None)) is not None
    ]
    return int(min([int(found.group(1)), *limits]))
