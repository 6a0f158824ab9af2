"""The analytics store on ClickHouse's engine keeps the contract of the port."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helix_lab.adapters.analytics_clickhouse import ClickHouseAnalytics, open_clickhouse
from helix_lab.adapters.analytics_clickhouse.in_process import ChdbWire
from helix_lab.domain.model.errors import QueryFailed, QueryRefused, QueryTimedOut, Unavailable
from helix_lab.ports.analytics import AnalyticsStore
from helix_lab.queries.statements import load_schema
from helix_lab.testing.analytics import (
    TABLE,
    AnalyticsTests,
    ask_user,
    check_is_unharmed,
    make_rows,
)
from helix_lab.testing.analytics.fixtures import CHATS
from tests.tiers import Running

REFUSED = {
    "optimize": "OPTIMIZE TABLE message_metrics FINAL",
    "system": "SYSTEM STOP MERGES",
    "kill": "KILL QUERY WHERE 1",
    "set": "SET max_threads = 16",
    "use": "USE system",
    "settings": "SELECT 1 SETTINGS max_threads = 1",
    "settings in a subquery": "SELECT * FROM (SELECT 1 SETTINGS readonly = 0)",
    "into a file": "SELECT 1 INTO OUTFILE '{folder}/x.csv'",
    "into a file, in a union": "SELECT 1 UNION ALL SELECT 2 INTO OUTFILE '{folder}/x.csv'",
    "explained, into a file": "EXPLAIN SELECT 1 INTO OUTFILE '{folder}/x.csv'",
    "shown, into a file": "SHOW TABLES INTO OUTFILE '{folder}/x.csv'",
    "described, into a file": "DESCRIBE TABLE message_metrics INTO OUTFILE '{folder}/x.csv'",
    "a format": "SELECT 1 FORMAT CSV",
    "insert into a file": "INSERT INTO FUNCTION file('{folder}/x.csv') SELECT 1",
    "a file": "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "a file as a value": "SELECT file('/etc/passwd')",
    "a file in a set": "SELECT 1 WHERE 'x' IN (SELECT * FROM file('/etc/passwd', 'LineAsString'))",
    "a quoted name": "SELECT * FROM `file`('/etc/passwd', 'LineAsString')",
    "described file": "DESCRIBE TABLE file('/etc/passwd', 'LineAsString')",
    "url": "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "s3": "SELECT * FROM s3('http://127.0.0.1:1/x.csv')",
    "remote": "SELECT * FROM remote('127.0.0.1:1', 'a', 'b')",
    "program": "SELECT * FROM executable('id', 'TSV', 'a String')",
    "python": "SELECT * FROM python('x')",
    "Python": "SELECT * FROM Python(sys)",
    "folders": "SELECT * FROM filesystem('/etc')",
    "sqlite": "SELECT * FROM sqlite('{folder}/x', 'y')",
    "merge": "SELECT * FROM merge('system', 'x')",
    "cluster": "SELECT * FROM cluster('default', 'system', 'one')",
    "input": "SELECT * FROM input('a Int64')",
    "loop": "SELECT * FROM loop(numbers(3)) LIMIT 5",
    "wait": "SELECT sleep(3)",
    "parallel": "SELECT 1 PARALLEL WITH DROP TABLE message_metrics",
    "explained drop": "EXPLAIN AST DROP TABLE message_metrics",
    "explained insert": "EXPLAIN PIPELINE INSERT INTO message_metrics SELECT * FROM x",
    "attach": "ATTACH TABLE x FROM '{folder}' (a Int64) ENGINE = MergeTree ORDER BY a",
    "temporary table": "CREATE TEMPORARY TABLE x (a Int64)",
    "function": "CREATE FUNCTION f AS (x) -> x",
    "user": "CREATE USER x",
    "grant": "GRANT ALL ON *.* TO x",
    "backup": "BACKUP TABLE message_metrics TO File('{folder}/x')",
    "a text that hides": "SELECT 'a\\\\'; DROP TABLE message_metrics; -- '",
    "a here-document that hides": "SELECT $a$ $a$; DROP TABLE message_metrics",
    "recursive file": "WITH x AS (SELECT * FROM file('/etc/passwd', 'RawBLOB')) SELECT * FROM x",
}
READING = {
    "with": "WITH x AS (SELECT 1 AS n) SELECT n FROM x",
    "union": "SELECT 1 UNION ALL SELECT 2",
    "intersect": "SELECT 1 INTERSECT SELECT 1",
    "parentheses": "(SELECT 1)",
    "from first": "FROM message_metrics SELECT tokens",
    "show": "SHOW TABLES",
    "describe": "DESCRIBE TABLE message_metrics",
    "explain": "EXPLAIN SELECT 1",
    "exists": "EXISTS TABLE message_metrics",
    "create": "SHOW CREATE TABLE message_metrics",
    "numbers": "SELECT number FROM numbers(3)",
    "sample": "SELECT count() FROM message_metrics SAMPLE 0.5",
    "braces": "SELECT '{x:y}' AS x, '%d' AS y",
    "a text that shows": "SELECT 'a\\'; DROP TABLE message_metrics; -- '",
    "its own end": "SELECT 1; -- that is all",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of chDB, which stays open: a process has one engine, which starts slowly."""
    folder = tmp_path_factory.mktemp("chdb")
    keeper = ChdbWire(folder, "keeper")
    yield folder
    keeper.close()


