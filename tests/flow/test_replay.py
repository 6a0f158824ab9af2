"""Replay: compressed to a budget, kept, recorded, as of a moment, and streamed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.context.tokens import count_tokens
from helix_lab.domain.model.errors import BudgetTooSmall, InvalidRequest, UnknownConversation
from helix_lab.domain.model.event import COMPRESSIONS
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings
from tests.flow.labs import catch_up, contents, dump_stores, read_dead_letters, rebuild, say
from tests.flow.talks import PLACES, talk

STRATEGIES = ("window", "entity", "full", "hybrid")


@pytest.fixture
def conversation_id(lab: Lab) -> str:
    lab.start_conversation(conversation_id="trip", user_id="u")
    lab.append_messages("trip", talk(120))
    return "trip"


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


# What is kept and recorded ------------------------------------------------------------------


def test_a_compression_is_recorded_when_it_is_made_and_not_when_it_is_kept(
    lab: Lab, conversation_id: str
) -> None:
    first = lab.replay(conversation_id, max_tokens=900)
    second = lab.replay(conversation_id, max_tokens=900)

    listed = lab.list_compressions(conversation_id).compressions
    assert [False, True] == [s.compression_stats.is_cached for s in (first, second)]
    assert first.context == second.context
    assert [first.compression_stats.compression_id] == [one.compression_id for one in listed]
    assert 1 == len(lab.services.log.read_key(COMPRESSIONS, conversation_id))


def test_a_new_message_is_seen_at_once(lab: Lab, conversation_id: str) -> None:
    before = lab.replay(conversation_id, max_tokens=900)
    lab.append_messages(conversation_id, [say("We decided to meet in Reykjavik on 3 May 2031.")])

    after = lab.replay(conversation_id, max_tokens=900)

    assert "Reykjavik" not in before.context
    assert "Reykjavik" in after.context
    assert not after.compression_stats.is_cached
    assert 121 == after.stats.total_messages


def test_a_message_of_another_process_is_seen_at_once(lab: Lab, conversation_id: str) -> None:
    from helix_lab.adapters.log_sqlite import SqliteEventLog
    from helix_lab.record import drafts
    from helix_lab.record.writer import Writer

    lab.replay(conversation_id)
    with SqliteEventLog(lab.data_folder.path / "log.sqlite") as log:
        said = drafts.add_message(conversation_id, "m-other", role="user", content="hello")
        Writer(log, node_id="other").record([said])

    assert "hello" == contents(lab, conversation_id)[-1]


def test_only_what_is_new_is_analysed(
    lab: Lab, conversation_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helix_lab.domain.context import analysis
    from helix_lab.queries import conversation_reader

    given: list[int | None] = []
    usual = analysis.analyse

    def analyse(messages: Any, **options: Any) -> Any:
        previous = options.get("previous")
        given.append(None if previous is None else len(previous.messages))
        return usual(messages, **options)

    monkeypatch.setattr(conversation_reader, "analyse", analyse)
    for number in range(3):
        lab.replay(conversation_id, max_tokens=900)
        lab.append_messages(conversation_id, [say(f"one more {number}")])

    assert [None, 120, 121] == given


@pytest.mark.parametrize("size", [0, 1, 2])
def test_the_cache_keeps_no_more_than_it_may(tmp_path: Path, size: int) -> None:
    with open_with(tmp_path / "lab", context_cache_size=size) as lab:
        for name in "abc":
            lab.start_conversation(conversation_id=name)
            lab.append_messages(name, talk(30))
            lab.replay(name, max_tokens=300)

        kept = [lab.get_context_stats(name).is_cached for name in "abc"]
        again = [lab.replay(name, max_tokens=300).compression_stats.is_cached for name in "c"]

    assert [False] * (3 - size) + [True] * size == kept
    assert [size > 0] == again


def test_what_is_kept_is_let_go_after_its_time(tmp_path: Path) -> None:
    with open_with(tmp_path / "lab", context_cache_ttl_s=1e-6) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", talk(30))
        lab.replay("c", max_tokens=300)

        assert not lab.get_context_stats("c").is_cached
        assert not lab.replay("c", max_tokens=300).compression_stats.is_cached


def test_the_history_of_compressions_is_listed_newest_first_page_by_page(
    lab: Lab, conversation_id: str
) -> None:
    made = [
        lab.replay(conversation_id, max_tokens=budget).compression_stats.compression_id
        for budget in (900, 800, 700)
    ]

    first = lab.list_compressions(conversation_id, limit=2)
    second = lab.list_compressions(conversation_id, limit=2, cursor=first.next_cursor)

    listed = [*first.compressions, *second.compressions]
    assert made[::-1] == [one.compression_id for one in listed]
    assert [2, None] == [len(first.compressions), second.next_cursor]
    assert {"replay"} == {one.purpose for one in listed}
    assert [700, 800, 900] == [one.max_tokens for one in listed]
    assert all(one.llm_model is None for one in listed)


def test_stats_tell_the_last_compression(lab: Lab, conversation_id: str) -> None:
    before = lab.get_context_stats(conversation_id)
    lab.replay(conversation_id, max_tokens=900)
    last = lab.replay(conversation_id, max_tokens=800).compression_stats

    after = lab.get_context_stats(conversation_id)

    assert (False, 0, None) == (
        before.compressed,
        before.compression_count,
        before.last_compression,
    )
    assert (True, 2) == (after.compressed, after.compression_count)
    assert last.compression_id == after.last_compression.compression_id
    assert 120 == after.message_count


def test_a_conversation_without_compressions_has_none_and_an_unknown_one_is_refused(
    lab: Lab, conversation_id: str
) -> None:
    assert [] == lab.list_compressions(conversation_id).compressions
    for ask in (lab.list_compressions, lab.get_context_stats, lab.replay):
        with pytest.raises(UnknownConversation, match="'ghost'"):
            ask("ghost")


def test_analytics_counts_compressions_by_strategy(lab: Lab, conversation_id: str) -> None:
    empty = lab.get_compression_stats()
    made = [
        lab.replay(conversation_id, max_tokens=budget, compression_strategy=name).compression_stats
        for name, budget in [("window", 900), ("window", 700), ("entity", 900)]
    ]

    measures = lab.get_compression_stats(window="1h")
    trends = lab.get_compression_trends(window="1h")

    assert (0, {}, None) == (empty.total_compressions, empty.strategies, empty.avg_quality)
    assert 3 == measures.total_compressions
    assert {"window": 2, "entity": 1} == {n: row.count for n, row in measures.strategies.items()}
    window = measures.strategies["window"]
    assert (made[0].ratio + made[1].ratio) / 2 == pytest.approx(window.avg_ratio)
    assert (made[0].quality_score + made[1].quality_score) / 2 == pytest.approx(window.avg_quality)
    assert sum(s.duration_ms for s in made) / 3 == pytest.approx(measures.avg_compression_time_ms)
    assert 3 == sum(step.count for step in trends.steps)
    assert {"window", "entity"} == {step.strategy for step in trends.steps}


def test_rebuilt_analytics_have_the_same_compressions(lab: Lab, conversation_id: str) -> None:
    lab.replay(conversation_id, max_tokens=900)
    lab.replay(conversation_id, max_tokens=800, compression_strategy="full")
    before = dump_stores(lab)["compression_metrics"]

    rebuild(lab, "analytics")

    assert 2 == len(before)
    assert before == dump_stores(lab)["compression_metrics"]
    assert [] == read_dead_letters(lab)


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


# Streams ------------------------------------------------------------------------------------


def test_a_stream_gives_what_a_replay_gives_in_pages(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from helix_lab.queries import history

    monkeypatch.setattr(history, "PAGE_ENTRIES", 7)
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", talk(50))

    *items, end = lab.stream_replay("c", include_metadata=True)

    whole = lab.replay("c", include_metadata=True)
    shown = whole.model_dump(mode="json")["messages"]
    assert shown == [item["message"] for item in items]
    assert (50, whole.stats.total_tokens, whole.stats.through_offset) == (
        end["stats"]["total_messages"],
        end["stats"]["total_tokens"],
        end["stats"]["through_offset"],
    )


def test_a_stream_reads_a_page_at_a_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from helix_lab.queries import history

    monkeypatch.setattr(history, "PAGE_ENTRIES", 10)
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", talk(95))
    sizes: list[int] = []
    usual = lab.services.log.read_key

    def read_key(*arguments: Any, **options: Any) -> Any:
        page = usual(*arguments, **options)
        sizes.append(len(page))
        return page

    monkeypatch.setattr(lab.services.log, "read_key", read_key)
    items = lab.stream_replay("c")
    first = next(items)

    assert "message" in first
    assert max(sizes) <= 10
    reads = len(sizes)
    assert 96 == len([first, *items])
    assert len(sizes) > reads


def test_a_stream_leaves_out_what_is_said_meanwhile(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", talk(20))

    items = lab.stream_replay("c")
    first = next(items)
    lab.append_messages("c", [say("too late")])

    rest = list(items)
    assert 20 == len([first, *rest[:-1]]) == rest[-1]["stats"]["total_messages"]


def test_a_stream_of_branches_has_the_current_one(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages(
        "c",
        [
            say("q", message_id="q"),
            say("first", "assistant", parent_id="q"),
            say("second", "assistant", parent_id="q"),
        ],
    )

    items = list(lab.stream_replay("c"))

    assert ["q", "first"] == [i["message"]["content"] for i in items[:-1]]


def test_a_stream_can_be_of_the_past_or_compressed(lab: Lab, conversation_id: str) -> None:
    *past, _ = lab.stream_replay(conversation_id, as_of=10)
    (compressed,) = lab.stream_replay(conversation_id, max_tokens=900)

    assert 10 == len(past)
    assert compressed["compression_stats"]["compressed_tokens"] <= 900
    with pytest.raises(UnknownConversation):
        next(iter(lab.stream_replay("ghost")))


def test_an_operation_that_does_not_stream_says_so(lab: Lab) -> None:
    from helix_lab.operations.table import find_operation

    with pytest.raises(InvalidRequest, match="get_info does not stream"):
        lab.stream(find_operation("get_info"), {})


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
