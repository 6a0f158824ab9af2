"""Opening the record store, and the one statement on which SQL dialects differ."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from helix_lab.domain.model.errors import HelixError, Unavailable
from helix_lab.records.schema import bring_up_to_date
from helix_lab.records.tables import CHECKPOINT, DEAD_LETTER

_OF_THE_STATEMENT = (sa.exc.IntegrityError, sa.exc.DataError, sa.exc.ProgrammingError)
_POSTGRES = "postgresql"
_CONNECT_TIMEOUT_S = 5
# Of a server: a statement or a lock that takes longer is an error, not a thread that hangs.
_SESSION = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}
# A server that vanished without a word is noticed by then.
_KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3}
_COMPACTION_PATIENCE_S = 30.0
_MAKING_TABLES = 7_061_001
"""The advisory lock of who makes the tables: two labs may open at the same time."""


class Records:
    """The record store: transactions over the tables of `records.tables`. Safe in threads.

    Args:
        url: a SQLAlchemy URL: `sqlite:///…`, the embedded default, or
            `postgresql+psycopg://user:password@host/database`, of PostgreSQL 15 or newer.

    The tables are made, or brought to the version of this program.

    Raises:
        Unavailable: the database cannot be used, or its driver is not installed.
        Conflict: a newer program made the tables.
    """

    def __init__(self, url: str | sa.URL) -> None:
        self._is_closed = False
        self._upserts: dict[tuple[str, tuple[tuple[str, Any], ...]], Any] = {}
        self.engine = _make_engine(sa.make_url(url))
        try:
            with self.engine.begin() as connection:
                if self._is_postgres:
                    # Carrying rows over may take longer than a statement of a request.
                    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
                    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MAKING_TABLES)))
                else:
                    # The driver begins none before a table is made, and half of them would stay.
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                bring_up_to_date(connection)
        except sa.exc.DBAPIError as error:
            self.engine.dispose()
            raise self._explain(error) from error
        except HelixError:
            self.engine.dispose()
            raise

    @property
    def _is_postgres(self) -> bool:
        return self.engine.dialect.name == _POSTGRES

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

    @contextmanager
    def read_at_once(self) -> Iterator[sa.Connection]:
        """A connection whose statements all see the database as it was at the first of them.

        Raises:
            Unavailable: the database cannot be used.
        """
        with self.read() as connection:
            if self._is_postgres:
                connection.execution_options(isolation_level="REPEATABLE READ")
            else:
                connection.exec_driver_sql("BEGIN")  # the driver begins none for reading
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
        key = (table.name, tuple((merge or {"": None}).items()))
        statement = self._upserts.get(key)
        if statement is None:
            # To build one costs more than to run it with some rows.
            statement = self._upserts[key] = self._make_upsert(table, merge)
        connection.execute(statement, [dict(row) for row in rows])

    def _make_upsert(self, table: sa.Table, merge: Mapping[str, Any] | None) -> Any:
        insert = postgresql.insert if self._is_postgres else sqlite.insert
        statement: Any = insert(table)
        keys = [column.name for column in table.primary_key]
        if merge is None:
            return statement.on_conflict_do_nothing(index_elements=keys)
        values = {
            name: combine(table.c[name], statement.excluded[name])
            for name, combine in merge.items()
        }
        return statement.on_conflict_do_update(index_elements=keys, set_=values)

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

    def identify(self) -> str:
        """What tells this store from others: the cluster, the database and the schema."""
        query = sa.text(
            "SELECT system_identifier || '/' || current_database() || '/' || current_schema() "
            "FROM pg_control_system()"
        )
        with self.read() as connection:
            return str(connection.execute(query).scalar_one())

    def compact(self) -> None:
        """Write the database anew without what was deleted; it is locked meanwhile.

        Raises:
            Unavailable: the database cannot be used, or is in use for too long.
        """
        with self._explained(), self.engine.connect() as connection:
            alone = connection.execution_options(isolation_level="AUTOCOMMIT")
            if self._is_postgres:
                alone.exec_driver_sql("SET statement_timeout = 0")
                alone.exec_driver_sql("VACUUM FULL")
                alone.exec_driver_sql("RESET statement_timeout")
            else:
                alone.exec_driver_sql("VACUUM")
                self._empty_log(alone)

    def _empty_log(self, connection: sa.Connection) -> None:
        """Move all of SQLite's write-ahead log to the file, over the pages that are not used."""
        deadline = time.monotonic() + _COMPACTION_PATIENCE_S
        while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").scalar_one():
            if time.monotonic() > deadline:
                message = "the record store is in use for too long to be written anew; try again"
                raise Unavailable(message, service="records")
            time.sleep(0.05)

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
        except sa.exc.DBAPIError as error:
            if isinstance(error, _OF_THE_STATEMENT):
                raise
            raise self._explain(error) from error

    def _explain(self, error: sa.exc.DBAPIError) -> Unavailable:
        url = self.engine.url
        if self._is_postgres:
            # The address without its password; the driver repeats none either.
            place = url.render_as_string(hide_password=True)
            reason = " ".join(str(error.orig).split())
            message = (
                f"the record store {place} cannot be used: {reason}; is HELIX_RECORDS_URL right?"
            )
            return Unavailable(message, service="records")
        return Unavailable(
            f"the record store {url.database} cannot be used: {error.orig}; restore it from a "
            "backup or move it away: all but runs and schedules is then filled again from the log",
            service="records",
        )


def _make_engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() != _POSTGRES:
        engine = sa.create_engine(url, json_serializer=_encode_json)
        sa.event.listen(engine, "connect", _set_up_sqlite)
        return engine
    options = " ".join(f"-c {name}={value}" for name, value in _SESSION.items())
    given = url.query.get("options")
    try:
        return sa.create_engine(
            url.difference_update_query(["options"]),
            json_serializer=_encode_json,
            # A connection may have died with a server that is back since.
            pool_pre_ping=True,
            pool_timeout=_CONNECT_TIMEOUT_S,
            connect_args={
                "application_name": "helix-lab",
                "connect_timeout": _CONNECT_TIMEOUT_S,
                # What the address says goes last, and wins.
                "options": f"{options} {given}" if given else options,
                **_KEEPALIVE,
            },
        )
    except ModuleNotFoundError as error:
        message = (
            f"records on PostgreSQL need the package {error.name}: "
            "pip install 'helix-lab[postgres]'"
        )
        raise Unavailable(message, service="records") from None


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
