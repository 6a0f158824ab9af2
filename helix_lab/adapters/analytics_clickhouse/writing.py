"""Rows that come in once, though nothing here has transactions.

Rows are known by their time and ids (`KEYS`). Before rows go in it is written down how far they
reach; when the checkpoint follows, all of it is there. Rows of a batch that may have come before
(a replay, or after a write whose end nobody saw) are compared with what is there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from helix_lab.adapters.analytics_clickhouse.reading import without_zone
from helix_lab.adapters.analytics_clickhouse.wire import Wire
from helix_lab.ports.analytics import Checkpoint

KEYS: Mapping[str, tuple[str, ...]] = {
    "message_metrics": ("timestamp", "conversation_id", "message_id"),
    "chat_metrics": ("timestamp", "conversation_id", "message_id"),
    "debate_metrics": ("timestamp", "debate_id", "round", "role", "seat"),
    "debate_winners": ("timestamp", "debate_id"),
    "compression_metrics": ("timestamp", "compression_id"),
}
"""What makes a row one and the same: the columns that follow from its event alone."""

Place = tuple[str, int]


class Progress:
    """How far each projection is, and how far rows may have come. Safe in threads."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._lock = threading.Lock()
        self._last_ns = 0

    def read(self, projection: str) -> tuple[dict[Place, int], dict[Place, int]]:
        """The checkpoint, and the offsets up to which rows may be there."""
        rows = self._wire.read(
            "SELECT topic, partition, argMax(next_offset, version) AS done, "
            "max(intended) AS intended FROM helix_checkpoint "
            "WHERE projection = {projection:String} GROUP BY topic, partition",
            {"projection": projection},
        ).to_pylist()
        places = {(row["topic"], row["partition"]): row for row in rows}
        done = {place: row["done"] for place, row in places.items() if row["done"] >= 0}
        return done, {place: row["intended"] for place, row in places.items()}

    def note(self, projection: str, offsets: Mapping[Place, tuple[int, int]]) -> None:
        """Write down (checkpoint, intended) of partitions; -1 is no checkpoint yet."""
        if not offsets:
            return
        rows = [
            {"topic": topic, "partition": partition, "next_offset": done, "intended": intended}
            for (topic, partition), (done, intended) in offsets.items()
        ]
        version = self._next_version()
        filled = [{"projection": projection, **row, "version": version} for row in rows]
        self._wire.insert("helix_checkpoint", pa.Table.from_pylist(filled, schema=_CHECKPOINTS))

    def _next_version(self) -> int:
        with self._lock:
            self._last_ns = max(self._last_ns + 1, time.time_ns())
            return self._last_ns


_CHECKPOINTS = pa.schema(
    [
        ("projection", pa.string()),
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("next_offset", pa.int64()),
        ("intended", pa.int64()),
        ("version", pa.int64()),
    ]
)


def is_new(
    checkpoint: Checkpoint, done: Mapping[Place, int], intended: Mapping[Place, int]
) -> bool:
    """Whether no row of a batch can be there: all before it is done, and it goes beyond that."""
    is_settled = all(done.get(place, 0) >= offset for place, offset in intended.items())
    is_beyond = bool(checkpoint) and all(
        offset > intended.get(place, -1) for place, offset in checkpoint.items()
    )
    return is_settled and is_beyond


def drop_known(wire: Wire, table: str, rows: pa.Table) -> pa.Table:
    """The rows that the table does not have yet, each once."""
    keys = list(KEYS.get(table, ()))
    if not keys or not rows.num_rows:
        return rows
    between = pc.min_max(rows.column("timestamp")).as_py()
    known = wire.read(
        f"SELECT {', '.join(keys)} FROM {table} "  # noqa: S608 - our own names
        "WHERE timestamp BETWEEN {least:DateTime64(6, 'UTC')} AND {most:DateTime64(6, 'UTC')}",
        {
            "least": f"{between['min']:%Y-%m-%d %H:%M:%S.%f}",
            "most": f"{between['max']:%Y-%m-%d %H:%M:%S.%f}",
        },
    )
    seen = set(_list_keys(known, keys))
    wanted = []
    for key in _list_keys(rows, keys):
        wanted.append(key not in seen)
        seen.add(key)
    return rows.filter(pa.array(wanted, pa.bool_()))


def _list_keys(rows: pa.Table, keys: list[str]) -> list[tuple[object, ...]]:
    tables = [without_zone(batch) for batch in rows.select(keys).to_batches()]
    columns = [
        [value for part in tables for value in part.column(n).to_pylist()] for n in range(len(keys))
    ]
    return list(zip(*columns, strict=True))
