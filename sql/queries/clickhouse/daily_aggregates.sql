-- name: daily_aggregates
-- asks: what was said and asked in a window of time, by provider and model
-- params: from_at timestamp (UTC, inclusive), until_at timestamp (UTC, exclusive)
-- returns: provider, model, messages, conversations, tokens, requests, errors, avg_response_time_ms, p95_response_time_ms, cost_usd; by provider, model. Both are empty for what people said
WITH said AS (
    SELECT
        coalesce(message_metrics.provider, '') AS provider,
        coalesce(message_metrics.model, '') AS model,
        count() AS messages,
        uniqExact(conversation_id) AS conversations,
        sum(message_metrics.tokens) AS tokens
    FROM message_metrics
    WHERE timestamp >= $from_at AND timestamp < $until_at
    GROUP BY provider, model
),

asked AS (
    SELECT
        provider,
        model,
        count() AS requests,
        sum(error_count) AS errors,
        -- Threads add in any order; what differs by that is rounded away.
        round(avg(response_time_ms), 6) AS avg_response_time_ms,
        round(quantileExactInclusive(0.95)(response_time_ms), 6) AS p95_response_time_ms,
        round(sum(provider_requests.cost_usd), 9) AS cost_usd
    FROM provider_requests
    WHERE timestamp >= $from_at AND timestamp < $until_at
    GROUP BY provider, model
)

SELECT
    coalesce(said.provider, asked.provider) AS provider,
    coalesce(said.model, asked.model) AS model,
    coalesce(said.messages, 0) AS messages,
    coalesce(said.conversations, 0) AS conversations,
    coalesce(said.tokens, 0) AS tokens,
    coalesce(asked.requests, 0) AS requests,
    coalesce(asked.errors, 0) AS errors,
    asked.avg_response_time_ms AS avg_response_time_ms,
    asked.p95_response_time_ms AS p95_response_time_ms,
    asked.cost_usd AS cost_usd
FROM said
FULL JOIN asked ON said.provider = asked.provider AND said.model = asked.model
ORDER BY provider, model
