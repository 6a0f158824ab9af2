"""The graph store on Neo4j: named statements, checkpoints, and statements of users."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from neo4j import READ_ACCESS, Driver, GraphDatabase, Query
from neo4j.exceptions import (
    AuthError,
    ClientError,
    DriverError,
    Neo4jError,
    ServiceUnavailable,
    TransientError,
)

from helix_lab.adapters.graph_neo4j.answers import simplify
from helix_lab.adapters.graph_neo4j.making_schema import make_schema_part
from helix_lab.domain.cypher.gate import check_cypher
from helix_lab.domain.model.errors import (
    GraphQueryFailed,
    QueryCancelled,
    QueryRefused,
    QueryTimedOut,
    Unavailable,
)
from helix_lab.ports.graph import (
    Checkpoint,
    GraphAnswer,
    GraphSchema,
    GraphStore,
    GraphTransaction,
    Row,
)

_OWN = "Helix"
_CONNECT_TIMEOUT_S = 5.0
_ROWS_A_DELETE = 10_000
_TERMINATED = "Neo.ClientError.Transaction.Terminated"


class Neo4jGraph(GraphStore):
    """The graph in one database of a Neo4j server.

    Args:
        uri: such as bolt://127.0.0.1:7687.
        auth: user and password.
        database: its name; Neo4j Community has one, "neo4j".
        schema: the statements that make keys and indexes.
        statements: those of `sql/graph/` by name.

    Nothing is connected until the first use, so a lab opens while the server is away; its
    projection waits for it.
    """

    def __init__(
        self,
        uri: str,
        *,
        auth: tuple[str, str],
        database: str,
        schema: Sequence[str],
        statements: Mapping[str, str],
    ) -> None:
        self._uri = uri
        self._database = database
        self._schema = list(schema)
        self._statements = statements
        self._writing = threading.RLock()
        self._making = threading.Lock()
        self._stopped = threading.Condition()
        self._has_schema = self._is_closed = False
        self._stops: set[Callable[[], None]] = set()
        self._driver: Driver = GraphDatabase.driver(
            uri,
            auth=auth,
            connection_timeout=_CONNECT_TIMEOUT_S,
            # It bounds the handshake, too: something that listens and says nothing is given up.
            connection_acquisition_timeout=_CONNECT_TIMEOUT_S,
            # What is not here yet, such as a label before the first entity, is no news.
            warn_notification_severity=None,
            notifications_min_severity="OFF",
        )

    @contextmanager
    def transaction(self) -> Iterator[GraphTransaction]:
        """See `GraphStore.transaction`."""
        with (
            self._writing,
            self._explained(),
            self._session() as session,
            session.begin_transaction() as transaction,
        ):
            yield _Transaction(transaction, self._statements)
            transaction.commit()

    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """See `GraphStore.read_checkpoint`."""
        rows = self._read(
            "MATCH (c:HelixCheckpoint {projection: $projection}) "
            "RETURN c.topic AS topic, c.part AS part, c.next_offset AS next_offset",
            {"projection": projection},
        )
        return {(row["topic"], row["part"]): row["next_offset"] for row in rows}

    def ask(self, statement: str, **parameters: Any) -> list[Row]:
        """See `GraphStore.ask`."""
        return self._read(self._statements[statement], parameters)

    def query(
        self,
        cypher: str,
        parameters: Mapping[str, Any],
        *,
        max_rows: int,
        timeout_s: float,
        on_start: Callable[[Callable[[], None]], None] | None = None,
    ) -> GraphAnswer:
        """See `GraphStore.query`."""
        text = check_cypher(cypher)
        started = time.monotonic()
        stopper = _Stopper(self._driver, self._database, timeout_s)
        with self._stopped:
            self._stops.add(stopper.stop)
        try:
            with self._explained(), self._session(READ_ACCESS) as session:
                if on_start is not None:
                    on_start(stopper.stop)
                asked = Query(text, metadata=stopper.mark, timeout=timeout_s)
                with stopper.watching():
                    columns, rows, is_truncated = _ask_user(
                        session, asked, dict(parameters), max_rows, stopper
                    )
        finally:
            with self._stopped:
                self._stops.discard(stopper.stop)
                self._stopped.notify_all()
        elapsed_ms = (time.monotonic() - started) * 1000
        return GraphAnswer(columns, rows, is_truncated, elapsed_ms)

    def describe(self) -> GraphSchema:
        """See `GraphStore.describe`."""
        nodes = self._read(
            "CALL db.schema.nodeTypeProperties() YIELD nodeLabels, propertyName "
            "UNWIND nodeLabels AS label "
            "RETURN label, collect(DISTINCT propertyName) AS names ORDER BY label",
            {},
        )
        edges = self._read(
            "CALL db.schema.relTypeProperties() YIELD relType, propertyName "
            "RETURN relType AS label, collect(DISTINCT propertyName) AS names ORDER BY label",
            {},
        )
        return GraphSchema(
            {row["label"]: sorted(row["names"]) for row in nodes if _is_shown(row["label"])},
            {row["label"].strip(":`"): sorted(row["names"]) for row in edges},
        )

    def probe(self) -> None:
        """See `GraphStore.probe`."""
        self._read("RETURN 1 AS one", {})

    def clear(self) -> None:
        """See `GraphStore.clear`; in parts, since one transaction would hold all of it."""
        with self._writing, self._explained(), self._session() as session:
            while True:
                result = session.run(
                    "MATCH (n) WHERE any(label IN labels(n) WHERE label IN $labels) "
                    "WITH n LIMIT $rows DETACH DELETE n RETURN count(*) AS number",
                    labels=_find_labels(self._schema),
                    rows=_ROWS_A_DELETE,
                )
                if result.single(strict=True)["number"] < _ROWS_A_DELETE:
                    return

    def close(self) -> None:
        """See `GraphStore.close`."""
        self._is_closed = True
        with self._stopped:
            for stop in self._stops:
                stop()
            self._stopped.wait_for(lambda: not self._stops)
        # The driver trips over a connection in which somebody is asking at this moment.
        with self._writing, suppress(BufferError):
            self._driver.close()

    def _read(self, text: str, parameters: Mapping[str, Any]) -> list[Row]:
        with self._explained(), self._session(READ_ACCESS) as session:
            rows: list[Row] = session.execute_read(lambda run: run.run(text, parameters).data())
            return rows

    def _session(self, access: str = "WRITE") -> Any:
        if self._is_closed:
            message = "the graph store is closed; open the lab again"
            raise Unavailable(message, service="graph")
        self._make_schema()
        return self._driver.session(database=self._database, default_access_mode=access)

    def _make_schema(self) -> None:
        with self._making:
            if self._has_schema:
                return
            with self._driver.session(database=self._database) as session:
                for statement in self._schema:
                    make_schema_part(session, statement)
            self._has_schema = True

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except AuthError as error:
            message = f"Neo4j at {self._uri} refuses the user or password: {error.message}"
            raise Unavailable(message, service="neo4j") from None
        except (Neo4jError, DriverError, ServiceUnavailable) as error:
            message = f"Neo4j at {self._uri} cannot be used: {error}; is NEO4J_URI right?"
            raise Unavailable(message, service="neo4j") from error


class _Transaction(GraphTransaction):
    def __init__(self, transaction: Any, statements: Mapping[str, str]) -> None:
        self._transaction = transaction
        self._statements = statements

    def run(self, statement: str, **parameters: Any) -> list[Row]:
        rows: list[Row] = self._transaction.run(self._statements[statement], parameters).data()
        return rows

    def move_checkpoint(self, projection: str, checkpoint: Checkpoint) -> None:
        for (topic, part), next_offset in checkpoint.items():
            self._transaction.run(
                "MERGE (c:HelixCheckpoint {id: $id}) "
                "SET c.projection = $projection, c.topic = $topic, c.part = $part, "
                "c.next_offset = $next_offset",
                id=f"{projection}/{topic}/{part}",
                projection=projection,
                topic=topic,
                part=part,
                next_offset=next_offset,
            ).consume()


class _Stopper:
    """Stops a statement of a user: the server is told, and finds it by its mark."""

    def __init__(self, driver: Driver, database: str, timeout_s: float) -> None:
        self.mark = {"helix": uuid.uuid4().hex}
        self.timeout_s = timeout_s
        self.is_asked = threading.Event()
        self._driver = driver
        self._database = database
        self._ended = threading.Event()

    def stop(self) -> None:
        """Stop because nobody wants the answer any more; returns at once."""
        self.is_asked.set()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Tell the server when it is asked to stop what runs in the block."""
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._ended.set()
            self.is_asked.set()
            watcher.join()

    def _watch(self) -> None:
        self.is_asked.wait()
        # It may not have begun yet, so it is looked for until it is found or over.
        while not self._ended.is_set():
            with suppress(Neo4jError, DriverError):
                self._terminate()
            self._ended.wait(0.05)

    def _terminate(self) -> None:
        with self._driver.session(database=self._database) as session:
            rows = session.run("SHOW TRANSACTIONS YIELD transactionId, metaData").data()
            for row in rows:
                if row["metaData"] == self.mark:
                    session.run("TERMINATE TRANSACTION $id", id=row["transactionId"]).consume()


