"""Every event log keeps the contract of the port."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helix_lab.adapters.log_by_topic import LogByTopic
from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.model.event import EXCHANGED_TOPICS
from helix_lab.ports.event_log import EventLog
from helix_lab.testing.event_log import ErasingTests, EventLogTests


class TestLogByTopic(ErasingTests, EventLogTests):
    @pytest.fixture
    def open_log(self, tmp_path: Path) -> Callable[[], EventLog]:
        return lambda: LogByTopic(
            SqliteEventLog(tmp_path / "own.sqlite"),
            SqliteEventLog(tmp_path / "other.sqlite"),
            own_topics=EXCHANGED_TOPICS,
        )


class TestSqliteEventLog(ErasingTests, EventLogTests):
    @pytest.fixture
    def open_log(self, tmp_path: Path) -> Callable[[], EventLog]:
        return lambda: SqliteEventLog(tmp_path / "log.sqlite")
