"""The schema of the local copy and every statement that is run on it.

As in the log on SQLite, the row id of an entry is its key's id and its offset in one integer, so
a conversation lies together. A key belongs to one partition; where a topic grew, a foreign
program may have put a key into two of them, which are then two rows of `key`.
"""

from functools import lru_cache

FORMAT_VERSION = 1
"""Of a file that `CREATE` made, as its user_version; a file of another version is made anew."""

_OFFSET_BITS = 34

MAX_OFFSET = 2**_OFFSET_BITS - 1
"""17 billion messages a partition; the other bits are for half a billion keys."""

CREATE = f"""
BEGIN IMMEDIATE;
CREATE TABLE place (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
    next_offset INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, partition));
CREATE TABLE key (
    id INTEGER PRIMARY KEY CHECK (id < {1 << (63 - _OFFSET_BITS)}),
    place INTEGER NOT NULL, name TEXT);
CREATE UNIQUE INDEX key_by_name ON key (name, place);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, place INTEGER NOT NULL, event_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL, node TEXT NOT NULL, subject TEXT NOT NULL,
    time_us INTEGER NOT NULL, clock INTEGER NOT NULL, version INTEGER NOT NULL, data BLOB NOT NULL,
    key INTEGER AS (id >> {_OFFSET_BITS}) VIRTUAL,
    "offset" INTEGER AS (id & {MAX_OFFSET}) VIRTUAL);
CREATE UNIQUE INDEX entry_by_place ON entry (place, "offset");
CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 0), cluster TEXT NOT NULL, greatest_clock INTEGER NOT NULL);
INSERT INTO progress VALUES (0, '', 0);
PRAGMA user_version = {FORMAT_VERSION};
COMMIT;
"""  # noqa: S608 - our own constants

FORGET = """
BEGIN IMMEDIATE;
DELETE FROM entry;
DELETE FROM key;
DELETE FROM place;
UPDATE progress SET greatest_clock = 0;
COMMIT;
"""

READ_CLUSTER = "SELECT cluster FROM progress"
WRITE_CLUSTER = "UPDATE progress SET cluster = ?"

READ_PLACES = "SELECT topic, partition, id, next_offset FROM place"
ADD_PLACE = "INSERT INTO place (topic, partition) VALUES (?, ?) ON CONFLICT DO NOTHING"
MOVE_PLACE = "UPDATE place SET next_offset = max(next_offset, ?) WHERE id = ?"

FIND_KEY = "SELECT id FROM key WHERE name IS ? AND place = ?"
ADD_KEY = "INSERT INTO key (name, place) VALUES (?, ?) RETURNING id"
FIND_KEYS = """
SELECT k.id, p.partition FROM key k JOIN place p ON p.id = k.place
WHERE k.name = ? AND p.topic = ? ORDER BY k.id
"""

MAX_ROWS = 3_000
"""Rows of one `add_entries`; SQLite takes 32,766 values."""


@lru_cache(maxsize=64)
def add_entries(rows: int) -> str:
    """Add so many entries; one whose id is there already changes nothing."""
    values = ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"] * rows)
    return f"""
        INSERT INTO entry (id, place, event_id, type, node, subject, time_us, clock, version, data)
        VALUES {values} ON CONFLICT (event_id) DO NOTHING
    """  # noqa: S608


RAISE_CLOCK = "UPDATE progress SET greatest_clock = max(greatest_clock, ?)"
GREATEST_CLOCK = "SELECT greatest_clock FROM progress"

_COLUMNS = """
e."offset", e.event_id, e.type, e.node, e.subject, e.time_us, e.clock, e.version, e.data
"""

READ_PLACE = f"""
SELECT coalesce(k.name, ''), {_COLUMNS}
FROM entry e INDEXED BY entry_by_place CROSS JOIN key k ON k.id = e.key
WHERE e.place = (SELECT id FROM place WHERE topic = ? AND partition = ?) AND e."offset" >= ?
ORDER BY e."offset" LIMIT ?
"""  # noqa: S608

READ_KEY = f"""
SELECT {_COLUMNS} FROM entry e WHERE e.id BETWEEN ? AND ? ORDER BY e.id LIMIT ?
"""  # noqa: S608

FIND_ENTRY = f"""
SELECT p.topic, p.partition, coalesce(k.name, ''), {_COLUMNS}
FROM entry e JOIN place p ON p.id = e.place JOIN key k ON k.id = e.key WHERE e.event_id = ?
"""  # noqa: S608

MAX_IDS = 5_000
"""Event ids of one `find_places`."""


@lru_cache(maxsize=64)
def find_places(ids: int) -> str:
    """Where so many events are, by their ids."""
    return f"""
        SELECT e.event_id, p.topic, p.partition, e."offset" FROM entry e
        JOIN place p ON p.id = e.place WHERE e.event_id IN ({", ".join("?" * ids)})
    """  # noqa: S608


def make_entry_id(key_id: int, offset: int) -> int:
    """The row id of the entry at an offset; those of one key are neighbours, in their order."""
    return key_id << _OFFSET_BITS | offset
