"""The graph store on Ladybug: named statements, checkpoints, and statements of users."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from helix_lab.adapters.graph_ladybug.answers import read_rows, to_rows
from helix_lab.adapters.graph_ladybug.batches import find_fill, scan_table, to_table, write_limit
from helix_lab.adapters.graph_ladybug.engine import Engine
from helix_lab.adapters.graph_ladybug.resting import Rests
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

LOGGER = logging.getLogger(__name__)

_ATTEMPTS = 3
_PAUSE_S = 0.01
_OWN = ("HelixCheckpoint", "HelixSchema")
_OWN_TABLES = (
    "CREATE NODE TABLE HelixCheckpoint("
    "id STRING PRIMARY KEY, projection STRING, topic STRING, part INT64, next_offset INT64)",
    "CREATE NODE TABLE HelixSchema(digest STRING PRIMARY KEY)",
)


class LadybugGraph(GraphStore):
    """The graph in one Ladybug file, which only this process may open.

    The file is disposable: when it is damaged, or made with another schema, it is made anew and
    empty, `notice` says so, and the projection fills it from the log.

    Args:
        path: the file, made if absent.
        schema: the statements that make the tables.
        statements: those of `sql/graph/` by name.

    Raises:
        Unavailable: the file can neither be opened nor be made anew.
    """

    def __init__(self, path: Path, *, schema: Sequence[str], statements: Mapping[str, str]) -> None:
        self._schema = list(schema)
        self._statements = statements
        self._writing = threading.RLock()
        self._engine = Engine(path, self._prepare)
        self._rests = Rests(self._rest)
        self.notice = self._engine.notice

    @contextmanager
    def transaction(self) -> Iterator[GraphTransaction]:
        """See `GraphStore.transaction`."""
        with self._writing, self._engine.writing() as connection, _explained():
            to_rows(connection.execute("BEGIN TRANSACTION"))
            try:
                yield _Transaction(connection, self._statements)
            except BaseException:
                # A statement that failed has ended the transaction itself.
                with suppress(RuntimeError):
                    to_rows(connection.execute("ROLLBACK"))
                raise
            to_rows(connection.execute("COMMIT"))
            self._engine.hide_log()
            if self._rests.note():
                self._move_log(connection)

    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """See `GraphStore.read_checkpoint`."""
        rows = self._read(
            "MATCH (c:HelixCheckpoint) WHERE c.projection = $projection "
            "RETURN c.topic AS topic, c.part AS part, c.next_offset AS next_offset",
            {"projection": projection},
        )
        return {(row["topic"], row["part"]): row["next_offset"] for row in rows}

    def ask(self, statement: str, **parameters: Any) -> list[Row]:
        """See `GraphStore.ask`."""
        text, bound = write_limit(self._statements[statement], parameters)
        return self._read(text, bound)[: parameters.get("max_rows")]

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
        with (
            self._engine.connection() as connection,
            _Stopper(connection, timeout_s) as stopper,
            self._engine.stoppable(stopper.stop),
        ):
            if on_start is not None:
                on_start(stopper.stop)
            columns, rows, is_truncated = _ask_user(
                connection, stopper, text, dict(parameters), max_rows
            )
        elapsed_ms = (time.monotonic() - started) * 1000
        return GraphAnswer(columns, rows, is_truncated, elapsed_ms)

    def describe(self) -> GraphSchema:
        """See `GraphStore.describe`."""
        nodes: dict[str, list[str]] = {}
        edges: dict[str, list[str]] = {}
        for table in self._read("CALL show_tables() RETURN name, type", {}):
            name = table["name"]
            if name not in _OWN:
                found = self._read(f"CALL table_info('{name}') RETURN name", {})
                kind = nodes if table["type"] == "NODE" else edges
                kind[name] = [row["name"] for row in found]
        return GraphSchema(dict(sorted(nodes.items())), dict(sorted(edges.items())))

    def probe(self) -> None:
        """See `GraphStore.probe`."""
        self._read("MATCH (s:HelixSchema) RETURN count(*) AS number", {})

    def clear(self) -> None:
        """See `GraphStore.clear`."""
        with self._writing, _explained():
            self._engine.replace()
            self._rests.begin_anew()

    def close(self) -> None:
        """See `GraphStore.close`."""
        self._rests.close()
        self._engine.close()

    def _rest(self) -> None:
        with suppress(Unavailable), self._writing, self._engine.writing() as connection:
            self._move_log(connection)

    def _move_log(self, connection: Any) -> None:
        """Move what transactions wrote from the log to the file; tried again where it fails."""
        try:
            to_rows(connection.execute("CHECKPOINT"))
        except RuntimeError as error:
            LOGGER.debug("the graph has no checkpoint yet: %s", error)
        self._rests.begin_anew()

    def _read(self, text: str, parameters: Mapping[str, Any]) -> list[Row]:
        """Rows; a read beside a write may fail in this engine, so it is tried again.

        The last attempt is made while nobody writes.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                with self._engine.connection() as connection:
                    return to_rows(connection.execute(text, dict(parameters)))
            except (RuntimeError, IndexError):
                time.sleep(_PAUSE_S * attempt)
        with self._writing, self._engine.writing() as connection, _explained():
            return to_rows(connection.execute(text, dict(parameters)))

    def _prepare(self, connection: Any) -> bool:
        """Make the tables where there are none; False: there are others."""
        tables = [row["name"] for row in to_rows(connection.execute("CALL show_tables() RETURN *"))]
        if "HelixSchema" in tables:
            found = to_rows(connection.execute("MATCH (s:HelixSchema) RETURN s.digest AS digest"))
            return [row["digest"] for row in found] == [self._digest()]
        if tables:
            return False
        for statement in (*_OWN_TABLES, *self._schema):
            connection.execute(statement)
        connection.execute("CREATE (:HelixSchema {digest: $digest})", {"digest": self._digest()})
        return True

    def _digest(self) -> str:
        return hashlib.sha256("\n".join(self._schema).encode()).hexdigest()


