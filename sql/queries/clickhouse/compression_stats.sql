-- name: compression_stats
-- asks: how well, how far and how fast does each strategy compress in a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive)
-- returns: strategy, count, avg_ratio, min_ratio, max_ratio, avg_quality, min_quality, below_minimum, original_tokens, compressed_tokens, by_llm, avg_time_ms, p95_time_ms; by strategy; the row of all of them has the strategy null and comes first
SELECT
    strategy,
    count() AS count,
    avg(ratio) AS avg_ratio,
    min(ratio) AS min_ratio,
    max(ratio) AS max_ratio,
    avg(quality_score) AS avg_quality,
    min(quality_score) AS min_quality,
    countIf(NOT meets_minimum) AS below_minimum,
    sum(compression_metrics.original_tokens) AS original_tokens,
    sum(compression_metrics.compressed_tokens) AS compressed_tokens,
    count(llm_model) AS by_llm,
    avg(duration_ms) AS avg_time_ms,
    quantileExactInclusive(0.95)(duration_ms) AS p95_time_ms
FROM compression_metrics
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
GROUP BY GROUPING SETS ((strategy), ())
ORDER BY strategy NULLS FIRST
