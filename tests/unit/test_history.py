"""The history of a conversation: its current branch, and what lies beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.context.history import History, build_history
from helix_lab.domain.model.event import (
    BRANCH_SELECTED,
    CONVERSATION_STARTED,
    MESSAGE_ADDED,
    Event,
    EventType,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
Step = tuple[str, str, str | None]
"""("add", id, parent) or ("select", id, None)."""


def test_no_events_are_an_empty_history() -> None:
    history = build_history([])

    assert History([], []) == history
    assert 0 == history.model_tokens


def test_messages_without_parents_are_a_line_in_their_order() -> None:
    history = tell("add a", "add b", "add c")

    assert (["a", "b", "c"], []) == ids_of(history)


def test_each_message_names_the_one_before_and_the_line_is_the_same() -> None:
    history = tell("add a", "add b a", "add c b")

    assert (["a", "b", "c"], []) == ids_of(history)


def test_a_second_answer_to_an_earlier_message_is_an_alternative() -> None:
    history = tell("add a", "add b a", "add b2 a", "add c b")

    assert (["a", "b", "c"], ["b2"]) == ids_of(history)


def test_selecting_a_message_makes_its_branch_the_current_one() -> None:
    history = tell("add a", "add b a", "add b2 a", "select b2", "add c b2")

    assert (["a", "b2", "c"], ["b"]) == ids_of(history)


def test_a_message_without_a_parent_follows_the_selected_branch() -> None:
    history = tell("add a", "add b", "select a", "add c", "add d")

    assert (["a", "c", "d"], ["b"]) == ids_of(history)


def test_selecting_back_and_forth_loses_nothing() -> None:
    history = tell("add a", "add b a", "add b2 a", "select b2", "select b", "add c")

    assert (["a", "b", "c"], ["b2"]) == ids_of(history)


def test_selecting_the_current_leaf_changes_nothing() -> None:
    history = tell("add a", "add b", "select b", "add c")

    assert (["a", "b", "c"], []) == ids_of(history)


def test_selecting_an_inner_message_cuts_the_branch_there() -> None:
    history = tell("add a", "add b", "add c", "select b")

    assert (["a", "b"], ["c"]) == ids_of(history)


def test_selecting_an_unknown_message_changes_nothing() -> None:
    history = tell("add a", "select ghost", "add b")

    assert (["a", "b"], []) == ids_of(history)


def test_an_unknown_parent_counts_as_the_current_leaf() -> None:
    history = tell("add a ghost", "add b ghost", "add c b")

    assert (["a", "b", "c"], []) == ids_of(history)


def test_a_parent_that_comes_later_counts_as_unknown() -> None:
    history = tell("add a", "add b c", "add c a")

    assert (["a", "b"], ["c"]) == ids_of(history)


def test_a_message_that_names_itself_as_parent_ends_the_walk() -> None:
    history = tell("add a", "add b b", "add c b")

    assert (["a", "b", "c"], []) == ids_of(history)


def test_other_events_are_no_messages() -> None:
    started = make_event(0, CONVERSATION_STARTED, {"conversation_id": "c"})
    message = make_event(1, MESSAGE_ADDED, message_data("a", None))

    assert (["a"], []) == ids_of(build_history([started, message]))


def test_a_message_shows_what_was_recorded() -> None:
    event = make_event(1, MESSAGE_ADDED, {**message_data("a", None), "content": " é\r\n\t "})

    (message,) = build_history([event]).messages

    assert ("a", "user", " é\r\n\t ") == (message.message_id, message.role, message.content)
    assert (event.time, event.data) == (message.time, message.data)


def test_the_size_is_that_of_the_current_branch() -> None:
    history = tell("add a", "add b a", "add b2 a")

    assert 2 == history.model_tokens


def test_a_long_conversation_is_no_deep_recursion() -> None:
    steps = [("add", f"m{n}", f"m{n - 1}" if n else None) for n in range(20_000)]
    steps.append(("add", "other", "m0"))

    history = build_history(make_events(steps))

    assert 20_000 == len(history.messages)
    assert ["other"] == [message.message_id for message in history.alternatives]


@st.composite
def conversations(draw: st.DrawFn) -> list[Step]:
    """Steps with parents and selections that are known, later, or never known."""
    count = draw(st.integers(0, 12))
    names = [f"m{number}" for number in range(count)]
    steps: list[Step] = []
    for name in names:
        parent = draw(st.none() | st.sampled_from([*names, "ghost"]))
        steps.append(("add", name, parent))
        if draw(st.booleans()):
            steps.append(("select", draw(st.sampled_from([*names, "ghost"])), None))
    return steps


@given(conversations())
def test_a_history_is_what_a_naive_walk_finds(steps: list[Step]) -> None:
    history = build_history(make_events(steps))

    assert walk_naively(steps) == ids_of(history)


@given(conversations())
def test_every_message_is_either_on_the_branch_or_beside_it(steps: list[Step]) -> None:
    chosen, others = ids_of(build_history(make_events(steps)))

    assert sorted(name for kind, name, _ in steps if kind == "add") == sorted(chosen + others)


def walk_naively(steps: Sequence[Step]) -> tuple[list[str], list[str]]:
    """The rules, word by word: paths as whole lists, one for each message."""
    paths: dict[str, list[str]] = {}
    current: list[str] = []
    for kind, name, parent in steps:
        if kind == "add":
            before = current if parent is None or parent not in paths else paths[parent]
            paths[name] = [*before, name]
            current = paths[name] if before == current else current
        elif name in paths:
            current = paths[name]
    return current, [name for name in paths if name not in current]


def tell(*lines: str) -> History:
    """The history of steps such as "add b a" (b answers a) and "select b"."""
    words = [line.split() for line in lines]
    return build_history(make_events([(w[0], w[1], w[2] if len(w) > 2 else None) for w in words]))


def make_events(steps: Sequence[Step]) -> list[Event]:
    return [
        make_event(number, MESSAGE_ADDED, message_data(name, parent))
        if kind == "add"
        else make_event(number, BRANCH_SELECTED, {"conversation_id": "c", "message_id": name})
        for number, (kind, name, parent) in enumerate(steps)
    ]


def message_data(name: str, parent: str | None) -> dict[str, Any]:
    data = {"message_id": name, "role": "user", "content": name, "model_tokens": 1}
    return data if parent is None else {**data, "parent_id": parent}


def make_event(number: int, event_type: EventType, data: dict[str, Any]) -> Event:
    time = NOON + timedelta(seconds=number)
    return Event(f"e{number}", event_type.name, "node", "c", "s", time, number, data)


def ids_of(history: History) -> tuple[list[str], list[str]]:
    return (
        [message.message_id for message in history.messages],
        [message.message_id for message in history.alternatives],
    )