class _Transaction(GraphTransaction):
    def __init__(self, connection: Any, statements: Mapping[str, str]) -> None:
        self._connection = connection
        self._statements = statements

    def run(self, statement: str, **parameters: Any) -> list[Row]:
        if "rows" not in parameters:
            return to_rows(self._connection.execute(self._statements[statement], parameters))
        if not parameters["rows"]:
            return []
        # The engine finds the table by the name of this variable.
        helix_rows = to_table(parameters["rows"])  # noqa: F841
        text = self._find_fill(statement, len(parameters["rows"]))
        return to_rows(self._connection.execute(text or scan_table(self._statements[statement])))

    def _find_fill(self, statement: str, rows: int) -> str:
        """The text that copies the rows, which takes a tenth of the time; empty: not possible."""
        found = find_fill(statement, rows)
        if found is None:
            return ""
        name, table = found
        if table:
            asked = f"MATCH ()-[r:{table}]->() RETURN count(r) AS number"
            if to_rows(self._connection.execute(asked))[0]["number"]:
                return ""
        return self._statements[name]

    def move_checkpoint(self, projection: str, checkpoint: Checkpoint) -> None:
        for (topic, part), next_offset in checkpoint.items():
            made = self._connection.execute(
                "MERGE (c:HelixCheckpoint {id: $id}) "
                "ON CREATE SET c.projection = $projection, c.topic = $topic, c.part = $part, "
                "c.next_offset = $next_offset ON MATCH SET c.next_offset = $next_offset",
                {
                    "id": f"{projection}/{topic}/{part}",
                    "projection": projection,
                    "topic": topic,
                    "part": part,
                    "next_offset": next_offset,
                },
            )
            to_rows(made)


class _Stopper:
    """Stops a connection's statement, after a time or when told to."""

    def __init__(self, connection: Any, timeout_s: float) -> None:
        self.reason: type[QueryTimedOut | QueryCancelled] | None = None
        self._connection = connection
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._timer = threading.Timer(timeout_s, self._stop, [QueryTimedOut])
        self._timer.daemon = True

    def stop(self) -> None:
        """Stop because nobody wants the answer any more; returns at once."""
        threading.Thread(target=self._stop, args=[QueryCancelled], daemon=True).start()

    def _stop(self, reason: type[QueryTimedOut | QueryCancelled]) -> None:
        self.reason = self.reason or reason
        # An interrupt that arrives between two statements is forgotten by the engine.
        while not self._ended.is_set():
            with self._lock:
                if not self._ended.is_set():
                    self._connection.interrupt()
            self._ended.wait(0.05)

    def explain(self, error: RuntimeError) -> Exception:
        """Why a statement failed or was stopped."""
        if self.reason is QueryTimedOut:
            message = (
                f"the query ran longer than {self._timeout_s:g} s and was stopped; ask for less, "
                "or give it more time by timeout_s"
            )
            return QueryTimedOut(message, timeout_s=self._timeout_s)
        if self.reason is QueryCancelled:
            message = "the query was stopped because its caller asked for it or went away"
            return QueryCancelled(message)
        text = str(error)
        if "read-only transaction" in text:
            return QueryRefused(f"the statement may only read the graph: {text}", field="cypher")
        return GraphQueryFailed(text, field="cypher")

    def __enter__(self) -> _Stopper:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._ended.set()


def _ask_user(
    connection: Any, stopper: _Stopper, text: str, parameters: dict[str, Any], max_rows: int
) -> tuple[list[str], list[list[Any]], bool]:
    try:
        connection.execute("BEGIN TRANSACTION READ ONLY")
        try:
            result = connection.execute(text, parameters)
            columns = list(result.get_column_names())
            rows, is_truncated = read_rows(result, max_rows)
            result.close()
        finally:
            # A statement that failed has ended the transaction itself.
            with suppress(RuntimeError):
                to_rows(connection.execute("ROLLBACK"))
    except (RuntimeError, IndexError, ValueError, OverflowError) as error:
        raise stopper.explain(RuntimeError(str(error))) from None
    if stopper.reason is not None:
        raise stopper.explain(RuntimeError())
    return columns, rows, is_truncated


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        message = f"the graph store cannot be used: {error}"
        raise Unavailable(message, service="graph") from error
