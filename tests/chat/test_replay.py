"""Recorded turns, answered again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from helix_lab.adapters.chat_replay import ReplayProvider
from helix_lab.domain.debate import read_reply
from helix_lab.domain.model.errors import InvalidRequest, ProviderRefused
from tests.chat.requests import ask

KEY = "d1/1/answer/critic"


def test_a_file_of_turns_is_answered_by_key(tmp_path: Path) -> None:
    rows = [
        {"key": KEY, "text": "Grüße.", "response_time_ms": 12.5, "input_tokens": 3},
        {"key": "d1/1/answer/pro", "text": "Yes.", "finish_reason": "stop", "unknown": [1]},
    ]
    path = tmp_path / "turns.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\ufeff" + "\n\n".join(lines) + "\n", encoding="utf-8")

    reply = ReplayProvider(path).complete(ask(key=KEY))

    assert ("Grüße.", 12.5, 3, None) == (
        reply.text,
        reply.response_time_ms,
        reply.input_tokens,
        reply.cost_usd,
    )


def test_a_key_without_its_debate_holds_for_every_debate() -> None:
    provider = ReplayProvider({"1/answer/critic": "Any.", KEY: "Mine."})

    texts = [provider.complete(ask(key=key)).text for key in (KEY, "d2/1/answer/critic")]

    assert ["Mine.", "Any."] == texts


def test_a_turn_that_was_not_recorded_is_refused_by_its_key() -> None:
    with pytest.raises(ProviderRefused, match="d9/1/vote/pro") as caught:
        ReplayProvider({KEY: "Yes."}).complete(ask(key="d9/1/vote/pro"))

    assert caught.value.details["key"] == "d9/1/vote/pro"


@pytest.mark.parametrize("confidence", [0, 1, 0.8, 0.00001, 1e-7])
def test_a_recorded_confidence_can_be_read_from_the_text(confidence: float) -> None:
    provider = ReplayProvider({KEY: {"text": "Yes.", "confidence": confidence}})

    reply = provider.complete(ask(key=KEY))

    assert confidence == read_reply(reply.text).confidence


def test_a_confidence_in_the_text_is_left_as_it_is() -> None:
    text = "Yes.\nCONFIDENCE: 0.3"

    reply = ReplayProvider({KEY: {"text": text, "confidence": 0.8}}).complete(ask(key=KEY))

    assert text == reply.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "not a JSON object"),
        ('{"text": "Yes."}', "has no key"),
        ('{"key": "k"}', "has no text"),
        ('{"key": "k", "text": 5}', "has no text"),
        ('{"key": "k", "text": "Yes.", "confidence": 1.5}', "senseless confidence"),
        ('{"key": "k", "text": "Yes.", "input_tokens": 1.5}', "senseless input_tokens"),
        ('{"key": "k", "text": "Yes.", "input_tokens": true}', "senseless input_tokens"),
        ('{"key": "k", "text": "Yes.", "cost_usd": NaN}', "senseless cost_usd"),
        ('{"key": "k", "text": "Yes.", "ttft_ms": Infinity}', "senseless ttft_ms"),
        ('{"key": "k", "text": "Yes.", "finish_reason": 1}', "senseless finish_reason"),
        ('{"key": "first", "text": "Again."}', "was there before"),
    ],
)
def test_a_wrong_record_is_named_by_its_line(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "turns.jsonl"
    path.write_text(f'{{"key": "first", "text": "Yes."}}\n{line}\n', encoding="utf-8")

    with pytest.raises(InvalidRequest, match=words) as caught:
        ReplayProvider(path)

    assert "line 2 of" in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "turns.jsonl"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InvalidRequest, match="cannot read"):
        ReplayProvider(path)


def test_a_provider_can_stand_in_for_another() -> None:
    record: dict[str, Any] = {"text": "Yes.", "cost_usd": 0.25}

    provider = ReplayProvider({KEY: record}, name="claude", default_model="opus")
    reply = provider.complete(ask(key=KEY))

    assert ("claude", "opus", 0.25) == (reply.provider, reply.model, reply.cost_usd)
