-- name: debate_rounds
-- asks: how many rounds do the debates of a window of time take
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive)
-- returns: total_rounds, debates; by total_rounds
SELECT
    total_rounds,
    count() AS debates
FROM debate_winners
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
GROUP BY total_rounds
ORDER BY total_rounds
