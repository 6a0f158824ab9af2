"""Edges are sums over evidence: the order and the batches do not matter."""

from __future__ import annotations

import pytest

from helix_lab.domain.knowledge.edges import (
    RELATED,
    Claim,
    sum_up,
    to_bits,
    to_intervals,
    to_strength,
)
from helix_lab.domain.knowledge.evidence import (
    MAX_PAIRED,
    Evidence,
    Named,
    Statement,
    read_evidence,
)
from helix_lab.domain.knowledge.extraction import open_extractor

NOON = "2026-03-01T12:00:00.000000Z"


def itself(entity_id: str) -> str:
    return entity_id


def name(entity_id: str, *, count: int = 1, sentences: tuple[int, ...] = (0,)) -> Named:
    return Named(entity_id, entity_id, "concept", (entity_id,), count, 0.9, sentences)


def read(text: str) -> Evidence:
    return read_evidence(
        text, open_extractor(), message_id="m", conversation_id="c", time=NOON, speakers=()
    )


@pytest.mark.parametrize(("confidence", "strength"), [(0.0, 0.0), (0.5, 0.5), (0.75, 0.75)])
def test_one_witness_makes_an_edge_as_strong_as_it_is_sure(
    confidence: float, strength: float
) -> None:
    assert strength == to_strength(to_bits(confidence))


def test_witnesses_add_up_as_independent_ones_and_never_reach_one() -> None:
    assert 0.875 == to_strength(3 * to_bits(0.5))
    assert 0.98 == pytest.approx(to_strength(to_bits(1.0)), abs=1e-4)


def test_things_of_one_sentence_are_related_and_those_of_one_message_co_occur() -> None:
    parts = sum_up([read("Docker and Redis. Kafka is away.")], itself)

    related = {(a, b) for a, b, _ in parts.related}
    assert 3 == len(parts.together)
    assert 1 == len(related)
    assert all(edge.count == 1 for edge in parts.together.values())
    assert all(a < b for a, b in parts.together)


def test_a_stated_relation_has_its_direction_and_its_confidence() -> None:
    evidence = read("Docker uses Redis.")

    parts = sum_up([evidence], itself)

    (uses,) = [key for key in parts.related if key[2] == "uses"]
    assert (evidence.statements[0].source, evidence.statements[0].target) == uses[:2]
    assert 0.8 == pytest.approx(to_strength(parts.related[uses].bits), abs=1e-3)


def test_merged_things_are_one_and_not_related_to_themselves() -> None:
    message = Evidence("m", "c", NOON, (name("a", count=2), name("b"), name("x")))

    parts = sum_up([message], lambda entity_id: {"b": "a"}.get(entity_id, entity_id))

    assert [("a", "x")] == list(parts.together)
    assert (3, 1) == (parts.entities["a"].mentions, parts.entities["a"].messages)
    assert "a" == parts.entities["a"].name


def test_batches_add_up_to_the_whole() -> None:
    messages = [
        Evidence(f"m{n}", "c", f"2026-01-0{n + 1}", (name("a"), name("b"))) for n in range(4)
    ]

    whole = sum_up(messages, itself).related["a", "b", RELATED]
    halves = [
        sum_up(half, itself).related["a", "b", RELATED] for half in (messages[:1], messages[1:])
    ]

    assert whole.bits == sum(half.bits for half in halves)
    assert whole.count == sum(half.count for half in halves)


def test_a_message_with_very_many_things_pairs_the_most_mentioned() -> None:
    things = tuple(name(f"e{n:06}", count=2 if n < 10 else 1) for n in range(100_000))

    parts = sum_up([Evidence("m", "c", NOON, things)], itself)

    assert 100_000 == len(parts.entities)
    assert MAX_PAIRED * (MAX_PAIRED - 1) // 2 == len(parts.together)


def test_an_exclusive_relation_ends_where_the_next_begins_whatever_came_first() -> None:
    claims = [
        Claim("2026-03", "m3", "acme", 1.0),
        Claim("2026-01", "m1", "acme", 1.0),
        Claim("2026-02", "m2", "initech", 1.0),
    ]

    found = [(i.target, i.edge.first_at, i.until_at) for i in to_intervals(claims)]

    assert [
        ("acme", "2026-01", "2026-02"),
        ("initech", "2026-02", "2026-03"),
        ("acme", "2026-03", None),
    ] == found


def test_a_claim_said_twice_in_a_row_supports_one_edge() -> None:
    statement = (Statement("a", "b", "lives_in", 0.75),)
    messages = [
        Evidence(f"m{n}", "c", f"2026-0{n}", (name("a"), name("b")), statement) for n in (1, 2)
    ]

    (interval,) = to_intervals(sum_up(messages, itself).claims["a", "lives_in"])

    assert (2, None) == (interval.edge.count, interval.until_at)
