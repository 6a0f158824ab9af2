CREATE TABLE compression_metrics (
    timestamp TIMESTAMP NOT NULL,
    compression_id VARCHAR NOT NULL,
    conversation_id VARCHAR NOT NULL,
    purpose VARCHAR NOT NULL,
    strategy VARCHAR NOT NULL,
    original_messages BIGINT NOT NULL,
    original_tokens BIGINT NOT NULL,
    compressed_tokens BIGINT NOT NULL,
    max_tokens BIGINT,
    requested_ratio DOUBLE NOT NULL,
    ratio DOUBLE NOT NULL,
    quality_score DOUBLE NOT NULL,
    meets_minimum BOOLEAN NOT NULL,
    preserved_entities BIGINT NOT NULL,
    duration_ms DOUBLE NOT NULL,
    llm_provider VARCHAR,
    llm_model VARCHAR
);
COMMENT ON TABLE compression_metrics IS 'One row a compression that was made anew, not taken from the cache; llm_model is null where the built-in compressor made it';
