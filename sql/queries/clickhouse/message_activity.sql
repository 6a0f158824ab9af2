-- name: message_activity
-- asks: how many messages were said in each minute, hour or day of a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive), granularity text (minute, hour or day)
-- returns: bucket timestamp (UTC), message_count, model_tokens; by bucket. Buckets without a message are left out
SELECT
    toDateTime64(dateTrunc($granularity, timestamp), 6, 'UTC') AS bucket,
    count() AS message_count,
    sum(tokens) AS model_tokens
FROM message_metrics
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
GROUP BY bucket
ORDER BY bucket
