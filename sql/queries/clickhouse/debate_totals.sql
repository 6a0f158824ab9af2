-- name: debate_totals
-- asks: what did one debate take
-- params: debate_id text
-- returns: turns, failed_turns, rounds, avg_response_time_ms, max_response_time_ms, total_tokens, cost_usd, unpriced_turns; one row
SELECT
    count() AS turns,
    coalesce(sum(error_count), 0) AS failed_turns,
    coalesce(max(round), 0) AS rounds,
    avg(response_time_ms) AS avg_response_time_ms,
    max(response_time_ms) AS max_response_time_ms,
    sum(tokens_used) AS total_tokens,
    sum(debate_metrics.cost_usd) AS cost_usd,
    countIf(debate_metrics.cost_usd IS NULL) AS unpriced_turns
FROM debate_metrics
WHERE debate_id = $debate_id
