CREATE TABLE message_metrics (
    timestamp TIMESTAMP NOT NULL,
    conversation_id VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    user_id VARCHAR,
    role VARCHAR NOT NULL,
    provider VARCHAR,
    model VARCHAR,
    tokens BIGINT NOT NULL,
    characters BIGINT NOT NULL
);
COMMENT ON TABLE message_metrics IS 'One row a message; timestamp is when it was said, UTC';
