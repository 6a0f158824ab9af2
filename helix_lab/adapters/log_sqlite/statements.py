"""The schema of the log file and every statement that is run on it.

The row id of an entry is its key's id and its offset in one integer, see `make_entry_id`. So the
table itself keeps a conversation together, and replay reads a few neighbouring pages, not a page
for each message. The index `entry_by_topic` gives the order of the offsets back.
"""

from functools import cache

FORMAT_VERSION = 2
"""Of a file that `CREATE` made, as its user_version. `UPGRADE_1` makes it of version 1."""

_OFFSET_BITS = 34

MAX_OFFSET = 2**_OFFSET_BITS - 1
"""17 billion events, some terabytes; the other bits are for half a billion keys."""

_CREATE_ENTRY = f"""
CREATE TABLE entry (
    id INTEGER PRIMARY KEY, topic INTEGER NOT NULL, event_id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL, node TEXT NOT NULL, subject TEXT NOT NULL,
    time_us INTEGER NOT NULL, clock INTEGER NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL,
    key INTEGER AS (id >> {_OFFSET_BITS}) VIRTUAL,
    "offset" INTEGER AS (id & {MAX_OFFSET}) VIRTUAL);
CREATE UNIQUE INDEX entry_by_topic ON entry (topic, "offset");
"""

_CREATE_EVENT = """
CREATE VIEW event AS
    SELECT e."offset", t.name AS topic, k.name AS key, e.event_id, e.type, e.node, e.subject,
           datetime(e.time_us / 1000000, 'unixepoch') AS time, e.clock, e.version, e.data
    FROM entry e JOIN topic t ON t.id = e.topic JOIN key k ON k.id = e.key;
"""

CREATE = f"""
BEGIN IMMEDIATE;
CREATE TABLE topic (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE key (
    id INTEGER PRIMARY KEY CHECK (id < {1 << (63 - _OFFSET_BITS)}),
    topic INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (topic, name));
{_CREATE_ENTRY}
CREATE TABLE progress (id INTEGER PRIMARY KEY CHECK (id = 0), greatest_clock INTEGER NOT NULL);
INSERT INTO progress VALUES (0, 0);
{_CREATE_EVENT}
PRAGMA user_version = {FORMAT_VERSION};
COMMIT;
"""  # noqa: S608 - our own constants

UPGRADE_1 = f"""
BEGIN IMMEDIATE;
DROP VIEW event;
DROP INDEX entry_by_topic;
ALTER TABLE entry RENAME TO entry_1;
{_CREATE_ENTRY}
INSERT OR ROLLBACK INTO entry
    SELECT key << {_OFFSET_BITS} | "offset", topic, event_id, type, node, subject, time_us, clock,
        version, data
    FROM entry_1 INDEXED BY entry_by_key ORDER BY key, "offset";
{_CREATE_EVENT}
PRAGMA user_version = {FORMAT_VERSION};
COMMIT;
"""  # noqa: S608 - our own constants
"""In one transaction, and in little memory: by the old index without sorting, and without OR
ROLLBACK SQLite would keep in memory what an error had to restore. `DROP_1` frees the old rows."""

DROP_1 = "DROP TABLE IF EXISTS entry_1"

ADD_TOPIC = "INSERT INTO topic (name) VALUES (?) ON CONFLICT DO NOTHING"

ADD_KEY = """
INSERT INTO key (topic, name) VALUES ((SELECT id FROM topic WHERE name = ?), ?)
ON CONFLICT DO NOTHING
"""

FIND_KEY = """
SELECT topic, id FROM key WHERE topic = (SELECT id FROM topic WHERE name = ?) AND name = ?
"""

MAX_KEYS = 500
"""Keys of one `find_keys`."""


@cache
def find_keys(keys: int) -> str:
    """Name, topic and id of so many keys of a topic, by its name and theirs."""
    return f"""
        SELECT name, topic, id FROM key
        WHERE topic = (SELECT id FROM topic WHERE name = ?) AND name IN ({", ".join("?" * keys)})
    """  # noqa: S608 - our own text


MAX_ROWS = 64
"""Rows of one insert."""

_ADD_ENTRIES = """
INSERT INTO entry (id, topic, event_id, type, node, subject, time_us, clock, version, data)
VALUES {rows}
ON CONFLICT (event_id) DO NOTHING
"""

_ROW = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def make_entry_id(key_id: int, offset: int) -> int:
    """The row id of the entry at an offset; those of one key are neighbours, in their order."""
    return key_id << _OFFSET_BITS | offset


@cache
def add_entries(rows: int) -> str:
    """The insert of so many rows; its parameters are those of the rows, one after the other."""
    return _ADD_ENTRIES.format(rows=", ".join([_ROW] * rows))


RAISE_CLOCK = "UPDATE progress SET greatest_clock = max(greatest_clock, ?)"

# In the three below, the blob spares a decoding to str that the JSON decoder would undo.

FIND_ENTRY = """
SELECT t.name, k.name, e."offset", e.event_id, e.type, e.node, e.subject, e.time_us, e.clock,
    e.version, CAST(e.data AS BLOB)
FROM entry e JOIN topic t ON t.id = e.topic JOIN key k ON k.id = e.key WHERE e.event_id = ?
"""

READ_TOPIC = """
SELECT k.name, e."offset", e.event_id, e.type, e.node, e.subject, e.time_us, e.clock,
    e.version, CAST(e.data AS BLOB)
FROM entry e INDEXED BY entry_by_topic CROSS JOIN key k ON k.id = e.key
WHERE e.topic = (SELECT id FROM topic WHERE name = ?) AND e."offset" >= ?
ORDER BY e."offset" LIMIT ?
"""

READ_KEY = """
SELECT e."offset", e.event_id, e.type, e.node, e.subject, e.time_us, e.clock,
    e.version, CAST(e.data AS BLOB)
FROM entry e WHERE e.id BETWEEN ? AND ? ORDER BY e.id LIMIT ?
"""

NEXT_OFFSET = """
SELECT coalesce(max((SELECT max("offset") FROM entry WHERE topic = t.id)) + 1, 0) FROM topic t
"""

END_OFFSET = """
SELECT coalesce(max("offset") + 1, 0) FROM entry
WHERE topic = (SELECT id FROM topic WHERE name = ?)
"""

GREATEST_CLOCK = "SELECT greatest_clock FROM progress"

REMOVE_ENTRY = "DELETE FROM entry WHERE event_id = ?"

REPLACE_DATA = "UPDATE entry SET time_us = ?, clock = ?, version = ?, data = ? WHERE event_id = ?"

REMOVE_KEYS = f"""
DELETE FROM key WHERE NOT EXISTS (
    SELECT 1 FROM entry
    WHERE entry.id BETWEEN key.id << {_OFFSET_BITS} AND key.id << {_OFFSET_BITS} | {MAX_OFFSET})
"""  # noqa: S608 - our own numbers
"""A key is the id of a conversation, which may name a person."""
