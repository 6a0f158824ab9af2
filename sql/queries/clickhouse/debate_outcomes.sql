-- name: debate_outcomes
-- asks: how do the debates of a window of time end
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive)
-- returns: outcome, debates, avg_rounds, avg_duration_ms, avg_confidence; by debates desc, outcome
SELECT
    outcome,
    count() AS debates,
    avg(total_rounds) AS avg_rounds,
    avg(debate_duration_ms) AS avg_duration_ms,
    avg(final_confidence) AS avg_confidence
FROM debate_winners
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
GROUP BY outcome
ORDER BY debates DESC, outcome
