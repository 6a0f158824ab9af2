CREATE VIEW provider_requests AS
SELECT
    timestamp,
    'debate' AS source,
    conversation_id,
    toNullable(debate_id) AS debate_id,
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
    if(error_code IS NULL, 0, 1) AS error_count
FROM chat_metrics
COMMENT 'Every request to a provider: the turns of debates and the replies of chats'
