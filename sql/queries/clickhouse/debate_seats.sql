-- name: debate_seats
-- asks: how did each seat of one debate do
-- params: debate_id text
-- returns: seat, position, provider, model, turns, failed_turns, avg_response_time_ms, total_tokens, avg_confidence, cost_usd; by seat, position, provider, model. Judges and voters are not seats
SELECT
    seat,
    position,
    provider,
    model,
    count() AS turns,
    sum(error_count) AS failed_turns,
    avg(response_time_ms) AS avg_response_time_ms,
    sum(tokens_used) AS total_tokens,
    avg(confidence_score) AS avg_confidence,
    sum(debate_metrics.cost_usd) AS cost_usd
FROM debate_metrics
WHERE debate_id = $debate_id AND role = 'answer'
GROUP BY seat, position, provider, model
ORDER BY seat, position, provider, model