def _ask_user(
    session: Any, asked: Query, parameters: dict[str, Any], max_rows: int, stopper: _Stopper
) -> tuple[list[str], list[list[Any]], bool]:
    try:
        result = session.run(asked, parameters)
        columns = list(result.keys())
        records = result.fetch(max_rows + 1)
    except (ClientError, TransientError) as error:
        raise _explain(error, stopper) from None
    rows = [[simplify(value) for value in record.values()] for record in records[:max_rows]]
    return columns, rows, len(records) > max_rows


def _explain(error: Neo4jError, stopper: _Stopper) -> Exception:
    code, text = str(error.code), str(error.message)
    if stopper.is_asked.is_set():
        message = "the query was stopped because its caller asked for it or went away"
        return QueryCancelled(message)
    if code.startswith(_TERMINATED) or "TransactionTimedOut" in code:
        message = (
            f"the query ran longer than {stopper.timeout_s:g} s and was stopped; ask for less, or "
            "give it more time by timeout_s"
        )
        return QueryTimedOut(message, timeout_s=stopper.timeout_s)
    if code.endswith("AccessMode"):
        return QueryRefused(f"the statement may only read the graph: {text}", field="cypher")
    return GraphQueryFailed(text, field="cypher")


def _find_labels(schema: Sequence[str]) -> list[str]:
    """The labels that have a key of ours; a database may hold more than this graph."""
    labels = {part.partition(")")[0] for text in schema for part in text.split("(n:")[1:]}
    return sorted(labels)


def _is_shown(label: str) -> bool:
    return not label.startswith(_OWN)
