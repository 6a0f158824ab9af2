"""Compressions: kept for a while, recorded as events, listed and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import UnknownConversation
from helix_lab.domain.model.event import COMPRESSIONS
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings
from tests.flow.labs import contents, dump_stores, read_dead_letters, rebuild, say
from tests.flow.talks import talk


def open_with(folder: Path, **options: Any) -> Lab:
    return open_lab(settings=Settings(folder, "test-node", port=0, **options))


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
