"""Claims: which process may write what the partitions of a projection say.

A claim is a row beside the checkpoint. Every write locks the rows of its partitions and looks
whether they still bear its name, in the transaction that holds the result and the checkpoint. So
a process that was slow, stopped or cut off can write nothing once another one took its partition.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from helix_lab.domain.model.errors import Unavailable
from helix_lab.records.database import Records, take_new
from helix_lab.records.tables import APPLIED_EVENT, CLAIM

Place = tuple[str, int]
"""Topic and partition."""


class OfAnEvent(Protocol):
    """What a projection makes of one event."""

    event_id: str


T = TypeVar("T", bound=OfAnEvent)


class PartitionLost(Exception):
    """Another process took over a partition; nothing of this transaction is kept."""


class WholeLog:
    """The claim of the process that follows all partitions: it holds while no worker has one."""

    def __init__(self, projection: str) -> None:
        self._projection = projection

    def check(self, connection: sa.Connection, checkpoint: Mapping[Place, int]) -> None:
        """Refuse to write beside workers.

        Raises:
            Unavailable: a worker took a partition of this projection.
        """
        if connection.dialect.name != "postgresql" or not checkpoint:
            return
        connection.execute(sa.text("LOCK TABLE claim IN SHARE MODE"))
        query = sa.select(CLAIM.c.partition).where(CLAIM.c.projection == self._projection).limit(1)
        if connection.execute(query).first() is not None:
            message = (
                f"workers fill the store {self._projection!r}. Name it in HELIX_WORKERS of this "
                f"server; or stop them, and begin anew by: helix-lab rebuild {self._projection}"
            )
            raise Unavailable(message, service=self._projection)

    def keep_new(self, connection: sa.Connection, rows: Sequence[T]) -> Sequence[T]:  # noqa: ARG002
        """The rows of events that are not applied yet: all, for the log gives each once."""
        return rows


class Claims:
    """The partitions of a projection that this worker holds."""

    def __init__(self, records: Records, projection: str) -> None:
        self._records = records
        self._projection = projection
        self._holders: dict[Place, str] = {}

    def take(self, places: Iterable[Place]) -> dict[Place, int]:
        """Take partitions over, and give where to go on in each; who had them is shut out.

        Waits for a write that is under way.
        """
        holder = uuid.uuid4().hex
        taken = sorted(places)
        rows = [
            {"projection": self._projection, "topic": topic, "partition": number, "holder": holder}
            for topic, number in taken
        ]
        with self._records.write() as connection:
            self._records.upsert(connection, CLAIM, rows, merge={"holder": take_new})
        self._holders.update(dict.fromkeys(taken, holder))
        # Nobody else moves them from here on.
        found = self._records.read_checkpoint(self._projection)
        return {place: found.get(place, 0) for place in taken}

    def check(self, connection: sa.Connection, checkpoint: Mapping[Place, int]) -> None:
        """Hold the claims on the partitions of a checkpoint until the transaction ends.

        Raises:
            PartitionLost: another worker took one, or the store is being filled anew.
        """
        self._require(connection, checkpoint, self._ask(checkpoint).with_for_update())

    def confirm(self, places: Collection[Place]) -> None:
        """Look whether the claims are still there, where nothing is to be written.

        Raises:
            PartitionLost: as `check`.
        """
        with self._records.read() as connection:
            self._require(connection, places, self._ask(places))

    def _ask(self, places: Iterable[Place]) -> sa.Select[str, int]:
        asked = sa.tuple_(CLAIM.c.topic, CLAIM.c.partition, CLAIM.c.holder).in_(
            [(*place, self._holders.get(place, "")) for place in places]
        )
        # In one order, so that two who lock several rows do not wait for each other.
        return (
            sa.select(CLAIM.c.topic, CLAIM.c.partition)
            .where(CLAIM.c.projection == self._projection, asked)
            .order_by(CLAIM.c.topic, CLAIM.c.partition)
        )

    def _require(
        self, connection: sa.Connection, places: Iterable[Place], query: sa.Select[str, int]
    ) -> None:
        lost = sorted(set(places) - {(row[0], row[1]) for row in connection.execute(query)})
        if lost:
            message = (
                f"another worker has {lost[0][0]}/{lost[0][1]} of {self._projection!r} now, or the "
                "store is filled anew"
            )
            raise PartitionLost(message)

    def keep_new(self, connection: sa.Connection, rows: Sequence[T]) -> Sequence[T]:
        """The rows of events that are not applied yet, each event once; they are noted."""
        first = {row.event_id: row for row in reversed(rows)}
        if not first:
            return rows
        noted = [{"projection": self._projection, "event_id": id_} for id_ in sorted(first)]
        statement = (
            postgresql.insert(APPLIED_EVENT)
            .on_conflict_do_nothing()
            .returning(APPLIED_EVENT.c.event_id)
        )
        new = set(connection.execute(statement, noted).scalars())
        return [row for row in rows if row.event_id in new and first[row.event_id] is row]


def forget_claims(connection: sa.Connection, projection: str) -> None:
    """Shut all workers out and forget what they applied, in the transaction that empties tables."""
    if connection.dialect.name == "postgresql":
        # Writes under way end first, and nobody takes a partition before the tables are empty.
        connection.execute(sa.text("LOCK TABLE claim IN EXCLUSIVE MODE"))
    for table in (CLAIM, APPLIED_EVENT):
        connection.execute(table.delete().where(table.c.projection == projection))
