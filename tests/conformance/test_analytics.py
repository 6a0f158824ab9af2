"""Every analytics store keeps the contract of the port."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from helix_lab.adapters.analytics_duckdb import DuckDBAnalytics
from helix_lab.domain.model.errors import (
    HelixError,
    QueryFailed,
    QueryRefused,
    QueryTimedOut,
    Unavailable,
)
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.queries.statements import load_schema
from helix_lab.testing.analytics import AnalyticsTests, ask_user, check_is_unharmed

COPY = " COPY (SELECT 1) TO '{{folder}}/{name}' (FORMAT csv, USE_TMP_FILE false)"
REFUSED = {
    "insert in a subquery": (
        "WITH x AS (INSERT INTO message_metrics SELECT * FROM message_metrics RETURNING *) "
        "SELECT * FROM x"
    ),
    "explained and run": "EXPLAIN ANALYZE DELETE FROM message_metrics",
    "merge": (
        "MERGE INTO message_metrics AS a USING message_metrics AS b ON a.tokens = b.tokens "
        "WHEN MATCHED THEN DELETE"
    ),
    "copy to": "COPY message_metrics TO '{folder}/out.csv'",
    "copy to, explained": "EXPLAIN ANALYZE COPY message_metrics TO '{folder}/out.csv'",
    "copy to its own file": "EXPLAIN ANALYZE " + COPY.format(name="analytics.duckdb"),
    "copy to its own log": "explain/**/analyze" + COPY.format(name="analytics.duckdb.wal"),
    "copy with options": "EXPLAIN (ANALYZE, FORMAT json) " + COPY.format(name="analytics.duckdb"),
    "explained temporary table": "EXPLAIN ANALYZE CREATE TEMP TABLE x AS SELECT 1",
    "explained call": "EXPLAIN ANALYZE CALL checkpoint()",
    "explained vacuum": "EXPLAIN ANALYZE VACUUM",
    "copy from": "COPY message_metrics FROM '/etc/passwd'",
    "attach": "ATTACH '{folder}/other.duckdb'",
    "detach": "DETACH analytics",
    "use": "USE memory",
    "csv": "SELECT * FROM read_csv('/etc/passwd')",
    "text": "SELECT * FROM read_text('/etc/passwd')",
    "blob": "SELECT * FROM read_blob('/etc/passwd')",
    "json": "SELECT * FROM read_json('/etc/passwd')",
    "parquet": "SELECT * FROM parquet_metadata('/etc/passwd')",
    "sniffed": "SELECT * FROM sniff_csv('/etc/passwd')",
    "glob": "SELECT * FROM glob('/etc/*')",
    "another file": "SELECT * FROM read_blob('{folder}/log.sqlite')",
    "http": "SELECT * FROM read_csv('https://example.com/x.csv')",
    "s3": "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "set": "SET memory_limit = '100GB'",
    "set global": "SET GLOBAL enable_external_access = true",
    "reset": "RESET lock_configuration",
    "pragma": "PRAGMA database_list",
    "pragma that sets": "PRAGMA memory_limit = '1GB'",
    "call": "CALL duckdb_tables()",
    "prepare": "PREPARE x AS DELETE FROM message_metrics",
    "execute": "EXECUTE x",
    "export": "EXPORT DATABASE '{folder}/out'",
    "import": "IMPORT DATABASE '{folder}/out'",
    "checkpoint": "CHECKPOINT",
    "vacuum": "VACUUM",
    "analyze": "ANALYZE",
    "begin": "BEGIN",
    "commit": "COMMIT",
    "rollback": "ROLLBACK",
    "macro": "CREATE MACRO count(x) AS 1",
    "secret": "CREATE SECRET (TYPE S3)",
    "secrets": "SELECT * FROM duckdb_secrets()",
    "connect": "CONNECT 'x'",
}
FAILING = {
    "a file as a table": "SELECT * FROM '/etc/passwd'",
    "a variable of the program": "SELECT * FROM stolen",
    "the environment": "SELECT getenv('PATH')",
    "a query in a text that writes": "SELECT * FROM query('DELETE FROM message_metrics')",
    "a query in a text that reads a file": "SELECT * FROM query('FROM ''/etc/passwd''')",
    "logging to a file": "SELECT * FROM enable_logging(storage = 'file')",
    "profiling to a file": "SELECT * FROM enable_profiling(save_location = '{folder}/out')",
    "an address in memory": "SELECT * FROM arrow_scan(1, 2, 3)",
    "a forced checkpoint": "SELECT * FROM force_checkpoint()",
    "a null character": "SELECT \0",
}
ENDLESS = {
    "recursion": (
        "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x) SELECT count(*) FROM x"
    ),
    "rows without end": "SELECT sum(range) FROM range(1000000000000)",
    "sorting": "SELECT range FROM range(1000000000000) ORDER BY hash(range)",
    "cross join": (
        "SELECT count(*) FROM range(10000000) AS a, range(10000000) AS b, range(10000000) AS c "
        "WHERE a.range + b.range = c.range * 2 + 1"
    ),
    "many tables": "SELECT count(*) FROM " + ", ".join(f"range(2) AS t{n}" for n in range(200)),
}


class TestDuckDB(AnalyticsTests):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Callable[[], AnalyticsStore]:
        return lambda: make_store(tmp_path)

    @pytest.mark.parametrize("name", REFUSED)
    def test_a_statement_that_does_more_than_read_tables_is_refused(
        self, filled: AnalyticsStore, tmp_path: Path, name: str
    ) -> None:
        with pytest.raises(QueryRefused):
            ask_user(filled, REFUSED[name].format(folder=tmp_path))

        check_is_unharmed(filled)
        assert {"analytics.duckdb", "analytics.duckdb.wal"} >= list_names(tmp_path)

    @pytest.mark.parametrize("name", FAILING)
    def test_a_detour_out_of_the_store_fails(
        self, filled: AnalyticsStore, tmp_path: Path, name: str
    ) -> None:
        stolen = pa.table({"secret": ["local variable"]})

        with pytest.raises(QueryFailed):
            ask_user(filled, FAILING[name].format(folder=tmp_path))

        assert 1 == stolen.num_rows
        check_is_unharmed(filled)
        assert {"analytics.duckdb", "analytics.duckdb.wal"} >= list_names(tmp_path)

    @pytest.mark.parametrize("name", ENDLESS)
    def test_a_statement_without_end_is_stopped(self, filled: AnalyticsStore, name: str) -> None:
        with pytest.raises((QueryTimedOut, QueryFailed)):
            ask_user(filled, ENDLESS[name], timeout_s=0.5)

        check_is_unharmed(filled)

    def test_rows_beyond_the_limit_are_not_computed(self, filled: AnalyticsStore) -> None:
        result = ask_user(
            filled, "SELECT range FROM range(1000000000000)", max_rows=3, timeout_s=0.5
        )

        assert [0, 1, 2] == result.table.column(0).to_pylist()
        assert (None, True) == (result.total_rows, result.is_truncated)

    def test_an_answer_is_cut_where_it_gets_too_big_for_memory(
        self, filled: AnalyticsStore
    ) -> None:
        sql = "SELECT repeat('x', 100000) AS x FROM range(100000)"

        result = ask_user(filled, sql, max_rows=100_000, timeout_s=5)

        assert result.is_truncated
        assert result.table.nbytes < 1024**3

    @pytest.mark.parametrize(
        "sql",
        [
            "SHOW TABLES",
            "DESCRIBE message_metrics",
            "SUMMARIZE message_metrics",
            "EXPLAIN SELECT * FROM message_metrics",
            "EXPLAIN ANALYZE SELECT * FROM message_metrics",
            "EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM message_metrics",
            "EXPLAIN /* é ( */ ANALYZE -- (\n WITH x AS (SELECT 1) SELECT * FROM x",
            "FROM message_metrics",
            "TABLE message_metrics",
            "VALUES (1), (2)",
            "WITH x AS (SELECT 1) SELECT * FROM x",
            "SELECT 1;",
            "SELECT 1; -- the end",
        ],
    )
    def test_other_forms_of_reading_are_allowed(self, filled: AnalyticsStore, sql: str) -> None:
        assert ask_user(filled, sql).table.num_rows > 0

    def test_times_are_in_utc_whatever_the_machine_says(self, filled: AnalyticsStore) -> None:
        (row,) = ask_user(filled, "SELECT current_setting('TimeZone') AS zone").table.to_pylist()

        assert "UTC" == row["zone"]

    def test_the_file_is_for_its_owner_alone(self, filled: AnalyticsStore, tmp_path: Path) -> None:
        assert 0o600 == stat.S_IMODE((tmp_path / "analytics.duckdb").stat().st_mode)

    def test_another_schema_makes_the_tables_anew_and_empty(self, tmp_path: Path) -> None:
        first = DuckDBAnalytics(tmp_path / "a.duckdb", schema=["CREATE TABLE t (a INTEGER)"])
        first.write("p", {"t": pa.table({"a": [1]})}, checkpoint={("topic", 0): 1})
        first.close()

        changed = ["CREATE TABLE t (a INTEGER, b VARCHAR)"]
        second = DuckDBAnalytics(tmp_path / "a.duckdb", schema=changed)

        assert {} == second.read_checkpoint("p")
        assert [] == second.ask("SELECT a, b FROM t", {}).to_pylist()
        second.close()

    def test_the_same_schema_keeps_rows_and_checkpoint(self, tmp_path: Path) -> None:
        schema = ["CREATE TABLE t (a INTEGER)"]
        first = DuckDBAnalytics(tmp_path / "a.duckdb", schema=schema)
        first.write("p", {"t": pa.table({"a": [1]})}, checkpoint={("topic", 0): 1})
        first.close()

        second = DuckDBAnalytics(tmp_path / "a.duckdb", schema=schema)

        assert {("topic", 0): 1} == second.read_checkpoint("p")
        assert [{"a": 1}] == second.ask("SELECT a FROM t", {}).to_pylist()
        second.close()

    @pytest.mark.parametrize("content", [b"not a database", b"\0" * 100_000])
    def test_a_file_that_is_no_database_is_named(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "analytics.duckdb").write_bytes(content)

        with pytest.raises(Unavailable, match=r"analytics\.duckdb.*can be deleted"):
            make_store(tmp_path)

    def test_a_folder_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(HelixError, match="no-such-folder"):
            make_store(tmp_path / "no-such-folder")


def make_store(folder: Path) -> DuckDBAnalytics:
    return DuckDBAnalytics(folder / "analytics.duckdb", schema=load_schema("duckdb"))


def list_names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.endswith(".tmp")}
