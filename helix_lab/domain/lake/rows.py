"""From the events of a conversation to the rows of the lake's files, and back to the same events.

A text that has a column of its own is left out of the row's event, and put back when it is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from helix_lab.domain.lake import paths
from helix_lab.domain.lake.schema import CONVERSATIONS, DEBATES, EVENTS, Dataset
from helix_lab.domain.model.event import (
    CONVERSATION_DESCRIBED,
    CONVERSATION_STARTED,
    DEBATE_COMPLETED,
    DEBATE_STARTED,
    MESSAGE_ADDED,
    TURN_ANSWERED,
    TURN_FAILED,
    Entry,
    Event,
    order_of,
)

Row = dict[str, Any]

TEXT_COLUMNS: Mapping[str, tuple[str, str]] = {
    CONVERSATIONS.name: ("content", "content"),
    DEBATES.name: ("response", "text"),
}
"""By dataset, the column that holds a text of the event, and the text's name in its data."""

_GREATEST = 2**53
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class File:
    """A file to be: where it lies, and its rows in order."""

    path: str
    dataset: Dataset
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class Told:
    """A conversation as the lake keeps it.

    Attributes:
        day: on which it began, UTC; that of its partition.
        source: digest of its events: while it is the same, so are the files.
        source_bytes: of its events as JSON and its texts.
    """

    conversation_id: str
    day: date
    source: str
    source_bytes: int
    files: Sequence[File]


def tell(conversation_id: str, entries: Iterable[Entry], *, format: paths.FileFormat) -> Told:
    """The files of a conversation, made of all of its entries, in any order; at least one."""
    ordered = sorted(entries, key=order_of)
    day = _find_day(ordered)
    sorted_out = _sort_out(ordered)
    encoded, others = sorted_out.encoded, sorted_out.others
    files = []
    if sorted_out.messages:
        path = paths.name_conversation(conversation_id, day, format=format)
        rows = _list_messages(sorted_out.messages, ordered, encoded)
        files.append(File(path, CONVERSATIONS, rows))
    for debate_id, said in sorted_out.turns.items():
        path = paths.name_debate(
            debate_id, _find_debate_day(debate_id, said, others), format=format
        )
        files.append(File(path, DEBATES, _list_turns(debate_id, said, others, encoded)))
    if others:
        path = paths.name_events(conversation_id, day, format=format)
        rows = [_tell_event(entry, encoded[entry.event.event_id]) for entry in others]
        files.append(File(path, EVENTS, rows))
    return Told(conversation_id, day, sorted_out.digest, sorted_out.source_bytes, files)


@dataclass(slots=True)
class _SortedOut:
    """The entries by the file that they go to, and their events as JSON, by event id."""

    messages: list[Entry] = field(default_factory=list)
    turns: dict[str, list[Entry]] = field(default_factory=dict)
    others: list[Entry] = field(default_factory=list)
    encoded: dict[str, str] = field(default_factory=dict)
    digest: str = ""
    source_bytes: int = 0


def _sort_out(ordered: Sequence[Entry]) -> _SortedOut:
    found, digest = _SortedOut(), hashlib.blake2b(digest_size=16)
    for entry in ordered:
        event, data, text = entry.event, entry.event.data, ""
        if _is_message(event):
            found.messages.append(entry)
            text, data = _take_out(data, "content")
        elif _is_turn(event):
            found.turns.setdefault(data["debate_id"], []).append(entry)
            text, data = _take_out(data, "text")
        else:
            found.others.append(entry)
        line, said = _encode(_to_json(entry, data)), text.encode()
        found.encoded[event.event_id] = line.decode()
        # With both lengths no two lists of events give the same bytes.
        digest.update(b"%d %d " % (len(line), len(said)))
        digest.update(line)
        digest.update(said)
        found.source_bytes += len(line) + len(said)
    found.digest = digest.hexdigest()
    return found


def _take_out(data: Mapping[str, Any], name: str) -> tuple[str, Mapping[str, Any]]:
    """A text and the data without it; it keeps its place, so that they come back in their order."""
    text = data.get(name)
    return (text, {**data, name: ""}) if isinstance(text, str) else ("", data)


def read_row(dataset: str, row: Row) -> tuple[str, Event]:
    """The topic and the event of a row.

    Raises:
        ValueError, LookupError, TypeError: the row is not one that `tell` made.
    """
    told = _decode(row["event"])
    topic = told.pop("topic")
    told["time"] = datetime.fromisoformat(told["time"])
    if dataset in TEXT_COLUMNS:
        column, name = TEXT_COLUMNS[dataset]
        if name in told["data"]:
            told["data"][name] = row[column]
    return topic, Event(**told)


def _find_day(ordered: Sequence[Entry]) -> date:
    started = (e for e in ordered if e.event.type == CONVERSATION_STARTED.name)
    return _day_of(next(started, ordered[0]))


def _find_debate_day(debate_id: str, turns: Sequence[Entry], others: Sequence[Entry]) -> date:
    return _day_of(_find_of(debate_id, DEBATE_STARTED.name, others) or turns[0])


def _day_of(entry: Entry) -> date:
    return entry.event.time.astimezone(UTC).date()


def _find_of(debate_id: str, kind: str, entries: Sequence[Entry]) -> Entry | None:
    for entry in entries:
        if entry.event.type == kind and entry.event.data.get("debate_id") == debate_id:
            return entry
    return None


