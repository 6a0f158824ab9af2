"""Hypothesis strategies for events and what is in them."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from helix_lab.domain.model.event import EVENT_TYPES, Event

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

GREATEST_CLOCK = 2**63 - 1


def texts(*, max_size: int | None = None) -> SearchStrategy[str]:
    """Any text that UTF-8 can hold: control characters, emoji, right-to-left, no surrogates."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)


def json_values() -> SearchStrategy[Any]:
    """Any JSON value, nested a few levels."""
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts(max_size=20)
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4),
        max_leaves=12,
    )


def json_objects() -> SearchStrategy[dict[str, Any]]:
    """Any JSON object, as an event's data."""
    return st.dictionaries(texts(max_size=10), json_values(), max_size=5)


def events(
    *,
    event_ids: SearchStrategy[str] | None = None,
    keys: SearchStrategy[str] | None = None,
    clocks: SearchStrategy[int] | None = None,
    data: SearchStrategy[dict[str, Any]] | None = None,
) -> SearchStrategy[Event]:
    """Any event of a registered type; narrow it where a test needs collisions."""
    return st.builds(
        Event,
        event_id=st.uuids().map(str) if event_ids is None else event_ids,
        type=st.sampled_from(sorted(EVENT_TYPES)),
        node_id=texts(max_size=10),
        key=texts(max_size=10) if keys is None else keys,
        subject=texts(max_size=10),
        time=st.datetimes().map(lambda time: time.replace(tzinfo=UTC, fold=0)),
        clock=st.integers(0, GREATEST_CLOCK) if clocks is None else clocks,
        data=json_objects() if data is None else data,
        version=st.integers(1, 9),
    )
