"""Asking a graph store: our own statements, and statements of users in the form of the port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.model.errors import QueryFailed
from helix_lab.testing.graph.fixtures import GraphFixtures, ask_user, make_entity, make_relation

if TYPE_CHECKING:
    from helix_lab.ports.graph import GraphStore

LABELS = ("Conversation", "Entity", "Message", "User")
EDGES = ("CO_OCCURS_WITH", "MENTIONED_IN", "MENTIONS", "RELATED_TO", "STARTED")


class QueryingTests(GraphFixtures):
    """Answers."""

    def test_steps_lead_along_relations_that_hold_in_either_direction(
        self, chain: GraphStore
    ) -> None:
        old = make_relation("e0", "e5", type="works_at", valid_to="2026-03-05")
        with chain.transaction() as transaction:
            transaction.run("add_claims", rows=[old])

        def reach(steps: int, entity_id: str) -> set[str]:
            return {row["id"] for row in chain.ask(f"reach_{steps}", id=entity_id)}

        assert {"e1"} == reach(1, "e0")
        assert {"e4", "e6"} == reach(1, "e5")
        assert {"e3", "e7"} == reach(2, "e5") - {"e5"}
        assert {"e2", "e8"} == reach(3, "e5") - {"e4", "e5", "e6"}
        assert set() == reach(1, "nobody")

    def test_names_are_found_by_their_beginning_and_by_pieces(self, store: GraphStore) -> None:
        rows = [
            make_entity("a", "Kubernetes", mention_count=3),
            make_entity("b", "Kube-proxy", mention_count=5),
            make_entity("c", "Docker", type="person"),
        ]
        with store.transaction() as transaction:
            transaction.run("add_entities", rows=rows)

        def find(prefix: str, kind: str | None = None) -> list[str]:
            found = store.ask(
                "entities_by_prefix",
                prefix=prefix,
                type=kind or "",
                any_type=kind is None,
                max_rows=9,
            )
            return [row["id"] for row in found]

        assert ["b", "a"] == find("kub")
        assert ["b", "a", "c"] == find("")
        assert ["c"] == find("", "person")
        pieces = ["kub", "ube", "ber", "ern"]
        limits = {"type": "", "any_type": True, "max_rows": 9}
        hits = store.ask("entities_by_pieces", pieces=pieces, **limits)
        assert [("a", 4), ("b", 2)] == [(row["id"], row["hits"]) for row in hits]

    def test_the_schema_tells_labels_and_properties(self, chain: GraphStore) -> None:
        schema = chain.describe()

        assert set(schema.nodes) >= {"Entity"}
        assert {"id", "name", "type", "aliases"} <= set(schema.nodes["Entity"])
        assert "strength" in schema.edges["RELATED_TO"]
        assert not any(name.startswith("Helix") for name in schema.nodes)

    def test_a_users_statement_gives_its_columns_and_values(self, chain: GraphStore) -> None:
        answer = ask_user(
            chain,
            "MATCH (e:Entity) WHERE e.id IN $ids RETURN e.id AS id, e.mention_count + 1 AS n, "
            "e.aliases AS names, null AS nothing ORDER BY id",
            {"ids": ["e2", "e1"]},
        )

        assert ["id", "n", "names", "nothing"] == answer.columns
        assert [["e1", 2, ["E1"], None], ["e2", 2, ["E2"], None]] == answer.rows
        assert not answer.is_truncated

    def test_nodes_edges_and_paths_have_one_form(self, chain: GraphStore) -> None:
        answer = ask_user(
            chain, "MATCH p = (a:Entity {id: 'e1'})-[r:RELATED_TO]->(b) RETURN a, r, p"
        )

        ((node, edge, path),) = answer.rows
        assert ("e1", "Entity", "E1") == (node["id"], node["label"], node["properties"]["name"])
        assert ("RELATED_TO", "e1", "e2") == (edge["label"], edge["source"], edge["target"])
        assert 0.5 == edge["properties"]["strength"]
        assert ["e1", "e2"] == [node["id"] for node in path["nodes"]]
        assert [edge] == path["edges"]

    def test_rows_beyond_the_limit_are_cut(self, chain: GraphStore) -> None:
        answer = ask_user(chain, "MATCH (e:Entity) RETURN e.id ORDER BY e.id", max_rows=3)

        assert [["e0"], ["e1"], ["e2"]] == answer.rows
        assert answer.is_truncated

    def test_comments_and_a_semicolon_do_not_matter(self, chain: GraphStore) -> None:
        answer = ask_user(chain, "// first\nMATCH (e:Entity) /* all */ RETURN count(*) AS n;")

        assert [[10]] == answer.rows

    @pytest.mark.parametrize(
        "cypher",
        ["MATCH (e:Entity RETURN e", "MATCH (e:Entity) RETURN nobody", "RETURN 1 +", "MATCH (n)"],
    )
    def test_a_statement_that_is_no_cypher_fails(self, chain: GraphStore, cypher: str) -> None:
        with pytest.raises(QueryFailed):
            ask_user(chain, cypher)

        assert [[10]] == ask_user(chain, "MATCH (e:Entity) RETURN count(*)").rows
