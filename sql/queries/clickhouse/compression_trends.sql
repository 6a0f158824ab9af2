-- name: compression_trends
-- asks: how do the ratio and the quality of each strategy develop in a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive), granularity (minute, hour or day)
-- returns: bucket timestamp (UTC), strategy, count, avg_ratio, avg_quality, avg_time_ms; by bucket, strategy
SELECT
    toDateTime64(dateTrunc($granularity, timestamp), 6, 'UTC') AS bucket,
    strategy,
    count() AS count,
    avg(ratio) AS avg_ratio,
    avg(quality_score) AS avg_quality,
    avg(duration_ms) AS avg_time_ms
FROM compression_metrics
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
GROUP BY bucket, strategy
ORDER BY bucket, strategy
