-- name: costs
-- asks: what did each provider and model cost a day, hour or month of a window of time
-- params: from_at timestamp (UTC, inclusive) or null, until_at timestamp (UTC, exclusive), granularity text (hour, day or month), timezone text (IANA name)
-- returns: bucket timestamp (as the clocks of the zone show it), provider, model, requests, total_tokens, cost_usd (of the requests whose price is known; null if none is), unpriced_requests; by bucket, provider, model
SELECT
    date_trunc($granularity, timezone($timezone, timezone('UTC', timestamp))) AS bucket,
    provider,
    model,
    count(*) AS requests,
    CAST(sum(tokens_used) AS BIGINT) AS total_tokens,
    sum(cost_usd) AS cost_usd,
    count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced_requests
FROM provider_requests
WHERE (CAST($from_at AS TIMESTAMP) IS NULL OR timestamp >= CAST($from_at AS TIMESTAMP))
    AND timestamp < CAST($until_at AS TIMESTAMP)
GROUP BY bucket, provider, model
ORDER BY bucket, provider, model
