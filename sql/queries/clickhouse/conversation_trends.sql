-- name: conversation_trends
-- asks: how many conversations were active a day or an hour, and how long they were
-- params: from_at timestamp (UTC, inclusive), until_at timestamp (UTC, exclusive), granularity text (day or hour), timezone text (IANA name)
-- returns: bucket timestamp (as the clocks of the zone show it), conversation_count, message_count, avg_messages, avg_duration_min; by bucket. A conversation counts in each bucket in which something was said; its messages and its duration are those of that bucket
WITH activity AS (
    SELECT
        toDateTime64(
            dateTrunc(
                $granularity,
                addSeconds(timestamp, timeZoneOffset(toTimeZone(timestamp, $timezone)))
            ),
            6,
            'UTC'
        ) AS bucket,
        conversation_id,
        count() AS messages,
        (toUnixTimestamp64Milli(max(timestamp)) - toUnixTimestamp64Milli(min(timestamp)))
            / 60000.0 AS minutes
    FROM message_metrics
    WHERE timestamp >= $from_at AND timestamp < $until_at
    GROUP BY bucket, conversation_id
)

SELECT
    bucket,
    count() AS conversation_count,
    sum(messages) AS message_count,
    avg(messages) AS avg_messages,
    avg(minutes) AS avg_duration_min
FROM activity
GROUP BY bucket
ORDER BY bucket