def _is_message(event: Event) -> bool:
    needed = {"message_id": str, "role": str, "content": str, "model_tokens": int}
    return event.type == MESSAGE_ADDED.name and _has(event.data, needed)


def _is_turn(event: Event) -> bool:
    texts = ("debate_id", "role", "seat", "position", "provider", "model")
    needed = {**dict.fromkeys(texts, str), "round": int}
    if event.type == TURN_ANSWERED.name:
        needed["text"] = str
    return event.type in {TURN_ANSWERED.name, TURN_FAILED.name} and _has(event.data, needed)


def _has(data: Mapping[str, Any], needed: Mapping[str, type]) -> bool:
    """Whether values are what columns take: the log also holds what foreign programs wrote."""
    return all(isinstance(data.get(name), kind) for name, kind in needed.items())


def _list_messages(
    messages: Sequence[Entry], ordered: Sequence[Entry], encoded: Mapping[str, str]
) -> list[Row]:
    title, user_id = None, None
    for entry in ordered:
        if entry.event.type == CONVERSATION_DESCRIBED.name:
            title = _text(entry.event.data, "title") or title
        elif entry.event.type == CONVERSATION_STARTED.name:
            user_id = _text(entry.event.data, "user_id") or user_id
    return [
        {
            **_tell_message(entry, position, title, user_id),
            "event": encoded[entry.event.event_id],
        }
        for position, entry in enumerate(messages)
    ]


def _tell_message(entry: Entry, position: int, title: str | None, user_id: str | None) -> Row:
    data = entry.event.data
    figures = data.get("metadata")
    figures = figures if isinstance(figures, dict) else {}
    return {
        "conversation_id": entry.event.key,
        "message_id": data["message_id"],
        "position": position,
        "role": data["role"],
        "content": data["content"],
        "created_at": entry.event.time,
        "user_id": _text(data, "user_id") or user_id,
        "title": title,
        "provider": _text(data, "provider"),
        "model": _text(data, "model"),
        "tokens": data["model_tokens"],
        "latency_ms": _number(figures, "response_time_ms"),
        "input_tokens": _count(figures, "input_tokens"),
        "output_tokens": _count(figures, "output_tokens"),
        "cost_usd": _number(figures, "cost_usd"),
        "parent_id": _text(data, "parent_id"),
        "name": _text(data, "name"),
        "metadata": _json(data, "metadata"),
    }


def _list_turns(
    debate_id: str, turns: Sequence[Entry], others: Sequence[Entry], encoded: Mapping[str, str]
) -> list[Row]:
    began = _find_of(debate_id, DEBATE_STARTED.name, others)
    ended = _find_of(debate_id, DEBATE_COMPLETED.name, others)
    start: Mapping[str, Any] = began.event.data if began else {}
    end: Mapping[str, Any] = ended.event.data if ended else {}
    winner = end.get("winner")
    winner = winner if isinstance(winner, dict) else {}
    of_debate = {
        "topic": _text(start, "topic"),
        "protocol": _text(start, "protocol"),
        "user_id": _text(start, "user_id"),
        "outcome": _text(end, "outcome"),
        **{
            f"winner_{name}": _text(winner, name)
            for name in ("seat", "position", "provider", "model")
        },
        "winner_confidence": _number(end, "confidence"),
        "total_rounds": _count(end, "total_rounds"),
    }
    return [
        {**_tell_turn(entry, turn, of_debate), "event": encoded[entry.event.event_id]}
        for turn, entry in enumerate(turns)
    ]


def _tell_turn(entry: Entry, turn: int, of_debate: Row) -> Row:
    data = entry.event.data
    needed = ("debate_id", "round", "role", "seat", "position", "provider", "model")
    texts = ("finish_reason", "choice", "error_code", "error_message")
    numbers = ("confidence", "response_time_ms", "ttft_ms", "cost_usd")
    return {
        "conversation_id": entry.event.key,
        "turn": turn,
        **{name: data[name] for name in needed},
        "response": _text(data, "text"),
        **{name: _text(data, name) for name in texts},
        **{name: _number(data, name) for name in numbers},
        "input_tokens": _count(data, "input_tokens"),
        "output_tokens": _count(data, "output_tokens"),
        "created_at": entry.event.time,
        **of_debate,
        "metadata": _json(data, "metadata"),
    }


def _tell_event(entry: Entry, encoded: str) -> Row:
    event = entry.event
    return {
        "conversation_id": event.key,
        "event_id": event.event_id,
        "topic": entry.topic,
        "type": event.type,
        "subject": event.subject,
        "created_at": event.time,
        "event": encoded,
    }


def _to_json(entry: Entry, data: Mapping[str, Any]) -> dict[str, Any]:
    event = entry.event
    return {
        "event_id": event.event_id,
        "topic": entry.topic,
        "type": event.type,
        "node_id": event.node_id,
        "key": event.key,
        "subject": event.subject,
        "time": event.time.astimezone(UTC).isoformat(),
        "clock": event.clock,
        "version": event.version,
        "data": data,
    }


def _text(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) else None


def _number(data: Mapping[str, Any], name: str) -> float | None:
    value = data.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return None
    return float(value) if abs(value) <= _GREATEST else None


def _count(data: Mapping[str, Any], name: str) -> int | None:
    value = data.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _GREATEST
    return value if is_count else None


def _json(data: Mapping[str, Any], name: str) -> str | None:
    value = data.get(name)
    return _encode(value).decode() if value else None
