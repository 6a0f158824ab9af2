"""Full-text search of memories: FTS5 on SQLite, `tsvector` on PostgreSQL, the same answers.

Both are given words that were split and folded here, so neither has a say in what a word is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from helix_lab.records.tables import MEMORY

_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
MANY = 1000
"""Matches from which on it is cheaper to look for them in the order of the list."""

MAX_WORD = 100
"""Characters of a word that count; PostgreSQL takes 2,046 bytes."""

_CREATE = {
    "sqlite": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS memory_words USING fts5("
        "words, prefix = '2 3 4', tokenize = \"unicode61 remove_diacritics 0\")",
    ),
    "postgresql": (
        "CREATE TABLE IF NOT EXISTS memory_words (change bigint PRIMARY KEY, words tsvector)",
        "CREATE INDEX IF NOT EXISTS memory_words_by_word ON memory_words USING gin (words)",
    ),
}
_ADD = {
    "sqlite": "INSERT INTO memory_words (rowid, words) VALUES (:change, :words)",
    "postgresql": (
        "INSERT INTO memory_words (change, words) "
        "VALUES (:change, array_to_tsvector(string_to_array(:words, ' ')))"
    ),
}
_REMOVE = {
    "sqlite": "DELETE FROM memory_words WHERE rowid = :change",
    "postgresql": "DELETE FROM memory_words WHERE change = :change",
}
_FIND = {
    "sqlite": "memory.change IN (SELECT rowid FROM memory_words WHERE memory_words MATCH :words)",
    "postgresql": (
        "memory.change IN (SELECT m.change FROM memory_words m "
        "WHERE m.words @@ CAST(:words AS tsquery))"
    ),
}


def split_words(text: str) -> list[str]:
    """The words of a text, folded; a sign of Chinese, Japanese or Korean is a word by itself."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return [word[:MAX_WORD] for word in _WORD.findall(unicodedata.normalize("NFKC", folded))]


def create_words(connection: sa.Connection) -> None:
    """Make the index if it is not there."""
    for statement in _CREATE[connection.dialect.name]:
        connection.execute(sa.text(statement))


def drop_words(connection: sa.Connection) -> None:
    """Drop the index."""
    connection.execute(sa.text("DROP TABLE IF EXISTS memory_words"))


def clear_words(connection: sa.Connection) -> None:
    """Empty the index; FTS5 keeps words of deleted rows for a while, but not of a dropped table."""
    if connection.dialect.name == "sqlite":
        drop_words(connection)
        create_words(connection)
    else:
        connection.execute(sa.text("DELETE FROM memory_words"))


def replace_words(connection: sa.Connection, *, old: Sequence[int], new: Mapping[int, str]) -> None:
    """Forget the texts of some changes, and take in those of others."""
    name = connection.dialect.name
    if old:
        connection.execute(sa.text(_REMOVE[name]), [{"change": change} for change in old])
    if new:
        rows = [
            {"change": change, "words": " ".join(dict.fromkeys(split_words(text)))}
            for change, text in new.items()
        ]
        connection.execute(sa.text(_ADD[name]), rows)


def match(dialect: sa.Dialect, query: str) -> sa.ColumnElement[bool]:
    """The condition that a memory holds all words of a query; `word*` is the beginning of one."""
    words = _to_expression(dialect, query)
    if not words:
        return sa.false()
    return sa.text(_FIND[dialect.name]).bindparams(words=words)  # type: ignore[return-value]


def find_alive(connection: sa.Connection, query: str) -> sa.ColumnElement[bool]:
    """The condition that a memory is not deleted, said so that the search is planned well.

    SQLite would walk through all memories in their order, which is right for words that many of
    them hold; for rare ones the plus keeps it from that, and it begins with those that match.
    """
    words = _to_expression(connection.dialect, query)
    if connection.dialect.name != "sqlite" or not words:
        return MEMORY.c.is_alive
    statement = sa.text(
        "SELECT count(*) FROM (SELECT 1 FROM memory_words WHERE memory_words MATCH :words "
        "LIMIT :limit)"
    )
    found = connection.execute(statement, {"words": words, "limit": MANY}).scalar_one()
    return MEMORY.c.is_alive if found >= MANY else sa.text("+memory.is_alive")  # type: ignore[return-value]


def _to_expression(dialect: sa.Dialect, query: str) -> str:
    terms = [term for text in query.split() for term in _to_terms(text)]
    if dialect.name == "sqlite":
        return " AND ".join(f'"{word}"{"*" * is_prefix}' for word, is_prefix in terms)
    return " & ".join(f"'{word}'{':*' * is_prefix}" for word, is_prefix in terms)


def _to_terms(text: str) -> list[tuple[str, bool]]:
    words = split_words(text)
    is_prefix = text.endswith("*")
    return [(word, is_prefix and word is words[-1]) for word in words]
