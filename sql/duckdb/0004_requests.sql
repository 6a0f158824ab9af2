CREATE TABLE chat_metrics (
    timestamp TIMESTAMP NOT NULL,
    conversation_id VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    provider VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    response_time_ms DOUBLE,
    ttft_ms DOUBLE,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cost_usd DOUBLE,
    error_code VARCHAR
);
COMMENT ON TABLE chat_metrics IS 'One row a request to a provider outside of debates; message_id is the reply, or the question where the request failed';
CREATE VIEW provider_requests AS
SELECT
    timestamp,
    'debate' AS source,
    conversation_id,
    debate_id,
    role,
    provider,
    model,
    response_time_ms,
    tokens_used,
    confidence_score,
    cost_usd,
    error_count
FROM debate_metrics
UNION ALL
SELECT
    timestamp,
    'chat' AS source,
    conversation_id,
    NULL AS debate_id,
    'chat' AS role,
    provider,
    model,
    response_time_ms,
    CASE
        WHEN input_tokens IS NULL AND output_tokens IS NULL THEN NULL
        ELSE coalesce(input_tokens, 0) + coalesce(output_tokens, 0)
    END AS tokens_used,
    NULL AS confidence_score,
    cost_usd,
    CASE WHEN error_code IS NULL THEN 0 ELSE 1 END AS error_count
FROM chat_metrics;
COMMENT ON VIEW provider_requests IS 'Every request to a provider: the turns of debates and the replies of chats';
