"""How each part of the system does: what was counted, and what only a question can tell."""

from __future__ import annotations

from helix_lab.lab import Lab
from tests.flow.labs import catch_up, say


def test_each_part_is_probed_and_counted(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    lab.append_messages("c", [say("Docker runs on Kubernetes"), say("Redis, too")])
    lab.create_memory(content="User prefers OAuth2")
    catch_up(lab)
    before = lab.get_bigdata_status()
    lab.get_activity()
    after = lab.get_bigdata_status()

    assert "healthy" == before.status
    log = before.kafka_streams
    assert ("embedded", 0, 0) == (log.status, log.lag_ms, log.lag_events)
    assert (len(lab.list_topics().topics), 6) == (log.topics, log.consumer_groups)
    memory = before.distributed_memory
    assert ("alone", 1, 0) == (memory.status, memory.nodes, memory.conflicts_last_hour)
    graph, stats = before.knowledge_graph, lab.get_graph_stats()
    assert (stats.entities, stats.related_to + stats.co_occurs_with) == (
        graph.entity_count,
        graph.relationship_count,
    )
    assert stats.entities >= 3
    assert 2 / 3600 == graph.update_rate_per_sec
    assert "embedded" == before.analytics.status == lab.get_health().services["clickhouse"]
    assert 2 == before.analytics.data_points_last_hour
    assert before.analytics.clickhouse_query_avg_ms is None
    assert after.analytics.clickhouse_query_avg_ms is not None
    assert after.analytics.clickhouse_query_avg_ms > 0
    assert ("embedded", 0, 0) == (
        before.data_lake.status,
        before.data_lake.parquet_files,
        before.data_lake.total_size_gb,
    )
    assert ("learning", 0) == (before.learning.status, before.learning.insights_generated_today)
