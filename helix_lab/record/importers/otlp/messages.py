"""What was said to a model and by it, in whichever of the forms a span holds it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from helix_lab.record.importers.otlp.conventions import (
    CHOICE_EVENT,
    EVENT_LISTS,
    EVENT_ROLES,
    INPUT_LISTS,
    NUMBERED_INPUT,
    NUMBERED_OUTPUT,
    OUTPUT_LISTS,
    SYSTEM_TEXT,
)
from helix_lab.record.importers.otlp.parts import Said, read_message
from helix_lab.record.importers.otlp.span import Attributes, Span


def read_messages(span: Span) -> tuple[list[Said], list[Said]]:
    """What the model was shown, in order, and what it said; empty where the span does not tell."""
    holders = [span.attributes, *(event.attributes for event in span.events)]
    shown = _read_first(holders, INPUT_LISTS, NUMBERED_INPUT, role="user")
    said = _read_first(holders, OUTPUT_LISTS, NUMBERED_OUTPUT, role="assistant")
    told, chosen = _read_events(span)
    shown, said = shown or told, said or chosen
    system = [] if _has_system(shown) else _read_system(holders)
    return [*system, *shown], said


def _has_system(messages: Iterable[Said]) -> bool:
    return any(message.role == "system" for message in messages)


def _read_system(holders: Iterable[Attributes]) -> list[Said]:
    for holder in holders:
        for name in SYSTEM_TEXT:
            value = parse(holder.get(name))
            if value:
                # A list of it is a list of parts, not of messages.
                said = read_message({"role": "system", "parts": value}, role="system")
                return [said] if said else []
    return []


def _read_first(
    holders: Iterable[Attributes], whole: Iterable[str], numbered: Iterable[str], *, role: str
) -> list[Said]:
    """The messages of the first form that the span has."""
    whole, numbered = tuple(whole), tuple(numbered)
    for holder in holders:
        for prefix in numbered:
            found = _read_all(unflatten(holder, prefix), role)
            if found:
                return found
        for name in whole:
            found = _read_all(parse(holder.get(name)), role)
            if found:
                return found
    return []


def _read_all(value: Any, role: str) -> list[Said]:
    if isinstance(value, Mapping) and isinstance(value.get("messages"), list):
        value = value["messages"]
    values = value if isinstance(value, list) else [value]
    return [said for said in (read_message(item, role=role) for item in values) if said]


def _read_events(span: Span) -> tuple[list[Said], list[Said]]:
    """Messages that are events: of the span, or listed in an attribute of it."""
    events: list[tuple[str, Any]] = [(event.name, event.attributes) for event in span.events]
    for name in EVENT_LISTS:
        listed = parse(span.attributes.get(name))
        if isinstance(listed, list):
            events += [(str(e.get("event.name")), e) for e in listed if isinstance(e, Mapping)]
    shown = [
        read_message(_body_of(body), role=EVENT_ROLES[name])
        for name, body in events
        if name in EVENT_ROLES
    ]
    chosen = [
        read_message(_choice_of(body), role="assistant")
        for name, body in events
        if name == CHOICE_EVENT
    ]
    return [said for said in shown if said], [said for said in chosen if said]


def _body_of(event: Mapping[str, Any]) -> Mapping[str, Any]:
    body = {name: parse(value) if name != "content" else value for name, value in event.items()}
    return {name: value for name, value in body.items() if not name.startswith("event.")}


def _choice_of(event: Mapping[str, Any]) -> Any:
    message = parse(event.get("message"))
    return message if message else _body_of(event)


def parse(value: Any) -> Any:
    """A value that may be written as JSON."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"[", "{"}:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def unflatten(attributes: Attributes, prefix: str) -> list[Any]:
    """The values under names such as `<prefix>.0.message.role`, by number, as objects."""
    start = f"{prefix}."
    found: dict[int, dict[str, Any]] = {}
    for name, value in attributes.items():
        number, _, rest = name.removeprefix(start).partition(".")
        if name.startswith(start) and _is_number(number) and rest:
            _put(found.setdefault(int(number), {}), rest.split("."), value)
    return [_fold(found[number]) for number in sorted(found)]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10  # noqa: PLR2004 - no index is longer


def _put(target: dict[str, Any], path: list[str], value: Any) -> None:
    for part in path[:-1]:
        child = target.get(part)
        if not isinstance(child, dict):
            child = target[part] = {}
        target = child
    target[path[-1]] = value


def _fold(value: Any) -> Any:
    """Objects whose names are all numbers are lists."""
    if not isinstance(value, dict):
        return value
    if value and all(_is_number(name) for name in value):
        return [_fold(value[name]) for name in sorted(value, key=int)]
    return {name: _fold(item) for name, item in value.items()}
