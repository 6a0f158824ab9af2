"""A lab whose analytics are on ClickHouse's engine is the same lab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from helix_lab.domain.model.errors import QueryRefused
from helix_lab.lab import open_lab
from helix_lab.settings import read_settings
from tests.flow.labs import catch_up

if TYPE_CHECKING:
    from helix_lab.lab import Lab

COUNT = "SELECT count() AS n FROM message_metrics"


def test_rows_outlive_a_restart_and_a_rebuild(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path, environment={"HELIX_ANALYTICS_URL": "chdb://"})
    with open_lab(settings=settings) as lab:
        lab.start_conversation(conversation_id="c1")
        messages = [{"role": "user", "content": f"message {number}"} for number in range(5)]
        lab.append_messages("c1", messages)
        catch_up(lab)
        assert [[5]] == lab.run_query(COUNT).rows
        assert [5] == [row.message_count for row in lab.get_conversation_trends().daily_stats]
        assert [] == lab.get_provider_performance(window="all").providers
        assert "embedded" == lab.get_health().services["clickhouse"]
        with pytest.raises(QueryRefused):
            lab.run_query("SELECT * FROM file('/etc/passwd', 'LineAsString')")

    with open_lab(settings=settings) as lab:
        catch_up(lab)
        assert [[5]] == lab.run_query(COUNT).rows
        lab.services.projections.rebuild("analytics")
        assert [[5]] == lab.run_query(COUNT).rows
        _check_catalog(lab)


def _check_catalog(lab: Lab) -> None:
    tables = {column.table for column in lab.list_catalog().columns}
    assert {"message_metrics", "chat_metrics", "provider_requests"} <= tables
