"""Statements of users: one that reads, stopped in time, cut at a limit, its errors explained.

The engine's own parser says what a statement is, and a read-only session keeps it to reading; see
docs/decisions/0027.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pyarrow as pa

from helix_lab.adapters.analytics_clickhouse.binding import quote
from helix_lab.adapters.analytics_clickhouse.stopping import Stopper, explain
from helix_lab.adapters.analytics_clickhouse.wire import EngineError, Limits, Values, Wire
from helix_lab.domain.model.errors import QueryFailed, QueryRefused

MOST_ROWS = 5_000_000
_MAX_RESULT_BYTES = 256 * 1024 * 1024
_MAX_QUERY_BYTES = 4 * 1024 * 1024
_PARSING: Limits = {"max_query_size": _MAX_QUERY_BYTES, "readonly": 1}
_READING: Limits = {
    "max_query_size": _MAX_QUERY_BYTES,
    "max_memory_usage": 4 * 1024**3,
    "result_overflow_mode": "break",
    "readonly": 1,
}
_TABLE_FUNCTIONS = frozenset(
    {
        *("numbers", "numbers_mt", "generate_series", "generateseries", "zeros", "zeros_mt"),
        *("values", "view", "null"),
    }
)
"""Sources of rows that are neither a table nor anything outside of the engine."""
_REFUSED_FUNCTIONS = frozenset({"file", "python", "sleep", "sleepeachrow", "catboostevaluate"})
"""Functions that a read-only session lets through: they read files, run code, or only wait."""
_KINDS = ("Show", "Describe", "Exists")


def check_reads(wire: Wire, sql: str, values: Values) -> bool:
    """One statement, and one that reads tables of this engine; whether it is EXPLAIN.

    Raises:
        QueryRefused: none, several, or another kind of statement.
        QueryFailed: a syntax error.
    """
    if not sql.strip():
        message = "exactly one statement is allowed; there is none"
        raise QueryRefused(message, field="query")
    try:
        # Of several statements it says that they are not allowed; EXPLAIN would run the others.
        sql.encode()
        wire.read(f"SELECT formatQuerySingleLine({quote(sql)}) AS x", limits=_PARSING)
        nodes = wire.explain(f"EXPLAIN AST {sql}", values, _PARSING)
    except UnicodeError as error:
        raise QueryFailed(str(error), field="query") from None
    except EngineError as error:
        if "Multi-statements" in str(error) or "Empty query" in str(error):
            message = "exactly one statement is allowed"
            raise QueryRefused(message, field="query") from None
        raise explain(error) from None
    _check_tree(nodes)
    return nodes[0].startswith("Explain")


def _check_tree(lines: list[str]) -> None:
    depth, root = 0, lines[0].split(" ")[0]
    if root == "Explain" and len(lines) > 1:
        depth, root = 1, lines[1].split()[0]
    if not root.startswith(("SelectWithUnionQuery", "SelectIntersectExcept", *_KINDS)):
        message = f"only SELECT (and EXPLAIN, DESCRIBE, SHOW, EXISTS) is allowed, not {root}"
        raise QueryRefused(message, field="query")
    for line in lines:
        node = line.lstrip(" ")
        _check_has_no_ending(node, root, is_beside=len(line) - len(node) <= depth + 1)
    above: list[str] = []
    for line in lines:
        node = line.lstrip(" ")
        above[len(line) - len(node) :] = [node]
        _check_function(node, above[-2] if len(above) > 1 else "")


def _check_has_no_ending(node: str, root: str, *, is_beside: bool) -> None:
    """INTO OUTFILE and FORMAT hang beside the statement itself, SETTINGS anywhere."""
    ending = ("Literal", "Identifier") if root.startswith("Select") else ("Literal",)
    if node == "Set" or (is_beside and node.startswith(ending)):
        message = "INTO OUTFILE, FORMAT and SETTINGS are not allowed; leave them out"
        raise QueryRefused(message, field="query")


def _check_function(node: str, parent: str) -> None:
    if not node.startswith("Function "):
        return
    name = node.split(" ")[1].lower()
    is_source = parent.startswith(("TableExpression", "Explain", "TableOverride"))
    if name in _REFUSED_FUNCTIONS or (is_source and name not in _TABLE_FUNCTIONS):
        message = f"the query may only read the tables of this store, not {name}()"
        raise QueryRefused(message, field="query")


def read_explanation(
    wire: Wire, stopper: Stopper, sql: str, values: Values, max_rows: int
) -> tuple[pa.Table, int | None, bool]:
    """As `read_rows`, of EXPLAIN, whose answer is lines of text."""
    lines = wire.explain(stopper.mark(sql), values, _READING)
    table = pa.table({"explain": pa.array(lines[:max_rows], pa.string())})
    return table, len(lines), len(lines) > max_rows


def read_rows(
    wire: Wire,
    stopper: Stopper,
    sql: str,
    values: Values,
    max_rows: int,
    *,
    keep: Callable[[pa.RecordBatch], bool] | None,
) -> tuple[pa.Table, int | None, bool]:
    """Rows up to the limits, the number of all rows where known, whether there are more."""
    most = MOST_ROWS if keep else max_rows + 1
    batches = _Batches(max_rows, keep)
    try:
        with wire.stream(
            stopper.mark(sql), values, {**_READING, "max_result_rows": most}
        ) as answer:
            table = batches.read(answer.schema, answer.batches)
    except EngineError:
        if stopper.reason is None or not batches.is_full:
            raise
        return batches.cut(), None, True
    if stopper.reason is not None and not batches.is_full:
        raise stopper.give_reason()
    if batches.has_ended and batches.rows < most:
        total: int | None = batches.rows
    else:
        total = None if stopper.reason else _count(wire, stopper, sql, values)
    return table, total, batches.rows > table.num_rows or not batches.has_ended


class _Batches:
    """The batches of an answer as they come: some for memory, and all that `keep` takes."""

    def __init__(self, max_rows: int, keep: Callable[[pa.RecordBatch], bool] | None) -> None:
        self._max_rows = max_rows
        self._keep = keep
        self._held: list[pa.RecordBatch] = []
        self._schema: pa.Schema | None = None
        self._bytes = 0
        self.rows = 0
        self.has_ended = False

    @property
    def is_full(self) -> bool:
        """As many rows are held as are asked for, and one more was seen."""
        return self.rows > self._max_rows or self._bytes > _MAX_RESULT_BYTES

    def read(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> pa.Table:
        """The first rows."""
        self._schema = schema_without_zone(schema)
        self.has_ended = all(self._take(without_zone(batch)) for batch in batches)
        return self.cut()

    def cut(self) -> pa.Table:
        """The rows that are held, up to the limit."""
        return pa.Table.from_batches(self._held, schema=self._schema).slice(0, self._max_rows)

    def _take(self, batch: pa.RecordBatch) -> bool:
        """Whether the next one is wanted."""
        if not self.is_full:
            self._held.append(batch)
            self._bytes += batch.nbytes
        self.rows += batch.num_rows
        if self._keep is not None and not self._keep(batch):
            self._keep = None
        return self._keep is not None or not self.is_full


def _count(wire: Wire, stopper: Stopper, sql: str, values: Values) -> int | None:
    """Rows of the whole answer; None where the statement cannot be counted, or not in time."""
    counting = stopper.mark(f"SELECT count() AS n FROM ({sql}\n)")  # noqa: S608 - checked: one statement that reads
    try:
        rows = wire.read(counting, values, _READING).to_pylist()
    except EngineError:
        return None
    return int(rows[0]["n"]) if rows else None


def schema_without_zone(schema: pa.Schema) -> pa.Schema:
    """The stores keep UTC without a zone, and answer so; other zones are somebody's wish."""
    fields = [
        field.with_type(pa.timestamp(field.type.unit))
        if pa.types.is_timestamp(field.type) and field.type.tz == "UTC"
        else field
        for field in schema
    ]
    return pa.schema([field.with_nullable(True) for field in fields])  # noqa: FBT003 - pyarrow's form


def without_zone(batch: pa.RecordBatch) -> pa.RecordBatch:
    """See `schema_without_zone`."""
    return batch.cast(schema_without_zone(batch.schema))
