"""What every `ChatProvider` must do. An adapter subclasses the suite and gives `provider`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from helix_lab.domain.debate import (
    DebatePlan,
    NextTurns,
    Turn,
    TurnRequest,
    default_seats,
    next_step,
    read_reply,
)
from helix_lab.domain.model.errors import RunCancelled
from helix_lab.ports.chat import ChatMessage, ChatProvider, ChatRequest

ARGUMENTS = ("Caching cuts load times.", "Stale caches show wrong data.", "Measure, then cache.")


def to_chat_request(request: TurnRequest) -> ChatRequest:
    """A debate's request as a provider gets it."""
    return ChatRequest(
        messages=[ChatMessage(role, content) for role, content in request.messages],
        model=request.seat.model,
        task=request.role,
        key=request.key,
        options=request.options,
        timeout_s=20.0,
    )


def make_requests() -> dict[str, ChatRequest]:
    """One request of each task: `answer`, `vote` and `judge`, as real debates make them.

    Their keys are what a `replay` provider must have recorded to pass the suite.
    """
    return {
        "answer": _first_request("majority", turns=()),
        "vote": _first_request("majority", turns=ARGUMENTS),
        "judge": _first_request("moderated", turns=ARGUMENTS[:2]),
    }


def _first_request(protocol: str, *, turns: tuple[str, ...]) -> ChatRequest:
    seats, judge = default_seats([("any", "model")], protocol)
    plan = DebatePlan("d1", "c1", "Should we cache?", protocol, 1, 3, seats, judge)
    answers = [Turn(1, "answer", s.seat, text) for s, text in zip(seats, turns, strict=False)]
    step = next_step(plan, answers, [("user", "Our pages load slowly, we should cache.")])
    assert isinstance(step, NextTurns)
    return replace(to_chat_request(step.requests[0]), model="")


class ChatProviderTests:
    """The contract of `ChatProvider`, sentence by sentence."""

    @pytest.fixture
    def answer_request(self) -> ChatRequest:
        return make_requests()["answer"]

    def test_a_provider_has_a_name_and_a_default_model(self, provider: ChatProvider) -> None:
        assert provider.name
        assert provider.default_model

    def test_a_reply_says_something_and_names_its_provider(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        reply = provider.complete(answer_request)

        assert reply.text.strip()
        assert provider.name == reply.provider

    def test_a_request_without_a_model_goes_to_the_default_model(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        assert provider.default_model == provider.complete(answer_request).model

    def test_a_reply_names_the_model_that_was_asked(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        request = replace(answer_request, model="other-model")

        assert "other-model" == provider.complete(request).model

    def test_no_number_of_a_reply_is_negative(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        reply = provider.complete(answer_request, on_text=lambda _: None)

        assert reply.response_time_ms >= 0
        for number in (reply.ttft_ms, reply.input_tokens, reply.output_tokens, reply.cost_usd):
            assert number is None or number >= 0
        assert reply.ttft_ms is None or reply.ttft_ms <= reply.response_time_ms

    def test_the_pieces_make_up_the_text(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        pieces: list[str] = []

        reply = provider.complete(answer_request, on_text=pieces.append)

        assert reply.text == "".join(pieces)

    @pytest.mark.parametrize("task", ["vote", "judge"])
    def test_a_choice_is_one_of_the_options(self, provider: ChatProvider, task: str) -> None:
        request = make_requests()[task]

        reply = provider.complete(request)

        assert read_reply(reply.text, request.options).label in request.options

    def test_a_caller_that_stops_at_once_gets_no_text(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        pieces: list[str] = []

        with pytest.raises(RunCancelled):
            provider.complete(answer_request, on_text=pieces.append, should_stop=lambda: True)

        assert [] == pieces

    def test_a_caller_that_does_not_stop_is_answered(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        assert provider.complete(answer_request, should_stop=lambda: False).text

    def test_an_error_of_the_listener_reaches_the_caller(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        def fail(_: str) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            provider.complete(answer_request, on_text=fail)

    @pytest.mark.parametrize("content", ["", "🙂 שלום\x00\r\n", "\ud83d", "word " * 50_000])
    def test_any_content_can_be_sent(
        self, provider: ChatProvider, answer_request: ChatRequest, content: str
    ) -> None:
        messages = [ChatMessage("assistant", content), *answer_request.messages]

        reply = provider.complete(replace(answer_request, messages=messages))

        assert reply.text.encode()

    def test_many_threads_may_ask_at_once(self, provider: ChatProvider) -> None:
        requests = list(make_requests().values()) * 4

        with ThreadPoolExecutor(max_workers=len(requests)) as pool:
            replies = list(pool.map(provider.complete, requests))

        for request, reply in zip(requests, replies, strict=True):
            label = read_reply(reply.text, request.options).label
            assert label in request.options if request.options else label is None

    def test_closing_twice_is_harmless(
        self, provider: ChatProvider, answer_request: ChatRequest
    ) -> None:
        provider.complete(answer_request)

        provider.close()
        provider.close()
