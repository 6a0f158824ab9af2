"""Debates as jobs: over real HTTP, and with odd providers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import (
    HelixError,
    InvalidRequest,
    ProviderRefused,
    UnknownProvider,
)
from helix_lab.domain.model.event import DEBATES, TURN_REQUESTED
from helix_lab.lab import Lab
from helix_lab.ports.chat import ChatRequest
from helix_lab.settings import ProviderSettings
from helix_lab.testing.fake_llm import FakeLLM
from tests.flow.labs import contents, open_at, say
from tests.flow.odd_providers import Odd, Say, add, seats


@pytest.fixture
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        yield server


@pytest.mark.parametrize("protocol", ["majority", "moderated"])
def test_a_debate_over_http_is_played_to_its_end(
    tmp_path: Path, fake: FakeLLM, protocol: str
) -> None:
    providers = [ProviderSettings(name, fake.base_url, name) for name in ("sage", "skeptic")]
    with open_at(tmp_path, *providers) as lab:
        debate = lab.start_debate("Is tea good?", protocol=protocol, rounds=2, seed=3, wait_s=30)

        assert "succeeded" == debate.status
        assert debate.outcome in {"decided", "tie"}
        assert 0 == fake.stats()["repeated_calls"]
        assert len(debate.turns) == fake.stats()["calls"]
        assert 1.0 == debate.progress
        assert {"Is tea good?"} <= set(contents(lab, debate.conversation_id))
        requested = [
            (entry.event.data["round"], entry.event.data["role"], entry.event.data["seat"])
            for entry in lab.services.log.read_key(DEBATES, debate.conversation_id)
            if entry.event.type == TURN_REQUESTED.name
        ]
        ended = [(turn.round, turn.role, turn.seat) for turn in debate.turns]
        assert sorted(requested) == sorted(ended) == sorted(set(ended))


def test_a_provider_that_refuses_fails_its_turns_and_the_debate_goes_on(
    tmp_path: Path, fake: FakeLLM
) -> None:
    models = {"good": "sage", "better": "skeptic", "bad": "builder!401"}
    providers = [ProviderSettings(n, fake.base_url, model) for n, model in models.items()]
    with open_at(tmp_path, *providers) as lab:
        debate = lab.start_debate("Is tea good?", rounds=2, wait_s=30)

    assert ("succeeded", "decided") == (debate.status, debate.outcome)
    codes = {(turn.provider, turn.error_code) for turn in debate.turns}
    assert {("good", None), ("better", None), ("bad", "PROVIDER_REFUSED")} == codes
    assert all("sk-" not in (turn.error_message or "") for turn in debate.turns)


def test_without_any_provider_the_offline_one_answers_and_says_so(lab: Lab) -> None:
    debate = lab.start_debate("Is tea good?", wait_s=30)

    assert "succeeded" == debate.status
    assert {"offline"} == {turn.provider for turn in debate.turns}
    assert all((turn.text or "").startswith("[offline") for turn in debate.turns)


def refuse(request: ChatRequest) -> str:
    message = "no\0 \ud800 " + "x" * 20_000
    raise ProviderRefused(message)


def crash(request: ChatRequest) -> str:
    raise ZeroDivisionError


@pytest.mark.parametrize(
    ("odd", "code"),
    [
        (lambda request: "an answer\0with NUL", "INVALID_EVENT"),
        (lambda request: "\ud800", "INVALID_EVENT"),
        (lambda request: "x" * (8 * 1024 * 1024 + 1), "INVALID_EVENT"),
        (refuse, "PROVIDER_REFUSED"),
        (crash, "INTERNAL_ERROR"),
    ],
    ids=["NUL", "surrogate", "too long", "refused", "crashed"],
)
def test_an_answer_that_cannot_be_used_fails_its_turn_alone(lab: Lab, odd: Say, code: str) -> None:
    add(lab, Odd("odd", odd), Odd("good", lambda request: "Yes."), Odd("fine", lambda r: "No."))

    debate = lab.start_debate("Is tea good?", participants=seats("odd", "good", "fine"), wait_s=30)

    assert "succeeded" == debate.status, debate.error
    assert {("odd", code), ("good", None), ("fine", None)} == {
        (turn.provider, turn.error_code) for turn in debate.turns
    }


def test_an_empty_answer_is_an_answer_without_words(lab: Lab) -> None:
    add(lab, Odd("mute", lambda request: ""), Odd("good", lambda request: "Yes."))

    debate = lab.start_debate("Is tea good?", participants=seats("mute", "good"), wait_s=30)

    assert ("succeeded", "decided") == (debate.status, debate.outcome)
    assert debate.winner is not None
    assert "good" == debate.winner.provider


def test_a_debate_where_nobody_answers_fails_by_its_rules(lab: Lab) -> None:
    add(lab, Odd("a", refuse), Odd("b", refuse))

    debate = lab.start_debate("Is tea good?", participants=seats("a", "b"), rounds=3, wait_s=30)

    assert ("succeeded", "failed", None) == (debate.status, debate.outcome, debate.winner)
    assert "a" not in contents(lab, debate.conversation_id)


def test_a_debate_goes_on_with_the_conversation_that_it_is_about(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("Tea is a plant. Tea is good for sleep.")])

    debate = lab.start_debate("Is tea good?", conversation_id="c", wait_s=30)

    told = contents(lab, "c")
    assert ["Tea is a plant. Tea is good for sleep.", "Is tea good?"] == told[:2]
    assert (debate.verdict is not None) == (len(told) == 3)
    assert 1 == lab.get_conversation("c").debate_count


@pytest.mark.parametrize(
    ("request_fields", "error"),
    [
        ({"topic": ""}, InvalidRequest),
        ({"topic": "   "}, InvalidRequest),
        ({"topic": "t", "participants": seats("nobody", "offline")}, UnknownProvider),
        ({"topic": "t", "participants": seats("offline")}, InvalidRequest),
        ({"topic": "t", "participants": seats(*["offline"] * 27)}, InvalidRequest),
        ({"topic": "t", "rounds": 0}, InvalidRequest),
        ({"topic": "t", "seed": -1}, InvalidRequest),
        ({"topic": "t", "protocol": "shouting"}, InvalidRequest),
        ({"topic": "t", "protocol": "moderated", "judge": {"provider": "x"}}, UnknownProvider),
    ],
)
def test_a_plan_that_cannot_be_played_leaves_nothing_behind(
    lab: Lab, request_fields: dict[str, Any], error: type[HelixError]
) -> None:
    with pytest.raises(error):
        lab.start_debate(**request_fields)

    assert [] == lab.list_debates().debates
    assert [] == lab.list_runs().runs
    assert [] == lab.list_conversations().conversations


def test_the_largest_seed_is_taken(lab: Lab) -> None:
    debate = lab.start_debate("Tea?", seed=2**53, wait_s=30)

    assert ("succeeded", 2**53) == (debate.status, debate.seed)