class TestChdb(AnalyticsTests):
    @pytest.fixture
    def open_store(self, engine: Path) -> Callable[[], AnalyticsStore]:
        database = f"t{uuid.uuid4().hex}"
        schema = load_schema("clickhouse")
        return lambda: ClickHouseAnalytics(ChdbWire(engine, database), schema=schema)

    @pytest.mark.parametrize("name", REFUSED)
    def test_a_statement_that_does_more_than_read_tables_is_refused(
        self, filled: AnalyticsStore, tmp_path: Path, name: str
    ) -> None:
        with pytest.raises((QueryRefused, QueryFailed)):
            ask_user(filled, REFUSED[name].format(folder=tmp_path))

        check_is_unharmed(filled)
        assert [] == list(tmp_path.iterdir())

    @pytest.mark.parametrize("name", READING)
    def test_a_statement_that_reads_is_answered(self, filled: AnalyticsStore, name: str) -> None:
        result = ask_user(filled, READING[name])

        assert result.table.num_rows > 0

    def test_an_endless_recursion_is_stopped_by_a_limit_of_the_engine(
        self, filled: AnalyticsStore
    ) -> None:
        sql = (
            "WITH RECURSIVE x AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM x) SELECT max(n) FROM x"
        )

        with pytest.raises((QueryFailed, QueryTimedOut)):
            ask_user(filled, sql, timeout_s=5)

        check_is_unharmed(filled)

    def test_rows_without_end_are_cut_at_the_limit(self, filled: AnalyticsStore) -> None:
        result = ask_user(
            filled, "SELECT number FROM numbers(100000000000)", max_rows=5, timeout_s=2
        )

        assert list(range(5)) == result.table.column(0).to_pylist()
        assert result.is_truncated

    def test_a_write_whose_end_nobody_saw_is_done_once(
        self, open_store: Callable[[], AnalyticsStore]
    ) -> None:
        store = open_store()
        store.write("p", {TABLE: make_rows(5)}, checkpoint={CHATS: 5})
        with pytest.raises(Unavailable, match="no_such_table"):
            store.write(
                "p",
                {TABLE: make_rows(5, start=5), "no_such_table": make_rows(1)},
                checkpoint={CHATS: 10},
            )
        store.close()

        store = open_store()
        try:
            assert {CHATS: 5} == store.read_checkpoint("p")
            # What comes again is cut into batches elsewhere.
            store.write("p", {TABLE: make_rows(2, start=5)}, checkpoint={CHATS: 7})
            store.write("p", {TABLE: make_rows(8, start=7)}, checkpoint={CHATS: 15})
            rows = store.ask(f"SELECT tokens FROM {TABLE} ORDER BY tokens", {})
        finally:
            store.close()

        assert list(range(15)) == rows.column(0).to_pylist()

    def test_tables_of_others_are_left_alone(self, engine: Path) -> None:
        database = f"t{uuid.uuid4().hex}"
        wire = ChdbWire(engine, database)
        wire.run("CREATE TABLE theirs ENGINE = Memory AS SELECT 7 AS n")
        store = ClickHouseAnalytics(wire, schema=load_schema("clickhouse"))

        store.clear()

        assert [{"n": 7}] == store.ask("SELECT n FROM theirs", {}).to_pylist()
        store.close()


@pytest.mark.services("clickhouse")
@pytest.mark.timeout(400)
class TestServer(AnalyticsTests):
    @pytest.fixture
    def open_store(self, running_services: Running, tmp_path: Path) -> Callable[[], AnalyticsStore]:
        found = running_services("clickhouse")
        account = f"{found['CLICKHOUSE_USERNAME']}:{found['CLICKHOUSE_PASSWORD']}"
        address = f"{found['CLICKHOUSE_HOST']}:{found['CLICKHOUSE_PORT']}"
        url = f"clickhouse://{account}@{address}/t{uuid.uuid4().hex}"
        schema = load_schema("clickhouse")
        return lambda: open_clickhouse(url, folder=tmp_path, schema=schema)

    @pytest.mark.parametrize("name", REFUSED)
    def test_a_statement_that_does_more_than_read_tables_is_refused(
        self, filled: AnalyticsStore, tmp_path: Path, name: str
    ) -> None:
        with pytest.raises((QueryRefused, QueryFailed)):
            ask_user(filled, REFUSED[name].format(folder=tmp_path))

        check_is_unharmed(filled)
        assert [] == list(tmp_path.iterdir())

    def test_a_wrong_password_is_refused(self, running_services: Running, tmp_path: Path) -> None:
        found = running_services("clickhouse")
        url = f"clickhouse://helixagent:wrong@127.0.0.1:{found['CLICKHOUSE_PORT']}/x"

        with pytest.raises(Unavailable, match="clickhouse://127"):
            open_clickhouse(url, folder=tmp_path, schema=load_schema("clickhouse"))


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="clickhouse://127") as caught:
        open_clickhouse(
            "clickhouse://me:secret@127.0.0.1:9/x",
            folder=tmp_path,
            schema=load_schema("clickhouse"),
        )

    assert "secret" not in str(caught.value)
