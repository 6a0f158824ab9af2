-- name: wins_by_position
-- asks: from which position does each provider and model win the debates of a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive)
-- returns: provider, model, position, wins; by position, wins desc, provider, model
SELECT
    winner_provider AS provider,
    winner_model AS model,
    winner_position AS position,
    count() AS wins
FROM debate_winners
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
    AND winner_provider IS NOT NULL
GROUP BY provider, model, position
ORDER BY position, wins DESC, provider, model
