"""Analytics: messages, requests, turns, winners and compressions as rows of the analytics store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

import pyarrow as pa

from helix_lab.domain.model.event import COMPRESSIONS, CONVERSATIONS, DEBATES, TRACES, Entry
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.projections.analytics.rows import Rows, read_rows
from helix_lab.projections.analytics.tables import SCHEMAS
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known


class AnalyticsProjection(Projection[Rows]):
    """Fills the tables of `sql/duckdb/`; a view joins the requests of chats and of debates."""

    name = "analytics"
    topics = (CONVERSATIONS, DEBATES, COMPRESSIONS, TRACES)

    def __init__(self, store: AnalyticsStore) -> None:
        self._store = store

    def project(self, entry: Entry) -> Rows | None:
        """See `Projection.project`."""
        check_is_known(entry)
        return read_rows(entry.event) or None

    def write(self, rows: Sequence[Rows], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; a batch is ordered by time, so that windows scan little."""
        by_table: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for table, values in chain.from_iterable(rows):
            by_table[table].append(values)
        batch = {name: _to_arrow(SCHEMAS[name], values) for name, values in by_table.items()}
        self._store.write(self.name, batch, checkpoint=checkpoint)

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._store.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        self._store.clear()


def _to_arrow(schema: pa.Schema, rows: list[tuple[Any, ...]]) -> pa.Table:
    rows.sort(key=lambda row: row[0])
    columns = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
    return pa.Table.from_arrays(arrays, schema=schema)
