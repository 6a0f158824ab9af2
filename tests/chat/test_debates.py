"""Whole debates over HTTP, and what is left of one that was cut off."""

from __future__ import annotations

import pytest

from helix_lab.adapters.chat_openai_compatible import OpenAICompatibleProvider
from helix_lab.domain.debate import (
    PROTOCOLS,
    DebatePlan,
    NextTurns,
    Turn,
    TurnRequest,
    Verdict,
    default_seats,
    fail_turn,
    next_step,
    read_turn,
)
from helix_lab.domain.model.errors import ProviderError
from helix_lab.testing.chat import to_chat_request
from helix_lab.testing.fake_llm import FakeLLM


def make_plan(protocol: str, *models: str) -> DebatePlan:
    seats, judge = default_seats([("fake", model) for model in models], protocol)
    return DebatePlan("d1", "c1", "Is tea good?", protocol, 2, 5, seats, judge)


def ask(provider: OpenAICompatibleProvider, request: TurnRequest) -> Turn:
    chat_request = to_chat_request(request)
    try:
        return read_turn(request, provider.complete(chat_request).text)
    except ProviderError as error:
        return fail_turn(request, error.code)


def play(
    plan: DebatePlan, provider: OpenAICompatibleProvider, turns: list[Turn], *, limit: int = 1000
) -> Verdict | None:
    """Play until the end, or until so many turns were recorded."""
    while isinstance(step := next_step(plan, turns), NextTurns):
        for request in step.requests:
            if len(turns) >= limit:
                return None
            turns.append(ask(provider, request))
    return step


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_debate_is_decided_and_repeats_no_call(
    fake: FakeLLM, provider: OpenAICompatibleProvider, protocol: str
) -> None:
    turns: list[Turn] = []

    verdict = play(make_plan(protocol, "sage", "skeptic", "builder"), provider, turns)

    assert verdict is not None
    assert verdict.outcome in {"decided", "tie"}
    assert len(turns) == len(fake.requests)
    assert fake.stats()["repeated_calls"] == 0


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_debate_that_was_cut_off_anywhere_ends_as_it_would_have(
    fake: FakeLLM, provider: OpenAICompatibleProvider, protocol: str
) -> None:
    plan = make_plan(protocol, "sage", "skeptic")
    all_turns: list[Turn] = []
    verdict = play(plan, provider, all_turns)
    calls = len(fake.requests)

    for limit in range(len(all_turns) + 1):
        turns = all_turns[:limit]
        assert verdict == play(plan, provider, turns)
        assert turns == all_turns
        assert len(fake.requests) - calls == len(all_turns) - limit
        calls = len(fake.requests)


def test_a_seat_whose_provider_fails_is_left_out(
    fake: FakeLLM, provider: OpenAICompatibleProvider
) -> None:
    turns: list[Turn] = []

    verdict = play(make_plan("majority", "sage", "skeptic!401", "builder"), provider, turns)

    assert verdict is not None
    assert {"researcher", "synthesizer"} == set(verdict.votes)
    assert {"critic"} == {turn.seat for turn in turns if turn.is_failed}


def test_a_debate_without_any_working_provider_fails_with_the_reason(
    provider: OpenAICompatibleProvider,
) -> None:
    verdict = play(make_plan("majority", "sage!401"), provider, [])

    assert verdict is not None
    assert verdict.outcome == "failed"
    assert "PROVIDER_REFUSED" in verdict.reason
