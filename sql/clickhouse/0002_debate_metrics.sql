CREATE TABLE debate_metrics (
    timestamp DateTime64(6, 'UTC'),
    debate_id String,
    conversation_id String,
    round Int32,
    role LowCardinality(String),
    seat String,
    position String,
    provider LowCardinality(String),
    model LowCardinality(String),
    response_time_ms Nullable(Float64),
    tokens_used Nullable(Int64),
    confidence_score Nullable(Float64),
    cost_usd Nullable(Float64),
    error_count Int32
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (toStartOfHour(timestamp), cityHash64(conversation_id))
ORDER BY (toStartOfHour(timestamp), cityHash64(conversation_id), timestamp, debate_id, round, role, seat)
SAMPLE BY cityHash64(conversation_id)
COMMENT 'One row a turn of a debate; role is answer, vote or judge; unknown measures are null'
