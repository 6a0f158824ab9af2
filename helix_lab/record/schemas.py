"""The JSON Schemas of the events, read from the package and compiled once, when first used."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import fastjsonschema

from helix_lab.domain.model.errors import InvalidEvent
from helix_lab.domain.model.event import Draft


@cache
def load_schema(event_type: str, version: int) -> Mapping[str, Any]:
    """The JSON Schema (draft 7) of one version of an event type."""
    name = f"{event_type}.v{version}.json"
    text = (files("helix_lab.domain.model") / "schemas" / name).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@cache
def _compile(event_type: str, version: int) -> Callable[[Any], Any]:
    schema = dict(load_schema(event_type, version))
    # Its id is no address, and the compiler would try to resolve it.
    schema.pop("$id", None)
    validator: Callable[[Any], Any] = fastjsonschema.compile(schema, use_default=False)
    return validator


def check_draft(draft: Draft) -> None:
    """Check a draft against the schema of its type.

    Raises:
        InvalidEvent: names the event, the field and the rule that it breaks.
    """
    try:
        _compile(draft.type.name, draft.type.version)(draft.data)
    except fastjsonschema.JsonSchemaValueException as error:
        field = ".".join(str(part) for part in error.path[1:]) or "data"
        rule = error.message.removeprefix("data").lstrip(". ")
        message = f"{draft.type.name} {draft.subject!r}: field {field!r}: {rule}"
        raise InvalidEvent(message, field=field, event_type=draft.type.name) from None
    for field, value in draft.data.items():
        if isinstance(value, str) and "\0" in value:
            message = f"{draft.type.name} {draft.subject!r}: field {field!r} holds a NUL character"
            raise InvalidEvent(message, field=field, event_type=draft.type.name)
