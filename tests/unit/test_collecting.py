"""How often the process collects garbage while events are read."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from helix_lab.domain.collecting import SELDOM, collecting_seldom


@pytest.fixture(autouse=True)
def own() -> Iterator[tuple[int, int, int]]:
    own = gc.get_threshold()
    yield own
    gc.set_threshold(*own)


def test_blocks_may_be_nested_and_the_habit_comes_back_after_the_last(
    own: tuple[int, int, int],
) -> None:
    with collecting_seldom():
        with collecting_seldom():
            inner = gc.get_threshold()
        outer = gc.get_threshold()

    assert (SELDOM, *own[1:]) == inner == outer
    assert own == gc.get_threshold()


def test_the_habit_comes_back_after_an_error(own: tuple[int, int, int]) -> None:
    with pytest.raises(KeyError), collecting_seldom():
        raise KeyError

    assert own == gc.get_threshold()


@pytest.mark.parametrize("first", [0, SELDOM + 1])
def test_a_process_that_collects_more_seldom_keeps_its_habit(first: int) -> None:
    gc.set_threshold(first, 5, 5)

    with collecting_seldom():
        assert (first, 5, 5) == gc.get_threshold()

    assert (first, 5, 5) == gc.get_threshold()
