"""Checkpoints of the embedded graph: in a rest, and at the latest after so many transactions."""

from __future__ import annotations

import threading

from helix_lab.adapters.graph_ladybug.resting import MOST_WAITING, Rests

LIMIT_S = 30.0


def test_a_rest_after_some_transactions_is_used() -> None:
    made = threading.Event()
    rests = Rests(made.set)

    is_full = [rests.note() for _ in range(20)]
    was_used = made.wait(LIMIT_S)
    rests.close()

    assert not any(is_full)
    assert was_used


def test_so_many_wait_at_most() -> None:
    rests = Rests(lambda: None)

    is_full = [rests.note() for _ in range(MOST_WAITING)]
    rests.begin_anew()
    is_full_again = rests.note()
    rests.close()

    assert [MOST_WAITING - 1] == [number for number, full in enumerate(is_full) if full]
    assert not is_full_again


def test_few_transactions_are_not_worth_a_rest() -> None:
    made = threading.Event()
    rests = Rests(made.set)

    rests.note()
    was_used = made.wait(0.5)
    rests.close()

    assert not was_used


def test_closing_ends_the_watch() -> None:
    rests = Rests(lambda: None)
    rests.note()

    rests.close()
    rests.close()

    assert "helix-graph-checkpoints" not in {thread.name for thread in threading.enumerate()}
