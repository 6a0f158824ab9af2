CREATE TABLE message_metrics (
    timestamp DateTime64(6, 'UTC'),
    conversation_id String,
    message_id String,
    user_id Nullable(String),
    role LowCardinality(String),
    provider LowCardinality(Nullable(String)),
    model LowCardinality(Nullable(String)),
    tokens Int64,
    characters Int64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (toStartOfHour(timestamp), cityHash64(conversation_id))
ORDER BY (toStartOfHour(timestamp), cityHash64(conversation_id), timestamp, message_id)
SAMPLE BY cityHash64(conversation_id)
COMMENT 'One row a message; timestamp is when it was said, UTC'
