"""Reading a topic and reading a key."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.model.event import CONVERSATIONS, DEBATES, Entry, order_of
from helix_lab.testing.event_log.fixtures import EventLogFixtures, make_event, place_of, read_topic

if TYPE_CHECKING:
    from helix_lab.ports.event_log import EventLog


class ReadingTests(EventLogFixtures):
    """Order, pages, keys."""

    def test_an_empty_log_has_nothing(self, log: EventLog) -> None:
        assert [] == read_topic(log, CONVERSATIONS)
        assert [] == log.read_key(CONVERSATIONS, "c1")
        assert {0} == set(log.end_offsets([CONVERSATIONS, DEBATES]).values())
        assert 0 == log.greatest_clock()

    def test_appending_returns_entries_in_the_given_order(self, log: EventLog) -> None:
        topics = [CONVERSATIONS, DEBATES, CONVERSATIONS, DEBATES]
        pairs = [(topic, make_event(f"k{n % 3}")) for n, topic in enumerate(topics)]

        entries = log.append(pairs)

        assert pairs == [(entry.topic, entry.event) for entry in entries]

    def test_appending_nothing_changes_nothing(self, log: EventLog) -> None:
        assert [] == log.append([])
        assert {0} == set(log.end_offsets([CONVERSATIONS]).values())

    def test_a_read_gives_what_append_returned(self, log: EventLog) -> None:
        entries = log.append([(CONVERSATIONS, make_event(f"c{n % 3}")) for n in range(20)])

        assert sorted(entries, key=place_of) == read_topic(log, CONVERSATIONS)

    def test_offsets_grow_in_the_order_of_appending(self, log: EventLog) -> None:
        entries = [log.append([(CONVERSATIONS, make_event())])[0] for _ in range(10)]

        offsets = [entry.offset for entry in entries]
        assert sorted(set(offsets)) == offsets
        assert 1 == len({entry.partition for entry in entries})

    def test_topics_are_apart(self, log: EventLog) -> None:
        talk, debate = log.append([(CONVERSATIONS, make_event("x")), (DEBATES, make_event("x"))])

        assert [talk] == read_topic(log, CONVERSATIONS) == log.read_key(CONVERSATIONS, "x")
        assert [debate] == read_topic(log, DEBATES) == log.read_key(DEBATES, "x")

    @pytest.mark.parametrize("limit", [1, 3, 7, 100])
    def test_pages_of_a_read_join_to_the_whole(self, log: EventLog, limit: int) -> None:
        for _ in range(7):
            log.append([(CONVERSATIONS, make_event()), (DEBATES, make_event())])
        whole = read_topic(log, CONVERSATIONS)

        assert 7 == len(whole)
        assert whole == read_topic(log, CONVERSATIONS, limit=limit)

    def test_a_read_starts_at_its_offset_and_stops_at_its_limit(self, log: EventLog) -> None:
        entries = log.append([(CONVERSATIONS, make_event()) for _ in range(5)])
        partition, second = entries[1].partition, entries[1].offset

        assert entries[1:3] == list(
            log.read(CONVERSATIONS, partition, start_offset=second, limit=2)
        )
        assert entries[2:] == list(
            log.read(CONVERSATIONS, partition, start_offset=second + 1, limit=9)
        )

    def test_a_read_at_the_end_is_empty(self, log: EventLog) -> None:
        log.append([(CONVERSATIONS, make_event())])

        for (topic, partition), end in log.end_offsets([CONVERSATIONS]).items():
            assert [] == list(log.read(topic, partition, start_offset=end, limit=9))

    def test_an_end_offset_is_greater_than_any_in_its_partition(self, log: EventLog) -> None:
        for number in range(5):
            (entry,) = log.append([(CONVERSATIONS, make_event(f"c{number}"))])

            end = log.end_offsets([CONVERSATIONS])[CONVERSATIONS, entry.partition]
            assert end > entry.offset

    def test_a_key_is_read_in_the_order_of_clock_and_id(self, log: EventLog) -> None:
        clocks = [5, 3, 9, 3, 1]
        entries = [
            log.append([(CONVERSATIONS, make_event("c1", event_id=f"e{9 - n}", clock=clock))])[0]
            for n, clock in enumerate(clocks)
        ]

        assert sorted(entries, key=order_of) == log.read_key(CONVERSATIONS, "c1")

    def test_a_key_is_read_whole_and_alone(self, log: EventLog) -> None:
        entries = log.append([(CONVERSATIONS, make_event(f"c{n % 7}")) for n in range(700)])

        mine = [entry for entry in entries if entry.event.key == "c3"]
        assert mine == log.read_key(CONVERSATIONS, "c3")

    def test_a_limited_read_of_a_key_gives_some_of_it(self, log: EventLog) -> None:
        log.append([(CONVERSATIONS, make_event()) for _ in range(5)])

        some = log.read_key(CONVERSATIONS, "c1", limit=2)

        assert 2 == len(some)
        assert some == [entry for entry in log.read_key(CONVERSATIONS, "c1") if entry in some]

    @pytest.mark.parametrize("limit", [1, 2, 5, 100])
    def test_pages_of_a_key_join_to_the_whole(self, log: EventLog, limit: int) -> None:
        entries = log.append([(CONVERSATIONS, make_event(f"c{n % 2}")) for n in range(14)])
        start_offset, found = 0, list[Entry]()

        while page := log.read_key(CONVERSATIONS, "c1", start_offset=start_offset, limit=limit):
            assert len(page) <= limit
            found += sorted(page, key=place_of)
            start_offset = found[-1].offset + 1

        assert [entry for entry in entries if entry.event.key == "c1"] == found

    def test_an_unknown_key_or_topic_is_empty(self, log: EventLog) -> None:
        log.append([(CONVERSATIONS, make_event("c1"))])

        assert [] == log.read_key(CONVERSATIONS, "c")
        assert [] == log.read_key(CONVERSATIONS, "C1")
        assert [] == log.read_key(DEBATES, "c1", limit=1)

    def test_reading_a_key_does_not_scan_the_topic(self, log: EventLog) -> None:
        def read_s() -> float:
            start = time.perf_counter()
            assert 5 == len(log.read_key(CONVERSATIONS, "c1"))
            return time.perf_counter() - start

        def append_others(number: int) -> None:
            log.append([(CONVERSATIONS, make_event(f"other{n % 100}")) for n in range(number)])

        for _ in range(5):
            log.append([(CONVERSATIONS, make_event("c1"))])
            append_others(10)
        before = min(read_s() for _ in range(9))
        append_others(20_000)
        after = min(read_s() for _ in range(9))

        assert after < 5 * before  # a scan would take twenty times as long
