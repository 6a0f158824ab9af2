-- name: provider_totals
-- asks: how does one provider answer in a window of time, over all of its models
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive), provider text
-- returns: total_requests, error_rate, avg_response_time_ms, p50_response_time_ms, p95_response_time_ms, p99_response_time_ms, avg_confidence, total_tokens, avg_tokens_per_request, total_cost_usd, unpriced_requests; one row
SELECT
    count() AS total_requests,
    avg(CASE WHEN error_count = 0 THEN 0.0 ELSE 1.0 END) AS error_rate,
    avg(response_time_ms) AS avg_response_time_ms,
    quantileExactInclusive(0.50)(response_time_ms) AS p50_response_time_ms,
    quantileExactInclusive(0.95)(response_time_ms) AS p95_response_time_ms,
    quantileExactInclusive(0.99)(response_time_ms) AS p99_response_time_ms,
    avg(confidence_score) AS avg_confidence,
    sum(tokens_used) AS total_tokens,
    avg(tokens_used) AS avg_tokens_per_request,
    sum(cost_usd) AS total_cost_usd,
    countIf(cost_usd IS NULL) AS unpriced_requests
FROM provider_requests
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
    AND provider = $provider
