"""The questions of the guide, against a count by hand over random facts."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Any

import pytest

from helix_lab.domain.model.event import Draft
from helix_lab.lab import Lab
from helix_lab.record import drafts
from tests.flow.labs import open_at

PAIRS = [("alpha", "m1"), ("alpha", "m2"), ("beta", "m1"), ("gamma", "é/3")]
WINDOWS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": timedelta(days=36_500),
}
SEED = 20_261_123


@pytest.fixture(scope="module")
def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def facts(now: datetime) -> list[Draft]:
    """Messages and debates of the last two months, none near the edge of a window."""
    rng = random.Random(SEED)
    return [
        *(make_message(rng, number, now) for number in range(400)),
        *(fact for number in range(60) for fact in make_debate(rng, number, now)),
    ]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, facts: Sequence[Draft]) -> Iterator[Lab]:
    with open_at(tmp_path_factory.mktemp("answers")) as opened:
        opened.services.writer.record(facts)
        yield opened


def pick_time(rng: random.Random, now: datetime) -> datetime:
    ages_s = (60, 1_800, 7_200, 80_000, 100_000, 500_000, 700_000, 2_000_000, 5_000_000)
    return now - timedelta(seconds=rng.choice(ages_s) + rng.uniform(0, 50))


def make_message(rng: random.Random, number: int, now: datetime) -> Draft:
    text = "word " * rng.randint(0, 50)
    at = pick_time(rng, now)
    name = f"c{rng.randint(0, 30)}"
    return drafts.add_message(name, f"m{number}", role="user", content=text, created_at=at)


def make_debate(rng: random.Random, number: int, now: datetime) -> list[Draft]:
    """Some turns of a debate, of which some fail or know little, and perhaps its end."""
    at = pick_time(rng, now)
    name, key = f"d{number}", f"c{number % 7}"
    seats = [make_seat(f"s{place}", pair) for place, pair in enumerate(rng.choices(PAIRS, k=3))]
    turns = [
        make_turn(rng, name, key, seat, role, at) for seat in seats for role in ("answer", "vote")
    ]
    outcome = rng.choice(["decided", "decided", "tie", "failed", "cancelled", None])
    if outcome is None:
        return turns
    winner = rng.choice([*seats, None]) if outcome == "decided" else None
    confidence = rng.choice([None, rng.random()])
    end = drafts.complete_debate(
        name, conversation_id=key, outcome=outcome, winner=winner, confidence=confidence,
        total_rounds=1, time=at,
    )  # fmt: skip
    return [*turns, end]


def make_seat(name: str, pair: tuple[str, str]) -> dict[str, str]:
    return {"seat": name, "position": f"position of {name}", "provider": pair[0], "model": pair[1]}


def make_turn(
    rng: random.Random, debate: str, key: str, seat: dict[str, str], role: str, at: datetime
) -> Draft:
    turn: Any = {"conversation_id": key, "round": 1, "role": role, **seat}
    if rng.random() < 0.2:
        return drafts.fail_turn(debate, **turn, error_code="X", error_message="x", time=at)
    return drafts.answer_turn(
        debate,
        **turn,
        text="x",
        response_time_ms=rng.choice([None, rng.uniform(1, 5_000)]),
        confidence=rng.choice([None, rng.random()]),
        input_tokens=rng.choice([None, rng.randint(0, 500)]),
        output_tokens=rng.choice([None, rng.randint(0, 500)]),
        cost_usd=rng.choice([None, rng.random()]),
        time=at,
    )


def known(turns: Sequence[Draft], field: str) -> list[float]:
    return [turn.data[field] for turn in turns if turn.data.get(field) is not None]


def quantile(values: Sequence[float], share: float) -> float | None:
    """Linear between the two nearest ranks."""
    if not values:
        return None
    ranked = sorted(values)
    place = share * (len(ranked) - 1)
    low = int(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def of_kind(facts: Sequence[Draft], noun: str, since: datetime) -> list[Draft]:
    return [f for f in facts if noun in f.type.name and f.time is not None and f.time >= since]


def measure_by_hand(facts: Sequence[Draft], since: datetime) -> dict[tuple[str, str], Any]:
    """Each measure of `get_provider_performance`, from its description."""
    turns = of_kind(facts, ".turn.", since)
    results = {f.data["debate_id"]: f.data for f in facts if "debate.completed" in f.type.name}
    by_pair: dict[tuple[str, str], list[Draft]] = defaultdict(list)
    for turn in turns:
        by_pair[turn.data["provider"], turn.data["model"]].append(turn)
    return {pair: measure_pair(pair, own, results) for pair, own in by_pair.items()}


def measure_pair(pair: tuple[str, str], own: Sequence[Draft], results: dict[str, Any]) -> Any:
    times = known(own, "response_time_ms")
    seated = {t.data["debate_id"] for t in own if t.data["role"] == "answer"}
    played = [d for d in seated if results.get(d, {}).get("outcome") in {"decided", "tie"}]
    winners = [results[debate]["winner"] or {} for debate in played]
    wins = sum((w.get("provider"), w.get("model")) == pair for w in winners)
    tokens = known(own, "input_tokens") + known(own, "output_tokens")
    return {
        "total_requests": len(own),
        "success_rate": fmean(turn.type.name.endswith("answered") for turn in own),
        "avg_response_time_ms": fmean(times) if times else None,
        "p50_response_time_ms": quantile(times, 0.5),
        "p95_response_time_ms": quantile(times, 0.95),
        "p99_response_time_ms": quantile(times, 0.99),
        "avg_confidence": fmean(known(own, "confidence")) if known(own, "confidence") else None,
        "total_tokens": sum(tokens) if tokens else None,
        "total_cost_usd": sum(known(own, "cost_usd")) if known(own, "cost_usd") else None,
        "debates": len(played),
        "wins": wins,
        "win_rate": wins / len(played) if played else None,
    }


@pytest.mark.parametrize("window", WINDOWS)
def test_providers_are_measured_as_by_hand(
    lab: Lab, facts: Sequence[Draft], now: datetime, window: str
) -> None:
    expected = measure_by_hand(facts, now - WINDOWS[window])

    answer = lab.get_provider_performance(window=window)

    rows = {(row.provider, row.model): row.model_dump() for row in answer.providers}
    assert set(expected) == set(rows)
    for pair, measures in expected.items():
        assert {"provider": pair[0], "model": pair[1], **measures} == pytest.approx(rows[pair])
    requests = [row.total_requests for row in answer.providers]
    assert sorted(requests, reverse=True) == requests


def test_one_provider_is_measured_alone(lab: Lab) -> None:
    everything = lab.get_provider_performance(window="all").providers
    alone = lab.get_provider_performance(window="all", provider="alpha").providers

    assert [row for row in everything if row.provider == "alpha"] == alone
    assert [] == lab.get_provider_performance(provider="nobody").providers


@pytest.mark.parametrize("position", [None, "position of s1", "position of nobody"])
def test_winners_are_ranked_as_by_hand(
    lab: Lab, facts: Sequence[Draft], position: str | None
) -> None:
    wins: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for end in (f.data for f in facts if "debate.completed" in f.type.name):
        winner = end["winner"]
        if winner and position in {None, winner["position"]}:
            wins[winner["provider"], winner["model"]].append(end["confidence"])
    total = sum(map(len, wins.values()))

    rows = lab.get_debate_winners(position=position).top_winners

    ranked = sorted(wins, key=lambda pair: (-len(wins[pair]), pair))
    assert ranked == [(row.provider, row.model) for row in rows]
    for row in rows:
        said = [c for c in wins[row.provider, row.model] if c is not None]
        assert (len(wins[row.provider, row.model]), position) == (row.wins, row.position)
        assert 100 * row.wins / total == pytest.approx(row.percentage)
        assert (fmean(said) if said else None) == pytest.approx(row.avg_confidence)
    assert rows[:1] == lab.get_debate_winners(limit=1, position=position).top_winners


@pytest.mark.parametrize(
    ("granularity", "shown"), [("daily", "%Y-%m-%d"), ("hourly", "%Y-%m-%dT%H:00:00Z")]
)
@pytest.mark.parametrize("days", [1, 7, 3660])
def test_trends_are_counted_as_by_hand(
    lab: Lab, facts: Sequence[Draft], now: datetime, granularity: str, shown: str, days: int
) -> None:
    said: dict[str, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for message in of_kind(facts, "message.added", now - timedelta(days=days)):
        assert message.time is not None
        said[message.time.strftime(shown)][message.key].append(message.time)

    rows = lab.get_conversation_trends(days=days, granularity=granularity).daily_stats

    assert sorted(said) == [row.date for row in rows]
    for row in rows:
        times = said[row.date].values()
        counts = [len(own) for own in times]
        minutes = [(max(own) - min(own)).total_seconds() / 60 for own in times]
        assert (len(counts), sum(counts)) == (row.conversation_count, row.message_count)
        assert fmean(counts) == pytest.approx(row.avg_messages_per_conv)
        assert fmean(minutes) == pytest.approx(row.avg_duration_minutes, abs=0.01)
        assert (row.count, row.avg_messages) == (row.conversation_count, row.avg_messages_per_conv)
