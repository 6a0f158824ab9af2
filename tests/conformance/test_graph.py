"""Every graph store keeps the contract of the port."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from helix_lab.adapters.graph_ladybug import LadybugGraph
from helix_lab.adapters.graph_neo4j import Neo4jGraph
from helix_lab.domain.model.errors import Unavailable
from helix_lab.ports.graph import GraphStore
from helix_lab.queries.statements import load_graph_schema, load_graph_statements
from helix_lab.testing.graph import GraphTests, add_chain, draw_graph
from helix_lab.testing.graph.fixtures import LATER, NOON, make_entity, make_relation
from tests.tiers import Running

SCHEMA = load_graph_schema("ladybug")


class TestLadybug(GraphTests):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], GraphStore]:
        return lambda: make_store(tmp_path)

    @pytest.mark.parametrize("content", ["cut", "garbage", "nothing", "zeros"])
    def test_a_damaged_file_is_made_anew_with_a_notice(self, tmp_path: Path, content: str) -> None:
        fill(tmp_path)
        path = tmp_path / "graph.lbug"
        whole = path.read_bytes()
        damaged = {"cut": whole[: len(whole) // 2], "garbage": b"no graph", "nothing": b""}
        path.write_bytes(damaged.get(content, b"\0" * 100_000))

        store = make_store(tmp_path)

        assert [] == store.ask("export_entities")
        assert {} == store.read_checkpoint("p")
        # An empty file is a new one to the engine.
        assert ("damaged" in store.notice) is (content != "nothing")
        store.close()

    def test_a_file_whose_opening_ended_the_process_is_made_anew(self, tmp_path: Path) -> None:
        fill(tmp_path)
        (tmp_path / "graph.lbug.opening").touch()

        store = make_store(tmp_path)

        assert "ended the process" in store.notice
        assert [] == store.ask("export_entities")
        store.close()
        again = make_store(tmp_path)
        assert "" == again.notice
        again.close()

    def test_many_rows_at_once_are_what_they_are_a_few_at_a_time(self, tmp_path: Path) -> None:
        names = [f"e{number:04}" for number in range(1200)]
        pairs = list(pairwise(names))
        rows: dict[str, list[dict[str, Any]]] = {
            "add_entities": [make_entity(name, aliases=[name, "É"]) for name in names],
            "add_relations": [make_relation(*pair) for pair in pairs],
            "add_co_occurrences": [
                {"source": a, "target": b, "frequency": 2, "first_at": NOON, "last_at": LATER}
                for a, b in pairs
            ],
        }
        folders = [tmp_path / name for name in ("whole", "parts")]
        for folder in folders:
            folder.mkdir()
        stores = [make_store(folder) for folder in folders]
        for store, size in zip(stores, (1200, 400), strict=True):
            with store.transaction() as transaction:
                for statement, all_rows in rows.items():
                    for begin in range(0, len(all_rows), size):
                        transaction.run(statement, rows=all_rows[begin : begin + size])
                    if statement != "add_entities":  # those that are there are added to
                        transaction.run(statement, rows=all_rows)

        for statement in ("export_entities", "export_relations", "export_co_occurrences"):
            whole, parts = (store.ask(statement) for store in stores)
            assert whole == parts
            assert len(whole) >= len(pairs)
        assert {0.75} == {row["strength"] for row in stores[0].ask("export_relations")}
        for store in stores:
            store.close()

    def test_another_schema_makes_the_tables_anew(self, tmp_path: Path) -> None:
        fill(tmp_path)

        store = make_store(
            tmp_path, schema=(*SCHEMA, "CREATE NODE TABLE New(id INT64 PRIMARY KEY)")
        )

        assert "another form" in store.notice
        assert "New" in store.describe().nodes
        store.close()

    def test_the_file_is_for_its_owner_alone(self, tmp_path: Path) -> None:
        fill(tmp_path)

        assert 0o600 == stat.S_IMODE((tmp_path / "graph.lbug").stat().st_mode)

    def test_a_folder_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(Unavailable, match="no-such-folder"):
            make_store(tmp_path / "no-such-folder")


def make_store(folder: Path, schema: tuple[str, ...] = SCHEMA) -> LadybugGraph:
    statements = load_graph_statements("ladybug")
    return LadybugGraph(folder / "graph.lbug", schema=schema, statements=statements)


def fill(folder: Path) -> None:
    store = make_store(folder)
    with store.transaction() as transaction:
        add_chain(transaction, 10)
    store.close()


@pytest.mark.services("neo4j")
class TestNeo4j(GraphTests):
    @pytest.fixture
    def open_store(self, running_services: Running) -> Callable[[], GraphStore]:
        server = running_services("neo4j")
        emptied = make_neo4j(server)
        emptied.clear()
        emptied.close()
        return lambda: make_neo4j(server)

    def test_a_server_that_is_away_is_named(self) -> None:
        store = make_neo4j({"NEO4J_URI": "bolt://127.0.0.1:9", "NEO4J_PASSWORD": "wrong"})

        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
            store.probe()
        store.close()

    def test_a_wrong_password_is_told_without_it(self, running_services: Running) -> None:
        server = {**running_services("neo4j"), "NEO4J_PASSWORD": "not-the-password"}
        store = make_neo4j(server)

        with pytest.raises(Unavailable, match="user or password") as caught:
            store.probe()
        assert "not-the-password" not in str(caught.value)
        store.close()


@pytest.mark.services("neo4j")
def test_both_engines_answer_every_statement_alike(
    running_services: Running, tmp_path: Path
) -> None:
    embedded, server = make_store(tmp_path), make_neo4j(running_services("neo4j"))
    server.clear()
    for store in (embedded, server):
        with store.transaction() as transaction:
            draw_graph(transaction, seed=5)

    reading = [name for name in load_graph_statements("ladybug") if name not in WRITING]
    assert set(reading) <= set(ASKED) | set(EXPORTED)
    for name in reading:
        found = []
        for parameters in ASKED.get(name, [{}]):
            here, there = embedded.ask(name, **parameters), server.ask(name, **parameters)
            assert here == there, name
            found += here
        assert found, f"{name} is asked for nothing that is there"
    embedded.close()
    server.close()


LIMITS = {"max_rows": 50}
SOME = {"ids": ["e00", "e03", "e07", "nobody"]}
KIND = {"type": "person", "any_type": False, **LIMITS}
ANY_KIND = {"type": "", "any_type": True, **LIMITS}
THEN = {"min_strength": 0.5, "as_of": "2026-03-01T18:00:00.000000Z", **LIMITS}
WRITING = {
    *(f"add_{name}" for name in ("merges", "merged", "entities", "conversations", "users")),
    *(f"add_{name}" for name in ("starts", "messages", "mentions", "mentioned_in", "claims")),
    *("add_co_occurrences", "add_relations", "undo_merges", "drop_merged", "drop_entities"),
    *(f"fill_{name}" for name in ("entities", "messages", "mentions", "mentioned_in")),
    *("fill_co_occurrences", "fill_relations"),
    *("drop_claims", "count_mentions", "rename_entities", "describe_conversations"),
}
EXPORTED = {
    *(f"export_{name}" for name in ("entities", "conversations", "users", "relations")),
    *("export_co_occurrences", "export_mentioned_in", "all_merges"),
    *(f"count_{name}" for name in ("entities", "conversations", "users", "messages")),
    *("count_related_to", "count_co_occurs_with", "count_mentioned_in"),
}
ASKED: dict[str, list[dict[str, Any]]] = {
    "known_messages": [{"ids": ["m1", "m99"]}],
    "merged_entities": [{"ids": ["e90", "e00"]}],
    **{name: [SOME] for name in ("find_entities", "evidence_of", "claims_of")},
    "edges_between": [{"ids": [f"e{number:02}" for number in range(20)]}],
    "find_conversations": [{"ids": ["c1", "c2"]}],
    **{
        name: [{"key": f"{letter}e07"} for letter in "äbcdé"]
        for name in ("entities_by_key", "entities_by_alias")
    },
    **{name: [{"id": f"e{n:02}", **THEN} for n in range(3, 7)] for name in ("related_out",)},
    "related_in": [{"id": f"e{n:02}", **THEN} for n in range(30, 34)],
    "co_occurrences": [{"id": "e03", "ids": [f"e{n:02}" for n in range(40)]}],
    "entities_by_prefix": [{"prefix": "ä", **ANY_KIND}, {"prefix": "", **KIND}],
    "entities_by_pieces": [{"pieces": ["e0", "c", "äe"], **ANY_KIND}],
    "top_entities": [ANY_KIND, KIND],
    **{
        name: [{"id": f"e{n:02}", **LIMITS} for n in (0, 3, 7, 9)]
        for name in ("messages_of", "conversations_of")
    },
    "messages_of_both": [{"id": "e07", "other": f"e{n:02}", **LIMITS} for n in range(40)],
    "entities_by_day": [{"since": "", "until": "9999"}],
    "mentioned_between": [{"since": "", "until": "9999", **LIMITS}],
    **{
        name: [{"since": "", "until": "9999"}] for name in ("unique_between", "extractions_between")
    },
    "neighbours": [{**SOME, **LIMITS}],
    "entities_in": [{"id": "c1", **LIMITS}],
    "recent_conversations": [LIMITS],
    "mentions_in": [{"ids": ["c1", "c2", "nobody"]}],
    **{f"reach_{n}": [{"id": "e03"}, {"id": "nobody"}] for n in (1, 2, 3)},
}


def make_neo4j(server: Mapping[str, str]) -> Neo4jGraph:
    return Neo4jGraph(
        server["NEO4J_URI"],
        auth=(server.get("NEO4J_USERNAME", "neo4j"), server["NEO4J_PASSWORD"]),
        database=server.get("NEO4J_DATABASE", "neo4j"),
        schema=load_graph_schema("neo4j"),
        statements=load_graph_statements("neo4j"),
    )
