"""The fake LLM server that is shipped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from helix_lab.testing.fake_llm import MODELS, FakeLLM


def post(url: str, content: str = "Is tea good?", **fields: object) -> httpx.Response:
    messages = [{"role": "user", "content": content}]
    body = {"model": "sage", "messages": messages, **fields}
    return httpx.post(f"{url}/v1/chat/completions", json=body)


def text_of(response: httpx.Response) -> str:
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


@pytest.fixture
def program() -> Iterator[str]:
    """The fake as a program of its own; its URL."""
    command = [sys.executable, "-m", "helix_lab.testing.fake_llm", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        assert process.pid == where["pid"]
        yield where["url"]
        process.terminate()
        assert process.wait(10) == 0


def test_the_program_says_where_it_is_and_counts_calls(program: str) -> None:
    post(program)
    post(program)

    stats = httpx.get(f"{program}/_stats").json()
    assert {"calls": 2, "answered_prompts": 1, "repeated_calls": 1} == stats


def test_the_same_prompt_has_the_same_answer(fake: FakeLLM) -> None:
    assert text_of(post(fake.url)) == text_of(post(fake.url))


def test_another_prompt_or_another_model_has_another_answer(fake: FakeLLM) -> None:
    answers = {
        text_of(post(fake.url)),
        text_of(post(fake.url, "Is coffee good?")),
        text_of(post(fake.url, model="skeptic")),
    }

    assert len(answers) == 3


def test_a_prompt_that_was_not_answered_may_come_again(fake: FakeLLM) -> None:
    httpx.post(f"{fake.url}/_faults", json={"faults": [{"kind": "status", "status": 500}]})

    assert [500, 200, 200] == [post(fake.url).status_code for _ in range(3)]
    assert [False, False, True] == [request.is_repeated for request in fake.requests]


def test_a_vote_a_confidence_and_json_are_given_where_they_are_asked_for(fake: FakeLLM) -> None:
    vote = text_of(post(fake.url, "VOTE: x, where x is one of: A, B, C."))
    answer = text_of(post(fake.url, "End with a line CONFIDENCE: x"))
    parsed = json.loads(text_of(post(fake.url, "Answer as JSON; choice is one of: A, TIE")))

    assert vote.splitlines()[0] in {"VOTE: A", "VOTE: B", "VOTE: C"}
    assert "CONFIDENCE: 0." in answer
    assert parsed["choice"] in {"A", "TIE"}
    assert 0 <= parsed["confidence"] <= 1


def test_a_stream_ends_with_usage_and_done(fake: FakeLLM) -> None:
    response = post(fake.url, stream=True, stream_options={"include_usage": True})

    events = response.text.strip().split("\n\n")
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert events[-1] == "data: [DONE]"
    assert {"role": "assistant", "content": ""} == chunks[0]["choices"][0]["delta"]
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] > 0
    assert response.headers["content-type"].startswith("text/event-stream")


def test_a_stream_without_include_usage_has_none(fake: FakeLLM) -> None:
    assert '"usage"' not in post(fake.url, stream=True).text


def test_a_model_name_can_ask_for_a_fault_every_time(fake: FakeLLM) -> None:
    assert [503, 503] == [post(fake.url, model="sage!503").status_code for _ in range(2)]


def test_a_fault_for_a_model_spares_the_others(fake: FakeLLM) -> None:
    fault = {"kind": "status", "status": 500, "model": "skeptic"}
    httpx.post(f"{fake.url}/_faults", json={"faults": [fault]})

    assert post(fake.url).status_code == 200
    assert post(fake.url, model="skeptic").status_code == 500


def test_faults_can_be_forgotten(fake: FakeLLM) -> None:
    httpx.post(f"{fake.url}/_faults", json={"faults": [{"kind": "hang"}]})

    assert httpx.delete(f"{fake.url}/_faults").status_code == 204
    assert post(fake.url).status_code == 200


@pytest.mark.parametrize("body", [{}, {"faults": [{"kind": "x"}]}, {"faults": [{"speed": 1}]}])
def test_an_unknown_fault_is_refused(fake: FakeLLM, body: dict[str, object]) -> None:
    assert httpx.post(f"{fake.url}/_faults", json=body).status_code == 400


def test_requests_and_models_are_listed(fake: FakeLLM) -> None:
    post(fake.url)

    requests = httpx.get(f"{fake.url}/_requests").json()["requests"]
    models = httpx.get(f"{fake.url}/v1/models").json()["data"]
    assert ["sage"] == [request["model"] for request in requests]
    assert list(MODELS) == [model["id"] for model in models]


def test_waiting_for_calls_that_never_come_ends(fake: FakeLLM) -> None:
    with pytest.raises(TimeoutError, match="0 of 1 calls"):
        fake.wait_for_calls(1, timeout_s=0.05)
