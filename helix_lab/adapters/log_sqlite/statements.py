"""The schema of the log file and every statement that is run on it."""

from functools import cache

FORMAT_VERSION = 1
"""Of a file that `CREATE` made, as its user_version."""

CREATE = """
BEGIN IMMEDIATE;
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
INSERT INTO progress VALUES (0, 0);
CREATE VIEW event AS
    SELECT e."offset", t.name AS topic, k.name AS key, e.event_id, e.type, e.node, e.subject,
           datetime(e.time_us / 1000000, 'unixepoch') AS time, e.clock, e.version, e.data
    FROM entry e JOIN topic t ON t.id = e.topic JOIN key k ON k.id = e.key;
PRAGMA user_version = 1;
COMMIT;
"""
"""An index ends with the row id, so both give entries in the order of their offsets."""

ADD_TOPIC = "INSERT INTO topic (name) VALUES (?) ON CONFLICT DO NOTHING"

ADD_KEY = """
INSERT INTO key (topic, name) VALUES ((SELECT id FROM topic WHERE name = ?), ?)
ON CONFLICT DO NOTHING
"""

MAX_ROWS = 64
"""Rows of one insert."""

_ADD_ENTRIES = """
INSERT INTO entry ("offset", topic, key,
    event_id, type, node, subject, time_us, clock, version, data)
VALUES {rows}
ON CONFLICT (event_id) DO NOTHING
"""

_ROW = """(?{0}, (SELECT id FROM topic WHERE name = ?{1}),
    (SELECT id FROM key WHERE topic = (SELECT id FROM topic WHERE name = ?{1}) AND name = ?{2}),
    ?{3}, ?{4}, ?{5}, ?{6}, ?{7}, ?{8}, ?{9}, ?{10})"""

_PARAMETERS = 11


@cache
def add_entries(rows: int) -> str:
    """The insert of so many rows; its parameters are those of the rows, one after the other."""
    places = [range(1 + _PARAMETERS * row, 1 + _PARAMETERS * (row + 1)) for row in range(rows)]
    return _ADD_ENTRIES.format(rows=",\n".join(_ROW.format(*place) for place in places))


RAISE_CLOCK = """
UPDATE progress SET greatest_clock = max(
    greatest_clock, (SELECT coalesce(max(clock), 0) FROM entry WHERE "offset" >= ?))
"""

# In the three below, the blob spares a decoding to str that the JSON decoder would undo.

FIND_ENTRY = """
SELECT t.name, k.name, e."offset", e.event_id, e.type, e.node, e.subject, e.time_us, e.clock,
    e.version, CAST(e.data AS BLOB)
FROM entry e JOIN topic t ON t.id = e.topic JOIN key k ON k.id = e.key WHERE e.event_id = ?
"""

READ_TOPIC = """
SELECT k.name, e."offset", e.event_id, e.type, e.node, e.subject, e.time_us, e.clock,
    e.version, CAST(e.data AS BLOB)
FROM entry e CROSS JOIN key k ON k.id = e.key
WHERE e.topic = (SELECT id FROM topic WHERE name = ?) AND e."offset" >= ?
ORDER BY e."offset" LIMIT ?
"""

READ_KEY = """
SELECT e."offset", e.event_id, e.type, e.node, e.subject, e.time_us, e.clock,
    e.version, CAST(e.data AS BLOB)
FROM entry e
WHERE e.key = (
    SELECT id FROM key WHERE topic = (SELECT id FROM topic WHERE name = ?) AND name = ?)
    AND e."offset" >= ?
ORDER BY e."offset" LIMIT ?
"""

NEXT_OFFSET = 'SELECT coalesce(max("offset") + 1, 0) FROM entry'

END_OFFSET = """
SELECT coalesce(max("offset") + 1, 0) FROM entry
WHERE topic = (SELECT id FROM topic WHERE name = ?)
"""

GREATEST_CLOCK = "SELECT greatest_clock FROM progress"
