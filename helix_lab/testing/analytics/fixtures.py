"""The storage that the tests of an analytics store run on, and rows to put there."""

from __future__ import annotations

import abc
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from helix_lab.domain.model.event import CONVERSATIONS, DEBATES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from helix_lab.ports.analytics import AnalyticsStore

PATIENCE_S = 20.0
"""How long a test waits for what should come soon; only a failing test waits that long."""

NOON = datetime(2026, 3, 1, 12)  # noqa: DTZ001 - stores keep UTC without a zone
TABLE = "message_metrics"
CHATS = (CONVERSATIONS, 0)
TALKS = (DEBATES, 0)

_COLUMNS = pa.schema(
    [
        ("timestamp", pa.timestamp("us")),
        ("conversation_id", pa.string()),
        ("message_id", pa.string()),
        ("user_id", pa.string()),
        ("role", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("tokens", pa.int64()),
        ("characters", pa.int64()),
    ]
)


class AnalyticsFixtures(abc.ABC):
    """What a test of an analytics store is given."""

    @pytest.fixture
    @abc.abstractmethod
    def open_store(self) -> Callable[[], AnalyticsStore]:
        """Opens the storage of this test with the tables of `sql/`, empty at first.

        It is opened again only after it was closed.
        """

    @pytest.fixture
    def store(self, open_store: Callable[[], AnalyticsStore]) -> Iterator[AnalyticsStore]:
        """The open storage of this test."""
        store = open_store()
        try:
            yield store
        finally:
            store.close()

    @pytest.fixture
    def filled(self, store: AnalyticsStore) -> AnalyticsStore:
        """The store with ten messages of 0 to 9 tokens, and a checkpoint."""
        store.write("p", {TABLE: make_rows(10)}, checkpoint={CHATS: 10})
        return store


def make_rows(count: int, *, start: int = 0, **same: Any) -> pa.Table:
    """Rows of messages, numbered from `start`; `same` gives columns one value for all rows."""
    rows = [
        {
            "timestamp": NOON + timedelta(seconds=number),
            "conversation_id": f"c{number % 3}",
            "message_id": f"m{number}",
            "user_id": None,
            "role": "user",
            "provider": None,
            "model": None,
            "tokens": number,
            "characters": 4 * number,
            **same,
        }
        for number in range(start, start + count)
    ]
    return pa.Table.from_pylist(rows, schema=_COLUMNS)


def count_rows(store: AnalyticsStore) -> int:
    """How many messages the store has."""
    (row,) = store.ask(f"SELECT count(*) AS n FROM {TABLE}", {}).to_pylist()  # noqa: S608 - our own name
    return int(row["n"])


def read_tokens(store: AnalyticsStore) -> list[int]:
    """The tokens of all messages, in order."""
    rows = store.ask(f"SELECT tokens FROM {TABLE} ORDER BY tokens", {}).to_pylist()  # noqa: S608 - our own name
    return [row["tokens"] for row in rows]


def ask_user(store: AnalyticsStore, sql: str, parameters: Any = None, **limits: Any) -> Any:
    """Run a user's statement within limits that are wide unless given."""
    return store.query(
        sql,
        {} if parameters is None else parameters,
        **{"max_rows": 1000, "timeout_s": PATIENCE_S, **limits},
    )
