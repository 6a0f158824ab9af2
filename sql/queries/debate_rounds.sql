-- name: debate_rounds
-- asks: how many rounds do the debates of a window of time take
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive)
-- returns: total_rounds, debates; by total_rounds
SELECT
    total_rounds,
    count(*) AS debates
FROM debate_winners
WHERE (CAST($from_at AS TIMESTAMP) IS NULL OR timestamp >= CAST($from_at AS TIMESTAMP))
    AND timestamp < CAST($until_at AS TIMESTAMP)
GROUP BY total_rounds
ORDER BY total_rounds
