"""Where the files of the lake lie: relative paths with `/`, the same in a folder and in a bucket.

    conversations/year=2026/month=01/day=30/conversation_conv-123.parquet
    debates/year=2026/month=01/day=30/debate_debate-789.parquet
    events/year=2026/month=01/day=30/events_conv-123.parquet
    entities/snapshot_2026-01-30T10-00-00.parquet
    analytics/daily_aggregates_2026-01-30.parquet

The day of a conversation or debate is the one on which it began, UTC.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, date, datetime
from typing import Literal

from helix_lab.domain.lake.schema import ANALYTICS, CONVERSATIONS, DEBATES, ENTITIES, EVENTS
from helix_lab.domain.model.errors import InvalidRequest

FileFormat = Literal["parquet", "json"]

_LONGEST_NAME = 180
"""Of an id in a file name, so that with prefix and ending it fits the 255 of a file system."""
_PLAIN = re.compile(r"[A-Za-z0-9._-]")
_PARTITION = re.compile(r"(?:^|/)year=(\d{4})/month=(\d{2})/day=(\d{2})(?:/|$)")


def name_conversation(conversation_id: str, day: date, *, format: FileFormat = "parquet") -> str:
    """The path of a conversation's messages."""
    return _name_part(CONVERSATIONS.name, day, f"conversation_{encode_id(conversation_id)}", format)


def name_debate(debate_id: str, day: date, *, format: FileFormat = "parquet") -> str:
    """The path of a debate's turns."""
    return _name_part(DEBATES.name, day, f"debate_{encode_id(debate_id)}", format)


def name_events(conversation_id: str, day: date, *, format: FileFormat = "parquet") -> str:
    """The path of a conversation's other events."""
    return _name_part(EVENTS.name, day, f"events_{encode_id(conversation_id)}", format)


def name_snapshot(taken_at: datetime, *, format: FileFormat = "parquet") -> str:
    """The path of a snapshot of the entities, to the second."""
    moment = taken_at.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    return f"{ENTITIES.name}/snapshot_{moment}.{format}"


def name_aggregates(day: date, *, format: FileFormat = "parquet") -> str:
    """The path of the figures of a day."""
    return f"{ANALYTICS.name}/daily_aggregates_{day.isoformat()}.{format}"


def name_partition(dataset: str, day: date) -> str:
    """The folder of a day in a dataset that is partitioned."""
    return f"{dataset}/year={day.year:04d}/month={day.month:02d}/day={day.day:02d}"


def read_partition(path: str) -> date | None:
    """The day of the folders in a path; None if it has none."""
    found = _PARTITION.search(path)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def encode_id(id: str) -> str:
    """An id as part of a file name: itself where that is safe everywhere, and always unlike others.

    Other characters become `~` and their UTF-8 in hex digits; what is too long then ends in a
    digest.
    """
    text = "".join(character if _PLAIN.match(character) else _escape(character) for character in id)
    if len(text) <= _LONGEST_NAME:
        return text
    digest = hashlib.blake2b(id.encode(), digest_size=16).hexdigest()
    return f"{text[: _LONGEST_NAME - 34]}~~{digest}"


def check_path(path: str, *, field: str = "path") -> str:
    """A path inside of the lake, without a slash at its end.

    Raises:
        InvalidRequest: it is absolute, leads out of the lake, or has parts that no file has.
    """
    parts = path.rstrip("/").split("/")
    is_plain = all(part not in {"", ".", ".."} and part.isprintable() for part in parts)
    if not is_plain or "\\" in path:
        message = (
            f"field {field!r}: {path!r} is not a path inside of the lake; give one such as "
            "'conversations/year=2026/month=01', without a leading '/', '.' or '..'"
        )
        raise InvalidRequest(message, field=field)
    return "/".join(parts)


def _escape(character: str) -> str:
    return "".join(f"~{byte:02X}" for byte in character.encode())


def _name_part(dataset: str, day: date, stem: str, format: FileFormat) -> str:
    return f"{name_partition(dataset, day)}/{stem}.{format}"
