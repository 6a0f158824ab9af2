"""Waiting for appends, and many callers at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.model.errors import DuplicateId, Unavailable
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES
from helix_lab.testing.event_log.fixtures import (
    PATIENCE_S,
    EventLogFixtures,
    make_event,
    place_of,
    read_topic,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.event_log import EventLog


class ConcurrencyTests(EventLogFixtures):
    """Threads, several handles on one storage, waiting."""

    def test_a_wait_ends_at_once_when_there_is_more(self, log: EventLog) -> None:
        seen = log.end_offsets([CONVERSATIONS, DEBATES])
        log.append([(DEBATES, make_event())])

        assert log.wait_for_append(seen, timeout_s=PATIENCE_S)

    def test_a_wait_times_out_when_nothing_comes(self, log: EventLog) -> None:
        log.append([(CONVERSATIONS, make_event()), (DEBATES, make_event())])
        seen = log.end_offsets([CONVERSATIONS, DEBATES])
        start, start_cpu = time.monotonic(), time.thread_time()

        assert not log.wait_for_append(seen, timeout_s=0.5)
        assert 0.5 <= time.monotonic() - start < PATIENCE_S
        assert time.thread_time() - start_cpu < 0.1  # it slept

    def test_who_waits_can_be_woken(self, log: EventLog) -> None:
        seen = log.end_offsets([CONVERSATIONS])
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(log.wait_for_append, seen, timeout_s=4 * PATIENCE_S)
            while not waiting.done():  # it may not wait yet
                log.wake()
                time.sleep(0.01)

            assert not waiting.result(timeout=PATIENCE_S)
        log.append([(CONVERSATIONS, make_event())])
        assert log.wait_for_append(seen, timeout_s=PATIENCE_S)

    def test_a_wait_does_not_end_for_another_topic(self, log: EventLog) -> None:
        seen = log.end_offsets([CONVERSATIONS])
        log.append([(DEBATES, make_event())])

        assert not log.wait_for_append(seen, timeout_s=0)

    @pytest.mark.parametrize("handle", ["same", "other"])
    def test_an_append_wakes_who_waits(self, open_log: Callable[[], EventLog], handle: str) -> None:
        with open_log() as log, open_log() as other, ThreadPoolExecutor(1) as pool:
            seen = log.end_offsets([CONVERSATIONS])
            is_running = threading.Event()

            def wait() -> float:
                is_running.set()
                assert log.wait_for_append(seen, timeout_s=PATIENCE_S)
                return time.monotonic()

            woken = pool.submit(wait)
            assert is_running.wait(PATIENCE_S)
            {"same": log, "other": other}[handle].append([(CONVERSATIONS, make_event())])
            appended_at = time.monotonic()

            assert woken.result(PATIENCE_S) - appended_at < 2

    def test_closing_ends_a_wait(self, log: EventLog) -> None:
        with ThreadPoolExecutor(1) as pool:
            seen = log.end_offsets([CONVERSATIONS])
            waiting = pool.submit(log.wait_for_append, seen, timeout_s=PATIENCE_S)
            log.close()

            with pytest.raises(Unavailable):
                waiting.result(PATIENCE_S / 2)

    def test_threads_lose_and_double_nothing(self, open_log: Callable[[], EventLog]) -> None:
        shared = make_event("shared")
        with open_log() as first, open_log() as second:
            batches = [
                [(CONVERSATIONS, make_event(f"c{n}")), (DEBATES, make_event()), (DEBATES, shared)]
                for n in range(100)
            ]
            with ThreadPoolExecutor(8) as pool:
                logs = [(first, second)[n % 2] for n in range(len(batches))]
                results = list(pool.map(lambda log, batch: log.append(batch), logs, batches))

            entries = [entry for result in results for entry in result]
            assert [event for batch in batches for _, event in batch] == [e.event for e in entries]
            assert 2 * len(batches) + 1 == len({(e.topic, *place_of(e)) for e in entries})
            for topic in (CONVERSATIONS, DEBATES):
                expected = {place_of(entry) for entry in entries if entry.topic == topic}
                assert sorted(expected) == [place_of(entry) for entry in read_topic(second, topic)]

    def test_a_refused_batch_does_not_touch_those_beside_it(self, log: EventLog) -> None:
        event = make_event()
        log.append([(CONVERSATIONS, event)])
        wrong = [(CONVERSATIONS, make_event("no")), (CONVERSATIONS, replace(event, subject="x"))]

        def append(number: int) -> str:
            if number % 3:
                return log.append([(CONVERSATIONS, make_event("yes"))])[0].event.key
            with pytest.raises(DuplicateId):
                log.append(wrong)
            return "refused"

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(append, range(90)))

        assert {"yes": 60, "refused": 30} == {name: answers.count(name) for name in set(answers)}
        assert 60 == len(log.read_key(CONVERSATIONS, "yes"))
        assert [] == log.read_key(CONVERSATIONS, "no")

    def test_a_read_sees_every_append_that_returned(self, log: EventLog) -> None:
        def append_and_read(thread: int) -> None:
            key = f"c{thread}"
            for number in range(1, 16):
                log.append([(CONVERSATIONS, make_event(key))])
                assert number == len(log.read_key(CONVERSATIONS, key))

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(append_and_read, range(4)))
