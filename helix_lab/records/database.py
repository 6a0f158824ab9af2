"""Opening the record store, and the one statement on which SQL dialects differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from helix_lab.domain.model.errors import Unavailable
from helix_lab.records.tables import CHECKPOINT, DEAD_LETTER, METADATA

_OF_THE_STATEMENT = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)


class Records:
    """The record store: transactions over the tables of `records.tables`. Safe in threads.

    Args:
        url: a SQLAlchemy URL; `sqlite:///…` is the embedded default.
    """

    def __init__(self, url: str | sa.URL) -> None:
        self._is_closed = False
        self.engine = sa.create_engine(url, json_serializer=_encode_json)
        if self.engine.dialect.name == "sqlite":
            sa.event.listen(self.engine, "connect", _set_up_sqlite)
        with self._explained():
            METADATA.create_all(self.engine)

    @classmethod
    def embedded(cls, path: Path) -> Records:
        """The record store in one SQLite file, made if absent, readable by its owner alone.

        Raises:
            Unavailable: the file cannot be used.
        """
        try:
            path.touch(mode=0o600)
        except OSError as error:
            message = f"the record store {path} cannot be used: {error.strerror}"
            raise Unavailable(message, service="records") from error
        return cls(sa.URL.create("sqlite", database=str(path)))

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """One transaction; all of it is kept, or none.

        Raises:
            Unavailable: the database cannot be used; the transaction is undone.
        """
        with self._explained(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection for reading.

        Raises:
            Unavailable: the database cannot be used.
        """
        with self._explained(), self.engine.connect() as connection:
            yield connection

    def upsert(
        self,
        connection: sa.Connection,
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        *,
        merge: Mapping[str, Any] | None = None,
    ) -> None:
        """Insert rows; where the primary key is taken, keep it or merge into it.

        Args:
            connection: of a `write` transaction.
            table: where.
            rows: all with the same columns.
            merge: column → function of (old column, new column) giving the new value;
                None keeps the old row as it is.
        """
        if not rows:
            return
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement: Any = insert(table)
        keys = [column.name for column in table.primary_key]
        if merge is None:
            statement = statement.on_conflict_do_nothing(index_elements=keys)
        else:
            values = {
                name: combine(table.c[name], statement.excluded[name])
                for name, combine in merge.items()
            }
            statement = statement.on_conflict_do_update(index_elements=keys, set_=values)
        connection.execute(statement, [dict(row) for row in rows])

    def read_checkpoint(self, projection: str) -> dict[tuple[str, int], int]:
        """Where a projection goes on, by (topic, partition)."""
        query = sa.select(
            CHECKPOINT.c.topic, CHECKPOINT.c.partition, CHECKPOINT.c.next_offset
        ).where(CHECKPOINT.c.projection == projection)
        with self.read() as connection:
            return {(row[0], row[1]): row[2] for row in connection.execute(query)}

    def move_checkpoint(
        self,
        connection: sa.Connection,
        projection: str,
        checkpoint: Mapping[tuple[str, int], int],
    ) -> None:
        """Move a projection's checkpoint, in the transaction that holds its result."""
        rows = [
            {
                "projection": projection,
                "topic": topic,
                "partition": partition,
                "next_offset": next_offset,
            }
            for (topic, partition), next_offset in checkpoint.items()
        ]
        self.upsert(connection, CHECKPOINT, rows, merge={"next_offset": take_new})

    def forget_checkpoint(self, connection: sa.Connection, projection: str) -> None:
        """Let a projection begin anew, in the transaction that empties its tables."""
        connection.execute(CHECKPOINT.delete().where(CHECKPOINT.c.projection == projection))

    def add_dead_letters(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep events that a projection refused; the same one twice is one row."""
        now = datetime.now(UTC)
        with self.write() as connection:
            self.upsert(connection, DEAD_LETTER, [{**row, "refused_at": now} for row in rows])

    def forget_dead_letters(self, projection: str) -> None:
        """Drop the events that a projection refused, since it begins anew."""
        with self.write() as connection:
            connection.execute(DEAD_LETTER.delete().where(DEAD_LETTER.c.projection == projection))

    def probe(self) -> None:
        """Do one cheap real read; raise `Unavailable` if the database cannot be used."""
        with self.read() as connection:
            connection.execute(sa.select(CHECKPOINT.c.projection).limit(1)).all()

    def close(self) -> None:
        """Release all connections; further calls raise `Unavailable`."""
        self._is_closed = True
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        if self._is_closed:
            message = "the record store is closed; open the lab again"
            raise Unavailable(message, service="records")
        try:
            yield
        except sa.exc.DatabaseError as error:
            if isinstance(error, _OF_THE_STATEMENT):
                raise
            raise self._explain(error) from error

    def _explain(self, error: sa.exc.DatabaseError) -> Unavailable:
        url = self.engine.url
        place = url.database if url.drivername == "sqlite" else url.render_as_string()
        return Unavailable(
            f"the record store {place} cannot be used: {error.orig}; restore it from a backup or "
            "move it away: all but runs and schedules is then filled again from the log",
            service="records",
        )


def take_new(_old: Any, new: Any) -> Any:
    """Merge rule: the new value."""
    return new


def take_new_unless_null(old: Any, new: Any) -> Any:
    """Merge rule: the new value where there is one."""
    return sa.func.coalesce(new, old)


def add_up(old: Any, new: Any) -> Any:
    """Merge rule: the sum."""
    return old + new


def take_least(old: Any, new: Any) -> Any:
    """Merge rule: the smaller value."""
    return sa.case((new < old, new), else_=old)


def take_greatest(old: Any, new: Any) -> Any:
    """Merge rule: the greater value."""
    return sa.case((new > old, new), else_=old)


def _encode_json(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA busy_timeout=10000")
    cursor.close()
