"""The hybrid clock never goes back, whatever the wall clock and the other nodes do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.clock import (
    COUNTER_BITS,
    MAX_DRIFT_MS,
    HybridClock,
    make_hybrid_time,
    physical_ms,
)

NOW_MS = 1_772_366_400_000
walls = st.integers(0, 2 * NOW_MS)
counters = st.integers(0, 2**COUNTER_BITS - 1)


@given(walls, counters)
def test_the_physical_part_of_a_time_can_be_read_back(wall_ms: int, counter: int) -> None:
    assert wall_ms == physical_ms(make_hybrid_time(wall_ms, counter))


@given(st.tuples(walls, counters), st.tuples(walls, counters))
def test_times_compare_like_milliseconds_and_counter(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    assert (one < other) == (make_hybrid_time(*one) < make_hybrid_time(*other))


@given(st.lists(st.tuples(walls, st.integers(1, 100_000)), min_size=1))
def test_times_grow_even_when_the_wall_clock_goes_back(steps: list[tuple[int, int]]) -> None:
    wall = iter([wall_ms for wall_ms, _ in steps])
    clock = HybridClock(lambda: next(wall))
    end = 1

    for wall_ms, count in steps:
        first = clock.tick(count)

        assert first == max(end, make_hybrid_time(wall_ms))
        assert clock.last == first + count - 1
        end = first + count


def test_a_clock_goes_on_after_the_last_time_it_is_told() -> None:
    last = make_hybrid_time(NOW_MS + 1000, 7)

    assert last + 1 == HybridClock(lambda: NOW_MS, last=last).tick()


def test_the_wall_clock_leads_when_it_is_ahead() -> None:
    clock = HybridClock(lambda: NOW_MS, last=make_hybrid_time(NOW_MS - 1, 9))

    assert make_hybrid_time(NOW_MS) == clock.tick()


def test_more_ticks_than_a_millisecond_holds_carry_into_the_next() -> None:
    clock = HybridClock(lambda: NOW_MS)

    clock.tick(2**COUNTER_BITS)

    assert make_hybrid_time(NOW_MS + 1, 0) == clock.tick()


def test_threads_never_get_the_same_time() -> None:
    clock = HybridClock(lambda: NOW_MS)

    def tick_often(_: int) -> list[int]:
        return [clock.tick(3) for _ in range(2000)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(tick_often, range(4)))

    firsts = sorted(first for answer in answers for first in answer)
    start = make_hybrid_time(NOW_MS)
    assert list(range(start, start + 3 * 8000, 3)) == firsts
    assert all(answer == sorted(answer) for answer in answers)


@given(st.integers(-2 * MAX_DRIFT_MS, MAX_DRIFT_MS), counters)
def test_what_follows_a_seen_time_is_later(ahead_ms: int, counter: int) -> None:
    clock = HybridClock(lambda: NOW_MS)
    before = clock.tick()
    seen = make_hybrid_time(NOW_MS + ahead_ms, counter)

    assert clock.observe(seen)
    assert clock.tick() > max(before, seen)


@given(st.integers(MAX_DRIFT_MS + 1, 100 * MAX_DRIFT_MS), counters)
def test_a_time_too_far_ahead_moves_nothing(ahead_ms: int, counter: int) -> None:
    clock = HybridClock(lambda: NOW_MS)
    before = clock.tick()

    assert not clock.observe(make_hybrid_time(NOW_MS + ahead_ms, counter))
    assert before + 1 == clock.tick()
