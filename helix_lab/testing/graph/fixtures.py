"""The storage that the tests of a graph store run on, and nodes and edges to put there."""

from __future__ import annotations

import abc
import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from helix_lab.domain.model.event import CONVERSATIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from helix_lab.ports.graph import GraphAnswer, GraphStore, GraphTransaction

PATIENCE_S = 30.0
"""How long a test waits for what should come soon; only a failing test waits that long."""

NOON = "2026-03-01T12:00:00.000000Z"
LATER = "2026-03-02T12:00:00.000000Z"
LATEST = "2026-03-03T12:00:00.000000Z"
CHATS = (CONVERSATIONS, 0)


class GraphFixtures(abc.ABC):
    """What a test of a graph store is given."""

    @pytest.fixture
    @abc.abstractmethod
    def open_store(self) -> Callable[[], GraphStore]:
        """Opens the storage of this test, empty at first.

        It is opened again only after it was closed.
        """

    @pytest.fixture
    def store(self, open_store: Callable[[], GraphStore]) -> Iterator[GraphStore]:
        """The open storage of this test."""
        store = open_store()
        try:
            yield store
        finally:
            store.close()

    @pytest.fixture
    def chain(self, store: GraphStore) -> GraphStore:
        """The store with the entities e0 → e1 → … → e9, and a checkpoint."""
        with store.transaction() as transaction:
            add_chain(transaction, 10)
            transaction.move_checkpoint("p", {CHATS: 10})
        return store


def make_entity(entity_id: str, name: str | None = None, **other: Any) -> dict[str, Any]:
    """A row of `add_entities`."""
    name = entity_id.upper() if name is None else name
    return {
        "id": entity_id,
        "name": name,
        "key": name.casefold(),
        "type": "technology",
        "aliases": [name],
        "keys": [name.casefold()],
        "named_at": "0" + NOON,
        "mention_count": 1,
        "message_count": 1,
        "confidence": 0.9,
        "created_at": NOON,
        "updated_at": NOON,
        **other,
    }


def make_relation(source: str, target: str, **other: Any) -> dict[str, Any]:
    """A row of `add_relations` with one witness of the confidence 0.5."""
    return {
        "source": source,
        "target": target,
        "type": "related_to",
        "support": 1,
        "weight": 1.0,
        "strength": 0.5,
        "first_at": NOON,
        "last_at": NOON,
        **other,
    }


def add_chain(transaction: GraphTransaction, length: int) -> None:
    """Entities, each related to the next."""
    names = [f"e{number}" for number in range(length)]
    transaction.run("add_entities", rows=[make_entity(name) for name in names])
    transaction.run("add_relations", rows=[make_relation(*pair) for pair in pairwise(names)])


def draw_graph(transaction: GraphTransaction, *, seed: int, size: int = 40) -> None:
    """A random graph with every kind of node and edge; the same seed draws the same one."""
    draw = random.Random(seed)  # noqa: S311 - a test's graph is no secret
    names = [f"e{number:02}" for number in range(size)]
    kinds = ("technology", "person", "place")
    rows = [
        make_entity(name, f"{draw.choice('ÄbcDé')}{name}", type=draw.choice(kinds))
        for name in names
    ]
    transaction.run("add_entities", rows=rows)
    transaction.run("add_conversations", rows=[{"id": f"c{number}"} for number in range(5)])
    told = [{"id": "c1", "title": "On `graphs`", "started_at": NOON}]
    transaction.run("describe_conversations", rows=told)
    transaction.run("add_users", rows=[{"id": "ann"}, {"id": "bob"}])
    starts = [
        {"user_id": draw.choice(("ann", "bob")), "conversation_id": f"c{n}"} for n in range(5)
    ]
    transaction.run("add_starts", rows=starts)
    for _ in range(3):  # the second and third batch meet edges of the first
        _draw_edges(transaction, draw, names)
    _draw_messages(transaction, draw, names)
    claims = [
        make_relation("e00", "e01", type="works_at", valid_to=LATER),
        make_relation("e00", "e02", type="works_at", valid_to=LATEST, first_at=LATER),
    ]
    transaction.run("add_claims", rows=claims)


def _draw_edges(transaction: GraphTransaction, draw: random.Random, names: list[str]) -> None:
    pairs = {tuple(sorted(draw.sample(names, 2))) for _ in range(2 * len(names))}
    times = [sorted(draw.choices((NOON, LATER, LATEST), k=2)) for _ in pairs]
    together: list[dict[str, Any]] = [
        {"source": a, "target": b, "frequency": 1, "first_at": first, "last_at": last}
        for (a, b), (first, last) in zip(sorted(pairs), times, strict=True)
    ]
    transaction.run("add_co_occurrences", rows=together)
    relations = [
        make_relation(
            row["source"],
            row["target"],
            type=draw.choice(("related_to", "uses")),
            first_at=row["first_at"],
            last_at=row["last_at"],
        )
        for row in together
    ]
    transaction.run("add_relations", rows=relations)
    mentioned = {(name, f"c{draw.randrange(5)}") for name in names}
    rows = [
        {"entity_id": a, "conversation_id": b, "count": 2, "first_at": NOON, "last_at": LATER}
        for a, b in sorted(mentioned)
    ]
    transaction.run("add_mentioned_in", rows=rows)


def _draw_messages(transaction: GraphTransaction, draw: random.Random, names: list[str]) -> None:
    messages = [
        {
            "id": f"m{number}",
            "conversation_id": f"c{number % 5}",
            "time": draw.choice((NOON, LATER)),
            "facts": "[[],[]]",
            "has_claims": number % 3 == 0,
        }
        for number in range(20)
    ]
    transaction.run("add_messages", rows=messages)
    mentions = [
        {"message_id": row["id"], "entity_id": name, "count": draw.randrange(1, 4)}
        for row in messages
        for name in draw.sample(names, 4)
    ]
    transaction.run("add_mentions", rows=mentions)
    merges = [{"id": "x1", "clock": 7, "source": "e90", "target": "e00"}]
    transaction.run("add_merges", rows=merges)
    transaction.run("undo_merges", rows=[{"id": "x2"}])
    transaction.run("add_merged", rows=[{"id": "e90", "entity_id": "e00"}])


def ask_user(
    store: GraphStore, cypher: str, parameters: dict[str, Any] | None = None, **limits: Any
) -> GraphAnswer:
    """Run a user's statement within limits that are wide unless given."""
    return store.query(
        cypher, parameters or {}, **{"max_rows": 1000, "timeout_s": PATIENCE_S, **limits}
    )
