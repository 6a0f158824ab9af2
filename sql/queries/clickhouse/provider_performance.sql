-- name: provider_performance
-- asks: how does each provider and model answer, in chats and in debates, in a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive), provider text or null
-- returns: provider, model, total_requests, success_rate, avg_response_time_ms, p50_response_time_ms, p95_response_time_ms, p99_response_time_ms, avg_confidence, total_tokens, total_cost_usd, debates, wins, win_rate; by total_requests desc, provider, model
WITH turn AS (
    SELECT
        debate_id,
        provider,
        model,
        role,
        response_time_ms,
        tokens_used,
        confidence_score,
        cost_usd,
        error_count
    FROM provider_requests
    WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
        AND ($provider IS NULL OR provider = $provider)
),

measure AS (
    SELECT
        provider,
        model,
        count() AS total_requests,
        avg(CASE WHEN error_count = 0 THEN 1.0 ELSE 0.0 END) AS success_rate,
        avg(response_time_ms) AS avg_response_time_ms,
        quantileExactInclusive(0.50)(response_time_ms) AS p50_response_time_ms,
        quantileExactInclusive(0.95)(response_time_ms) AS p95_response_time_ms,
        quantileExactInclusive(0.99)(response_time_ms) AS p99_response_time_ms,
        avg(confidence_score) AS avg_confidence,
        sum(tokens_used) AS total_tokens,
        sum(cost_usd) AS total_cost_usd
    FROM turn
    GROUP BY provider, model
),

seat AS (
    SELECT DISTINCT
        debate_id,
        provider,
        model
    FROM turn
    WHERE role = 'answer'
),

standing AS (
    SELECT
        seat.provider AS provider,
        seat.model AS model,
        count() AS debates,
        countIf(
            seat.provider = winner.winner_provider AND seat.model = winner.winner_model
        ) AS wins
    FROM seat
    INNER JOIN debate_winners AS winner ON seat.debate_id = winner.debate_id
    WHERE winner.outcome IN ('decided', 'tie')
    GROUP BY seat.provider, seat.model
)

SELECT
    measure.provider AS provider,
    measure.model AS model,
    measure.total_requests AS total_requests,
    measure.success_rate AS success_rate,
    measure.avg_response_time_ms AS avg_response_time_ms,
    measure.p50_response_time_ms AS p50_response_time_ms,
    measure.p95_response_time_ms AS p95_response_time_ms,
    measure.p99_response_time_ms AS p99_response_time_ms,
    measure.avg_confidence AS avg_confidence,
    measure.total_tokens AS total_tokens,
    measure.total_cost_usd AS total_cost_usd,
    coalesce(standing.debates, 0) AS debates,
    coalesce(standing.wins, 0) AS wins,
    standing.wins / standing.debates AS win_rate
FROM measure
LEFT JOIN standing ON measure.provider = standing.provider AND measure.model = standing.model
ORDER BY total_requests DESC, provider, model
