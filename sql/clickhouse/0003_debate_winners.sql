CREATE TABLE debate_winners (
    timestamp DateTime64(6, 'UTC'),
    debate_id String,
    conversation_id String,
    outcome LowCardinality(String),
    winner_provider LowCardinality(Nullable(String)),
    winner_model LowCardinality(Nullable(String)),
    winner_position Nullable(String),
    total_rounds Int32,
    final_confidence Nullable(Float64),
    debate_duration_ms Nullable(Float64)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (toStartOfHour(timestamp), cityHash64(conversation_id))
ORDER BY (toStartOfHour(timestamp), cityHash64(conversation_id), timestamp, debate_id)
SAMPLE BY cityHash64(conversation_id)
COMMENT 'One row a completed debate; the winner is null where there is none (tie, failed, cancelled)'
