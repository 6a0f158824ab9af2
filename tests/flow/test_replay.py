"""Replay: whole, compressed to a budget, behind the gate, and as of a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.model.errors import BudgetTooSmall, InvalidRequest
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings
from tests.flow.labs import catch_up, say
from tests.flow.talks import PLACES, talk

STRATEGIES = ("window", "entity", "full", "hybrid")


def open_with(folder: Path, **options: Any) -> Lab:
    return open_lab(settings=Settings(folder, "test-node", port=0, **options))


# Budgets ------------------------------------------------------------------------------------


def test_a_history_within_its_budget_is_given_whole(lab: Lab, conversation_id: str) -> None:
    tokens = lab.replay(conversation_id).stats.total_tokens

    whole = lab.replay(conversation_id, max_tokens=tokens, compression_strategy="window")

    assert (120, False, 1.0) == (
        len(whole.messages),
        whole.stats.compressed,
        whole.stats.compression_ratio,
    )
    assert whole.context is whole.summary is whole.compression_stats is whole.key_entities is None


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_history_over_its_budget_has_the_fields_of_the_guide_and_fits(
    lab: Lab, conversation_id: str, strategy: str
) -> None:
    whole = {message.message_id: message for message in lab.replay(conversation_id).messages}

    made = lab.replay(conversation_id, max_tokens=900, compression_strategy=strategy)

    stats = made.compression_stats
    assert strategy == stats.strategy
    assert stats.compressed_tokens == count_tokens(made.context) <= 900
    assert stats.ratio == pytest.approx(stats.compressed_tokens / stats.original_tokens)
    assert 0 < stats.quality_score < 1
    assert (120, True) == (made.stats.total_messages, made.stats.compressed)
    assert all(m == whole[m.message_id] for m in made.messages)
    assert [m.message_id for m in made.recent_messages] == [m.message_id for m in made.messages]
    for line in (*made.summary_lines, *made.decision_lines):
        assert line.message_ids
        assert set(line.message_ids) <= set(whole)
    assert made.summary == "\n".join(line.text for line in made.summary_lines)


def test_the_strategies_differ(lab: Lab, conversation_id: str) -> None:
    contexts = {
        lab.replay(conversation_id, max_tokens=900, compression_strategy=name).context
        for name in STRATEGIES
    }

    assert len(STRATEGIES) == len(contexts)


def test_entities_of_a_compressed_context_have_stable_ids(lab: Lab, conversation_id: str) -> None:
    first = lab.replay(conversation_id, max_tokens=1500)
    second = lab.replay(conversation_id, max_tokens=1400)

    ids = {entity.name: entity.id for entity in first.entities}
    assert first.key_entities == list(ids)
    assert set(ids) & set(PLACES)
    assert all(ids[e.name] == e.id for e in second.entities if e.name in ids)
    assert len(set(ids.values())) == len(ids)


@pytest.mark.parametrize("ratio", [0.2, 0.5, 1.0])
def test_a_ratio_compresses_without_a_budget(lab: Lab, conversation_id: str, ratio: float) -> None:
    stats = lab.replay(conversation_id, compression_ratio=ratio).compression_stats

    assert ratio == stats.requested_ratio
    assert stats.ratio <= max(ratio, ContextPolicy().max_ratio)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -5}, "max_tokens"),
        ({"compression_ratio": 0.0}, "compression_ratio"),
        ({"compression_ratio": 1.5}, "compression_ratio"),
        ({"compression_ratio": -0.3}, "compression_ratio"),
        ({"as_of": -1}, "as_of"),
        ({"as_of": True}, "as_of"),
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2026-01-30T10:00:00"}, "as_of"),
        ({"llm_provider": "nobody"}, "llm_provider"),
    ],
)
def test_a_field_that_does_not_fit_is_named(
    lab: Lab, conversation_id: str, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        lab.replay(conversation_id, **arguments)

    assert field == caught.value.details["field"]


def test_an_unknown_strategy_names_the_four(lab: Lab, conversation_id: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        lab.replay(conversation_id, max_tokens=10, compression_strategy="zip")

    assert all(name in str(caught.value) for name in STRATEGIES)


def test_a_budget_that_holds_nothing_of_use_says_what_would_do(
    lab: Lab, conversation_id: str
) -> None:
    with pytest.raises(BudgetTooSmall) as caught:
        lab.replay(conversation_id, max_tokens=1)

    needed = caught.value.details["needed_tokens"]
    assert "max_tokens" == caught.value.details["field"]
    assert str(needed) in str(caught.value)
    assert (
        lab.replay(conversation_id, max_tokens=needed).compression_stats.compressed_tokens <= needed
    )


def test_an_empty_conversation_is_whole_whatever_the_budget(lab: Lab) -> None:
    lab.start_conversation(conversation_id="empty")

    empty = lab.replay("empty", max_tokens=1, compression_ratio=0.3)

    assert ([], False) == (empty.messages, empty.stats.compressed)


# The gate -----------------------------------------------------------------------------------


def test_the_gate_raises_the_ratio_until_the_quality_is_reached(tmp_path: Path) -> None:
    policy = ContextPolicy(ratio=0.2, minimum_quality=0.8, max_ratio=0.9)
    with open_with(tmp_path / "lab", context=policy) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", talk(80))

        stats = lab.replay("c", compression_ratio=0.2).compression_stats

    assert stats.meets_minimum
    assert stats.quality_score >= 0.8
    assert (0.2, True) == (stats.requested_ratio, stats.ratio > 0.2)


def test_a_quality_that_the_cap_does_not_allow_is_told(tmp_path: Path) -> None:
    policy = ContextPolicy(ratio=0.2, minimum_quality=1.0, max_ratio=0.25)
    with open_with(tmp_path / "lab", context=policy) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", talk(80))

        stats = lab.replay("c", compression_ratio=0.2).compression_stats

        measures = lab.get_compression_stats()
    assert (False, 0.2, 1.0) == (stats.meets_minimum, stats.requested_ratio, stats.minimum_quality)
    assert stats.ratio <= 0.25
    assert 1 == measures.below_minimum == measures.strategies["hybrid"].below_minimum


def test_the_settings_decide_what_a_request_leaves_open(tmp_path: Path) -> None:
    policy = ContextPolicy(strategy="entity", ratio=0.4, minimum_quality=0.0)
    with open_with(tmp_path / "lab", context=policy) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", talk(80))
        tokens = lab.replay("c").stats.total_tokens

        stats = lab.replay("c", max_tokens=tokens - 1).compression_stats

    assert ("entity", 0.4) == (stats.strategy, stats.requested_ratio)
    assert 0.3 < stats.ratio <= 0.4


# As it was ----------------------------------------------------------------------------------


def test_a_conversation_is_read_as_of_an_offset(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    offsets = [
        lab.append_messages("c", [say(text)]).messages[0].offset for text in ("a", "b", "c", "d")
    ]

    past = lab.replay("c", as_of=offsets[1])

    assert ["a", "b"] == [message.content for message in past.messages]
    assert offsets[1] == past.stats.through_offset
    assert [] == lab.replay("c", as_of=0).messages
    assert ["a", "b", "c", "d"] == [m.content for m in lab.replay("c", as_of=10**9).messages]


def test_a_conversation_is_read_as_of_a_time(lab: Lab) -> None:
    start = datetime(2025, 3, 1, tzinfo=UTC)
    lab.start_conversation(conversation_id="c")
    lab.append_messages(
        "c",
        [say(f"day {day}", created_at=start + timedelta(days=day)) for day in range(5)],
    )

    past = lab.replay("c", as_of=start + timedelta(days=2, hours=1))
    text = lab.replay("c", as_of="2025-03-03T01:00:00Z")

    assert ["day 0", "day 1", "day 2"] == [message.content for message in past.messages]
    assert past.messages == text.messages
    assert [] == lab.replay("c", as_of=start - timedelta(days=1)).messages


def test_the_past_is_compressed_as_the_past(lab: Lab, conversation_id: str) -> None:
    past = lab.replay(conversation_id, max_tokens=400, as_of=60)
    lab.append_messages(conversation_id, [say("We moved to Lisbon")])

    again = lab.replay(conversation_id, max_tokens=400, as_of=60)

    assert past.context == again.context
    assert again.compression_stats.is_cached
    assert past.stats.total_messages < 120


def test_a_branch_that_was_left_is_current_in_the_past(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages(
        "c",
        [say("q", message_id="q"), say("first", "assistant", message_id="a1", parent_id="q")],
    )
    then = lab.replay("c").stats.through_offset
    lab.append_messages("c", [say("second", "assistant", message_id="a2", parent_id="q")])

    now = lab.replay("c", include_alternatives=True)

    assert ["q", "first"] == [m.content for m in lab.replay("c", as_of=then).messages]
    assert (["q", "first"], ["second"]) == (
        [m.content for m in now.messages],
        [m.content for m in now.alternatives],
    )


def test_a_full_disk_does_not_keep_anybody_from_reading(
    lab: Lab, conversation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helix_lab.domain.model.errors import LogWriteFailed

    def refuse(_: Any) -> Any:
        message = "the disk is full"
        raise LogWriteFailed(message, service="event log")

    catch_up(lab)
    monkeypatch.setattr(lab.services.log, "append", refuse)

    assert lab.replay(conversation_id, max_tokens=900).stats.compressed


# JSON ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("include_metadata", [False, True])
@pytest.mark.parametrize("as_of", [None, 5])
def test_what_is_kept_as_json_says_what_the_answer_says(
    lab: Lab, conversation_id: str, *, include_metadata: bool, as_of: int | None
) -> None:
    for _ in range(2):
        told = lab.replay(conversation_id, include_metadata=include_metadata, as_of=as_of)

        assert told.model_dump_json().encode() == told.to_json()


def test_a_new_message_is_in_the_json_at_once(lab: Lab, conversation_id: str) -> None:
    lab.replay(conversation_id).to_json()

    lab.append_messages(conversation_id, [say("something new")])

    assert b"something new" in lab.replay(conversation_id).to_json()


def test_changing_an_answer_changes_no_other(lab: Lab, conversation_id: str) -> None:
    changed = lab.replay(conversation_id)
    changed.messages[0].content = "never said"
    changed.to_json()

    assert b"never said" not in lab.replay(conversation_id).to_json()
