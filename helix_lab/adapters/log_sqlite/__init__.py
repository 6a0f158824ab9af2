"""The event log in one SQLite file: durable, safe in threads and between processes.

`sqlite3 log.sqlite 'SELECT * FROM event LIMIT 5'` shows it to a person. Every topic has one
partition, 0; an offset is the row id, so it grows over the whole log and has gaps in a topic.
"""

from helix_lab.adapters.log_sqlite.log import SqliteEventLog

__all__ = ["SqliteEventLog"]
