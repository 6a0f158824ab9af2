"""What the embedded event log does beyond the contract of its port."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from helix_lab.adapters.log_sqlite import (
    SqliteEventLog,
    connections,
    log,
    rows,
    statements,
    writer,
)
from helix_lab.domain.model.errors import LogWriteFailed, Unavailable
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES, Entry, Event, order_of
from helix_lab.testing.event_log.fixtures import PATIENCE_S, make_event

fcntl = pytest.importorskip("fcntl", reason="processes take turns by flock on POSIX only")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.sqlite"


@pytest.fixture
def opened(path: Path) -> Iterator[SqliteEventLog]:
    with SqliteEventLog(path) as opened:
        yield opened


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.001)


@contextmanager
def foreign_turn(path: Path) -> Iterator[None]:
    """Hold the lock that another process would hold while it writes."""
    with path.with_name(path.name + ".lock").open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def ids_in(opened: SqliteEventLog) -> list[str]:
    entries = opened.read(CONVERSATIONS, 0, start_offset=0, limit=1000)
    return [entry.event.event_id for entry in entries]


# Opening --------------------------------------------------------------------------------


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    with SqliteEventLog(tmp_path / "new" / "log.sqlite") as opened:
        opened.append([(CONVERSATIONS, make_event())])

        files = list((tmp_path / "new").iterdir())
        assert 4 == len(files)  # the log, its lock, write-ahead log and shared memory
        assert {0o600} == {file.stat().st_mode & 0o777 for file in files}


def write_other_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (x)")


def write_newer_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.write_bytes(b"no database " * 1000), "no event log"),
        (write_other_database, "another SQLite database"),
        (write_newer_log, "upgrade helix-lab"),
        (lambda path: path.mkdir(), "check its disk"),
    ],
)
def test_a_file_that_is_no_log_is_refused_and_left_alone(
    path: Path, spoil: Callable[[Path], Any], reason: str
) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""

    with pytest.raises(Unavailable, match=reason) as caught:
        SqliteEventLog(path)

    assert "event log" == caught.value.details["service"]
    assert before == (path.read_bytes() if path.is_file() else b"")


def test_a_damaged_log_says_so_when_it_is_read(path: Path) -> None:
    with SqliteEventLog(path) as opened:
        opened.append([(CONVERSATIONS, make_event(data={"x": "y" * 2000})) for _ in range(100)])
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))

    with SqliteEventLog(path) as opened, pytest.raises(Unavailable, match="backup"):
        opened.read(CONVERSATIONS, 0, start_offset=0, limit=1000)


def test_a_person_can_read_the_file(opened: SqliteEventLog, path: Path) -> None:
    event = make_event("c1", data={"content": "Grüße 👋"})
    opened.append([(CONVERSATIONS, event)])

    with closing(sqlite3.connect(path)) as connection:
        row = connection.execute(
            "SELECT topic, key, event_id, time, data, json_extract(data, '$.content') FROM event"
        ).fetchone()

    time = event.time.strftime("%Y-%m-%d %H:%M:%S")
    data = '{"content":"Grüße 👋"}'
    assert (CONVERSATIONS, "c1", event.event_id, time, data, "Grüße 👋") == row


def test_a_probe_notices_that_the_file_was_removed(opened: SqliteEventLog, path: Path) -> None:
    opened.append([(CONVERSATIONS, make_event())])
    opened.probe()
    path.unlink()

    with pytest.raises(Unavailable, match="removed"):
        opened.probe()


# Upgrading ------------------------------------------------------------------------------

VERSION_1 = """
CREATE TABLE topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE key (
    id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (topic, name));
CREATE TABLE entry (
    "offset" INTEGER PRIMARY KEY, topic INTEGER NOT NULL, key INTEGER NOT NULL,
    event_id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, node TEXT NOT NULL, subject TEXT NOT NULL,
    time_us INTEGER NOT NULL, clock INTEGER NOT NULL, version INTEGER NOT NULL,
    data TEXT NOT NULL);
CREATE INDEX entry_by_topic ON entry (topic);
CREATE INDEX entry_by_key ON entry (key);
CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 0), greatest_clock INTEGER NOT NULL);
CREATE VIEW event AS
    SELECT e."offset", t.name AS topic, k.name AS key, e.event_id, e.type, e.node, e.subject,
           datetime(e.time_us / 1000000, 'unixepoch') AS time, e.clock, e.version, e.data
    FROM entry e JOIN topic t ON t.id = e.topic JOIN key k ON k.id = e.key;
