-- name: confidence_calibration
-- asks: how often do seats win that were so sure of their answers, in the decided debates of a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive)
-- returns: from_confidence (inclusive), seats, wins, avg_confidence (of the mean of each seat); by from_confidence. Ten steps from 0 to 1, the last one holds 1; empty ones are left out, and so are seats that never gave a confidence
WITH decided AS (
    SELECT
        debate_id,
        winner_provider,
        winner_model,
        winner_position
    FROM debate_winners
    WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
        AND winner_provider IS NOT NULL
),

seat AS (
    SELECT
        turn.debate_id,
        turn.seat,
        avg(turn.confidence_score) AS confidence,
        max(
            turn.provider = decided.winner_provider
            AND turn.model = decided.winner_model
            AND coalesce(turn.position = decided.winner_position, false)
        ) AS is_winner
    FROM debate_metrics AS turn
    INNER JOIN decided ON turn.debate_id = decided.debate_id
    WHERE turn.role = 'answer' AND turn.confidence_score IS NOT NULL
    GROUP BY turn.debate_id, turn.seat
)

SELECT
    least(floor(confidence * 10), 9) / 10 AS from_confidence,
    count() AS seats,
    countIf(is_winner) AS wins,
    avg(confidence) AS avg_confidence
FROM seat
GROUP BY from_confidence
ORDER BY from_confidence
