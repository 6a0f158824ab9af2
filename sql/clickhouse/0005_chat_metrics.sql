CREATE TABLE chat_metrics (
    timestamp DateTime64(6, 'UTC'),
    conversation_id String,
    message_id String,
    provider LowCardinality(String),
    model LowCardinality(String),
    response_time_ms Nullable(Float64),
    ttft_ms Nullable(Float64),
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cost_usd Nullable(Float64),
    error_code Nullable(String)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (toStartOfHour(timestamp), cityHash64(conversation_id))
ORDER BY (toStartOfHour(timestamp), cityHash64(conversation_id), timestamp, message_id)
SAMPLE BY cityHash64(conversation_id)
COMMENT 'One row a request to a provider outside of debates; message_id is the reply, or the question where the request failed'
