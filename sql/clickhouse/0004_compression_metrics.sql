CREATE TABLE compression_metrics (
    timestamp DateTime64(6, 'UTC'),
    compression_id String,
    conversation_id String,
    purpose LowCardinality(String),
    strategy LowCardinality(String),
    original_messages Int64,
    original_tokens Int64,
    compressed_tokens Int64,
    max_tokens Nullable(Int64),
    requested_ratio Float64,
    ratio Float64,
    quality_score Float64,
    meets_minimum Bool,
    preserved_entities Int64,
    duration_ms Float64,
    llm_provider Nullable(String),
    llm_model Nullable(String)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(timestamp)
PRIMARY KEY (toStartOfHour(timestamp), cityHash64(conversation_id))
ORDER BY (toStartOfHour(timestamp), cityHash64(conversation_id), timestamp, compression_id)
SAMPLE BY cityHash64(conversation_id)
COMMENT 'One row a compression that was made anew, not taken from the cache; llm_model is null where the built-in compressor made it'
