-- name: message_activity
-- asks: how many messages were said in each minute, hour or day of a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive), granularity text (minute, hour or day)
-- returns: bucket timestamp (UTC), message_count, model_tokens; by bucket. Buckets without a message are left out
SELECT
    date_trunc($granularity, timestamp) AS bucket,
    count(*) AS message_count,
    CAST(sum(tokens) AS BIGINT) AS model_tokens
FROM message_metrics
WHERE (CAST($from_at AS TIMESTAMP) IS NULL OR timestamp >= CAST($from_at AS TIMESTAMP))
    AND timestamp < CAST($until_at AS TIMESTAMP)
GROUP BY bucket
ORDER BY bucket
