-- The lake as tables of Trino, for a catalog `lake` of its Hive connector on the bucket of MINIO_BUCKET.
-- Run the last call again after days were added: Hive's tables do not find partitions by themselves.
CREATE SCHEMA IF NOT EXISTS lake.helixagent;

CREATE TABLE IF NOT EXISTS lake.helixagent.conversations (
    conversation_id VARCHAR,
    message_id VARCHAR,
    "position" INTEGER,
    role VARCHAR,
    content VARCHAR,
    created_at TIMESTAMP(6),
    user_id VARCHAR,
    title VARCHAR,
    provider VARCHAR,
    model VARCHAR,
    tokens BIGINT,
    latency_ms DOUBLE,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cost_usd DOUBLE,
    parent_id VARCHAR,
    name VARCHAR,
    metadata VARCHAR,
    event VARCHAR,
    year INTEGER,
    month INTEGER,
    day INTEGER
)
WITH (
    format = 'PARQUET',
    external_location = 's3://helixagent-datalake/conversations',
    partitioned_by = ARRAY['year', 'month', 'day']
);

CREATE TABLE IF NOT EXISTS lake.helixagent.entities (
    entity_id VARCHAR,
    entity_name VARCHAR,
    entity_type VARCHAR,
    conversation_id VARCHAR,
    mention_count BIGINT,
    confidence DOUBLE,
    first_seen TIMESTAMP(6),
    last_seen TIMESTAMP(6),
    snapshot_at TIMESTAMP(6),
    year INTEGER,
    month INTEGER,
    day INTEGER
)
WITH (format = 'PARQUET', external_location = 's3://helixagent-datalake/entities');

CALL lake.system.sync_partition_metadata('helixagent', 'conversations', 'FULL');