PRAGMA user_version = 1;
"""
"""The schema before entries were kept by their keys; files of it may exist."""

ADD_1 = """
INSERT INTO entry VALUES (?, (SELECT id FROM topic WHERE name = ?),
    (SELECT k.id FROM key k JOIN topic t ON t.id = k.topic WHERE t.name = ? AND k.name = ?),
    ?, ?, ?, ?, ?, ?, ?, ?)
"""


@pytest.fixture
def old(path: Path) -> list[Entry]:
    """What is in a log of version 1, made at `path`: two topics, with keys of the same names."""
    events = [make_event(f"c{number % 3}", data={"number": number}) for number in range(60)]
    topics = [(CONVERSATIONS, DEBATES)[number % 7 == 0] for number in range(60)]
    entries = list(map(Entry, topics, [0] * 60, range(60), events))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(VERSION_1)
        connection.executemany(
            "INSERT INTO topic (name) VALUES (?)", [(DEBATES,), (CONVERSATIONS,)]
        )
        connection.executemany(
            "INSERT INTO key (topic, name) VALUES (?, ?)",
            [(topic, f"c{number}") for number in range(3) for topic in (1, 2)],
        )
        for entry in entries:
            places = (entry.offset, entry.topic, entry.topic, entry.event.key)
            connection.execute(ADD_1, (*places, *rows.to_row(entry.event)))
        connection.execute(
            "INSERT INTO progress VALUES (0, ?)", (max(event.clock for event in events),)
        )
    return entries


def read_all(opened: SqliteEventLog) -> list[Entry]:
    found = [
        entry
        for topic in (CONVERSATIONS, DEBATES)
        for entry in opened.read(topic, 0, start_offset=0, limit=1000)
    ]
    return sorted(found, key=lambda entry: entry.offset)


def test_a_log_of_version_1_is_upgraded_with_all_that_is_in_it(
    path: Path, old: list[Entry]
) -> None:
    with SqliteEventLog(path) as opened:
        assert old == read_all(opened)
        for topic in (CONVERSATIONS, DEBATES):
            mine = [entry for entry in old if (topic, "c1") == (entry.topic, entry.event.key)]
            assert sorted(mine, key=order_of) == opened.read_key(topic, "c1")
        assert max(entry.event.clock for entry in old) == opened.greatest_clock()

        again, new = opened.append([(old[7].topic, old[7].event), (CONVERSATIONS, make_event())])
        assert (7, 61) == (again.offset, new.offset)

    with SqliteEventLog(path) as opened:
        assert [*old, new] == read_all(opened)


def test_an_upgrade_that_breaks_off_leaves_the_log_as_it_was(
    path: Path, old: list[Entry], monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking = statements.UPGRADE_1.replace("COMMIT;", "SELECT x FROM nowhere; COMMIT;")
    monkeypatch.setattr(statements, "UPGRADE_1", breaking)
    with pytest.raises(Unavailable, match="nowhere"):
        SqliteEventLog(path)
    monkeypatch.undo()

    with closing(sqlite3.connect(path)) as connection:
        assert (1,) == connection.execute("PRAGMA user_version").fetchone()
    with SqliteEventLog(path) as opened:
        assert old == read_all(opened)


def test_the_old_rows_of_an_upgrade_are_dropped_even_if_it_died_before(
    path: Path, old: list[Entry]
) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(statements.UPGRADE_1)

    with SqliteEventLog(path) as opened:
        assert old == read_all(opened)
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert {("entry",), ("key",), ("topic",), ("progress",)} == set(tables)


# Writing --------------------------------------------------------------------------------


def test_threads_that_wait_share_one_commit(opened: SqliteEventLog, path: Path) -> None:
    opened.append([(CONVERSATIONS, make_event())])
    statements: list[str] = []
    assert opened._writer._connection
    opened._writer._connection.set_trace_callback(statements.append)

    with ThreadPoolExecutor(9) as pool:
        with foreign_turn(path):
            first = pool.submit(opened.append, [(CONVERSATIONS, make_event())])
            wait_until(lambda: opened._writer._turn.locked() and not opened._writer._waiting)
            others = [pool.submit(opened.append, [(CONVERSATIONS, make_event())]) for _ in range(8)]
            wait_until(lambda: len(opened._writer._waiting) == len(others))
        answers = [future.result(PATIENCE_S)[0].offset for future in (first, *others)]

    assert 2 == statements.count("COMMIT")
    assert set(range(1, 10)) == set(answers)


def test_an_interrupt_of_the_leader_does_not_touch_the_others(
    opened: SqliteEventLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted: list[writer.Batch] = []

    def insert(connection: sqlite3.Connection, batch: writer.Batch, start: int) -> int:
        monkeypatch.undo()
        interrupted.append(batch)
        raise KeyboardInterrupt

    def append(event: Event) -> str | None:
        try:
            return opened.append([(CONVERSATIONS, event)])[0].event.event_id
        except KeyboardInterrupt:
            return None

    events = [make_event() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        with opened._writer._turn:
            answers = [pool.submit(append, event) for event in events]
            wait_until(lambda: len(opened._writer._waiting) == len(events))
            monkeypatch.setattr(writer, "_insert", insert)
        written = [future.result(PATIENCE_S) for future in answers]

    assert 1 == len(interrupted)
    assert 1 == written.count(None)
    assert {name for name in written if name} == set(ids_in(opened))


def test_a_lock_of_another_program_is_reported_and_then_forgotten(
    opened: SqliteEventLog, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BUSY_TIMEOUT_S", 0.01)
    opened._writer._disconnect()
    event = make_event()

    with closing(sqlite3.connect(path, isolation_level=None)) as rival:
        rival.execute("BEGIN IMMEDIATE")
        with pytest.raises(LogWriteFailed, match="stop the program"):
            opened.append([(CONVERSATIONS, event)])
        assert [] == ids_in(opened)

    opened.append([(CONVERSATIONS, event)])
    assert [event.event_id] == ids_in(opened)


def test_a_failed_commit_reaches_every_waiting_thread(opened: SqliteEventLog, path: Path) -> None:
    assert opened._writer._connection
    opened._writer._connection.execute("PRAGMA max_page_count = 1")  # as on a full disk
    big = {"content": "x" * 100_000}

    def append(_: int) -> str:
        with pytest.raises(LogWriteFailed, match="free space") as caught:
            opened.append([(CONVERSATIONS, make_event(data=big))])
        return str(caught.value.details["path"])

    with ThreadPoolExecutor(4) as pool:
        with opened._writer._turn:
            answers = [pool.submit(append, number) for number in range(4)]
            wait_until(lambda: len(opened._writer._waiting) == 4)
        assert {str(path)} == {future.result(PATIENCE_S) for future in answers}

    opened.append([(CONVERSATIONS, make_event(data=big))])
    assert 1 == len(ids_in(opened))


def test_a_log_that_has_no_offsets_left_says_so(
    opened: SqliteEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "MAX_OFFSET", 2)
    opened.append([(CONVERSATIONS, make_event()) for _ in range(2)])

    with pytest.raises(LogWriteFailed, match="no offsets left"):
        opened.append([(CONVERSATIONS, make_event()) for _ in range(2)])

    opened.append([(CONVERSATIONS, make_event())])
    assert [0, 1, 2] == [entry.offset for entry in read_all(opened)]


def test_the_greatest_key_and_offset_make_an_id_that_sqlite_can_hold() -> None:
    greatest_key = (1 << 63) // (statements.MAX_OFFSET + 1) - 1

    greatest = statements.make_entry_id(greatest_key, statements.MAX_OFFSET)

    assert 2**63 - 1 == greatest
    assert f"CHECK (id < {greatest_key + 1})" in statements.CREATE


# Waiting --------------------------------------------------------------------------------


def test_an_append_of_this_process_wakes_without_polling(
    opened: SqliteEventLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "POLL_S", 2 * PATIENCE_S)
    seen = opened.end_offsets([CONVERSATIONS])

    with ThreadPoolExecutor(1) as pool:
        woken = pool.submit(opened.wait_for_append, seen, timeout_s=2 * PATIENCE_S)
        wait_until(lambda: bool(opened._appended._waiters))  # type: ignore[attr-defined]
        opened.append([(CONVERSATIONS, make_event())])

        assert woken.result(PATIENCE_S)


def test_closing_waits_for_a_read_under_way(opened: SqliteEventLog) -> None:
    opened.append([(CONVERSATIONS, make_event())])

    with opened._readers.borrow() as connection:
        opened.close()
        assert (1,) == connection.execute("SELECT count(*) FROM entry").fetchone()

    with pytest.raises(sqlite3.ProgrammingError):
        connection.execute("SELECT 1")
