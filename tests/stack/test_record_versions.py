"""Versions of the record store: old ones are carried over with their rows, newer ones refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from helix_lab.domain.model.errors import Conflict, Unavailable
from helix_lab.records.database import Records
from helix_lab.records.schema import NEWEST, make_config
from helix_lab.records.tables import METADATA, RUN, SCHEDULE
from tests.flow.labs import open_at

SAMPLES = Path(__file__).parents[1] / "samples"
OLD_ROWS = (
    "INSERT INTO run VALUES ('run-1', 'import', 'succeeded', 1.0, '{\"path\": \"a\"}', NULL, NULL,"
    " '[]', false, '2026-11-01 10:00:00', NULL, '2026-11-01 10:00:05')",
    "INSERT INTO conversation VALUES ('c-1', NULL, 'chat', 'Ä', '{}', NULL, '2026-11-01 10:00:00',"
    " '2026-11-01 10:00:00', NULL, 3, 40, 0, 7)",
    "INSERT INTO checkpoint VALUES ('conversations', 'helixagent.conversations', 0, 5)",
)
SINCE_VERSIONS = (
    "applied_event",
    "claim",
    "memory_conflict_told",
    "proposal",
    "proposal_decision",
    "trace",
)
"""Tables that no store from before versions has."""
_MOMENT = datetime(2026, 11, 1, 10, tzinfo=UTC)

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def url(records_url: str | None, tmp_path: Path) -> sa.URL:
    if records_url:
        return sa.make_url(records_url)
    return sa.URL.create("sqlite", database=str(tmp_path / "records.sqlite"))


@contextmanager
def begin(url: sa.URL) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        yield connection


def make_oldest(url: sa.URL) -> None:
    """A store as the first program that kept one on this database made it."""
    text = (SAMPLES / f"records_oldest.{url.get_backend_name()}.sql").read_text()
    with begin(url) as connection:
        for statement in (*text.split(";\n"), *OLD_ROWS):
            if statement.strip():
                connection.exec_driver_sql(statement)


def describe(connection: sa.Connection) -> Mapping[str, Any]:
    """All that a declared table is, as the database says."""
    inspector = sa.inspect(connection)
    dialect = connection.dialect
    return {
        name: {
            "columns": {
                column["name"]: (column["type"].compile(dialect), column["nullable"])
                for column in inspector.get_columns(name)
            },
            "collations": [
                getattr(column["type"], "collation", None) for column in inspector.get_columns(name)
            ],
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
            "unique": [one["column_names"] for one in inspector.get_unique_constraints(name)],
            "indexes": {
                str(one["name"]): one["column_names"]
                for one in inspector.get_indexes(name)
                if "duplicates_constraint" not in one
            },
        }
        for name in METADATA.tables
    }


def test_the_oldest_store_becomes_a_new_one_and_keeps_its_rows(url: sa.URL, tmp_path: Path) -> None:
    make_oldest(url)
    records = Records(url)
    with records.read() as connection:
        carried_over = describe(connection)
        run = connection.execute(sa.select(RUN)).one()
    assert {("conversations", 0): 5} == {
        ("conversations", partition): offset
        for (_, partition), offset in records.read_checkpoint("conversations").items()
    }
    with records.write() as connection:
        row = {"schedule_id": "s" * 300, "report": "r", "cron": "* * * * *", "timezone": "UTC"}
        rest = {"parameters": {}, "secrets": [], "timeout_s": 1.0, "late_s": 1.0}
        records.upsert(connection, SCHEDULE, [{**row, **rest, "created_at": _MOMENT}])
    records.close()

    assert ("run-1", "succeeded", {"path": "a"}, _MOMENT) == (
        run.run_id,
        run.state,
        run.request,
        run.created_at,
    )
    with begin(url) as connection:
        connection.execute(sa.text("DROP TABLE alembic_version"))
        connection.execute(sa.text("DROP TABLE memory_words"))
        METADATA.drop_all(connection)
    Records(url).close()
    with begin(url) as connection:
        assert describe(connection) == carried_over


def test_the_versions_and_the_declared_tables_agree(url: sa.URL) -> None:
    records = Records(url)
    with records.write() as connection:
        command.check(make_config(connection))  # raises, and says what a new version must do
        by_versions = describe(connection)
    records.close()

    with begin(url) as connection:
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        assert describe(connection) == by_versions


def test_a_column_without_a_version_is_found(tmp_path: Path) -> None:
    records = Records.embedded(tmp_path / "records.sqlite")
    with records.write() as connection:
        connection.execute(sa.text("ALTER TABLE run DROP COLUMN kind"))

    with pytest.raises(Exception, match=r"add_column.*kind"), records.read() as connection:
        command.check(make_config(connection))
    records.close()


def test_the_newest_version_is_the_one_that_the_program_names(tmp_path: Path) -> None:
    with sa.create_engine("sqlite://").connect() as connection:
        script = ScriptDirectory.from_config(make_config(connection))

    assert [NEWEST] == script.get_heads()
    names = sorted(one.revision for one in script.walk_revisions())
    assert [f"{number:04}" for number in range(1, len(names) + 1)] == names


def test_a_store_of_a_newer_program_is_refused_and_left_alone(url: sa.URL) -> None:
    Records(url).close()
    with begin(url) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))

    with pytest.raises(Conflict, match="of version 0999") as refused:
        Records(url)

    assert {"found": "0999", "newest": NEWEST} == refused.value.details
    with begin(url) as connection:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    assert "0999" == found


def test_a_version_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "records.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE run_by_state (taken INTEGER)")
    connection.close()

    with pytest.raises(Unavailable, match="run_by_state"):
        Records.embedded(path)

    with sqlite3.connect(path) as connection:
        found = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert [("run_by_state",)] == found


def test_memories_of_another_form_are_filled_again_from_the_log(tmp_path: Path) -> None:
    with open_at(tmp_path) as lab:
        kept = lab.create_memory(content="User prefers OAuth2")
    with sqlite3.connect(tmp_path / "records.sqlite") as connection:
        for table in ("alembic_version", *SINCE_VERSIONS):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("ALTER TABLE memory ADD COLUMN former TEXT")
        connection.execute("CREATE TABLE memory_writer (node_id TEXT)")
    connection.close()

    with open_at(tmp_path) as lab:
        assert "User prefers OAuth2" == lab.get_memory(kept.memory_id).content
        assert 1 == len(lab.list_memories(q="oauth2").memories)
