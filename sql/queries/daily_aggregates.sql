-- name: daily_aggregates
-- asks: what was said and asked in a window of time, by provider and model
-- params: from_at timestamp (UTC, inclusive), until_at timestamp (UTC, exclusive)
-- returns: provider, model, messages, conversations, tokens, requests, errors, avg_response_time_ms, p95_response_time_ms, cost_usd; by provider, model. Both are empty for what people said
WITH said AS (
    SELECT
        coalesce(provider, '') AS provider,
        coalesce(model, '') AS model,
        count(*) AS messages,
        count(DISTINCT conversation_id) AS conversations,
        CAST(sum(tokens) AS BIGINT) AS tokens
    FROM message_metrics
    WHERE timestamp >= CAST($from_at AS TIMESTAMP) AND timestamp < CAST($until_at AS TIMESTAMP)
    GROUP BY ALL
),
asked AS (
    SELECT
        provider,
        model,
        count(*) AS requests,
        CAST(sum(error_count) AS BIGINT) AS errors,
        -- Threads add in any order; what differs by that is rounded away.
        round(avg(response_time_ms), 6) AS avg_response_time_ms,
        round(quantile_cont(response_time_ms, 0.95), 6) AS p95_response_time_ms,
        round(sum(cost_usd), 9) AS cost_usd
    FROM provider_requests
    WHERE timestamp >= CAST($from_at AS TIMESTAMP) AND timestamp < CAST($until_at AS TIMESTAMP)
    GROUP BY ALL
)
SELECT
    provider,
    model,
    coalesce(messages, 0) AS messages,
    coalesce(conversations, 0) AS conversations,
    coalesce(tokens, 0) AS tokens,
    coalesce(requests, 0) AS requests,
    coalesce(errors, 0) AS errors,
    avg_response_time_ms,
    p95_response_time_ms,
    cost_usd
FROM said
FULL JOIN asked USING (provider, model)
ORDER BY provider, model
