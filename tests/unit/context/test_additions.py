"""What a prompt is given beside the conversation: the rules of ranking and room."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.context.additions import (
    Addition,
    Additions,
    describe_relation,
    fit,
    rank_memories,
)
from helix_lab.domain.context.tokens import count_tokens


def line(text: str) -> Addition:
    return Addition("knowledge", text, {})


def memory(memory_id: str, content: str, importance: float = 0.5) -> dict[str, Any]:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    fields = {"memory_id": memory_id, "content": content, "importance": importance}
    return {**fields, "updated_at": now}


def test_sources_take_turns() -> None:
    kept = fit([[line("a1"), line("a2")], [line("b1")]], 100)

    assert ["a1", "b1", "a2"] == [one.text for one in kept]


def test_a_line_that_two_sources_have_is_given_once() -> None:
    assert 1 == len(fit([[line("same")], [line("same")]], 100))


@settings(max_examples=40)
@given(st.lists(st.text(max_size=80), max_size=12), st.integers(0, 120))
def test_additions_never_exceed_their_room(texts: list[str], budget: int) -> None:
    kept = fit([[line(text) for text in texts]], budget)

    assert count_tokens(Additions(kept).render()) <= budget


def test_the_memory_with_the_rarer_word_goes_first() -> None:
    found = rank_memories(
        "Which database does the billing service use?",
        [
            memory("m1", "The shop service is written in Go"),
            memory("m2", "The billing service keeps its data in PostgreSQL"),
            memory("m3", "Ada likes tea"),
        ],
    )

    assert ["m2", "m1"] == [row["memory_id"] for row in found]


def test_what_matters_always_is_recalled_whatever_is_asked() -> None:
    found = rank_memories("Plan a dinner", [memory("m", "I am allergic to nuts", 1.0)])

    assert ["m"] == [row["memory_id"] for row in found]


def test_a_relation_is_told_in_its_direction() -> None:
    row = {"id": "b", "name": "Linux", "type": "technology", "relation": "runs_on"}
    row_in: dict[str, Any] = {**row, "strength": 0.81, "support": 1, "is_source": False}
    entity = {"id": "a", "name": "Docker", "type": "technology"}

    shown = describe_relation(row_in, entity)

    assert "Linux [technology] runs on Docker [technology] (strength 0.81, 1 message)" == shown.text
    assert {"entity_id": "a", "other_id": "b", "relation": "runs_on"} == shown.source
