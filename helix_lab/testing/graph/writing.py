"""Writing a graph store: all of a transaction or nothing, counted up, kept when closed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.knowledge.evidence import MAX_NAME_CHARACTERS
from helix_lab.domain.model.errors import Unavailable
from helix_lab.testing.graph.fixtures import (
    CHATS,
    LATER,
    NOON,
    PATIENCE_S,
    GraphFixtures,
    add_chain,
    make_entity,
    make_relation,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.graph import GraphStore

ODD_NAMES = [
    'O\'Neill "the" {brace} `tick`',
    "back\\slash $name /* no comment */ // nor this",
    "😀 Größe ſtraße",
    "名前",
    "tab\tand\nline",
    "x" * MAX_NAME_CHARACTERS,
    "",
]


class WritingTests(GraphFixtures):
    """Transactions and checkpoints."""

    def test_a_new_store_is_empty(self, store: GraphStore) -> None:
        assert [] == store.ask("export_entities")
        assert {} == store.read_checkpoint("p")

    def test_steps_and_checkpoint_become_visible_together(self, chain: GraphStore) -> None:
        assert [{"number": 10}] == chain.ask("count_entities")
        assert [{"number": 9}] == chain.ask("count_related_to")
        assert {CHATS: 10} == chain.read_checkpoint("p")
        assert {} == chain.read_checkpoint("q")

    def test_a_transaction_that_raises_leaves_nothing(self, chain: GraphStore) -> None:
        def fail() -> None:
            with chain.transaction() as transaction:
                transaction.run("add_entities", rows=[make_entity("new")])
                transaction.move_checkpoint("p", {CHATS: 11})
                raise KeyError

        with pytest.raises(KeyError):
            fail()

        assert [{"number": 10}] == chain.ask("count_entities")
        assert {CHATS: 10} == chain.read_checkpoint("p")

    def test_a_statement_that_fails_undoes_the_steps_before_it(self, chain: GraphStore) -> None:
        def add_twice() -> None:
            with chain.transaction() as transaction:
                transaction.run("add_entities", rows=[make_entity("new")])
                transaction.run("add_entities", rows=[make_entity("e1")])

        with pytest.raises(Unavailable):
            add_twice()

        assert [{"number": 10}] == chain.ask("count_entities")
        with chain.transaction() as transaction:
            transaction.run("add_entities", rows=[make_entity("next")])
        assert [{"number": 11}] == chain.ask("count_entities")

    def test_a_checkpoint_moves_and_others_stay(self, chain: GraphStore) -> None:
        with chain.transaction() as transaction:
            transaction.move_checkpoint("p", {("other", 3): 5})
            transaction.move_checkpoint("p", {CHATS: 12})

        assert {CHATS: 12, ("other", 3): 5} == chain.read_checkpoint("p")

    def test_all_is_there_when_it_is_opened_again(
        self, open_store: Callable[[], GraphStore]
    ) -> None:
        first = open_store()
        with first.transaction() as transaction:
            add_chain(transaction, 10)
            transaction.move_checkpoint("p", {CHATS: 10})
        kept = first.ask("export_relations")
        first.close()

        second = open_store()

        assert kept == second.ask("export_relations")
        assert {CHATS: 10} == second.read_checkpoint("p")
        assert "" == second.notice
        second.close()

    def test_clear_leaves_an_empty_store_that_can_be_filled(self, chain: GraphStore) -> None:
        chain.clear()

        assert [] == chain.ask("export_entities")
        assert {} == chain.read_checkpoint("p")
        with chain.transaction() as transaction:
            add_chain(transaction, 3)
        assert [{"number": 2}] == chain.ask("count_related_to")

    def test_support_is_added_up_and_the_strength_follows(self, chain: GraphStore) -> None:
        more = [make_relation("e0", "e1", support=2, weight=2.0, first_at=LATER, last_at=LATER)]

        with chain.transaction() as transaction:
            transaction.run("add_relations", rows=more)
            transaction.run("add_relations", rows=[make_relation("e0", "e1", type="uses")])

        first, typed = chain.ask("export_relations")[:2]
        assert (3, 3.0, 0.875, NOON, LATER) == tuple(
            first[name] for name in ("support", "weight", "strength", "valid_from", "last_at")
        )
        assert ("uses", 1, 0.5) == (typed["type"], typed["support"], typed["strength"])

    def test_a_relation_that_was_replaced_is_seen_as_of_its_time(self, chain: GraphStore) -> None:
        old = make_relation("e5", "e7", type="works_at", valid_to=LATER)
        new = make_relation("e5", "e8", type="works_at", valid_to=None, first_at=LATER)

        with chain.transaction() as transaction:
            transaction.run("add_claims", rows=[old])
            transaction.run("add_claims", rows=[new])

        def see(as_of: str) -> list[str]:
            rows = chain.ask("related_out", id="e5", min_strength=0.1, as_of=as_of, max_rows=9)
            return [row["id"] for row in rows if row["relation"] == "works_at"]

        assert ["e7"] == see(NOON)
        assert ["e8"] == see(LATER)
        with chain.transaction() as transaction:
            transaction.run("drop_claims", rows=[{"source": "e5", "type": "works_at"}])
        assert [] == see(LATER)

    @pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
    def test_any_name_comes_back_and_is_found(self, store: GraphStore, name: str) -> None:
        with store.transaction() as transaction:
            transaction.run("add_entities", rows=[make_entity("odd", name)])

        (row,) = store.ask("export_entities")
        assert (name, [name]) == (row["name"], row["aliases"])
        for statement in ("entities_by_key", "entities_by_alias"):
            (found,) = store.ask(statement, key=name.casefold())
            assert "odd" == found["id"]

    def test_an_entity_takes_its_edges_with_it(self, chain: GraphStore) -> None:
        with chain.transaction() as transaction:
            transaction.run("drop_entities", ids=["e4", "nobody"])

        assert [{"number": 9}] == chain.ask("count_entities")
        assert [{"number": 7}] == chain.ask("count_related_to")

    def test_readers_see_whole_transactions_while_somebody_writes(self, chain: GraphStore) -> None:
        seen: list[int] = []
        is_done = threading.Event()

        def read() -> None:
            while not is_done.is_set():
                seen.append(chain.ask("count_entities")[0]["number"])

        reader = threading.Thread(target=read)
        reader.start()
        for batch in range(20):
            rows = [make_entity(f"b{batch}-{number}") for number in range(50)]
            with chain.transaction() as transaction:
                transaction.run("add_entities", rows=rows)
        is_done.set()
        reader.join(PATIENCE_S)

        assert not reader.is_alive()
        assert {10} == {number % 50 for number in seen}

    def test_two_writers_take_turns(self, store: GraphStore) -> None:
        def write(writer: int) -> None:
            for number in range(10):
                with store.transaction() as transaction:
                    rows = [make_entity(f"w{writer}-{number}")]
                    transaction.run("add_entities", rows=rows)

        writers = [threading.Thread(target=write, args=[writer]) for writer in range(3)]
        for thread in writers:
            thread.start()
        for thread in writers:
            thread.join(PATIENCE_S)

        assert [{"number": 30}] == store.ask("count_entities")

    def test_closing_twice_is_harmless_and_a_closed_store_says_so(self, chain: GraphStore) -> None:
        chain.close()
        chain.close()

        with pytest.raises(Unavailable):
            chain.probe()
