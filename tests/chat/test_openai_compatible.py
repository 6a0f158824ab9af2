"""What the OpenAI-compatible provider sends, and what it makes of good answers."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from helix_lab.adapters.chat_openai_compatible.wire import MAX_ANSWER_BYTES
from helix_lab.domain.model.errors import InvalidRequest, ProviderRefused
from helix_lab.ports.chat import ChatMessage
from helix_lab.testing.fake_llm import FakeLLM, Fault
from tests.chat.conftest import MakeProvider
from tests.chat.requests import ask
from tests.chat.servers import http, serve, sse

DONE = b"data: [DONE]\n\n"


def chunk(text: str = "", finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish_reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def whole(content: Any, **fields: Any) -> list[bytes]:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return http(json.dumps({"choices": [choice], **fields}).encode())


def test_a_streamed_answer_has_text_tokens_and_times(
    fake: FakeLLM, make_provider: MakeProvider
) -> None:
    pieces: list[str] = []

    reply = make_provider().complete(ask(), on_text=pieces.append)

    assert len(pieces) > 1
    assert reply.text == "".join(pieces)
    assert reply.finish_reason == "stop"
    assert reply.input_tokens
    assert reply.output_tokens
    assert reply.ttft_ms is not None
    assert 0 < reply.ttft_ms <= reply.response_time_ms


def test_a_server_that_does_not_stream_is_understood(
    fake: FakeLLM, make_provider: MakeProvider
) -> None:
    fake.fail(Fault("no_stream"))
    pieces: list[str] = []

    reply = make_provider().complete(ask(), on_text=pieces.append)

    assert [reply.text] == pieces
    assert reply.ttft_ms is None
    assert reply.output_tokens


def test_everything_asked_for_is_sent_and_the_turn_is_not(
    fake: FakeLLM, make_provider: MakeProvider
) -> None:
    request = ask(
        messages=[ChatMessage("system", "Be brief."), ChatMessage("user", "Is tea good?")],
        model="skeptic",
        task="vote",
        key="secret-debate/1/vote/seat",
        options=["X", "Y"],
        temperature=0.5,
        max_output_tokens=99,
        seed=4,
    )

    make_provider().complete(request)

    expected = {
        "model": "skeptic",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Is tea good?"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 99,
        "seed": 4,
    }
    assert expected == fake.requests[0].body


def test_what_is_not_asked_for_is_not_sent(fake: FakeLLM, make_provider: MakeProvider) -> None:
    make_provider().complete(ask())

    assert {"model", "messages", "stream", "stream_options"} == set(fake.requests[0].body)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_streams_may_be_cut_anywhere_and_end_their_lines_in_any_way(
    make_provider: MakeProvider, line_end: bytes
) -> None:
    comment = b": OPENROUTER PROCESSING\n\nevent: message\nid: 1\n"
    stream = comment + chunk("Grüße ") + chunk("🙂") + chunk("", "stop") + DONE
    raw = stream.replace(b"\\u", b"\\u").replace(b"\n", line_end)
    raw = raw.replace(b"\\u00fc", "ü".encode())

    with serve(sse(*(raw[i : i + 1] for i in range(len(raw))))) as (url, _):
        reply = make_provider(base_url=url).complete(ask())

    assert reply.text == "Grüße 🙂"


def test_an_event_of_several_lines_is_joined_wherever_it_is_cut(
    make_provider: MakeProvider,
) -> None:
    raw = b'data: {"choices": [{"delta":\r\ndata:  {"content": "Yes."}}]}\r\n\r\n' + DONE

    for size in (1, 2, 3, len(raw)):
        pieces = [raw[i : i + size] for i in range(0, len(raw), size)]
        with serve(sse(*pieces)) as (url, _):
            assert make_provider(base_url=url).complete(ask()).text == "Yes."


@pytest.mark.parametrize(
    "answer",
    [whole("x" * MAX_ANSWER_BYTES), sse(b"data: ", b"x" * (MAX_ANSWER_BYTES + 1))],
    ids=["json", "endless line"],
)
def test_what_is_too_large_is_refused(make_provider: MakeProvider, answer: list[bytes]) -> None:
    with serve(answer) as (url, _), pytest.raises(ProviderRefused, match="more than"):
        make_provider(base_url=url).complete(ask())


def test_a_stream_without_done_is_complete_when_it_gave_a_finish_reason(
    make_provider: MakeProvider,
) -> None:
    with serve(sse(chunk("Yes."), chunk("", "stop"))) as (url, _):
        reply = make_provider(base_url=url).complete(ask())

    assert reply.text == "Yes."


def test_a_character_that_is_split_over_two_chunks_is_joined(make_provider: MakeProvider) -> None:
    halves = b'data: {"choices": [{"delta": {"content": "\\ud83d\\ude42 \\ud83d"}}]}\n\n'

    with serve(sse(halves, chunk("", "stop"), DONE)) as (url, _):
        reply = make_provider(base_url=url).complete(ask())

    assert reply.text == "🙂 �"


def test_tokens_that_the_server_does_not_count_are_unknown(make_provider: MakeProvider) -> None:
    with serve(whole("Yes.", usage={"prompt_tokens": -1, "completion_tokens": "9"})) as (url, _):
        reply = make_provider(base_url=url).complete(ask())

    assert (None, None) == (reply.input_tokens, reply.output_tokens)
    assert reply.cost_usd is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (whole(None), "gave an empty answer"),
        (whole("  "), "gave an empty answer"),
        (whole([{"type": "text"}]), "gave an empty answer"),
        (http(b"{}"), "without any choice"),
        (http(b"[1]"), "not a JSON object"),
        (http(b"[" * 100_000), "not a JSON object"),
        (http(b'{"choices": [3]}'), "without any choice"),
        (http(b'{"choices": [{"message": "Yes."}]}'), "without any choice"),
        (http(b'{"error": {"message": "no such model"}}'), "no such model"),
        (http(b"Yes.", "text/plain"), "instead of JSON"),
        (sse(b'data: {"choices": [{"delta": {"refusal": "I will not."}}]}\n\n', DONE), "I will"),
        (sse(chunk("", "length"), DONE), "finish_reason length"),
        (sse(b'data: {"choices": [null]}\n\n', DONE), "without any choice"),
    ],
)
def test_an_answer_of_another_form_is_refused(
    make_provider: MakeProvider, answer: list[bytes], words: str
) -> None:
    with serve(answer) as (url, _), pytest.raises(ProviderRefused, match=words):
        make_provider(base_url=url).complete(ask())


@pytest.mark.parametrize(
    ("complaint", "sent", "sent_instead"),
    [
        ("Unrecognized field stream_options", {"stream_options", "max_tokens"}, {"max_tokens"}),
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            {"stream_options", "max_tokens"},
            {"stream_options", "max_completion_tokens"},
        ),
    ],
)
def test_a_field_that_the_server_does_not_know_is_left_out_or_renamed_once_and_for_all(
    make_provider: MakeProvider, complaint: str, sent: set[str], sent_instead: set[str]
) -> None:
    error = http(json.dumps({"error": {"message": complaint}}).encode(), status=400)
    request = ask(max_output_tokens=5)

    with serve(error, whole("Yes."), whole("Yes.")) as (url, received):
        provider = make_provider(base_url=url, max_retries=0)
        provider.complete(request)
        provider.complete(request)

    bodies = [set(json.loads(raw)) - {"model", "messages", "stream"} for raw in received]
    assert [sent, sent_instead, sent_instead] == bodies


@pytest.mark.parametrize(
    "base_url", ["", "localhost:8000/v1", "ftp://host/v1", "https://", "https://me:pw@host/v1"]
)
def test_a_base_url_that_cannot_work_is_refused_at_once(
    make_provider: MakeProvider, base_url: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make_provider(base_url=base_url or "v1")

    assert caught.value.details["field"] == "base_url"
    assert "pw" not in str(caught.value)


def test_importing_the_provider_loads_no_price_list() -> None:
    code = (
        "import sys, helix_lab.adapters.chat_openai_compatible, helix_lab.adapters.chat_offline;"
        "sys.exit('genai_prices' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
