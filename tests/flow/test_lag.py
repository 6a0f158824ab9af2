"""Stores that are behind: what is not there yet is not called unknown."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from helix_lab.domain.model.errors import Unavailable, UnknownConversation
from helix_lab.lab import Lab
from helix_lab.projections.follower import Follower
from tests.flow.labs import PATIENCE_S, catch_up, rebuild, say, wait_until


@contextmanager
def held_up(lab: Lab) -> Iterator[None]:
    """Nothing reaches the records meanwhile, as behind a large import."""
    follower = lab.services.projections._find("conversations")
    assert isinstance(follower, Follower)
    with follower._applying:
        yield


def test_what_was_just_written_is_late_and_not_unknown(lab: Lab) -> None:
    with held_up(lab):
        with pytest.raises(Unavailable, match="'conversations' is behind the log"):
            lab.start_conversation(conversation_id="c")
        with pytest.raises(Unavailable, match="behind"):
            lab.get_conversation("c")
        with pytest.raises(Unavailable, match="behind"):
            lab.get_context_stats("c")

    assert "c" == lab.get_conversation("c").conversation_id


def test_a_replay_needs_no_store(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    with held_up(lab):
        lab.append_messages("c", [say("a")])

        assert ["a"] == [message.content for message in lab.replay("c").messages]


def test_the_lag_is_shown_and_goes_away(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    catch_up(lab)
    with held_up(lab):
        lab.append_messages("c", [say("a")])

        assert lab.get_info().projection_lag["conversations"] > 0
    wait_until(lambda: not any(lab.get_info().projection_lag.values()))


def test_an_unknown_conversation_is_unknown_where_the_store_is_level(lab: Lab) -> None:
    with pytest.raises(UnknownConversation):
        lab.get_conversation("c")


def fill(lab: Lab, count: int) -> None:
    lab.start_conversation(conversation_id="c")
    for _ in range(count // 10_000):
        lab.append_messages("c", [say("x")] * 10_000)
    catch_up(lab)


def test_a_store_that_is_being_rebuilt_gives_no_wrong_answer(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("x")] * 3_000)
    is_over = threading.Event()

    def ask() -> set[int]:
        seen: set[int] = set()
        while not is_over.is_set():
            with suppress(Unavailable):
                seen.add(lab.get_conversation("c").message_count)
                seen.add(lab.run_query("SELECT count(*) FROM message_metrics").rows[0][0])
        return seen

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        try:
            for _ in range(15):
                rebuild(lab, "conversations")
                rebuild(lab, "analytics")
        finally:
            is_over.set()

    assert {3_000} == set().union(*(asked.result() for asked in asking))


def test_a_rebuild_that_is_cancelled_leaves_a_store_that_fills_itself(lab: Lab) -> None:
    fill(lab, 30_000)
    before = lab.get_conversation("c")

    run = lab.rebuild_store("conversations")
    lab.cancel_run(run.run_id)

    assert lab.services.jobs.wait(run.run_id, timeout_s=PATIENCE_S).is_ended
    catch_up(lab)
    assert before == lab.get_conversation("c")
    rebuild(lab, "conversations")
    assert before == lab.get_conversation("c")
