"""The feed of the graph: numbered frames, of which the oldest are forgotten."""

from __future__ import annotations

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.projections.graph_feed import GraphFeed


def test_frames_are_read_page_by_page_from_a_position() -> None:
    feed = GraphFeed()
    feed.publish([{"n": number} for number in range(5)])

    first = feed.read(0, limit=3)
    second = feed.read(first.position, limit=3)

    assert [0, 1, 2] == [frame["n"] for frame in first.frames]
    assert [3, 4] == [frame["n"] for frame in second.frames]
    assert [] == feed.read(second.position, limit=3).frames
    assert feed.end == second.position == feed.to_position(second.frames[-1]["offset"])


def test_who_is_slow_is_told_how_much_it_missed() -> None:
    feed = GraphFeed(most_kept=3)
    feed.publish([{"n": number} for number in range(10)])

    page = feed.read(2, limit=10)

    assert 5 == page.missed
    assert [7, 8, 9] == [frame["n"] for frame in page.frames]


def test_an_offset_of_another_process_has_no_position_and_nonsense_is_refused() -> None:
    feed = GraphFeed()

    assert feed.to_position(GraphFeed().to_offset(3)) is None
    for text in ("", "7", "yesterday", "abc-", "abc-x", "-1", "é-1" * 900):
        with pytest.raises(InvalidRequest, match="since"):
            feed.to_position(text)


def test_listeners_are_woken_until_they_leave() -> None:
    feed = GraphFeed()
    woken: list[int] = []

    with feed.listening(lambda: woken.append(1)):
        assert feed.is_heard
        feed.publish([{}])
    feed.publish([{}])

    assert [1] == woken
    assert not feed.is_heard
