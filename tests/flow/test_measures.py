"""Costs, debates and one provider, against counts by hand; windows, time zones, the lab itself."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from helix_lab.domain.model.errors import InvalidRequest, ProviderError, UnknownDebate
from helix_lab.domain.model.event import Draft
from helix_lab.lab import Lab
from helix_lab.record import drafts
from helix_lab.settings import ProviderSettings
from helix_lab.testing.fake_llm import FakeLLM
from tests.flow.labs import catch_up, open_at

SEATS: list[dict[str, Any]] = [
    {"seat": "pro", "position": "for", "provider": "alpha", "model": "m1"},
    {"seat": "con", "position": "against", "provider": "beta", "model": "m2"},
]
BEGIN = datetime(2026, 3, 27, 12, tzinfo=UTC)
"""Two days before the clocks of Berlin skip an hour."""
DEBATES = 40


def make_debate(number: int) -> list[Draft]:
    """Both seats answer in each round, and who was surer wins more often."""
    rng = random.Random(number)
    name, at = f"d{number}", BEGIN + timedelta(hours=rng.uniform(0, 96))
    rounds = rng.randint(1, 3)
    facts = [
        drafts.answer_turn(
            name, conversation_id=name, round=place, role="answer", **seat, text="x",
            response_time_ms=rng.uniform(1, 900), confidence=rng.choice([None, rng.random()]),
            input_tokens=10, output_tokens=place, cost_usd=rng.choice([None, 0.25]), time=at,
        )
        for place in range(1, rounds + 1)
        for seat in SEATS
    ]  # fmt: skip
    outcome = rng.choice(["decided", "decided", "tie", "failed"])
    winner = rng.choice(SEATS) if outcome == "decided" else None
    started = drafts.start_debate(
        name, conversation_id=name, topic="t", protocol="positions", rounds=rounds, seed=1,
        seats=SEATS, created_at=at,
    )  # fmt: skip
    end = drafts.complete_debate(
        name, conversation_id=name, outcome=outcome, winner=winner, confidence=0.5,
        total_rounds=rounds, time=at,
    )  # fmt: skip
    return [started, *facts, end]


@pytest.fixture(scope="module")
def facts() -> list[Draft]:
    return [fact for number in range(DEBATES) for fact in make_debate(number)]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, facts: list[Draft]) -> Iterator[Lab]:
    with open_at(tmp_path_factory.mktemp("measures")) as opened:
        opened.services.writer.record(facts)
        catch_up(opened)
        yield opened


def turns_of(facts: list[Draft]) -> list[Draft]:
    return [fact for fact in facts if ".turn." in fact.type.name]


def ends_of(facts: list[Draft]) -> list[Mapping[str, Any]]:
    return [fact.data for fact in facts if "debate.completed" in fact.type.name]


def show_step(local: datetime, granularity: str) -> str:
    hour = local.replace(minute=0, second=0, microsecond=0)
    return {
        "hourly": hour.isoformat().replace("+00:00", "Z"),
        "daily": local.strftime("%Y-%m-%d"),
        "monthly": local.strftime("%Y-%m"),
    }[granularity]


@pytest.mark.parametrize("timezone", ["UTC", "Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.parametrize("granularity", ["hourly", "daily", "monthly"])
def test_costs_are_summed_as_by_hand(
    lab: Lab, facts: list[Draft], granularity: str, timezone: str
) -> None:
    expected: dict[tuple[str, str], list[Draft]] = defaultdict(list)
    for turn in turns_of(facts):
        assert turn.time is not None
        step = show_step(turn.time.astimezone(ZoneInfo(timezone)), granularity)
        expected[step, turn.data["provider"]].append(turn)

    answer = lab.get_costs(window="all", granularity=granularity, timezone=timezone)

    assert sorted(expected) == [(row.date, row.provider) for row in answer.costs]
    for row in answer.costs:
        prices = [turn.data.get("cost_usd") for turn in expected[row.date, row.provider]]
        priced = [price for price in prices if price is not None]
        assert (len(prices), len(prices) - len(priced)) == (row.requests, row.unpriced_requests)
        assert (sum(priced) if priced else None) == row.cost_usd
    assert sum(row.cost_usd or 0 for row in answer.costs) == answer.total_cost_usd
    assert sum(row.unpriced_requests for row in answer.costs) == answer.unpriced_requests


def test_debates_are_counted_as_by_hand(lab: Lab, facts: list[Draft]) -> None:
    ends = ends_of(facts)

    answer = lab.get_debate_statistics(window="all")

    assert DEBATES == answer.debates
    assert Counter(end["outcome"] for end in ends) == {
        r.outcome: r.debates for r in answer.outcomes
    }
    assert Counter(end["total_rounds"] for end in ends) == {
        row.total_rounds: row.debates for row in answer.rounds
    }


def test_calibration_compares_how_sure_seats_were_with_how_often_they_won(
    lab: Lab, facts: list[Draft]
) -> None:
    winners = {end["debate_id"]: end["winner"]["seat"] for end in ends_of(facts) if end["winner"]}
    said: dict[tuple[str, str], list[float]] = defaultdict(list)
    for turn in turns_of(facts):
        if turn.data["debate_id"] in winners and turn.data.get("confidence") is not None:
            said[turn.data["debate_id"], turn.data["seat"]].append(turn.data["confidence"])
    steps: dict[float, list[tuple[float, bool]]] = defaultdict(list)
    for (debate, seat), confidences in said.items():
        sure = fmean(confidences)
        steps[min(int(sure * 10), 9) / 10].append((sure, winners[debate] == seat))

    answer = lab.get_debate_statistics(window="all")

    assert sorted(steps) == [row.from_confidence for row in answer.calibration]
    for row in answer.calibration:
        seats = steps[row.from_confidence]
        assert (len(seats), sum(won for _, won in seats)) == (row.seats, row.wins)
        assert fmean(sure for sure, _ in seats) == pytest.approx(row.avg_confidence)
        assert fmean(won for _, won in seats) == pytest.approx(row.win_rate)
    gaps = [len(s) * abs(fmean(w for _, w in s) - fmean(c for c, _ in s)) for s in steps.values()]
    assert sum(gaps) / len(said) == pytest.approx(answer.calibration_error)


def test_a_debate_is_summed_up_with_its_seats(lab: Lab, facts: list[Draft]) -> None:
    turns = [turn for turn in turns_of(facts) if turn.data["debate_id"] == "d3"]
    end = next(end for end in ends_of(facts) if end["debate_id"] == "d3")

    answer = lab.get_debate_metrics("d3")

    assert (len(turns), end["total_rounds"], end["outcome"], 0.5) == (
        answer.turns, answer.rounds, answer.outcome, answer.confidence,
    )  # fmt: skip
    assert sum(10 + turn.data["round"] for turn in turns) == answer.total_tokens
    assert ["beta/m2", "alpha/m1"] == answer.participants
    assert len(turns) == sum(seat.turns for seat in answer.seats)
    with pytest.raises(UnknownDebate):
        lab.get_debate_metrics("d-nobody")


def test_one_provider_is_the_sum_of_its_models(lab: Lab, facts: list[Draft]) -> None:
    turns = [turn for turn in turns_of(facts) if turn.data["provider"] == "alpha"]

    answer = lab.get_provider_metrics("alpha", window="all")

    assert (len(turns), 0.0) == (answer.total_requests, answer.error_rate)
    times = [turn.data["response_time_ms"] for turn in turns]
    assert fmean(times) == pytest.approx(answer.avg_response_time_ms)
    assert ["m1"] == [model.model for model in answer.models]
    nobody = lab.get_provider_metrics("nobody", window="all")
    assert (0, None, None, []) == (
        nobody.total_requests, nobody.error_rate, nobody.win_rate, nobody.models,
    )  # fmt: skip


def test_a_window_may_have_both_ends(lab: Lab, facts: list[Draft]) -> None:
    since, until = BEGIN + timedelta(hours=10), BEGIN + timedelta(hours=60)
    inside = [turn for turn in turns_of(facts) if turn.time and since <= turn.time < until]

    answer = lab.get_costs(since=since, until=until)

    assert len(inside) == sum(row.requests for row in answer.costs)
    assert "2026-03-27T22:00:00Z/2026-03-30T00:00:00Z" == answer.window
    assert [] == lab.get_costs(until=BEGIN).costs, "a day before the first one"
    with pytest.raises(InvalidRequest, match="is not before"):
        lab.get_costs(since=until, until=since)


def test_a_day_is_that_of_its_time_zone(tmp_path: Path) -> None:
    late = datetime.now(UTC).replace(hour=23, minute=30) - timedelta(days=2)
    message = drafts.add_message("c", "m", role="user", content="x", created_at=late)

    with open_at(tmp_path) as lab:
        lab.services.writer.record([message])
        dates = {
            zone: [row.date for row in lab.get_conversation_trends(timezone=zone).daily_stats]
            for zone in ("UTC", "Asia/Tokyo")
        }
        with pytest.raises(InvalidRequest, match="no time zone 'Mars/Olympus'"):
            lab.get_conversation_trends(timezone="Mars/Olympus")

    next_day = late + timedelta(days=1)
    assert {
        "UTC": [late.date().isoformat()],
        "Asia/Tokyo": [next_day.date().isoformat()],
    } == dates


def test_chats_count_as_requests_also_those_that_fail(tmp_path: Path) -> None:
    with FakeLLM() as fake:
        good = ProviderSettings("good", fake.base_url, "sage")
        gone = ProviderSettings("gone", "http://127.0.0.1:9/v1", "sage")
        with open_at(tmp_path, good, gone) as lab:
            lab.start_conversation(conversation_id="c")
            reply = lab.chat("c", "what is a cache?", provider="good")
            with pytest.raises(ProviderError):
                lab.chat("c", "and now?", provider="gone", timeout_s=5)
            rows = {row.provider: row for row in lab.get_provider_performance().providers}

    assert {"good", "gone"} == set(rows)
    assert (1, 1.0, reply.response_time_ms) == (
        rows["good"].total_requests, rows["good"].success_rate, rows["good"].avg_response_time_ms,
    )  # fmt: skip
    assert (1, 0.0, None) == (
        rows["gone"].total_requests, rows["gone"].success_rate, rows["gone"].avg_response_time_ms,
    )  # fmt: skip


def test_metadata_of_the_callers_own_is_no_request(tmp_path: Path) -> None:
    odd = drafts.add_message(
        "c", "m", role="assistant", content="x", provider="p", metadata={"response_time_ms": "fast"}
    )

    with open_at(tmp_path) as lab:
        lab.services.writer.record([odd])

        assert [] == lab.get_provider_performance().providers


def test_the_lab_tells_what_it_uses_and_what_it_was_asked(tmp_path: Path) -> None:
    with open_at(tmp_path) as lab:
        lab.list_conversations()
        lab.list_conversations()
        with pytest.raises(UnknownDebate):
            lab.get_debate_metrics("nobody")

        answer = lab.get_system_metrics()

        rows = {row.operation: row for row in answer.operations}
        assert (2, 0) == (rows["list_conversations"].calls, rows["list_conversations"].refused)
        assert (1, 1, 0) == (
            rows["get_debate_metrics"].calls,
            rows["get_debate_metrics"].refused,
            rows["get_debate_metrics"].failed,
        )
        assert 3 == answer.calls
        assert answer.now.memory_bytes > 10_000_000
        assert [answer.now] == answer.samples[-1:]
        assert lab.get_info().projection_lag.keys() == answer.projection_lag.keys()
