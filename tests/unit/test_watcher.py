"""What is told of a projection that other processes do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.model.errors import Unavailable
from helix_lab.domain.model.event import CONVERSATIONS, Event
from helix_lab.projections import watcher as watching
from helix_lab.projections.conversations import ConversationsProjection
from helix_lab.projections.watcher import Watcher
from helix_lab.records.database import Records


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def open_both(folder: Path, stack: ExitStack) -> tuple[SqliteEventLog, Records]:
    log = SqliteEventLog(folder / "log.sqlite")
    stack.callback(log.close)
    records = Records.embedded(folder / "records.sqlite")
    stack.callback(records.close)
    return log, records


def test_a_projection_stands_still_only_since_it_is_known_to_be_behind(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_STILL_S", 0.0)
    log, records = open_both(tmp_path, stack)
    watcher = Watcher(log, ConversationsProjection(records), records)
    assert 0 == watcher.measure_lag()
    event = Event("e", "x.happened", "n", "key", "s", datetime(2026, 1, 1, tzinfo=UTC), 1, {})
    (entry,) = log.append([(CONVERSATIONS, event)])

    assert 1 == watcher.measure_lag()
    assert not watcher.fault
    assert 1 == watcher.measure_lag()
    assert "helix-lab worker" in watcher.fault

    with records.write() as connection:
        place = (entry.topic, entry.partition)
        records.move_checkpoint(connection, "conversations", {place: entry.offset + 1})
    assert 0 == watcher.measure_lag()
    assert not watcher.fault


def test_a_rebuild_that_no_worker_carries_out_is_given_up_and_told(
    tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "_STILL_S", 0.0)
    log, records = open_both(tmp_path, stack)
    event = Event("e", "x.happened", "n", "key", "s", datetime(2026, 1, 1, tzinfo=UTC), 1, {})
    log.append([(CONVERSATIONS, event)])
    watcher = Watcher(log, ConversationsProjection(records), records)

    with pytest.raises(Unavailable, match=r"stands still.*helix-lab worker"):
        watcher.rebuild(None)
