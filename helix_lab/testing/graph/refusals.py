"""What users' statements may not do, and how they are stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.model.errors import QueryCancelled, QueryRefused, QueryTimedOut
from helix_lab.testing.graph.fixtures import PATIENCE_S, GraphFixtures, ask_user

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.graph import GraphStore

ENDLESS = (
    "MATCH (a:Entity), (b:Entity), (c:Entity), (d:Entity), (e:Entity), (f:Entity), (g:Entity), "
    "(h:Entity), (i:Entity), (j:Entity) "
    "WHERE a.name + b.name + c.name + d.name + e.name + f.name + g.name + h.name + i.name = 'x' "
    "RETURN count(*)"
)
WRITING = [
    "CREATE (:Entity {id: 'x'})",
    "MATCH (e:Entity) SET e.name = 'x'",
    "MATCH (e:Entity) DETACH DELETE e",
    "MATCH (e:Entity) REMOVE e.name",
    "/* read */ MERGE (:Entity {id: 'x'})",
    "MATCH (e:Entity) RETURN e; MATCH (e:Entity) DETACH DELETE e",
    "MATCH (e:Entity) CALL { CREATE (:Entity {id: 'x'}) } RETURN 1",
    "DROP TABLE Entity",
    "LOAD FROM '/etc/passwd' RETURN *",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "MATCH (load) LOAD FROM '/etc/passwd' RETURN *",
    "COPY (MATCH (e:Entity) RETURN e.id) TO 'out.csv'",
    "EXPORT DATABASE 'out'",
    "CALL db.labels()",
    "CALL threads = 1",
    "ATTACH 'x' AS y (DBTYPE duckdb)",
    "INSTALL httpfs",
    "EXPLAIN CREATE (:Entity {id: 'x'})",
    "PROFILE MATCH (e:Entity) DETACH DELETE e",
    "SHOW TRANSACTIONS",
    "RETURN apoc.cypher.runFirstColumn('RETURN 1', {})",
]


class RefusalTests(GraphFixtures):
    """Refusals and limits."""

    @pytest.mark.parametrize("cypher", WRITING)
    def test_a_statement_that_does_more_than_read_is_refused(
        self, chain: GraphStore, cypher: str
    ) -> None:
        with pytest.raises(QueryRefused):
            ask_user(chain, cypher)

        assert [{"number": 10}] == chain.ask("count_entities")

    def test_a_statement_without_end_is_stopped_in_time(self, chain: GraphStore) -> None:
        with pytest.raises(QueryTimedOut):
            ask_user(chain, ENDLESS, timeout_s=0.3)

        assert [{"number": 10}] == chain.ask("count_entities")

    def test_a_statement_can_be_stopped_by_its_caller(self, chain: GraphStore) -> None:
        def stop_soon(stop: Callable[[], None]) -> None:
            threading.Timer(0.2, stop).start()

        with pytest.raises(QueryCancelled):
            ask_user(chain, ENDLESS, on_start=stop_soon)

        assert [[10]] == ask_user(chain, "MATCH (e:Entity) RETURN count(*)").rows

    def test_closing_stops_what_users_ask(self, chain: GraphStore) -> None:
        caught: list[BaseException] = []
        is_running = threading.Event()

        def ask() -> None:
            try:
                ask_user(chain, ENDLESS, on_start=lambda _stop: is_running.set())
            except QueryCancelled as error:
                caught.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        assert is_running.wait(PATIENCE_S)
        chain.close()
        asking.join(PATIENCE_S)

        assert 1 == len(caught)
