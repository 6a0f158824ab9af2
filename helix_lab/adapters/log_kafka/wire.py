"""Events as Kafka messages in CloudEvents binary mode, and back.

Source: CloudEvents 1.0, Kafka protocol binding, §3.2. docs/asyncapi.yaml describes the headers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from helix_lab.domain.model.event import Entry, Event, from_micros, to_micros
from helix_lab.domain.model.event_json import check_fields, decode_data, encode_data

if TYPE_CHECKING:
    from confluent_kafka import Message

_SOURCE = "/helix/"
_JSON = b"application/json"
_SPEC_VERSION = b"1.0"
_TEXTS = ("ce_id", "ce_type", "ce_source", "ce_time", "ce_dataschema", "ce_helixclock")
_GREATEST = 2**63 - 1

FOREIGN = "foreign message"
"""What the type of an entry begins with whose message no Helix Lab wrote."""


class Row(NamedTuple):
    """A message as the local copy keeps it; `key` is None where it is no event of ours."""

    offset: int
    key: str | None
    event_id: str
    type: str
    node: str
    subject: str
    time_us: int
    clock: int
    version: int
    data: bytes


def to_value(event: Event) -> bytes:
    """The value of the event's message.

    Raises:
        InvalidEvent: the log could not give the event back as it is.
    """
    check_fields(event)
    return encode_data(event)


def to_headers(event: Event) -> list[tuple[str, bytes]]:
    """The headers of the message of an event that `to_value` took.

    Made right before they are sent: those of many events would take ten times their values.
    """
    return [
        ("ce_specversion", _SPEC_VERSION),
        ("ce_id", event.event_id.encode()),
        ("ce_type", event.type.encode()),
        ("ce_source", f"{_SOURCE}{event.node_id}".encode()),
        ("ce_subject", event.subject.encode()),
        ("ce_time", event.time.astimezone(UTC).isoformat().encode()),
        ("ce_dataschema", b"helix:schemas/%s/v%d" % (event.type.encode(), event.version)),
        ("ce_partitionkey", event.key.encode()),
        ("ce_helixclock", b"%d" % event.clock),
        ("content-type", _JSON),
    ]


def to_own_row(event: Event, value: bytes, offset: int) -> Row:
    """The row of an event of ours that was written at an offset: as `to_row` would read it."""
    return Row(
        offset,
        event.key,
        event.event_id,
        event.type,
        event.node_id,
        event.subject,
        to_micros(event.time),
        event.clock,
        event.version,
        value,
    )


def to_row(message: Message, topic: str) -> Row:
    """The message as a row; one that is no event of ours says why in its type."""
    offset = message.offset() or 0
    try:
        return _read(message, offset)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        reason = f"no header {error}" if isinstance(error, KeyError) else str(error)
        name = f"{FOREIGN}: {reason}"[:200]
        place = f"foreign/{topic}/{message.partition()}/{offset}"
        micros = max(message.timestamp()[1], 0) * 1000
        return Row(offset, None, place, name, "", "", micros, 0, 1, b"{}")


def to_entry(topic: str, partition: int, key: str, row: Sequence[object]) -> Entry:
    """The entry of a row of the copy: offset, id, type, node, subject, time, clock, version, data.

    A foreign message has the empty key.
    """
    offset, event_id, type_, node, subject, micros, clock, version, data = row
    event = Event(
        event_id,  # type: ignore[arg-type] # the columns have these types
        type_,  # type: ignore[arg-type]
        node,  # type: ignore[arg-type]
        key,
        subject,  # type: ignore[arg-type]
        from_micros(micros),  # type: ignore[arg-type]
        clock,  # type: ignore[arg-type]
        decode_data(data),  # type: ignore[arg-type]
        version,  # type: ignore[arg-type]
    )
    return Entry(topic, partition, offset, event)  # type: ignore[arg-type]


def _read(message: Message, offset: int) -> Row:
    key, value = message.key(), message.value()
    if key is None or value is None:
        reason = "it has no key" if key is None else "it has no value"
        raise ValueError(reason)
    found = {name: raw.decode() for name, raw in _list_headers(message)}
    event_id, type_, source, time, schema, clock = [found[name] for name in _TEXTS]
    if not source.startswith(_SOURCE):
        reason = f"its ce_source {source!r} is no node of Helix Lab"
        raise ValueError(reason)
    at = datetime.fromisoformat(time)
    if at.tzinfo is None:
        reason = "its ce_time has no zone"
        raise ValueError(reason)
    if not isinstance(decode_data(value), dict):
        reason = "its value is no JSON object"
        raise ValueError(reason)
    return Row(
        offset,
        key.decode(),
        event_id,
        type_,
        source[len(_SOURCE) :],
        found.get("ce_subject", ""),
        to_micros(at),
        _read_count(clock),
        _read_count(schema.rpartition("/v")[2]),
        value,
    )


def _list_headers(message: Message) -> list[tuple[str, bytes]]:
    headers: Any = message.headers() or []
    return [(name, raw) for name, raw in headers if isinstance(raw, bytes)]


def _read_count(text: str) -> int:
    number = int(text)
    if not 0 <= number <= _GREATEST:
        reason = f"{text} is not in 0 … 2^63 - 1"
        raise ValueError(reason)
    return number
