"""Rows that this process wrote to Kafka and that its local copy has in memory for a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helix_lab.adapters.log_kafka.wire import Row

Place = tuple[str, int]
"""Topic and partition."""

_MAX_ROWS = 20_000
_MAX_BYTES = 32 * 2**20


class Tail:
    """What follows the file of the copy, and how it is found.

    Attributes:
        rows: by partition, in their order; nothing lies between them but ends of transactions.
        ends: where each partition has come to by them.
        ids: by event id its topic, partition and offset.
        keys: by topic and key the partition.
    """

    def __init__(self) -> None:
        self.rows: dict[Place, list[Row]] = {}
        self.ends: dict[Place, int] = {}
        self.ids: dict[str, tuple[str, int, int]] = {}
        self.keys: dict[tuple[str, str | None], int] = {}
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether it takes too much memory."""
        return len(self.ids) >= _MAX_ROWS or self._bytes >= _MAX_BYTES

    def add(self, fresh: Mapping[Place, Sequence[Row]], ends: Mapping[Place, int]) -> None:
        """Add what follows."""
        for place, rows in fresh.items():
            topic, partition = place
            self.rows.setdefault(place, []).extend(rows)
            self.ids.update({row.event_id: (topic, partition, row.offset) for row in rows})
            self.keys.update({(topic, key): partition for key in {row.key for row in rows}})
            self._bytes += sum([len(row.data) for row in rows])
        self.ends.update(ends)


def follows(rows: Sequence[Row], position: int) -> bool:
    """Whether rows begin at a position and leave out no offset."""
    return rows[0].offset == position and rows[-1].offset - position + 1 == len(rows)
