-- name: costs
-- asks: what did each provider and model cost a day, hour or month of a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive), granularity text (hour, day or month), timezone text (IANA name)
-- returns: bucket timestamp (as the clocks of the zone show it), provider, model, requests, total_tokens, cost_usd (of the requests whose price is known; null if none is), unpriced_requests; by bucket, provider, model
SELECT
    toDateTime64(
        dateTrunc($granularity, addSeconds(timestamp, timeZoneOffset(toTimeZone(timestamp, $timezone)))),
        6,
        'UTC'
    ) AS bucket,
    provider,
    model,
    count() AS requests,
    sum(tokens_used) AS total_tokens,
    sum(provider_requests.cost_usd) AS cost_usd,
    countIf(provider_requests.cost_usd IS NULL) AS unpriced_requests
FROM provider_requests
WHERE ($from_at IS NULL OR timestamp >= $from_at) AND timestamp < $until_at
GROUP BY bucket, provider, model
ORDER BY bucket, provider, model
