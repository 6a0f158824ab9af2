-- name: debate_winners
-- asks: which provider and model win debates, and from which position
-- params: max_rows int, position text or null
-- returns: provider, model, position, wins, percentage (of all debates that have a winner, from that position where one is asked for), avg_confidence; by wins desc, provider, model. Position is null unless one is asked for
WITH win AS (
    SELECT
        winner_provider AS provider,
        winner_model AS model,
        CAST($position AS Nullable(String)) AS position,
        final_confidence
    FROM debate_winners
    WHERE winner_provider IS NOT NULL
        AND ($position IS NULL OR winner_position = $position)
)

SELECT
    provider,
    model,
    any(win.position) AS position,
    count() AS wins,
    100.0 * count() / sum(count()) OVER () AS percentage,
    avg(final_confidence) AS avg_confidence
FROM win
GROUP BY provider, model
ORDER BY wins DESC, provider, model
LIMIT $max_rows
