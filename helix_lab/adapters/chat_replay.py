"""The replay provider: answers recorded turns again, by their key. No model is called."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helix_lab.domain.debate.replies import read_reply
from helix_lab.domain.model.errors import InvalidRequest, ProviderRefused, RunCancelled
from helix_lab.ports.chat import ChatProvider, ChatRequest, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NUMBERS = ("confidence", "response_time_ms", "ttft_ms", "cost_usd")
_COUNTS = ("input_tokens", "output_tokens")
_REPLY_FIELDS = ("finish_reason", "ttft_ms", "input_tokens", "output_tokens", "cost_usd")
_TEXTS = ("key", "text", "finish_reason")


class ReplayProvider(ChatProvider):
    """Recorded replies by `ChatRequest.key`, the same each time.

    A key without its debate id (`1/answer/critic`) holds for every debate.

    A record is a JSON object with `key` and `text`, and what else is known of the reply:
    `confidence`, `response_time_ms`, `ttft_ms`, `input_tokens`, `output_tokens`, `cost_usd`,
    `finish_reason`. A confidence that the text does not say itself is added to it as the
    line `CONFIDENCE: x`, where a debate reads it.
    """

    def __init__(
        self,
        records: Path | str | Mapping[str, str | Mapping[str, Any]],
        *,
        name: str = "replay",
        default_model: str = "recorded",
    ) -> None:
        """Read the records.

        Args:
            records: a JSONL file, or key → text or record.
            name: how debates call the provider.
            default_model: model of a reply to a request that names none.

        Raises:
            InvalidRequest: the file cannot be read, or a record has no key, no text, a field of
                the wrong type, or a key that was there before; the message names the line.
        """
        self.name = name
        self.default_model = default_model
        rows = _rows_of(records) if isinstance(records, Mapping) else _read(Path(records))
        self._records: dict[str, dict[str, Any]] = {}
        for place, row in rows:
            record = _check(place, row)
            if record["key"] in self._records:
                message = f"{place} has the key {record['key']!r}, which was there before"
                raise InvalidRequest(message, field="key")
            self._records[record["key"]] = record

    def complete(
        self,
        request: ChatRequest,
        *,
        on_text: Callable[[str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Reply:
        """The recorded reply; where no time was recorded, the time that the look-up took.

        Raises:
            ProviderRefused: nothing is recorded for the key.
            RunCancelled: `should_stop` answered True.
        """
        started_s = time.perf_counter()
        if should_stop is not None and should_stop():
            message = "the request to the replay provider was cancelled"
            raise RunCancelled(message)
        record = self._records.get(request.key) or self._records.get(_without_debate(request.key))
        if record is None:
            message = (
                f"the provider {self.name!r} has no recorded turn {request.key!r} among its "
                f"{len(self._records)}; a turn's key is debate id/round/role/seat, or "
                "round/role/seat for any debate"
            )
            raise ProviderRefused(message, service=self.name, key=request.key)
        text = _text_of(record)
        if on_text is not None:
            on_text(text)
        measured_ms = (time.perf_counter() - started_s) * 1000
        known: dict[str, Any] = {name: record.get(name) for name in _REPLY_FIELDS}
        known["response_time_ms"] = record.get("response_time_ms", measured_ms)
        model = request.model or self.default_model
        return Reply(text=text, provider=self.name, model=model, **known)

    def close(self) -> None:
        """Nothing to release."""


def _without_debate(key: str) -> str:
    return key.partition("/")[2]


def _rows_of(
    records: Mapping[str, str | Mapping[str, Any]],
) -> Iterable[tuple[str, dict[str, Any]]]:
    for key, record in records.items():
        fields = {"text": record} if isinstance(record, str) else dict(record)
        yield f"the record {key!r}", {**fields, "key": key}


def _read(path: Path) -> Iterable[tuple[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read recorded turns from {path}: {error}"
        raise InvalidRequest(message, field="path") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            place = f"line {number} of {path}"
            try:
                yield place, json.loads(line)
            except (ValueError, RecursionError) as error:
                message = f"{place} is not JSON: {error}"
                raise InvalidRequest(message, field="path") from error


def _check(place: str, row: Any) -> dict[str, Any]:
    """The known fields of a record that have a value."""
    if not isinstance(row, dict):
        message = f"{place} is not a JSON object with key and text"
        raise InvalidRequest(message, field="path")
    for field_name in ("key", "text"):
        if not isinstance(row.get(field_name), str):
            message = f"{place} has no {field_name}; a record needs key and text"
            raise InvalidRequest(message, field=field_name)
    known = {
        name: row[name] for name in (*_TEXTS, *_NUMBERS, *_COUNTS) if row.get(name) is not None
    }
    wrong = sorted(name for name, value in known.items() if not _is_right(name, value))
    if wrong:
        message = f"{place} has a senseless {wrong[0]}: {known[wrong[0]]!r}"
        raise InvalidRequest(message, field=wrong[0])
    return known


def _is_right(name: str, value: Any) -> bool:
    if name in _TEXTS:
        return isinstance(value, str)
    if isinstance(value, bool) or not isinstance(value, int if name in _COUNTS else int | float):
        return False
    is_in_range: bool = 0 <= value < math.inf and (name != "confidence" or value <= 1)
    return is_in_range


def _text_of(record: dict[str, Any]) -> str:
    text: str = record["text"]
    confidence = record.get("confidence")
    if confidence is None or read_reply(text).confidence is not None:
        return text
    return f"{text}\nCONFIDENCE: {Decimal(str(confidence)):f}"
